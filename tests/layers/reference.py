"""Recurrent layers with a linear one on top, written by hand in NumPy: steps forward, then back through time.

Each cell is a class with `forward(x, state) → (h, state, kept)` and `backward(g_h, g_state, kept) → (g_state,
gradients)`, where a state is None before the first step, and `gradients` those of x.w, x.b and h.w.
"""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


class Cell:
    def __init__(self, params):
        self.params = params

    def gates(self, x, h):
        z = x @ self.params["x.w"] + self.params["x.b"]
        return z if h is None else z + h @ self.params["h.w"]

    def gates_backward(self, g_z, x, h):
        gradients = {"x.w": x.T @ g_z, "x.b": g_z.sum(axis=0)}
        if h is None:
            return None, gradients
        gradients["h.w"] = h.T @ g_z
        return g_z @ self.params["h.w"].T, gradients


class RNN(Cell):
    def forward(self, x, state):
        h = np.tanh(self.gates(x, state))
        return h, h, (x, state, h)

    def backward(self, g_h, g_state, kept):
        x, before, h = kept
        g_h = g_h + g_state
        return self.gates_backward(g_h * (1.0 - h**2), x, before)


class LSTM(Cell):
    def forward(self, x, state):
        h, c = (None, None) if state is None else state
        f, i, o, u = np.split(self.gates(x, h), 4, axis=1)
        f, i, o, u = sigmoid(f), sigmoid(i), sigmoid(o), np.tanh(u)
        cell = i * u if c is None else f * c + i * u
        return o * np.tanh(cell), (o * np.tanh(cell), cell), (x, h, c, f, i, o, u, cell)

    def backward(self, g_h, g_state, kept):
        x, h, c, f, i, o, u, cell = kept
        from_h, g_c = (0.0, 0.0) if isinstance(g_state, float) else g_state
        g_h = g_h + from_h
        g_c = g_c + g_h * o * (1.0 - np.tanh(cell) ** 2)
        g_f = np.zeros_like(f) if c is None else g_c * c * f * (1.0 - f)
        g_z = np.concatenate(
            [g_f, g_c * u * i * (1.0 - i), g_h * np.tanh(cell) * o * (1.0 - o), g_c * i * (1.0 - u**2)], axis=1
        )
        g_before, gradients = self.gates_backward(g_z, x, h)
        return (g_before, g_c * f), gradients


class GRU(Cell):
    def forward(self, x, h):
        size = self.params["h.w"].shape[0]
        from_input = x @ self.params["x.w"] + self.params["x.b"]
        from_hidden = np.zeros_like(from_input) if h is None else h @ self.params["h.w"]
        z = sigmoid(from_input[:, :size] + from_hidden[:, :size])
        r = sigmoid(from_input[:, size : 2 * size] + from_hidden[:, size : 2 * size])
        n = np.tanh(from_input[:, 2 * size :] + r * from_hidden[:, 2 * size :])
        new = (1.0 - z) * n if h is None else (1.0 - z) * n + z * h
        return new, new, (x, h, z, r, n, from_hidden[:, 2 * size :])

    def backward(self, g_h, g_state, kept):
        x, h, z, r, n, hidden_n = kept
        g_h = g_h + g_state
        g_n = g_h * (1.0 - z) * (1.0 - n**2)
        g_z = g_h * ((0.0 if h is None else h) - n) * z * (1.0 - z)
        g_r = g_n * hidden_n * r * (1.0 - r)
        from_input = np.concatenate([g_z, g_r, g_n], axis=1)
        from_hidden = np.concatenate([g_z, g_r, g_n * r], axis=1)
        gradients = {"x.w": x.T @ from_input, "x.b": from_input.sum(axis=0)}
        if h is None:
            return None, gradients
        gradients["h.w"] = h.T @ from_hidden
        return g_h * z + from_hidden @ self.params["h.w"].T, gradients


CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}


def train(kind, params, xs, ts, segment, learning_rate):
    """Gradient descent after every `segment` steps, on the sum of their squared errors (each the mean over the
    batch); the state is carried over, gradients are not. Changes `params`; returns each segment's loss.

    params: by name, "cell.x.w", "cell.x.b", "cell.h.w", "linear.w", "linear.b"
    xs, ts: (steps, batch, in) and (steps, batch, out)
    """
    cell = CELLS[kind]({})
    state, losses = None, []
    for start in range(0, len(xs), segment):
        cell.params = {name.removeprefix("cell."): p for name, p in params.items() if name.startswith("cell.")}
        steps, total = [], 0.0
        for x, t in zip(xs[start : start + segment], ts[start : start + segment], strict=True):
            h, state, kept = cell.forward(x, state)
            error = h @ params["linear.w"] + params["linear.b"] - t
            total += np.mean(error**2)
            steps.append((h, kept, 2.0 * error / error.size))
        gradients = {name: np.zeros_like(p) for name, p in params.items()}
        g_state = 0.0
        for h, kept, g_y in reversed(steps):
            gradients["linear.w"] += h.T @ g_y
            gradients["linear.b"] += g_y.sum(axis=0)
            g_state, parts = cell.backward(g_y @ params["linear.w"].T, g_state, kept)
            for name, part in parts.items():
                gradients[f"cell.{name}"] += part
        for name, gradient in gradients.items():
            params[name] = params[name] - learning_rate * gradient
        losses.append(total)
    return losses

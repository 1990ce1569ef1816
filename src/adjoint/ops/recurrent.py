"""The elementwise part of a long short-term memory step."""

from __future__ import annotations

from adjoint.ops.declaration import Sample, op

# Hochreiter & Schmidhuber, "Long Short-Term Memory" (1997), with the forget gate of Gers et al. (2000).


def _lstm_cell(xp, z, *c):
    """c' = f c + i u,  h = o tanh(c'), with f, i, o = sigmoid and u = tanh of the parts of z (..., 4 hidden).

    Returns h and c' (..., hidden), then residuals: the gates f, i, o side by side, u, tanh(c').
    """
    hidden, left_over = divmod(z.shape[-1], 4)
    if left_over or (c and c[0].shape != (*z.shape[:-1], hidden)):
        raise ValueError("shapes that do not go together")
    # sigmoid(x) = ½ tanh(½ x) + ½: twice as fast as by the exponential; its tails, where it is less exact, are
    # gates that are shut.
    gates = 0.5 * xp.tanh(0.5 * z[..., : 3 * hidden]) + 0.5
    u = xp.tanh(z[..., 3 * hidden :])
    cell = gates[..., hidden : 2 * hidden] * u
    if c:
        cell = gates[..., :hidden] * c[0] + cell
    squashed = xp.tanh(cell)
    return gates[..., 2 * hidden :] * squashed, cell, gates, u, squashed


def _lstm_cell_rule(F, g, y, _z, *c):
    g_h, g_cell, g_gates, g_u, g_squashed = g
    _, _, gates, u, squashed = y
    hidden = u.shape[-1]
    f, i, o = (gates[..., k * hidden : (k + 1) * hidden] for k in range(3))
    zero = 0.0 * u if g_h is None or not c else None
    if g_h is not None:
        g_squashed = _total(g_squashed, g_h * o)
    if g_squashed is not None:
        g_cell = _total(g_cell, g_squashed * (1.0 - squashed * squashed))
    if g_cell is None:
        g_cell = zero
    g_f = g_cell * c[0] if c else zero
    g_o = zero if g_h is None else g_h * squashed
    g_gates = _total(g_gates, F.concat(g_f, g_cell * u, g_o, axis=-1))
    g_u = _total(g_u, g_cell * i)
    g_z = F.concat(g_gates * (gates * (1.0 - gates)), g_u * (1.0 - u * u), axis=-1)
    return (g_z, g_cell * f) if c else (g_z,)


def _total(a, b):
    """a + b, where None is zero."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


lstm_cell = op(
    "lstm_cell",
    _lstm_cell,
    vjp=_lstm_cell_rule,
    outputs=2,
    samples=(Sample((2, 8), (2, 2)), Sample((2, 8)), Sample((2, 3, 4), (2, 3, 1))),
    requires="z (..., 4 hidden) and c (..., hidden) with equal leading axes",
)

"""Second derivatives of a model: the natural gradient and Newton's method beside gradient descent.

A small network learns which points of the plane lie inside of a ring. The natural gradient divides by the Fisher
information, the mean of g gᵀ over the examples and the labels that the model itself expects; `vmap(grad)` gives the
gradient g of every example. Newton's method divides by the Hessian H. It is never made: `hvp` gives products H v, and
the method of conjugate gradients solves H step = −gradient with them.
"""

import numpy as np

import adjoint as ad
from adjoint import functions as F, models

STEPS = 20
PENALTY = 1e-3


def ring(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points (200, 2), and a 1 for each that lies in the ring (200, 1); the border is not sharp."""
    x = rng.uniform(-2.0, 2.0, (200, 2))
    radius = np.hypot(x[:, :1], x[:, 1:]) + 0.2 * rng.standard_normal((200, 1))
    return x, (radius < 1.3).astype(float)


def loss(model, x, t):
    penalty = sum((p**2).sum() for p in model.params().values())
    return F.sigmoid_cross_entropy(model(x), t) + PENALTY * penalty


def vector(gradient: dict) -> np.ndarray:
    """A gradient by path as one vector (n,)."""
    return np.concatenate([part.data.ravel() for part in gradient.values()])


def parts(model, step: np.ndarray) -> dict:
    """A vector (n,) by path, in the shapes of the parameters."""
    params = model.params()
    cuts = np.cumsum([p.size for p in params.values()])[:-1]
    return {path: part.reshape(params[path].shape) for path, part in zip(params, np.split(step, cuts), strict=True)}


def move(model, step: np.ndarray) -> None:
    params = model.params()
    for path, part in parts(model, step).items():
        params[path].data = params[path].data + part


def descent_step(model, x, t) -> np.ndarray:
    return -1.0 * vector(ad.grad(loss)(model, x, t))


def natural_step(model, x, t) -> np.ndarray:
    """−F⁻¹ gradient, with the Fisher information F = mean over x of Σ over labels y of p(y | x) g gᵀ."""
    per_example = ad.vmap(ad.grad(lambda m, x, y: F.sigmoid_cross_entropy(m(x), y)), in_axes=(None, 0, None))
    with ad.no_grad():
        likely = F.sigmoid(model(x)).data  # (N, 1)
    fisher = 2 * PENALTY * np.eye(sum(p.size for p in model.params().values()))
    for label, p in ((0.0, 1.0 - likely), (1.0, likely)):
        g = np.hstack([part.data.reshape(len(x), -1) for part in per_example(model, x, np.array([label])).values()])
        fisher += (p * g).T @ g / len(x)
    return -np.linalg.solve(fisher, vector(ad.grad(loss)(model, x, t)))


def newton_step(model, x, t) -> np.ndarray:
    """Conjugate gradients on H step = −gradient, until the error is small or a direction of no curvature is met."""
    gradient = vector(ad.grad(loss)(model, x, t))
    step, residual = np.zeros_like(gradient), -gradient
    direction = residual
    for _ in range(3 * len(gradient)):
        product = vector(ad.hvp(lambda m: loss(m, x, t), model, parts(model, direction)))
        curvature = direction @ product
        if curvature <= 0.0:
            return step if step.any() else direction
        length = residual @ residual / curvature
        step = step + length * direction
        smaller = residual - length * product
        if np.linalg.norm(smaller) < 0.1 * np.linalg.norm(gradient):
            break
        direction = smaller + (smaller @ smaller) / (residual @ residual) * direction
        residual = smaller
    return step


def train(find_step, x, t) -> models.MLP:
    model = models.MLP([5, 1], activation=F.tanh, rng=ad.random.const())
    model(x)  # makes the parameters
    for _ in range(STEPS):
        value, step = loss(model, x, t).item(), find_step(model, x, t)
        move(model, step)
        while loss(model, x, t).item() > value and np.abs(step).max() > 1e-8:  # too far: half of the way back
            step = step / 2
            move(model, -step)
    return model


def main() -> None:
    x, t = ring(ad.random.const())
    for name, find_step in (("gradient", descent_step), ("natural gradient", natural_step), ("Newton", newton_step)):
        model = train(find_step, x, t)
        slope = np.abs(vector(ad.grad(loss)(model, x, t))).max()
        print(f"{name:16}: loss {loss(model, x, t).item():.4f} after {STEPS} steps, largest slope {slope:.0e}")

    # The whole Hessian at the last point, block by block: is it a minimum?
    blocks = ad.hessian(loss)(model, x, t)
    sizes = {path: p.size for path, p in model.params().items()}
    hessian = np.block([[blocks[p][q].data.reshape(sizes[p], sizes[q]) for q in sizes] for p in sizes])
    print(f"smallest eigenvalue of the Hessian: {np.linalg.eigvalsh(hessian).min():.4f}")


if __name__ == "__main__":
    main()

"""Second derivatives of a model: the natural gradient and Newton's method beside gradient descent.

A small network learns which points of the plane lie inside of a ring. Its parameters are one vector, by `ad.ravel`.
The natural gradient divides by the Fisher information, the mean of g gᵀ over the examples and the labels that the model
itself expects; `vmap(grad)` gives the gradient g of every example. Newton's method divides by the Hessian H. It is
never made: `hvp` gives products H v, and the method of conjugate gradients solves H step = −gradient with them.
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


class Problem:
    """The loss as a function of the parameters' vector (n,)."""

    def __init__(self, x: np.ndarray, t: np.ndarray) -> None:
        model = models.MLP([5, 1], activation=F.tanh, rng=ad.random.const())
        model(x)  # makes the parameters
        start, self.model_of = ad.ravel(model)
        self.start = start.data
        self.x, self.t = x, t

    def loss(self, vector):
        return F.sigmoid_cross_entropy(self.model_of(vector)(self.x), self.t) + PENALTY * np.sum(vector**2)

    def loss_of_one(self, vector, x, label):
        return F.sigmoid_cross_entropy(self.model_of(vector)(x), label)


def descent_step(problem: Problem, vector: np.ndarray) -> np.ndarray:
    return -ad.grad(problem.loss)(vector)


def natural_step(problem: Problem, vector: np.ndarray) -> np.ndarray:
    """−F⁻¹ gradient, with the Fisher information F = mean over x of Σ over labels y of p(y | x) g gᵀ."""
    per_example = ad.vmap(ad.grad(problem.loss_of_one), in_axes=(None, 0, None))
    likely = F.sigmoid(problem.model_of(vector)(problem.x)).data  # (N, 1)
    fisher = 2 * PENALTY * np.eye(len(vector))
    for label, p in ((0.0, 1.0 - likely), (1.0, likely)):
        g = per_example(vector, problem.x, np.array([label]))  # (N, n)
        fisher += (p * g).T @ g / len(g)
    return -np.linalg.solve(fisher, ad.grad(problem.loss)(vector))


def newton_step(problem: Problem, vector: np.ndarray) -> np.ndarray:
    """Conjugate gradients on H step = −gradient, until the error is small or a direction of no curvature is met."""
    gradient = ad.grad(problem.loss)(vector)
    step, residual = np.zeros_like(gradient), -gradient
    direction = residual
    for _ in range(3 * len(gradient)):
        product = ad.hvp(problem.loss, vector, direction)
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


def train(find_step, problem: Problem) -> np.ndarray:
    vector = problem.start
    for _ in range(STEPS):
        step = find_step(problem, vector)
        while problem.loss(vector + step) > problem.loss(vector) and np.abs(step).max() > 1e-8:  # too far
            step = step / 2
        vector = vector + step
    return vector


def main() -> None:
    problem = Problem(*ring(ad.random.const()))
    for name, find_step in (("gradient", descent_step), ("natural gradient", natural_step), ("Newton", newton_step)):
        vector = train(find_step, problem)
        loss, slope = problem.loss(vector), np.abs(ad.grad(problem.loss)(vector)).max()
        print(f"{name:16}: loss {loss.item():.4f} after {STEPS} steps, largest slope {slope:.0e}")
    # The whole Hessian at the last point: is it a minimum?
    print(f"smallest eigenvalue of the Hessian: {np.linalg.eigvalsh(ad.hessian(problem.loss)(vector)).min():.4f}")


if __name__ == "__main__":
    main()

"""Learning to learn (MAML): a start from which one step of gradient descent fits a sine wave that was never seen.

Each task is a sine of its own amplitude and phase, of which ten points are given. The loss of a start is what is left
after one step from it, on ten other points: its gradient goes through the step, and so has second derivatives.
Finn, Abbeel and Levine, "Model-agnostic meta-learning" (2017).
"""

import numpy as np

import adjoint as ad
from adjoint import functions as F, models, optimizers

STEP = 0.05  # of the gradient descent within a task
TASKS = 25  # in each batch
EXAMPLES = 10
BATCHES = 1_500


def tasks(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets, both (count, 2 · EXAMPLES, 1): the first half to learn from, the second to be tested on."""
    amplitude = rng.uniform(0.5, 2.0, (count, 1, 1))
    phase = rng.uniform(0.0, np.pi, (count, 1, 1))
    x = rng.uniform(-3.0, 3.0, (count, 2 * EXAMPLES, 1))
    return x, amplitude * np.sin(x + phase)


def network(params: dict, x):
    """x (N, 1) → (N, 1), by parameters that need not be those of a model."""
    x = F.tanh(F.linear(x, params["layers.0.w"], params["layers.0.b"]))
    x = F.tanh(F.linear(x, params["layers.1.w"], params["layers.1.b"]))
    return F.linear(x, params["layers.2.w"], params["layers.2.b"])


def loss(params: dict, x, t):
    return F.mean_squared_error(network(params, x), t)


def adapted(params: dict, x, t) -> dict:
    """The parameters after one step on a task."""
    gradient = ad.grad(loss)(params, x, t)
    return {path: p - STEP * gradient[path] for path, p in params.items()}


def loss_after(params: dict, x, t):
    """The loss on the second half of a task, after a step on its first half."""
    return loss(adapted(params, x[:EXAMPLES], t[:EXAMPLES]), x[EXAMPLES:], t[EXAMPLES:])


def main() -> None:
    rng = ad.random.const()
    model = models.MLP([40, 40, 1], rng=rng)
    model(np.zeros((1, 1)))  # makes the parameters
    optimizer = optimizers.Adam(0.005)
    of_all = ad.vmap(loss_after, in_axes=(None, 0, 0))

    @ad.compile
    def step(x, t):
        found = of_all(model.params(), x, t).mean()
        model.cleargrads()
        found.backward()
        optimizer.update(model)
        return found

    for i in range(1, BATCHES + 1):
        found = step(*map(ad.Variable, tasks(rng, TASKS)))
        if i % 500 == 0:
            print(f"batch {i}: loss after one step {found.item():.3f}")

    x, t = tasks(rng, 500)
    before = ad.vmap(loss, in_axes=(None, 0, 0))(model.params(), x, t).data.mean()
    after = of_all(model.params(), x, t).data.mean()
    print(f"sines that were never seen: {before:.3f} before the step, {after:.3f} after it")


if __name__ == "__main__":
    main()

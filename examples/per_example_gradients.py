"""The gradient of every example of a batch at once: `vmap(grad)` on a model.

`grad` of one example's loss, written for one example, is mapped over the batch. The norms tell which examples pull
hardest; the wrongly labelled ones do. Clipping each gradient before the mean keeps them from spoiling the fit.
"""

import numpy as np

import adjoint as ad
from adjoint import functions as F, models, optimizers

CLIP = 0.5
WRONG = 8  # of 100 targets


def loss(model, x, t):
    """The loss of one example: x (1,), t (1,)."""
    return ((model(x) - t) ** 2).sum()


def norms(gradients: dict) -> np.ndarray:
    """The norm of each example's gradient over all parameters, (N,)."""
    return np.sqrt(sum((g.data.reshape(len(g), -1) ** 2).sum(1) for g in gradients.values()))


def train(x: np.ndarray, t: np.ndarray, clip: float) -> models.MLP:
    """Trains on means of gradients of which none is longer than `clip`."""
    model = models.MLP([10, 1], activation=F.tanh, rng=ad.random.const())
    model(x)  # makes the parameters
    optimizer = optimizers.Adam(0.02)
    per_example = ad.vmap(ad.grad(loss), in_axes=(None, 0, 0))
    for _ in range(300):
        gradients = per_example(model, x, t)  # (N, *shape of the parameter), by path
        scale = np.minimum(1.0, clip / norms(gradients))
        for path, parameter in model.params().items():
            parameter.grad = np.tensordot(scale, gradients[path].data, 1) / len(x)
        optimizer.update(model)
    return model


def main() -> None:
    rng = ad.random.const()
    x = rng.uniform(-1.0, 1.0, (100, 1))
    truth = np.sin(3 * x)
    t = truth.copy()
    t[:WRONG] += 4.0

    for clip in (np.inf, CLIP):
        model = train(x, t, clip)
        with ad.no_grad():
            error = np.abs(model(x).data - truth).mean()
        gradients = ad.vmap(ad.grad(loss), in_axes=(None, 0, 0))(model, x, t)
        longest = np.argsort(norms(gradients))[-WRONG:]
        found = (longest < WRONG).sum()
        print(f"clipped at {clip}: mean error {error:.3f}, wrong ones among the longest {WRONG}: {found}")


if __name__ == "__main__":
    main()

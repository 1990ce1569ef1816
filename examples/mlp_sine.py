"""A multi-layer perceptron learns a noisy sine: model, loss, gradients, update."""

import numpy as np

import adjoint as ad
from adjoint import functions as F, models, optimizers

EPOCHS = 2_000
NOISE = 0.1


def main() -> None:
    rng = ad.random.const()
    x = rng.random((100, 1))  # (N, 1)
    t = np.sin(2 * np.pi * x) + NOISE * rng.standard_normal((100, 1))

    model = models.MLP([20, 1], activation=F.tanh, rng=rng)
    optimizer = optimizers.Adam(0.01)
    for epoch in range(1, EPOCHS + 1):
        loss = F.mean_squared_error(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update(model)
        if epoch % 400 == 0:
            print(f"epoch {epoch:4}: loss {loss.item():.5f}")

    # The noise has variance 0.01: no function that knows the sine alone gets below it on new data.
    with ad.no_grad():
        between = np.linspace(0.0, 1.0, 101).reshape(-1, 1)
        error = model(between).data - np.sin(2 * np.pi * between)
    print(f"largest distance from the sine: {np.abs(error).max():.3f}")


if __name__ == "__main__":
    main()

"""A network that obeys a differential equation: u'' + u = 0 with u(0) = 0 and u'(0) = 1, whose solution is the sine.

No values of the solution are given. The loss is the square of what the equation leaves over, at points between 0 and
2π; for it the network is differentiated twice in its input, and then the whole once more in its parameters. The step is
compiled, derivatives of derivatives included.
"""

import numpy as np

import adjoint as ad
from adjoint import functions as F, models, optimizers

POINTS = np.linspace(0.0, 2 * np.pi, 50)
STEPS = 2_000


def main() -> None:
    rng = ad.random.const()
    network = models.MLP([20, 20, 1], activation=F.tanh, rng=rng)
    network(np.zeros((1, 1)))  # makes the parameters

    def u(t):
        """The solution (N,) at times (N,): it begins at 0 with slope 1, whatever the network is."""
        rise = 1.0 - F.exp(-t)
        return rise + rise**2 * network((t / np.pi - 1.0).reshape(-1, 1))[:, 0]

    acceleration = ad.nth_derivative(u, 2)
    optimizer = optimizers.Adam(0.01)

    @ad.compile
    def step(t):
        loss = ((acceleration(t) + u(t)) ** 2).mean()
        network.cleargrads()
        loss.backward()
        optimizer.update(network)
        return loss

    for i in range(1, STEPS + 1):
        optimizer.learning_rate = 0.01 * (1.0 - i / (STEPS + 1))
        loss = step(ad.Variable(POINTS))
        if i % 500 == 0:
            print(f"step {i:4}: loss {loss.item():.1e}")

    between = np.linspace(0.0, 2 * np.pi, 201)
    with ad.no_grad():
        error = np.abs(u(ad.Variable(between)).data - np.sin(between)).max()
    print(f"largest distance from the sine: {error:.1e}")


if __name__ == "__main__":
    main()

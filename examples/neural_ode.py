"""A neural differential equation: a network learns the forces on a pendulum from where it is at a few times.

The solver chooses its steps as it goes, by a Python `while` that looks at the error of each step. The graph is what it
did: the gradient is that of the computed solution. Chen et al., "Neural ordinary differential equations" (2018).
"""

import numpy as np

import adjoint as ad
from adjoint import functions as F, models, optimizers

TOLERANCE = 1e-3
TIMES = np.array([0.5, 1.0, 1.5, 2.0])
STEPS = 300


def motion(force):
    """The right side of y' = f(y), for rows of angles and velocities (N, 2), and a force that depends on both."""
    return lambda y: F.concat([y[:, 1:], force(y)], axis=1)


def true_force(y):
    """Gravity and friction, (N, 1)."""
    return -F.sin(y[:, :1]) - 0.3 * y[:, 1:]


def solve(f, y, times, tolerance):
    """y' = f(y) from time 0: the values at `times`, and the number of steps.

    Bogacki and Shampine's pair of formulas of orders 3 and 2 (1989): the difference of both is the error.
    """
    found, count = [], 0
    now, length = 0.0, 0.1
    first = f(y)
    for end in times:
        while now < end:
            length = min(length, end - now)
            second = f(y + length / 2 * first)
            third = f(y + length * 3 / 4 * second)
            new = y + length / 9 * (2 * first + 3 * second + 4 * third)
            last = f(new)
            error = length * np.abs((-5 * first + 6 * second + 8 * third - 9 * last).data).max() / 72
            if error <= tolerance:
                y, first, count = new, last, count + 1
                now = end if end - now - length < 1e-12 else now + length
            length *= min(3.0, max(0.3, 0.9 * (tolerance / (error + 1e-16)) ** (1 / 3)))
        found.append(y)
    return F.stack(found), count


def starts(rng: np.random.Generator, count: int) -> ad.Variable:
    return ad.Variable(rng.uniform(-2.0, 2.0, (count, 2)))


def main() -> None:
    rng = ad.random.const()
    y = starts(rng, 50)
    with ad.no_grad():
        observed, count = solve(motion(true_force), y, TIMES, TOLERANCE)
    print(f"the pendulum takes {count} steps")

    network = models.MLP([30, 1], activation=F.tanh, rng=rng)
    optimizer = optimizers.Adam(0.05)
    for step in range(1, STEPS + 1):
        found, count = solve(motion(network), y, TIMES, TOLERANCE)
        loss = F.mean_squared_error(found, observed.data)
        network.cleargrads()
        loss.backward()
        optimizer.learning_rate = 0.05 * (1.0 - step / (STEPS + 1))
        optimizer.update(network)
        if step % 100 == 0:
            print(f"step {step:3}: loss {loss.item():.1e}, {count} steps of the solver")

    # New starts, and a finer solution of the learned equation.
    y = starts(rng, 100)
    with ad.no_grad():
        error = solve(motion(network), y, TIMES, 1e-6)[0].data - solve(motion(true_force), y, TIMES, 1e-6)[0].data
    print(f"error for new starts: {np.sqrt(np.mean(error**2)):.3f}")


if __name__ == "__main__":
    main()

"""Gradient descent on the Rosenbrock function, (1 − x₀)² + 100 (x₁ − x₀²)², a valley with its minimum at (1, 1)."""

import adjoint as ad

LEARNING_RATE = 0.001


def rosenbrock(x0: ad.Variable, x1: ad.Variable) -> ad.Variable:
    return 100 * (x1 - x0**2) ** 2 + (x0 - 1) ** 2


def main() -> None:
    x0, x1 = ad.Variable(0.0), ad.Variable(2.0)
    for iteration in range(10_000):
        if iteration % 1_000 == 0:
            print(f"{iteration:6}", x0.item(), x1.item())
        y = rosenbrock(x0, x1)
        for x in (x0, x1):
            x.cleargrad()
        y.backward()
        for x in (x0, x1):
            x.data = x.data - LEARNING_RATE * x.grad.data
    print(" 10000", x0.item(), x1.item())


if __name__ == "__main__":
    main()

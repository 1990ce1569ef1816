"""Newton's method with second derivatives by double backpropagation.

Finds a minimum of f(x) = x⁴ − 2x², starting from 2: x ← x − f'(x)/f''(x). It ends at 1 in ten steps.
"""

import adjoint as ad


def f(x: ad.Variable) -> ad.Variable:
    return x**4 - 2 * x**2


def main() -> None:
    x = ad.Variable(2.0)
    for step in range(10):
        print(step, x.item())

        y = f(x)
        x.cleargrad()
        y.backward(create_graph=True)  # records the computation of f'(x) …
        first = x.grad

        x.cleargrad()
        first.backward()  # … so that it can be differentiated again
        second = x.grad

        x.data = x.data - first.data / second.data
    print("minimum at", x.item())


if __name__ == "__main__":
    main()

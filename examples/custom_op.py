"""An op of your own: the solution of Kepler's equation, E − e sin E = M, differentiated to any order.

The eccentric anomaly E of a planet is defined by its mean anomaly M and the eccentricity e of its orbit; no formula
gives it. The op finds it by iteration. Its rule does not look into the iteration: differentiating the equation
itself gives (1 − e cos E) dE = dM + sin E de.
"""

import numpy as np

import adjoint as ad
from adjoint import functions as F


def solve(xp, mean_anomaly, eccentricity):
    """E by Newton's method, which is exact to the last digits after eight steps for e ≤ 0.8."""
    anomaly = mean_anomaly + eccentricity * xp.sin(mean_anomaly)
    for _ in range(8):
        excess = anomaly - eccentricity * xp.sin(anomaly) - mean_anomaly
        anomaly = anomaly - excess / (1.0 - eccentricity * xp.cos(anomaly))
    return anomaly


def rule(F, g, E, _mean_anomaly, e):
    """The cotangents of M and e. `E` is the op's output; the underscore says that M's values are not needed."""
    slope = g / (1.0 - e * F.cos(E))
    return slope, slope * F.sin(E)


eccentric_anomaly = ad.op(
    "eccentric_anomaly",
    solve,
    vjp=rule,
    elementwise=True,
    samples=(ad.testing.Sample((2, 3), (3,), domain=(0.1, 0.8)),),
    requires="a mean anomaly, and an eccentricity from 0 to 0.8, of shapes that can be broadcast",
)


def main() -> None:
    # Orders 1 to 3 of both inputs, compared with differences.
    ad.testing.check_grads(eccentric_anomaly, (np.array([0.5, 2.0, 4.0]), np.array([0.2])), order=3)
    print("the rule agrees with differences up to order 3")

    # Mercury along its orbit: position, velocity and acceleration in semi-major axes and radians of mean anomaly.
    e = 0.2056
    M = ad.Variable(np.linspace(0.5, 2.5, 5), name="M")
    x = F.cos(eccentric_anomaly(M, e)) - e
    x.backward(create_graph=True)
    velocity = M.grad
    M.cleargrad()
    velocity.backward()
    acceleration = M.grad
    for row in zip(M.data, x.data, velocity.data, acceleration.data, strict=True):
        print("M {:.1f}   x {:+.4f}   x' {:+.4f}   x'' {:+.4f}".format(*row))


if __name__ == "__main__":
    main()

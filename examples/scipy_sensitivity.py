"""Derivatives of what SciPy computes, by the implicit function theorem.

A solver is no chain of formulas that could be recorded, and need not be: where f(y, p) = 0, dy/dp = −(∂f/∂y)⁻¹ ∂f/∂p,
whatever found y. `ad.custom_vjp` gives that rule to the solver. Here SciPy finds the equilibrium of a chemical
reaction, and its derivatives tell what each constant does to it, to any order.
"""

import numpy as np
import scipy.optimize

import adjoint as ad
from adjoint import functions as F


def equations(y, p):
    """Zero at the equilibrium of A + B ⇌ C ⇌ D: y = concentrations of A, B, C, D; p = constants, and amounts."""
    forming, changing, amount_a, amount_b = p
    a, b, c, d = y
    return F.stack([c - forming * a * b, d - changing * c, a + c + d - amount_a, b + c + d - amount_b])


@ad.custom_vjp
def equilibrium(p):
    """The y with equations(y, p) = 0."""
    values = p.data
    found = scipy.optimize.root(lambda y: equations(ad.Variable(y), values).data, np.full(4, 0.5), tol=1e-12)
    return ad.Variable(found.x)


def forward(p):
    y = equilibrium(p)
    return y, (y, p)


def backward(residuals, g):
    """g ↦ −gᵀ (∂f/∂y)⁻¹ ∂f/∂p, itself written so that it can be differentiated."""
    y, p = residuals
    weights = ad.linalg.solve(ad.jacobian(equations, 0)(y, p).T, g)
    return (-weights @ ad.jacobian(equations, 1)(y, p),)


equilibrium.defvjp(forward, backward)


def main() -> None:
    p = np.array([2.0, 0.5, 1.0, 1.5])
    y = equilibrium(ad.Variable(p)).data
    print("concentrations:", y.round(4))

    sensitivity = ad.jacobian(equilibrium)(p)  # (4, 4)
    for name, row in zip("ABCD", sensitivity, strict=True):
        print(f"d{name}/dp:", row.round(4))

    step = 1e-5
    differences = np.stack(
        [
            (equilibrium(ad.Variable(p + d)).data - equilibrium(ad.Variable(p - d)).data) / (2 * step)
            for d in step * np.eye(4)
        ],
        1,
    )
    print(f"differences are off by {np.abs(sensitivity - differences).max():.0e}")

    second = ad.hessian(lambda p: equilibrium(p)[3])(p)
    print("second derivatives of D:", np.diag(second).round(4))


if __name__ == "__main__":
    main()

"""Derivatives of a molecule's energy to order four: the force constants of hydrogen chloride.

Spectroscopists expand the energy of a bond around its equilibrium: the second derivative gives the harmonic
frequency, the third and fourth how far the bond departs from it (anharmonicity). For the Morse potential,
V(r) = D (1 − exp(−a (r − r₀)))², they are known exactly: 2Da², −6Da³, 14Da⁴.
"""

import adjoint as ad
from adjoint import functions as F

DEPTH = 4.618  # D in electronvolts
WIDTH = 1.869  # a in 1/ångström
EQUILIBRIUM = 1.2746  # r₀ in ångström


def morse(r: ad.Variable) -> ad.Variable:
    return DEPTH * (1.0 - F.exp(-WIDTH * (r - EQUILIBRIUM))) ** 2


def derivatives(f, x: ad.Variable, highest: int) -> list[float]:
    """f'(x), f''(x), … up to the highest order, each as the gradient of the one before."""
    values = []
    y = f(x)
    for _ in range(highest):
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
        values.append(y.item())
    return values


def third_difference(f, x: float, step: float) -> float:
    """f'''(x) by central differences."""
    with ad.no_grad():
        above, far_above = f(ad.Variable(x + step)).item(), f(ad.Variable(x + 2 * step)).item()
        below, far_below = f(ad.Variable(x - step)).item(), f(ad.Variable(x - 2 * step)).item()
    return (far_above - 2 * above + 2 * below - far_below) / (2 * step**3)


def main() -> None:
    found = derivatives(morse, ad.Variable(EQUILIBRIUM), 4)
    exact = [0.0, 2 * DEPTH * WIDTH**2, -6 * DEPTH * WIDTH**3, 14 * DEPTH * WIDTH**4]
    for order, (value, known) in enumerate(zip(found, exact, strict=True), start=1):
        print(f"order {order}: {value:+.12e} eV/Å^{order}, off by {abs(value - known):.0e}")

    print("the third one by differences:")
    for step in (1e-2, 1e-4, 1e-6, 1e-8):
        value = third_difference(morse, EQUILIBRIUM, step)
        print(f"step {step:.0e}: {value:+.12e} eV/Å^3, off by {abs(value - exact[2]):.0e}")


if __name__ == "__main__":
    main()

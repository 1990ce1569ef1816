"""Bessel functions of the first and the second kind, of a fixed real order (DLMF, chapter 10)."""

from __future__ import annotations

from adjoint.ops.declaration import Sample, op
from adjoint.ops.edges import interior, replaced, selected


def _cylinder(name, letter, edge):
    """Jᵥ or Yᵥ, whose derivative is ½ (the one of order v − 1 less that of v + 1)."""

    def forward(xp, x, *, order):
        if order in (0, 1):
            return xp.special(x, function=f"{letter}{order:.0f}")
        return xp.special(float(order), x, function=name)

    def rule(F, g, _y, x, *, order):
        function = getattr(F, name)
        inside = None if edge is None and float(order).is_integer() else interior(x > 0.0)
        x = replaced(F, inside, x)
        if order == 0:
            return (selected(F, inside, -g * function(x, order=1)),)
        return (selected(F, inside, g * (0.5 * (function(x, order=order - 1) - function(x, order=order + 1)))),)

    return op(
        name,
        forward,
        vjp=rule,
        jvp=True,
        elementwise=True,
        domain=(0.5, 3.0),
        samples=tuple(Sample(shape, order=order) for shape, order in (((2, 3), 0), ((3,), 1), ((), 2.5), ((0, 3), 3))),
    )


jv = _cylinder("jv", "j", edge=None)
yv = _cylinder("yv", "y", edge=0.0)  # at 0 it is −∞

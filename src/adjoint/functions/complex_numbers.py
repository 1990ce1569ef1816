"""Parts of complex numbers, and their conjugates.

The gradient of a real value with respect to z = x + iy is ∂/∂x − i ∂/∂y.
"""

from __future__ import annotations

from typing import Any

from adjoint.core.apply import apply
from adjoint.core.variable import Variable
from adjoint.ops import complex_numbers

__all__ = ["angle", "conj", "imag", "real"]


def real(z: Any) -> Variable:
    """x of z = x + iy; a real z itself.

    >>> print(real(Variable(3.0 + 4.0j)))
    variable(3.0)
    """
    return apply(complex_numbers.real, z)


def imag(z: Any) -> Variable:
    """y of z = x + iy; 0 for a real z.

    >>> print(imag(Variable(3.0 + 4.0j)))
    variable(4.0)
    """
    return apply(complex_numbers.imag, z)


def conj(z: Any) -> Variable:
    """x − iy for z = x + iy.

    >>> print(conj(Variable(3.0 + 4.0j)))
    variable((3-4j))
    """
    return apply(complex_numbers.conj, z)


def angle(z: Any) -> Variable:
    """The angle of z in (−π, π], in radians; its gradient at 0 is 0.

    >>> print(angle(Variable(1.0j)))
    variable(1.5707963267948966)
    """
    return apply(complex_numbers.angle, z)

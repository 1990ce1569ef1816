"""Products of matrices and of arrays along named axes."""

from __future__ import annotations

import string
from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError
from adjoint.ops import products

__all__ = ["einsum", "linear", "matmul", "recurrent_linear"]


def matmul(a: Any, b: Any) -> Variable:
    """The matrix product a b, with NumPy's rules for vectors and for stacks of matrices.

    >>> print(matmul(Variable([[1.0, 2.0]]), Variable([[3.0], [4.0]])))
    variable(11.0)
    """
    return apply(products.matmul, a, b)


def linear(x: Any, w: Any, b: Any = None) -> Variable:
    """x w + b

    Args:
        x: (..., in)
        w: (in, out), or a stack of such matrices
        b: (out,), (1, out) or (1,); None for no bias

    Raises:
        ShapeError: for other shapes.

    >>> print(linear(Variable([[1.0, 2.0]]), Variable([[3.0], [4.0]]), Variable([0.5])))
    variable(11.5)
    """
    return apply(products.linear, x, w) if b is None else apply(products.linear, x, w, b)


def recurrent_linear(x: Any, w: Any, h: Any, v: Any, b: Any = None) -> Variable:
    """x w + h v + b, the gates of a recurrent layer before their activation.

    Args:
        x: (..., in)
        w: (in, out)
        h: (..., hidden)
        v: (hidden, out)
        b: (out,) or None

    Raises:
        ShapeError: for other shapes.

    >>> x, h, one = Variable([[1.0]]), Variable([[2.0]]), Variable([[1.0]])
    >>> print(recurrent_linear(x, one, h, one))
    variable(3.0)
    """
    inputs = (x, w, h, v) if b is None else (x, w, h, v, b)
    return apply(products.recurrent_linear, *inputs)


def einsum(subscripts: str, *xs: Any) -> Variable:
    """The Einstein sum, in NumPy's notation: ``einsum("ij,jk->ik", a, b)`` is a matrix product.

    Letters that are missing on the right are summed over; without an arrow, those that stand twice are.
    ``...`` stands for leading axes that are broadcast.

    Raises:
        ArgumentError: for subscripts that do not fit the arrays.

    >>> print(einsum("i,i->", Variable([1.0, 2.0]), Variable([3.0, 4.0])))
    variable(11.0)
    """
    if not isinstance(subscripts, str):
        raise DTypeError("einsum: the subscripts are a string, as in einsum('ij,jk->ik', a, b)")
    operands = [as_variable(x) for x in xs]
    terms, out = _explicit_subscripts(subscripts, [x.ndim for x in operands])
    return apply(products.einsum, *operands, subscripts=(terms, out))


def _explicit_subscripts(subscripts: str, ndims: list[int]) -> tuple[tuple[str, ...], str]:
    """The subscripts of each operand and of the result, without ellipses."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ArgumentError(f"einsum {subscripts!r}: {len(terms)} terms for {len(ndims)} arrays")
    widths = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]
    for term, width, ndim in zip(terms, widths, ndims, strict=True):
        if width < 0 or (width > 0 and "..." not in term) or term.count("...") > 1:
            raise ArgumentError(f"einsum {subscripts!r}: the term {term!r} does not fit an array with {ndim} axes")
    if arrow and any(widths) and "..." not in right:
        raise ArgumentError(f"einsum {subscripts!r}: the result lacks the axes of the ellipsis; write -> ...{right}")
    unused = [letter for letter in string.ascii_letters if letter not in subscripts]
    spread = "".join(unused[: max(widths, default=0)])
    explicit = tuple(
        term.replace("...", spread[len(spread) - width :] if width else "")
        for term, width in zip(terms, widths, strict=True)
    )
    if arrow:
        return explicit, right.replace("...", spread)
    letters = "".join(explicit)
    once = "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in spread))
    return explicit, spread + once if "..." in subscripts else once

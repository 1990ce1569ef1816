"""Numerical gradients, and the comparison of a function's derivatives with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint import functions as F
from adjoint.arrays import as_array, is_differentiable_dtype
from adjoint.config import no_grad, recording_mode
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, GradientError

__all__ = ["check_grads", "numerical_grad"]


def _array(x: Any) -> Any:
    return x.data if isinstance(x, Variable) else as_array(x)


def numerical_grad(f: Callable[..., Any], x: Any, eps: float = 1e-4) -> Any:
    """The gradient of f by central differences, (f(x + eps) − f(x − eps)) / (2 eps), element by element.

    For a complex z = x + iy it is ∂f/∂x − i ∂f/∂y, as `backward` has it.

    Args:
        f: a function of Variables. If its value has several elements, their sum is differentiated; if it is complex,
            the real part.
        x: a Variable or array; or a tuple of them for a function of several. It is not changed.
        eps: the step.

    Returns:
        A float64 or complex128 array of x's shape; for a tuple, a tuple of them.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> round(float(numerical_grad(F.sin, ad.Variable(1.0))), 6)
    0.540302
    """
    if isinstance(x, tuple):
        arrays = [_array(part) for part in x]
        return tuple(_difference(f, arrays, position, eps) for position in range(len(arrays)))
    return _difference(f, [_array(x)], 0, eps)


@no_grad()
def _difference(f: Callable[..., Any], arrays: list[Any], position: int, eps: float) -> Any:
    """The numerical gradient in the argument at `position`."""
    moved = _in_double(arrays[position])

    def total() -> float:
        arguments = [Variable(moved.copy() if i == position else array) for i, array in enumerate(arrays)]
        return float(_array(f(*arguments)).real.sum(dtype=np.float64))

    def slope(index: tuple[int, ...], step: complex) -> float:
        value = moved[index]
        moved[index] = value + step
        above = total()
        moved[index] = value - step
        below = total()
        moved[index] = value
        return (above - below) / (2.0 * eps)

    gradient = np.zeros_like(moved)
    for index in np.ndindex(moved.shape):
        gradient[index] = slope(index, eps)
        if moved.dtype.kind == "c":
            gradient[index] -= 1j * slope(index, 1j * eps)
    return gradient


def _in_double(array: Any) -> Any:
    """A copy as float64 or complex128."""
    return np.array(array, np.complex128 if array.dtype.kind == "c" else np.float64)


def check_grads(
    f: Callable[..., Any],
    args: Any,
    order: int = 2,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    eps: float = 1e-4,
    rng: Any = None,
) -> None:
    """Compares the derivatives of f, up to `order`, with central differences.

    Each order is checked as the gradient of the one before, projected on a random direction.

    Args:
        f: a function of Variables that returns a Variable, or a tuple or list of them.
        args: a Variable or array, or a tuple or list of them, in float64 or complex128. Others than real and complex
            floating point numbers are passed on.
        order: the highest order to check, from 1.
        rtol, atol: how far analytic and numerical gradients may be apart.
        eps: the step of the differences.
        rng: the `numpy.random.Generator` for the directions; a fixed one for None.

    Raises:
        GradientError: where they differ, naming order, argument, position and both values.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> check_grads(lambda x: x * F.sin(x), ad.Variable([0.5, 1.0]), order=3)
    """
    if order < 1:
        raise ArgumentError(f"check_grads: the order is at least 1, not {order}")
    rng = np.random.default_rng(0) if rng is None else rng
    arrays = [_array(x) for x in (args if isinstance(args, (tuple, list)) else (args,))]
    checked = [i for i, array in enumerate(arrays) if is_differentiable_dtype(array.dtype)]
    if not checked:
        raise ArgumentError("check_grads: none of the arguments is made of floating point numbers")

    def with_constants(*floats: Any) -> Any:
        values: list[Any] = list(arrays)
        for position, value in zip(checked, floats, strict=True):
            values[position] = value
        return f(*values)

    function = with_constants
    points = [_in_double(arrays[i]) for i in checked]
    for current in range(1, order + 1):
        scalar = _projected(function, points, rng)
        gradient = _gradient_of(scalar)
        analytic = [np.asarray(g.data) for g in gradient(*map(Variable, points))]
        numeric = numerical_grad(scalar, tuple(points), eps)
        for position, a, n in zip(checked, analytic, numeric, strict=True):
            _compare(current, position, a, n, rtol, atol)
        function = gradient


def _projected(function: Callable[..., Any], points: Sequence[Any], rng: Any) -> Callable[..., Variable]:
    """x → Σ direction · function(x), for fixed random directions; of complex results the real part of that."""
    with no_grad():
        outputs = _as_list(function(*map(Variable, points)))
    directions = [_direction(rng, out) for out in outputs]

    def scalar(*xs: Any) -> Variable:
        total: Any = Variable(0.0)
        for out, direction in zip(_as_list(function(*xs)), directions, strict=True):
            part = F.sum(out * direction)
            total = total + (F.real(part) if part.dtype.kind == "c" else part)
        return total

    return scalar


def _direction(rng: Any, out: Any) -> Any:
    """Random numbers of the shape of a result, complex ones for a complex result."""
    direction = rng.uniform(0.5, 1.5, out.shape) * rng.choice([-1.0, 1.0], out.shape)
    if out.dtype.kind != "c":
        return direction
    return direction + 1j * rng.uniform(0.5, 1.5, out.shape)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _gradient_of(scalar: Callable[..., Variable]) -> Callable[..., list[Variable]]:
    """x → the gradient of `scalar` at x, recorded."""

    def gradient(*xs: Any) -> list[Variable]:
        # Of the order above, x has a gradient on the way: it is put back.
        with recording_mode(True):
            kept = [x.grad for x in xs]
            for x in xs:
                x.cleargrad()
            scalar(*xs).backward(create_graph=True)
            gradients = [F.mul(x, 0.0) if x.grad is None else x.grad for x in xs]
            for x, before in zip(xs, kept, strict=True):
                x.grad = before
        return gradients

    return gradient


def _compare(order: int, position: int, analytic: Any, numeric: Any, rtol: float, atol: float) -> None:
    close = np.isclose(analytic, numeric, rtol=rtol, atol=atol, equal_nan=False)
    if close.all():
        return
    at = tuple(int(i) for i in np.argwhere(~close)[0])
    raise GradientError(
        f"derivative {order} in argument {position} at {at}: the rule gives {analytic[at]}, "
        f"differences give {numeric[at]}"
    )

"""Jacobian and Hessian matrices, and products with Hessians."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.arrays import namespace_of
from adjoint.core.apply import apply
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, GradientError
from adjoint.lifted import Batch
from adjoint.ops import shaping
from adjoint.transforms.arguments import Point, Results, all_shown, are_plain, deeper, name_of
from adjoint.transforms.batching import left
from adjoint.transforms.forward import jvp, push
from adjoint.transforms.reverse import Pullback, at_models, grad

__all__ = ["hessian", "hvp", "jacobian"]


def _size(x: Any) -> int:
    return math.prod(getattr(x, "shape", ()))


def _unit_directions(sizes: Sequence[int], shapes: Sequence[tuple[int, ...]], dtypes: Sequence[Any]) -> list[Any]:
    """For each array, its parts of the unit vectors of all arrays side by side, (total, *shape)."""
    total = sum(sizes)
    found = []
    start = 0
    for size, shape, dtype in zip(sizes, shapes, dtypes, strict=True):
        found.append(np.eye(total, size, -start, dtype).reshape(total, *shape))
        start += size
    return found


def _beside(x: Any, units: np.ndarray) -> Any:
    """Unit directions as an array of the kind of x.

    Where a program is traced, its instructions take parts of them then. A strided part of NumPy's own would be copied
    at every call.
    """
    return namespace_of(raw(x)).asarray(units)


def _reshaped(x: Variable, shape: tuple[int, ...]) -> Variable:
    return x if x.shape == shape else apply(shaping.reshape, x, shape=shape)


class _Matrix:
    """The blocks of a Jacobian: one for each result and each leaf of the arguments."""

    def __init__(self, point: Point, out: Results, blocks: Sequence[Sequence[Variable]]) -> None:
        self._point = point
        self._out = out
        self._blocks = blocks

    def structure(self, *, is_plain: bool) -> Any:
        """The blocks as a structure of the results, whose leaves are structures of the arguments."""
        rows = [self._point.results(all_shown(row, is_plain=is_plain)) for row in self._blocks]
        return self._out.matrix(rows)


def _check_floats(point: Point, out: Results) -> None:
    if not out.variables:
        raise GradientError(
            f"jacobian of {name_of(point.function)}, which returns {out.kinds()}; derivatives exist for floating point "
            "numbers: return some, or use has_aux=True for a pair of them and what is none"
        )


def _dtype(x: Any) -> Any:
    return getattr(x, "dtype", np.dtype(np.complex128 if isinstance(x, complex) else np.float64))


def _forward_blocks(point: Point, has_aux: bool) -> tuple[Results, list[list[Variable]], Any, bool]:
    """One run of f, with all unit directions at once: results, blocks, aux, and whether they are plain."""
    sizes = [_size(x) for x in point.leaves]
    shapes = [tuple(getattr(x, "shape", ())) for x in point.leaves]
    units = _unit_directions(sizes, shapes, [_dtype(x) for x in point.leaves])
    with deeper() as level:
        directions = [(Batch(level, _beside(x, unit)),) for x, unit in zip(point.leaves, units, strict=True)]
        pushed, aux = push(point, directions, has_aux=has_aux)
        _check_floats(point, pushed.out)
        tangents = [left(t, level, t.ndim, sum(sizes)) for t in pushed.coefficients(1)]  # (*result, total)
    rows = []
    for t in tangents:
        row, start = [], 0
        for size, shape in zip(sizes, shapes, strict=True):
            part = t if size == sum(sizes) else t[..., start : start + size]
            row.append(_reshaped(part, (*t.shape[:-1], *shape)))
            start += size
        rows.append(row)
    is_plain = are_plain(point.is_plain, (b for row in rows for b in row))
    return pushed.out, rows, aux, is_plain


def _reverse_blocks(run: Pullback) -> list[list[Variable]]:
    """One sweep for each result, with all unit cotangents at once."""
    _check_floats(run.point, run.out)
    rows = []
    for position, y in enumerate(run.out.variables):
        size = y.size
        with deeper() as level:
            unit = Batch(level, _beside(y, np.eye(size, dtype=y.dtype).reshape(size, *y.shape)))
            cotangents: list[Any] = [None] * len(run.out.variables)
            cotangents[position] = unit
            parts = [left(g, level, 0, size) for g in run.pull(cotangents)]
        rows.append([_reshaped(g, (*y.shape, *g.shape[1:])) for g in parts])
    return rows


def _is_forward(point: Point, run: Pullback) -> bool:
    """Whether forward mode is right and cheaper: where there are not more inputs than outputs.

    A real cotangent holds nothing of the imaginary part of a result, nor a real tangent of that of an argument.
    """
    inputs = {_dtype(x).kind for x in point.leaves}
    outputs = {y.dtype.kind for y in run.out.variables}
    if "c" in outputs and inputs == {"f"}:
        return True
    if "c" in inputs and outputs == {"f"}:
        return False
    return sum(_size(x) for x in point.leaves) <= sum(y.size for y in run.out.variables)


def jacobian(f: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, mode: str | None = None) -> Any:
    """The function that gives the matrix of first derivatives of f, Jᵢⱼ = ∂fᵢ/∂xⱼ.

    Args:
        f: a function of Variables, which returns an array or a structure of arrays.
        argnums: the position of the argument to differentiate in, or a tuple of several; or a model, at which it is
            computed at once.
        has_aux: f returns a pair; its second part is returned beside the Jacobian, as it is.
        mode: "forward" for one run with a tangent for each input, "reverse" for one sweep with a cotangent for each
            output. For None, forward if there are not more inputs than outputs; of real arguments with complex results
            forward, and of complex ones with real results reverse (the conjugate of the gradient, as `grad` gives it).
            The choice takes a run of f, so where forward is chosen f runs twice.

    Returns:
        A function with f's arguments. For a result of shape (m,) and an argument of shape (n,) it gives (m, n); in
        general the result's shape, then the argument's. For structures, the structure of the results, with structures
        of the arguments in it, and None for what is not made of floats.

    Raises:
        GradientError: f returns no floating point numbers.
        ArgumentError: for another mode.

    >>> import adjoint as ad
    >>> import numpy as np
    >>> ad.jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    if mode not in (None, "forward", "reverse"):
        raise ArgumentError(f"jacobian: the mode is 'forward', 'reverse' or None, not {mode!r}")
    model, argnums = at_models(argnums)

    @functools.wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        point = Point(f, args, kwargs, argnums)
        run = None if mode == "forward" else Pullback(point, has_aux=has_aux)
        if run is None or (mode is None and _is_forward(point, run)):
            out, blocks, aux, is_plain = _forward_blocks(point, has_aux)
            found = _Matrix(point, out, blocks).structure(is_plain=is_plain)
        else:
            found, aux = _Matrix(point, run.out, _reverse_blocks(run)).structure(is_plain=run.is_plain), run.aux
        return (found, aux) if has_aux else found

    return matrix if model is None else matrix(model)


def hessian(f: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False) -> Any:
    """The function that gives the matrix of second derivatives of f, Hᵢⱼ = ∂²f/∂xᵢ∂xⱼ, forward over reverse.

    Args:
        f: a function of Variables that returns one number.
        argnums: the position of the argument to differentiate in, or a tuple of several. Or a model, at which it is
            computed at once: ``ad.hessian(loss, model)`` is ``ad.hessian(loss)(model)``.
        has_aux: f returns a pair; its second part is returned beside the Hessian, as it is.

    Returns:
        A function with f's arguments. For an argument of shape (n,) it gives (n, n); for a model, ``h[p][q]`` by
        paths, of the shape of parameter p, then that of q.

    >>> import adjoint as ad
    >>> import numpy as np
    >>> ad.hessian(lambda x: (x * x * x).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    model, argnums = at_models(argnums)
    gradient = grad(f, argnums, has_aux=has_aux, create_graph=None)

    @functools.wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        return jacobian(gradient, argnums, mode="forward", has_aux=has_aux)(*args, **kwargs)

    return matrix if model is None else matrix(model)


def hvp(f: Callable[..., Any], primals: Any, vectors: Any) -> Any:
    """H v, the product of the Hessian of f with a vector, forward over reverse: the Hessian itself is never made.

    Args:
        f: a function of Variables that returns one number.
        primals: its argument, or a tuple of them: arrays, Variables, numbers, models, or structures of them.
        vectors: the vector, in the structure of the arguments (for a model a dictionary by path).

    Returns:
        H v in that structure.

    Pearlmutter, "Fast exact multiplication by the Hessian" (1994).

    >>> import adjoint as ad
    >>> import numpy as np
    >>> ad.hvp(lambda x: (x * x * x).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    if isinstance(primals, tuple):
        gradient = grad(f, tuple(range(len(primals))))
        return jvp(gradient, primals, vectors)[1]
    return jvp(grad(f), (primals,), (vectors,))[1]

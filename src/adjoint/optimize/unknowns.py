"""Arrays in a structure as one vector, which is what SciPy's routines work on."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.arrays import NUMBERS
from adjoint.core.variable import Variable
from adjoint.errors import AdjointError, ArgumentError, DTypeError, GradientError, ShapeError
from adjoint.functions import concat, reshape, split
from adjoint.structures import Structure, flatten

__all__ = ["Unknowns"]


class Unknowns:
    """The floats of a starting point x0, side by side in one vector of float64.

    A list of numbers is an array, as for SciPy. Variables of integers, and what holds no numbers, are constants.

    Raises:
        ArgumentError: where there is no float.
        DTypeError: for complex numbers, and for arrays of integers in a structure.
    """

    def __init__(self, x0: Any, what: str) -> None:
        if _is_list_of_numbers(x0) or _is_integers(x0):
            x0 = np.asarray(x0, np.float64)
        self._what = what
        self._location = AdjointError("").location  # the user's line: SciPy stands between it and later errors
        self._all, self._structure = flatten(x0)
        self._where: list[int] = []
        for i, (value, path) in enumerate(zip(self._all, self._structure.paths("x0"), strict=True)):
            if type(value) is int:
                value = self._all[i] = float(value)
            if _is_unknown(value, f"{what}: {path}"):
                self._where.append(i)
        if not self._where:
            raise ArgumentError(
                f"{what}: x0 holds no floating point number to look for; call a model once before, so that its "
                "parameters are made"
            )
        arrays = [_array(self._all[i]) for i in self._where]
        self._shapes = [array.shape for array in arrays]
        self._dtypes = [array.dtype for array in arrays]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        self.start = np.concatenate([array.ravel().astype(np.float64) for array in arrays])

    def _placed(self, parts: list[Any], put_together: Callable[[list[Any]], Any]) -> Any:
        values = list(self._all)
        for i, part in zip(self._where, parts, strict=True):
            values[i] = part
        return put_together(values)

    def variables(self, vector: Variable) -> Any:
        """The structure on the parts of a vector, in its graph."""
        parts = [vector] if len(self._sizes) == 1 else split(vector, self._sizes)
        shaped = [
            reshape(part, shape) if dtype == part.dtype else reshape(part, shape).astype(dtype)
            for part, shape, dtype in zip(parts, self._shapes, self._dtypes, strict=True)
        ]
        return self._placed(shaped, self._structure.build)

    def arrays(self, vector: Any) -> Any:
        """The structure of plain arrays on a copy of a vector: of a model, a dictionary by path."""
        cuts = np.cumsum(self._sizes)[:-1]
        parts = [
            np.array(part, dtype).reshape(shape)[()]
            for part, shape, dtype in zip(np.split(vector, cuts), self._shapes, self._dtypes, strict=True)
        ]
        return self._placed(parts, self._structure.results)

    def scalar(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """f, which returns one number, as a function of the vector."""

        @functools.wraps(f)
        def of_vector(vector: Variable, *args: Any) -> Any:
            y = f(self.variables(vector), *args)
            if not isinstance(y, Variable):
                raise self._no_variable(f, y)
            if y.shape != ():
                raise self._error(f, f"returned an array of shape {y.shape}; return one number, such as its sum")
            return y

        return of_vector

    def vector(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """f, which returns arrays, as a function of the vector that returns one vector."""

        @functools.wraps(f)
        def of_vector(vector: Variable, *args: Any) -> Any:
            found = f(self.variables(vector), *args)
            leaves, _ = flatten(found)
            if not any(isinstance(y, Variable) for y in leaves):
                raise self._no_variable(f, found)
            return concat([reshape(y, (-1,)) for y in leaves])

        return of_vector

    def _error(self, f: Callable[..., Any], problem: str) -> GradientError:
        error = GradientError(f"{self._what}: {getattr(f, '__name__', type(f).__name__)} {problem}")
        error.location = self._location
        return error

    def _no_variable(self, f: Callable[..., Any], y: Any) -> GradientError:
        return self._error(
            f,
            f"returned a {type(y).__name__}, which has no derivative in x; compute it from x by operators, NumPy's "
            "functions or adjoint.functions, without .data, .item() or float()",
        )

    def bounds(self, bounds: Any) -> Any:
        """Bounds as SciPy takes them, one pair for each element, from a dictionary of pairs by key or path."""
        if not isinstance(bounds, dict):
            if isinstance(bounds, (list, tuple)) and any(bound is None or type(bound) in NUMBERS for bound in bounds):
                raise ArgumentError(
                    f"{self._what}: bounds are a list of pairs, one for each element of x0, as in [(0.0, None)] * "
                    f"{self.start.size}, not {bounds!r}"
                )
            return bounds
        if self._structure.keys is None:
            raise ArgumentError(
                f"{self._what}: bounds are a dictionary, and x0 is one array; give a list with a pair for each element"
            )
        spread = _spread_pairs(self._structure, bounds, f"{self._what}: bounds")
        found = []
        for i, shape in zip(self._where, self._shapes, strict=True):
            low, high = _pair(spread[i], shape, self._what)
            found += list(zip(low.tolist(), high.tolist(), strict=True))
        return found

    def shaped(self, result: Any, *names: str) -> Any:
        """A result of SciPy's with the structure in place of vectors, for those of the names that it has."""
        for name in ("x", *names):
            value = result.get(name)
            if isinstance(value, np.ndarray) and value.shape == self.start.shape:
                result[name] = self.arrays(value)
        return result


def _array(value: Any) -> Any:
    return value.data if isinstance(value, Variable) else np.asarray(value)


def _is_list_of_numbers(value: Any) -> bool:
    """Whether a value is a list or a tuple of numbers, or of such lists."""
    if type(value) not in (list, tuple) or not value:
        return False
    return all(type(item) in NUMBERS or isinstance(item, np.generic) for item in value) or all(
        map(_is_list_of_numbers, value)
    )


def _is_integers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iu"


def _is_unknown(value: Any, path: str) -> bool:
    """Whether a leaf is looked for, and not a constant."""
    if not isinstance(value, (Variable, np.ndarray, np.generic, float, complex)):
        return False
    dtype = _array(value).dtype
    kind = dtype.kind
    if kind == "c":
        raise DTypeError(f"{path} is complex; look for its real and its imaginary part, as two arrays")
    if kind in "iu" and not isinstance(value, Variable):
        raise DTypeError(f"{path} is an array of {dtype}; pass x.astype(float), or give what is constant by args")
    return kind == "f"


def _spread_pairs(structure: Structure, bounds: Any, path: str) -> list[Any]:
    """For each leaf its pair of bounds; None where none is given."""
    if structure.keys is None or bounds is None:
        return [bounds] * structure.count
    if not isinstance(bounds, dict):
        raise ArgumentError(f"{path} is a {type(bounds).__name__}; give a dictionary with the keys of that part of x0")
    unknown = [key for key in bounds if key not in structure.keys]
    if unknown:
        raise ArgumentError(f"{path} has {unknown[0]!r}, but x0 there has {', '.join(map(repr, structure.keys))}")
    found: list[Any] = []
    for key, part in zip(structure.keys, structure.parts, strict=True):
        found += _spread_pairs(part, bounds.get(key), f"{path}[{key!r}]")
    return found


def _pair(pair: Any, shape: tuple[int, ...], what: str) -> tuple[Any, Any]:
    """The lower and upper bound of each element."""
    low, high = (None, None) if pair is None else pair
    try:
        return (
            np.broadcast_to(-np.inf if low is None else low, shape).ravel(),
            np.broadcast_to(np.inf if high is None else high, shape).ravel(),
        )
    except ValueError:
        raise ShapeError(f"{what}: the bounds {pair!r} do not fit an array of shape {shape}") from None

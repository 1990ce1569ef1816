"""The value of a Variable: what can be read from it without being recorded."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from adjoint.arrays import as_array
from adjoint.config import RECORDING, TRANSFORMING
from adjoint.core.graph import Link, is_asked_for
from adjoint.core.numpy_protocol import UFUNCS, call_function, call_ufunc
from adjoint.core.readers import computes_on, library_function, stores, takes_lists
from adjoint.errors import ArgumentError, DTypeError, GradientError, OutOfRangeError
from adjoint.lifted import Lifted, LiftedHolder

__all__ = ["Value", "array_of", "raw"]


class Value(LiftedHolder):
    """An array with a name and a place in the graph: the part of a Variable that needs no derivatives.

    _data: the array, or a NumPy scalar, as ops on arrays without axes return
    _link: the place in the graph; None for a leaf that nothing was computed from yet
    """

    __slots__ = ("__weakref__", "_data", "_link", "name")

    _data: Any
    _link: Link | None
    name: str | None

    def __init__(self, data: Any, name: str | None = None) -> None:
        if isinstance(data, Value):
            raise DTypeError("the data of a Variable is an array, not a Variable; use x.detach() for a new one")
        self._data = as_array(data)
        self._link = None
        self.name = name

    @property
    def data(self) -> Any:
        """The array. Assigning another replaces it; the graph recorded before keeps the earlier one.

        Integers and booleans assigned to a Variable of floats are converted to its dtype.
        """
        data = self._data
        if isinstance(data, np.generic):  # what ops on 0-d arrays return
            data = self._data = np.asarray(data)
        return data

    @data.setter
    def data(self, value: Any) -> None:
        if isinstance(value, Value):
            raise DTypeError("data takes an array, not a Variable; assign its .data")
        data = as_array(value)
        if data.dtype.kind not in "fc" and self._data.dtype.kind in "fc":
            data = data.astype(self._data.dtype)  # as integers it would take no gradient any more
        if self._link is not None and (data.shape != self._link.shape or data.dtype != self._link.dtype):
            self._link = None
        self._data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        shape: tuple[int, ...] = self._data.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._data.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self._data.size)

    @property
    def dtype(self) -> Any:
        """The dtype of the array."""
        return self._data.dtype

    def item(self, *index: int) -> Any:
        """The element at `index` as a Python number; without an index, the only element."""
        try:
            return self.data.item(*index)
        except IndexError as error:
            raise OutOfRangeError(f"item({', '.join(map(str, index))}) of {self._brief()}: {error}") from None
        except ValueError as error:
            raise ArgumentError(f"item({', '.join(map(str, index))}) of {self._brief()}: {error}") from None

    # Conversions: they read the value, and are not recorded

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        # Whole numbers have no gradient to lose.
        if (dtype is None or np.dtype(dtype).kind in "fcO") and RECORDING.get() and self._data.dtype.kind in "fc":
            self._check_not_lost(sys._getframe(1))
        return np.array(self.data, dtype=dtype, copy=copy)

    def _check_not_stored(self, frame: Any) -> None:
        """Raises GradientError for ``array[0] = x`` and ``array.fill(x)``: they ask for a float, as who reads x does.

        Within a transform for ``math.sin(x)`` as well; outside, ``math.exp(loss)`` is for reading.
        """
        if not RECORDING.get() or not (self._link is not None or isinstance(self._data, Lifted)):
            return
        is_stored = stores(frame)
        function = None if is_stored else computes_on(frame, with_math=TRANSFORMING.get())
        if not (is_stored or function) or not (is_asked_for(self._link) or isinstance(self._data, Lifted)):
            return
        if is_stored:
            self._raise_lost()
        raise GradientError(
            f"{function} of {self._brief()} would be a constant without a derivative; use the function of NumPy or "
            "of adjoint.functions for it, numpy.sin(x) for math.sin(x), or float(x) to read the number"
        )

    def _check_not_lost(self, frame: Any) -> None:
        """Raises GradientError where an array is made of a computed value, or a function gets a list that holds x."""
        if is_asked_for(self._link):
            function = library_function(frame)
            if function is not None:
                raise GradientError(
                    f"{function} computes on plain arrays, and {self._brief()} would lose its graph; use the function "
                    "of this name in adjoint.special, adjoint.linalg or numpy.linalg, adjoint.optimize for solvers, or "
                    "SciPy's mode for the array API; to read the values, x.data"
                )
            self._raise_lost()
        # Results that are leaves may be read, as those of ad.no_grad(); from a leaf with a link something was computed.
        is_used = self._link is not None and self._link.creator is None
        function = takes_lists(frame) if is_used else None
        if function is not None:
            raise GradientError(
                f"{function} was given a list that holds {self._brief()}, and NumPy would make an array of it; write "
                "numpy.stack([…]) for the list, or use the function of adjoint.numpy; to read the values, x.data"
            )

    def _raise_lost(self) -> None:
        raise GradientError(
            f"{self._brief()} was computed in a graph, which a NumPy array would lose. To read the values, use x.data, "
            "or ad.no_grad(); to collect them, numpy.stack or F.stack, or a Variable made by ad.zeros instead of an "
            "array"
        )

    # NumPy's own functions and operators: `np.sin(x)`, `array * x`

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if not options and method == "__call__" and ufunc in UFUNCS:
            return UFUNCS[ufunc](*inputs)
        return call_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return call_function(function, args, kwargs)

    def __float__(self) -> float:
        self._check_not_stored(sys._getframe(1))
        return float(self._only("float"))

    def __complex__(self) -> complex:
        self._check_not_stored(sys._getframe(1))
        return complex(self._only("complex"))

    def __int__(self) -> int:
        self._check_not_stored(sys._getframe(1))
        return int(self._only("int"))

    def __bool__(self) -> bool:
        return bool(self._only("bool", "; x.any() or x.all() say whether one is true or all are"))

    def _only(self, what: str, way_out: str = "; take one, as in x[0], or reduce them, as by x.sum()") -> Any:
        """The only element, for a conversion to one of Python's types."""
        if self._data.size != 1:
            raise ArgumentError(f"{what}() of {self._brief()}, which has {self._data.size} elements{way_out}")
        return self.item()

    def __len__(self) -> int:
        if not self.shape:
            raise DTypeError("a Variable without axes has no length")
        return self.shape[0]

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        name = self.name or "variable"
        if self._data.size == 1:
            return f"{name}({self.data.reshape(())[()]!s})"
        return f"{name}{list(self.shape)}({self.data})"

    def _repr_html_(self) -> str:
        from html import escape

        shape = "×".join(map(str, self.shape)) or "scalar"
        creator = None if self._link is None else self._link.creator
        made = "leaf" if creator is None else f"made by {creator.name}"
        title = f"<b>{escape(self.name or 'variable')}</b> {shape} {self.dtype}, {made}"
        return f"<div>{title}<pre>{escape(str(self.data))}</pre></div>"

    def _brief(self) -> str:
        """Name, dtype and shape, for the texts of errors."""
        return f"{self.name or 'a Variable'} of dtype {self.dtype} and shape {self.shape}"


def raw(value: Any) -> Any:
    """The array of a Variable; other values as they are."""
    return value._data if isinstance(value, Value) else value


def array_of(value: Any) -> Any:
    """The array of a Variable; an array of anything else."""
    return value.data if isinstance(value, Value) else as_array(value)

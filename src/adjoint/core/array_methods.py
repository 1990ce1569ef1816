"""The methods of arrays that Variables offer besides those in `adjoint.core.variable`.

Each is the NumPy function of its name, which comes back to this package (see `adjoint.core.numpy_protocol`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.standard import StandardArray
from adjoint.errors import DTypeError

__all__ = ["ArrayMethods"]

Axis = Any


class ArrayMethods(StandardArray):
    """NumPy's methods, properties and operators. What is computed is recorded where it has a derivative."""

    __slots__ = ()

    # Operators

    def __floordiv__(self, other: Any) -> Any:
        return np.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return np.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return np.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return np.remainder(other, self)

    def __divmod__(self, other: Any) -> Any:
        return np.divmod(self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return np.divmod(other, self)

    def __and__(self, other: Any) -> Any:
        return np.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Any:
        return np.bitwise_and(other, self)

    def __or__(self, other: Any) -> Any:
        return np.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Any:
        return np.bitwise_or(other, self)

    def __xor__(self, other: Any) -> Any:
        return np.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Any:
        return np.bitwise_xor(other, self)

    def __lshift__(self, other: Any) -> Any:
        return np.left_shift(self, other)

    def __rlshift__(self, other: Any) -> Any:
        return np.left_shift(other, self)

    def __rshift__(self, other: Any) -> Any:
        return np.right_shift(self, other)

    def __rrshift__(self, other: Any) -> Any:
        return np.right_shift(other, self)

    def __invert__(self) -> Any:
        return np.invert(self)

    # Properties

    @property
    def itemsize(self) -> int:
        """The bytes that an element takes."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes that the elements take."""
        return self.size * self.itemsize

    @property
    def mT(self) -> Any:
        """The Variable with its last two axes swapped."""
        return np.matrix_transpose(self)

    @property
    def real(self) -> Any:
        """The real part; of real numbers a view of all."""
        return np.real(self) if self.dtype.kind == "c" else self[...]  # type: ignore[index]

    @real.setter
    def real(self, value: Any) -> None:
        raise DTypeError("the real part is not assigned to on its own; write y[...] = value + 1j * y.imag")

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        raise DTypeError("the imaginary part is not assigned to on its own; write y[...] = y.real + 1j * value")

    @property
    def flat(self) -> Any:
        """The elements in one row: a view."""
        return np.reshape(self, -1)

    # Shapes

    def ravel(self, order: Any = "C") -> Any:
        """The elements in one row."""
        return np.ravel(self, order=order)

    def flatten(self, order: Any = "C") -> Any:
        """A copy of the elements in one row."""
        return np.copy(np.ravel(self, order=order))

    def squeeze(self, axis: Axis = None) -> Any:
        """Without the axes of length 1, or without those in `axis`."""
        return np.squeeze(self, axis=axis)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """With two axes exchanged."""
        return np.swapaxes(self, axis1, axis2)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        """Each element, or each part along `axis`, several times."""
        return np.repeat(self, repeats, axis=axis)

    def copy(self, order: Any = "C") -> Any:
        """A copy, which is recorded: its gradient goes to this one."""
        return np.copy(self)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """The diagonal of the last two axes; see `numpy.diagonal`."""
        return np.diagonal(self, offset=offset, axis1=axis1, axis2=axis2)

    def take(self, indices: Any, axis: int | None = None) -> Any:
        """The elements, or the parts along `axis`, at `indices`."""
        return np.take(self, indices, axis=axis)

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        """The parts along `axis` for which `condition` is true."""
        return np.compress(condition, self, axis=axis)

    def put(self, indices: Any, values: Any, mode: Any = "raise") -> None:
        """Assigns to elements of the row that this array is; see `numpy.put`."""
        np.put(self, indices, values, mode=mode)  # type: ignore[arg-type]

    # Along axes

    def std(self, axis: Axis = None, ddof: float = 0, keepdims: bool = False, **options: Any) -> Any:
        """The standard deviation along `axis`; `options` are those of `numpy.std`."""
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims, **options)

    def var(self, axis: Axis = None, ddof: float = 0, keepdims: bool = False, **options: Any) -> Any:
        """The variance along `axis`; `options` are those of `numpy.var`."""
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims, **options)

    def prod(self, axis: Axis = None, keepdims: bool = False, **options: Any) -> Any:
        """The product along `axis`; `options` are those of `numpy.prod`."""
        return np.prod(self, axis=axis, keepdims=keepdims, **options)

    def cumsum(self, axis: int | None = None, **options: Any) -> Any:
        """The running sum along `axis`; of all elements in one row for None."""
        return np.cumsum(self, axis=axis, **options)

    def cumprod(self, axis: int | None = None, **options: Any) -> Any:
        """The running product along `axis`; of all elements in one row for None."""
        return np.cumprod(self, axis=axis, **options)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """The sum of the diagonal."""
        return np.trace(self, offset=offset, axis1=axis1, axis2=axis2)

    # Elements

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """min(max(x, lowest), highest)"""
        return np.clip(self, min, max)

    def dot(self, b: Any) -> Any:
        """The product of vectors and matrices; see `numpy.dot`."""
        return np.dot(self, b)

    def conj(self) -> Any:
        """The complex conjugate; of real numbers a view of all, as in NumPy."""
        return np.conjugate(self) if self.dtype.kind == "c" else self[...]  # type: ignore[index]

    def conjugate(self) -> Any:
        """The complex conjugate; of real numbers a view of all, as in NumPy."""
        return np.conjugate(self) if self.dtype.kind == "c" else self[...]  # type: ignore[index]

    def round(self, decimals: int = 0) -> Any:
        """Rounded values, which are constants: the derivative is 0 wherever it exists."""
        return np.round(self, decimals)

    def fill(self, value: Any) -> None:
        """Assigns one value to all elements; see `__setitem__`."""
        self[...] = value  # type: ignore[index]

    def sort(self, axis: int = -1) -> Any:
        """Raises DTypeError: elements are not sorted in place."""
        raise DTypeError("x.sort() would sort in place; use F.sort(x) or numpy.sort(x), which make a new Variable")

    def partition(self, kth: Any, axis: int = -1) -> Any:
        """Raises DTypeError: elements are not moved in place."""
        raise DTypeError("x.partition() would move elements in place; use numpy.partition(x, kth), or F.sort(x)")

    def resize(self, *new_shape: Any, refcheck: bool = True) -> Any:
        """Raises DTypeError: a Variable keeps its shape."""
        raise DTypeError("x.resize() would change the shape in place; use numpy.resize(x, shape) or x.reshape(shape)")

    def view(self, *types: Any) -> Any:
        """Raises DTypeError: bytes are not read as another dtype."""
        raise DTypeError(
            "x.view() would read the same bytes as another dtype, which has no derivative; use x[...] for a view, "
            "x.astype(dtype) for another dtype, or x.data.view(dtype)"
        )

    def byteswap(self, inplace: bool = False) -> Any:
        """Raises DTypeError: it has no derivative."""
        raise DTypeError("x.byteswap() makes other numbers, without a derivative; use x.data.byteswap()")

    def choose(self, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
        """Raises DTypeError: a Variable is no index here."""
        raise DTypeError("x.choose() takes x for indices; use numpy.choose(x.data, choices) or F.where")

    def __round__(self, decimals: int | None = None) -> Any:
        return int(np.rint(self.item())) if decimals is None else np.round(self, decimals)

    # Plain values

    def argmax(self, axis: int | None = None) -> Any:
        """Where the largest elements are: a plain array."""
        return np.argmax(self, axis=axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Where the smallest elements are: a plain array."""
        return np.argmin(self, axis=axis)

    def argsort(self, axis: int = -1) -> Any:
        """The indices that would sort: a plain array."""
        return np.argsort(self, axis=axis)

    def argpartition(self, kth: Any, axis: int | None = -1) -> Any:
        """The indices that would partition: a plain array."""
        return np.argpartition(self, kth, axis=axis)

    def searchsorted(self, values: Any, side: Any = "left") -> Any:
        """Where values would be inserted to keep this row sorted: a plain array."""
        return np.searchsorted(self, values, side=side)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Whether no element is 0: plain booleans."""
        return np.all(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """Whether an element is not 0: plain booleans."""
        return np.any(self, axis=axis, keepdims=keepdims)

    def nonzero(self) -> Any:
        """The indices of the elements that are not 0: plain arrays."""
        return np.nonzero(self)

    def tolist(self) -> Any:
        """The elements as nested lists of Python's numbers, which are not recorded."""
        return self.data.tolist()

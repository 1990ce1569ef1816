"""Tracers: stand-ins for arrays that write down what is computed with them.

A `Tracer` has a shape and a dtype, and no values. Operators on tracers, and the functions of
`adjoint.program.namespace`, add instructions to the `Trace` that it belongs to. A `Number` stands for a Python
number that may be another at each call; as Python's, it takes the dtype of the arrays beside it.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from adjoint.arrays import namespace_of
from adjoint.errors import TraceError
from adjoint.program.instruction import Instruction

if TYPE_CHECKING:
    from adjoint.program.trace import Trace

__all__ = ["NUMBERS", "Number", "Tracer", "is_operand", "unreadable"]

NUMBERS = (bool, int, float, complex)

_ADVICE = (
    "its value is not known while a compiled function is traced. Use F.where instead of `if`, return the value and "
    "read it after the call, or leave this part out of the compiled function"
)


class Tracer:
    """An array without values; see the head of this module."""

    __slots__ = ("__weakref__", "dtype", "instruction", "is_view", "shape", "trace")

    def __init__(self, trace: Trace, instruction: Instruction) -> None:
        self.is_view = False  # of what another tracer may show
        self.trace = trace
        self.instruction = instruction
        self.shape = instruction.shape
        self.dtype = instruction.dtype
        trace.tracers.append(ref(self))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.instruction.size

    @property
    def base(self) -> Tracer | None:
        """As for arrays: None unless it is a view."""
        return self if self.is_view else None

    @property
    def T(self) -> Tracer:
        return namespace_of(self).permute_dims(self)

    # What cannot be known yet

    def __bool__(self) -> bool:
        raise unreadable("the truth")

    def __float__(self) -> float:
        raise unreadable("float()")

    def __int__(self) -> int:
        raise unreadable("int()")

    def __index__(self) -> int:
        raise unreadable("the use as an index or a size")

    def __complex__(self) -> complex:
        raise unreadable("complex()")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise unreadable("numpy.asarray()")

    def item(self, *index: int) -> Any:
        raise unreadable("item()")

    def tolist(self) -> Any:
        raise unreadable("tolist()")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TraceError(
            "elements of a traced array cannot be assigned; compute a new array by F.where or F.scatter_add"
        )

    def __contains__(self, value: Any) -> bool:
        raise unreadable("`in`")

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<traced {self.dtype}{list(self.shape)}>"

    def __getitem__(self, index: Any) -> Any:
        return namespace_of(self).getitem(self, index)

    # Methods of arrays

    def astype(self, dtype: Any, copy: bool = True) -> Tracer:
        return namespace_of(self).astype(self, dtype)

    def copy(self) -> Tracer:
        return self.trace.wrap(self.instruction)

    def reshape(self, *shape: Any) -> Tracer:
        return namespace_of(self).reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Tracer:
        if not axes or axes == (None,):
            return self.T
        return namespace_of(self).permute_dims(self, axes[0] if isinstance(axes[0], (tuple, list)) else axes)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return namespace_of(self).sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        return namespace_of(self).mean(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return namespace_of(self).max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return namespace_of(self).min(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: Any = None) -> Tracer:
        return namespace_of(self).argmax(self, axis=axis)

    def all(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return namespace_of(self).all(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return namespace_of(self).any(self, axis=axis, keepdims=keepdims)

    def dot(self, other: Any) -> Tracer:
        return namespace_of(self).dot(self, other)

    def ravel(self) -> Tracer:
        return self.reshape(-1)

    # NumPy's functions on tracers

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return namespace_of(self).apply_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(kind, (Tracer, np.ndarray)) for kind in types):
            return NotImplemented  # with a Variable among them, it is a function of Variables
        return namespace_of(self).apply_function(function, args, kwargs)

    # Operators; `adjoint.program.arithmetic` adds the elementwise ones

    def __pos__(self) -> Any:
        return self.copy()

    def __matmul__(self, other: Any) -> Any:
        return namespace_of(self).matmul(self, other) if is_operand(other) else NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        return namespace_of(self).matmul(other, self) if is_operand(other) else NotImplemented


class Number(Tracer):
    """A Python number that is given at each call, or was computed from such.

    Reading its value is allowed: the program is then right for this value only, and made anew for another.
    """

    __slots__ = ("roots", "value")

    def __init__(self, trace: Trace, instruction: Instruction, value: Any, roots: frozenset[Instruction]) -> None:
        super().__init__(trace, instruction)
        self.value = value
        self.roots = roots

    def pin(self) -> Any:
        """The value, on which the program depends from now on."""
        for root in self.roots:
            self.trace.pinned[root] = None
        return self.value

    def __bool__(self) -> bool:
        return bool(self.pin())

    def __float__(self) -> float:
        return float(self.pin())

    def __int__(self) -> int:
        return int(self.pin())

    def __complex__(self) -> complex:
        return complex(self.pin())

    def __index__(self) -> int:
        return operator.index(self.pin())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.pin(), dtype)

    def item(self, *index: int) -> Any:
        return self.pin()

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.pin(), digits)

    def __pos__(self) -> Any:
        return self

    def copy(self) -> Number:
        return self

    def __neg__(self) -> Any:
        return Number(self.trace, self.trace.add("neg", self.instruction), -self.value, self.roots)

    def __abs__(self) -> Any:
        return Number(self.trace, self.trace.add("abs", self.instruction), abs(self.value), self.roots)

    def __format__(self, spec: str) -> str:
        return format(self.pin(), spec)


def is_operand(value: Any) -> bool:
    """Whether a value may stand beside a tracer."""
    return isinstance(value, (Tracer, *NUMBERS, np.ndarray, np.generic))


def unreadable(what: str) -> TraceError:
    """The error for what cannot be known while a function is traced."""
    return TraceError(f"{what} of a traced value: {_ADVICE}")

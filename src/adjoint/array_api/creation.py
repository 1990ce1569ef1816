"""New arrays. They are made to be filled: writing to their elements makes them part of the graph."""

from __future__ import annotations

from typing import Any

from adjoint.array_api.arguments import as_array, np, run
from adjoint.arrays import DIFFERENTIABLE_KINDS, as_array as as_raw_array
from adjoint.config import is_recording
from adjoint.core.apply import apply
from adjoint.core.assignment import is_container
from adjoint.core.creation import container
from adjoint.core.nesting import holds_variables
from adjoint.core.standard import check_device
from adjoint.core.value import Value
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError
from adjoint.functions import shapes
from adjoint.ops import Op

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]

DType = Any
Shape = int | tuple[int, ...]


def asarray(obj: Any, /, *, dtype: DType = None, device: Any = None, copy: bool | None = None) -> Variable:
    """An array of numbers, nested lists, other arrays and buffers; a Variable on the same array for a Variable.

    Args:
        obj: what the array is made of. Lists may hold Variables; the result is recorded then.
        dtype: the dtype; else that of `obj`.
        device: "cpu".
        copy: True for new memory, which is recorded for a Variable; False for the memory of `obj`; None for new
            memory where it is needed.

    Raises:
        ArgumentError: where memory cannot be shared that `copy` wants shared.

    >>> print(asarray([1, 2]))
    variable[2]([1 2])
    """
    check_device(device)
    if isinstance(obj, Variable) or holds_variables(obj):
        x = as_array(obj)
        wanted = x.dtype if dtype is None else np.dtype(dtype)
        if copy is False and (x is not obj or x.dtype != wanted):
            raise ArgumentError(f"asarray: {x.dtype} values in {wanted} need new memory; leave copy out")
        if x.dtype != wanted:
            return x.astype(wanted)
        return run("copy")(x) if copy else _in_graph(x)
    if copy is False and not hasattr(obj, "__array__") and not _is_buffer(obj):
        raise ArgumentError(f"asarray: a {type(obj).__name__} has no memory to share; leave copy out")
    try:
        return container(as_raw_array(np.array(obj, dtype, copy=copy)))
    except ValueError as error:
        raise ArgumentError(f"asarray: {error}") from None


# The array itself, in the graph.
_alias = Op("alias", lambda _xp, x: x, vjp=lambda _F, g, _y, _x: (g,), linear=True)


def _in_graph(x: Variable) -> Variable:
    """A leaf as a value of the graph, on the same memory; other Variables as they are.

    A leaf may be read as a NumPy array, a value of a graph may not. So where a program asks for an array of the
    standard and then leaves it for NumPy after all, that is an error, and no gradient is lost on the way.
    """
    link = x._link
    is_leaf = link is None or (link.creator is None and not is_container(link))
    return apply(_alias, x) if is_leaf and x.dtype.kind in DIFFERENTIABLE_KINDS and is_recording() else x


def _is_buffer(obj: Any) -> bool:
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Variable:
    """A Variable on the memory of an array of any library that offers `__dlpack__`.

    A Variable is given back as it is, or as a recorded copy.

    >>> array = np.array([1.0, 2.0])
    >>> from_dlpack(array).data.ctypes.data == array.ctypes.data
    True
    """
    check_device(device)
    if isinstance(x, Variable):
        return run("copy")(x) if copy else x
    options = {"copy": copy} if copy is not None else {}
    return container(as_raw_array(np.from_dlpack(x, **options)))


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: DType = None, device: Any = None
) -> Variable:
    """The numbers start, start + step, … before `stop`; from 0 where one number is given.

    >>> print(arange(3))
    variable[3]([0 1 2])
    """
    check_device(device)
    if stop is None:
        start, stop = type(start)(0), start
    return container(np.arange(start, stop, step, dtype))


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: DType = None, device: Any = None, endpoint: bool = True
) -> Variable:
    """`num` numbers at equal distances from `start` to `stop`, or just before it without `endpoint`.

    >>> print(linspace(0.0, 1.0, 3))
    variable[3]([0.  0.5 1. ])
    """
    check_device(device)
    result = np.linspace(start, stop, num, endpoint=endpoint, dtype=dtype)
    return result if isinstance(result, Variable) else container(result)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType = None, device: Any = None) -> Variable:
    """A matrix with ones on its k-th diagonal, and zeros elsewhere.

    >>> print(eye(2))
    variable[2, 2]([[1. 0.]
     [0. 1.]])
    """
    check_device(device)
    return container(np.eye(n_rows, n_cols, k, np.float64 if dtype is None else dtype))


def empty(shape: Shape, *, dtype: DType = None, device: Any = None) -> Variable:
    """An array of any values, to be filled.

    >>> empty(3).shape
    (3,)
    """
    return full(shape, 0.0, dtype=np.float64 if dtype is None else dtype, device=device)


def zeros(shape: Shape, *, dtype: DType = None, device: Any = None) -> Variable:
    """An array of zeros.

    >>> print(zeros(2))
    variable[2]([0. 0.])
    """
    return full(shape, 0.0, dtype=np.float64 if dtype is None else dtype, device=device)


def ones(shape: Shape, *, dtype: DType = None, device: Any = None) -> Variable:
    """An array of ones.

    >>> print(ones(2))
    variable[2]([1. 1.])
    """
    return full(shape, 1.0, dtype=np.float64 if dtype is None else dtype, device=device)


def full(shape: Shape, fill_value: Any, *, dtype: DType = None, device: Any = None) -> Variable:
    """An array of one value, which may be a Variable.

    >>> print(full(2, 7))
    variable[2]([7 7])
    """
    check_device(device)
    if isinstance(fill_value, Value):
        value = as_array(fill_value)
        value = value if dtype is None else value.astype(dtype)
        return run("copy")(shapes.broadcast_to(value, shape))
    return container(as_raw_array(np.full(shape, fill_value, dtype)))


def empty_like(x: Any, /, *, dtype: DType = None, device: Any = None) -> Variable:
    """An array of any values, with the shape and dtype of x.

    >>> empty_like(Variable([1.0, 2.0])).shape
    (2,)
    """
    return full_like(x, 0, dtype=dtype, device=device)


def zeros_like(x: Any, /, *, dtype: DType = None, device: Any = None) -> Variable:
    """Zeros, with the shape and dtype of x.

    >>> print(zeros_like(Variable([1.0, 2.0])))
    variable[2]([0. 0.])
    """
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: Any, /, *, dtype: DType = None, device: Any = None) -> Variable:
    """Ones, with the shape and dtype of x.

    >>> print(ones_like(Variable([1.0, 2.0])))
    variable[2]([1. 1.])
    """
    return full_like(x, 1, dtype=dtype, device=device)


def full_like(x: Any, /, fill_value: Any, *, dtype: DType = None, device: Any = None) -> Variable:
    """One value, which may be a Variable, with the shape and dtype of x.

    >>> print(full_like(Variable([1.0, 2.0]), 7))
    variable[2]([7. 7.])
    """
    x = as_array(x)
    return full(x.shape, fill_value, dtype=x.dtype if dtype is None else dtype, device=device)


def meshgrid(*arrays: Any, indexing: str = "xy") -> tuple[Variable, ...]:
    """Coordinates of a grid from those along each axis.

    >>> [grid.shape for grid in meshgrid(zeros(2), zeros(3))]
    [(3, 2), (3, 2)]
    """
    return tuple(np.meshgrid(*map(as_array, arrays), indexing=indexing))

"""Lifted arrays, and the one namespace that serves all kinds of them.

A lifted array stands for an array of a shape and a dtype, and holds more: one such array for every example of a
batch (`Batch`), or the coefficients of a Taylor series (`Series`). What it holds are arrays again, of NumPy, of the
tracer, or lifted ones of a lower level: each transform that is entered adds one level. An operation on operands of
several levels belongs to the highest; for it the operands of lower levels are constants.

Each kind has a table with one rule a primitive, ``rule(level, *args, **options)``. A rule computes with the functions
of `LIFTED` and with operators on what the operands hold, so it need not know what that is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import numpy as np

from adjoint.arrays import NAMESPACES, numpy_namespace
from adjoint.arrays.primitives import PRIMITIVES
from adjoint.errors import TransformError

__all__ = ["LIFTED", "OPERATORS", "Lifted", "LiftedHolder", "call"]

Rule = Callable[..., Any]

# The operators of arrays, by the names under which the tables hold their rules.
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "neg": operator.neg,
    "invert": operator.invert,
}
_REFLECTED = "add sub mul div floordiv mod pow and or xor lshift rshift matmul".split()
_METHODS = {"div": "truediv"}


class LiftedHolder:
    """What holds arrays, lifted ones too, and has operators of its own for them: a Variable."""

    __slots__ = ()


class Lifted:
    """An array that carries more; see the head of this module.

    level: the number of the transform that it belongs to, from 1
    """

    __slots__ = ("__weakref__", "level")

    rules: ClassVar[dict[str, Rule]]
    by_numpy: ClassVar[dict[str, Callable[..., Any]]] = {}  # what NumPy's ufuncs and functions do with lifted arrays
    base = None  # as for arrays: it is no view
    level: int
    shape: tuple[int, ...]
    dtype: Any

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def T(self) -> Any:
        return call("permute_dims", self, None)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        return call("getitem", self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TransformError("elements of an array within a transform cannot be assigned; use F.where or F.scatter_add")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TransformError(
            "NumPy cannot read an array within a transform (jvp, vmap and those made of them); "
            "compute with the Variable and the functions of adjoint.functions or adjoint.numpy instead of its .data"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return self.by_numpy["ufunc"](ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.by_numpy["function"](function, types, args, kwargs)

    __hash__ = object.__hash__

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return call("abs", self)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        return call("astype", self, np.dtype(dtype))

    def copy(self) -> Any:
        return self

    def reshape(self, *shape: Any) -> Any:
        return call("reshape", self, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def transpose(self, *axes: Any) -> Any:
        if not axes or axes == (None,):
            return self.T
        return call("permute_dims", self, axes[0] if isinstance(axes[0], (tuple, list)) else axes)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        return call("sum", self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        return call("max", self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        return call("min", self, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        return call("sum", call("eq", self, 0), axis=axis, keepdims=keepdims) == 0

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        return call("sum", call("ne", self, 0), axis=axis, keepdims=keepdims) != 0

    def dot(self, other: Any) -> Any:
        return call("matmul", self, other)

    def ravel(self) -> Any:
        return self.reshape(-1)


def _operator_methods() -> None:
    """Gives `Lifted` the operators of arrays; those with a Variable are the Variable's."""

    def unary(name: str) -> Callable[..., Any]:
        return lambda self: call(name, self)

    def binary(name: str) -> Callable[..., Any]:
        return lambda self, other: NotImplemented if isinstance(other, LiftedHolder) else call(name, self, other)

    def reflected(name: str) -> Callable[..., Any]:
        return lambda self, other: call(name, other, self)

    for name in (*OPERATORS, "matmul"):
        method = _METHODS.get(name, name)
        if name in ("neg", "invert"):
            setattr(Lifted, f"__{name}__", unary(name))
            continue
        setattr(Lifted, f"__{method}__", binary(name))
        if name in _REFLECTED:
            setattr(Lifted, f"__r{method}__", reflected(name))


_operator_methods()


def _highest(args: Iterable[Any], top: Lifted | None = None) -> Lifted | None:
    """The lifted array of the highest level among arguments, and within lists and tuples of them."""
    for arg in args:
        if isinstance(arg, Lifted):
            if top is None or arg.level > top.level:
                top = arg
        elif isinstance(arg, (list, tuple)):
            top = _highest(arg, top)
    return top


def call(name: str, *args: Any, **options: Any) -> Any:
    """A primitive or an operator on arrays of any kind, lifted or not."""
    top = _highest(args)
    if top is not None:
        rule = top.rules.get(name)
        if rule is None:
            raise TransformError(
                f"{name} has no rule for {type(top).__name__}: it cannot be used within this transform"
            )
        return rule(top.level, *args, **options)
    if name in OPERATORS:
        return OPERATORS[name](*args)
    return getattr(_plain_namespace(args), name)(*args, **options)


def _plain_namespace(args: Iterable[Any]) -> Any:
    """The namespace of arguments among which none is lifted."""
    for arg in args:
        kind = type(arg)
        if kind is np.ndarray:
            continue
        if kind is tuple or kind is list:
            namespace = _plain_namespace(arg)
        else:
            namespace = NAMESPACES.get(kind)
        if namespace is not None and namespace is not numpy_namespace:
            return namespace
    return numpy_namespace


class _Namespace:
    """The namespace of lifted arrays: every primitive, by the rule of its highest operand."""

    TAKES_ALL = True  # arrays of other namespaces are constants beside lifted ones

    def __init__(self) -> None:
        for name in PRIMITIVES:
            setattr(self, name, self._primitive(name))

    @staticmethod
    def _primitive(name: str) -> Callable[..., Any]:
        def primitive(*args: Any, **options: Any) -> Any:
            return call(name, *args, **options)

        primitive.__name__ = name
        return primitive

    @staticmethod
    def with_tangent(op: Any, tangent: Callable[..., Any]) -> Callable[..., Any]:
        """The forward of an op, whose derivative is ``tangent(ts, y, *xs, **params)`` (see `Op.jvp`)."""

        def run(_xp: Any, *xs: Any, **params: Any) -> Any:
            top = _highest(xs)
            if top is None:
                return op.forward(_plain_namespace(xs), *xs, **params)
            return top.rules["with_tangent"](top.level, op, tangent, *xs, **params)

        return run

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no primitive is named {name!r}")


LIFTED: Any = _Namespace()

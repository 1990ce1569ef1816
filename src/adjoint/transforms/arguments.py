"""What transforms make of the arguments and results of the functions that they differentiate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any
from weakref import ref

import numpy as np

from adjoint.arrays import NAMESPACES, NUMBERS, is_differentiable_dtype
from adjoint.config import LEVELS, RECORDING, TRANSFORMING
from adjoint.core.apply import apply, leaf
from adjoint.core.assignment import CONTAINER
from adjoint.core.graph import TRANSFORMED, Link, Node, link_to
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError, GradientError
from adjoint.lifted import Batch, Lifted
from adjoint.ops import Op
from adjoint.structures import flatten

__all__ = [
    "ALIAS",
    "TOKEN",
    "Point",
    "Results",
    "all_shown",
    "are_plain",
    "constant_or",
    "deeper",
    "given",
    "is_array",
    "is_connected",
    "lifting",
    "lifting_in",
    "lifting_op",
    "name_of",
    "positions_of",
    "shown",
    "transforming",
    "with_aux",
]

_NUMBERS = count(1)

# A Variable that stands for another: a transform's sweep ends there, and the graph behind goes on.
ALIAS = Op(TRANSFORMED, lambda xp, x: x, vjp=lambda F, g, _y, _x: (g,), linear=True)


@contextmanager
def deeper() -> Iterator[int]:
    """A block in which arrays of one more level are computed with; gives the level.

    No level has the number of an earlier one, whose arrays may live on in a graph.
    """
    level = next(_NUMBERS)
    token = LEVELS.set(LEVELS.get() | {level})
    try:
        yield level
    finally:
        LEVELS.reset(token)


@contextmanager
def transforming() -> Iterator[None]:
    """A block in which a transform runs a user's function."""
    token = TRANSFORMING.set(True)
    try:
        yield
    finally:
        TRANSFORMING.reset(token)


def is_array(value: Any) -> bool:
    """Whether a value is a Variable or an array, of any library that is known."""
    return isinstance(value, Variable) or NAMESPACES.get(type(value)) is not None


def _is_differentiable(value: Any) -> bool:
    if isinstance(value, Variable) or is_array(value):
        return is_differentiable_dtype(value.dtype)
    return type(value) in (float, complex)


def name_of(f: Callable[..., Any]) -> str:
    """What errors call a function."""
    return str(getattr(f, "__name__", type(f).__name__))


def constant_or(x: Any) -> Any:
    """x, but the array of a Variable whose derivative nobody can ask for: what is computed of it is not recorded."""
    return raw(x) if isinstance(x, Variable) and _is_detached(x) else x


def given(value: Any) -> Any:
    """A Variable that stands for an argument, and has a place in the graph of it where it has one."""
    value = constant_or(value)
    if isinstance(value, Variable):
        return apply(ALIAS, value) if is_differentiable_dtype(value.dtype) else value
    array = np.asarray(value) if type(value) in NUMBERS or isinstance(value, np.generic) else value
    # Not the leaf itself: where f writes to elements of the argument, the derivative is in what they were before.
    return apply(ALIAS, leaf(array))


# A lifted constant: the first input of the ops that enter and leave levels. By it their nodes and links know that
# lifted arrays come from there, also where no other input is one.
TOKEN = Batch(0, np.zeros((1,)))


def lifting_op(name: str, forward: Callable[..., Any], rule: Callable[..., Any]) -> Op:
    """An op that enters or leaves a level, run by `lifting`.

    rule: from ``F``, the cotangent, the number of inputs and the parameters, the cotangents of the inputs
    """
    return Op(
        name,
        lambda _xp, _token, *xs, **params: forward(*xs, **params),
        vjp=lambda F, g, _y, _token, *_xs, **params: (None, *rule(F, g, len(_xs), **params)),
    )


def lifting(op: Op, *inputs: Any, **params: Any) -> Variable:
    """A `lifting_op` of some inputs."""
    made: Variable = apply(op, TOKEN, *inputs, **params)
    if made.creator is None and is_differentiable_dtype(made.dtype):
        # What f writes to its elements has derivatives; what it was has none but along the level.
        made._link = link_to(None, CONTAINER, 0, made._data, ref(made))
    return made


def lifting_in(op: Op, *inputs: Any, **params: Any) -> Any:
    """A `lifting_op` within a derivative rule: on arrays, or recorded on Variables, as the rule runs."""
    if any(isinstance(x, Variable) for x in inputs):
        return apply(op, TOKEN, *inputs, **params)
    return op.forward(None, TOKEN, *inputs, **params)


def positions_of(f: Callable[..., Any], argnums: Any, count: int) -> tuple[int, ...]:
    """The positions that `argnums` names, from 0.

    Raises:
        ArgumentError: for one that the call does not have.
    """
    numbers = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise DTypeError(f"argnums is a whole number or a tuple of them, not {argnums!r}")
        if not -count <= number < count:
            raise ArgumentError(
                f"{name_of(f)} is differentiated in argument {number}, but was called with {count} by position"
            )
    positions = tuple(int(number) % count for number in numbers)
    if len(set(positions)) < len(positions):
        raise ArgumentError(f"argnums {argnums!r} names an argument twice")
    return positions


class Point:
    """Where a function is differentiated: the leaves of some of its arguments, and the others as they are.

    function: the function
    leaves: the leaves that are made of floating point numbers
    is_plain: whether no argument is a Variable; results are plain arrays then
    is_detached: whether no derivative in an argument can be asked for outside of the transforms that are running
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Any) -> None:
        if not callable(f):
            raise DTypeError(f"a transform takes a function, not {f!r}")
        self.function = f
        self._args = tuple(args)
        self._kwargs = kwargs
        self._is_one = not isinstance(argnums, (tuple, list))
        self._positions = positions_of(f, argnums, len(args))
        chosen = tuple(self._with_floats(args[i]) for i in self._positions)
        self._all, self.structure = flatten(chosen)
        self._where = [i for i, value in enumerate(self._all) if _is_differentiable(value)]
        self.leaves = [self._all[i] for i in self._where]
        given_variables = [x for x in flatten((self._args, tuple(kwargs.values())))[0] if isinstance(x, Variable)]
        self.is_plain = not given_variables
        self.is_detached = all(_is_detached(x) for x in given_variables)
        if not self.leaves:
            raise GradientError(self._why_nothing())

    @staticmethod
    def _with_floats(argument: Any) -> Any:
        """A whole number of Python as a float: the argument itself is a point, where 2 means 2.0."""
        return float(argument) if type(argument) is int else argument

    def _why_nothing(self) -> str:
        kinds = ", ".join(sorted({str(getattr(x, "dtype", type(x).__name__)) for x in self._all})) or "nothing"
        return (
            f"{name_of(self.function)} is differentiated in arguments that hold {kinds}; derivatives exist for "
            "floating point numbers: pass 2.0 for 2, or x.astype(float); call a model once before, so that its "
            "parameters are made"
        )

    def call(self, leaves: Sequence[Any]) -> Any:
        """The function with other leaves."""
        values = list(self._all)
        for i, value in zip(self._where, leaves, strict=True):
            values[i] = value
        chosen = self.structure.build(values)
        args = list(self._args)
        for position, value in zip(self._positions, chosen, strict=True):
            args[position] = value
        with transforming():
            return self.function(*args, **self._kwargs)

    def results(self, found: Sequence[Any]) -> Any:
        """Results, one a leaf, in the structure of the arguments; None for leaves that are no floats."""
        values: list[Any] = [None] * len(self._all)
        for i, value in zip(self._where, found, strict=True):
            values[i] = value
        parts = self.structure.results(values)
        return parts[0] if self._is_one else parts

    def directions(self, value: Any, what: str) -> list[Any]:
        """The leaves of tangents that are given in the structure of the arguments: Variables, arrays, or None."""
        parts = self.structure.matched((value,) if self._is_one else value, what, none_is_zero=True)
        paths = self.structure.paths(what)
        return [_direction(parts[i], self._all[i], paths[i], "an argument") for i in self._where]


def _direction(tangent: Any, x: Any, what: str, of: str) -> Any:
    """A tangent or cotangent in the dtype of what it belongs to; an array stays one, so that nothing is recorded."""
    if tangent is None:
        return None
    found = tangent if is_array(tangent) else Variable(tangent).data
    wanted, shape = getattr(x, "dtype", np.dtype(type(x))), getattr(x, "shape", ())
    if found.shape != shape:
        raise ArgumentError(f"{what} has shape {found.shape} for {of} of shape {shape}; they must be equal")
    if found.dtype.kind == "c" and wanted.kind != "c":
        raise DTypeError(
            f"{what} is complex for {of} of {wanted}, which has no imaginary part to change; give its real part, or "
            f"make {of} complex"
        )
    return found if found.dtype == wanted else found.astype(wanted)


def _is_detached(x: Variable) -> bool:
    """Whether x is a leaf that an outer transform made of a plain array."""
    return x.creator is None and isinstance(x._data, Lifted)


class Results:
    """What a function returned, flat: Variables, and what is none as it is.

    variables: those that derivatives are taken of
    """

    def __init__(self, value: Any) -> None:
        self._all, self.structure = flatten(value)
        self._where = [i for i, x in enumerate(self._all) if _is_differentiable(x)]
        self.variables = [x if isinstance(x, Variable) else Variable(x) for x in (self._all[i] for i in self._where)]

    def build(self, found: Sequence[Any], *, is_plain: bool = False) -> Any:
        """The structure with `found` in place of the variables; what is not made of floats as it is."""
        values = [shown(x, is_plain=is_plain) for x in self._all]
        for i, value in zip(self._where, found, strict=True):
            values[i] = value
        return self.structure.build(values)

    def as_returned(self) -> Any:
        """What the function returned, plain arrays as such."""
        return self.structure.build(self._all)

    def matrix(self, rows: Sequence[Any]) -> Any:
        """What belongs to the variables, one each, in the structure of the results; None for what is not of floats."""
        values: list[Any] = [None] * len(self._all)
        for i, row in zip(self._where, rows, strict=True):
            values[i] = row
        return self.structure.results(values)

    def kinds(self) -> str:
        """What the results are made of, for the texts of errors."""
        return ", ".join(sorted({str(getattr(x, "dtype", type(x).__name__)) for x in self._all})) or "nothing"

    def directions(self, value: Any, what: str) -> list[Any]:
        """The leaves of cotangents that are given in the structure of the results."""
        parts = self.structure.matched(value, what, none_is_zero=True)
        paths = self.structure.paths(what)
        return [_direction(parts[i], self._all[i], paths[i], "a result") for i in self._where]


def with_aux(f: Callable[..., Any], value: Any) -> tuple[Any, Any]:
    """The two parts of what f returned under ``has_aux``."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ArgumentError(
            f"with has_aux=True, {name_of(f)} should return a pair: what is differentiated, and the rest; "
            f"it returned {type(value).__name__}"
        )
    return value[0], value[1]


def is_connected(x: Variable, inputs: Sequence[Link | None]) -> bool:
    """Whether x depends on a Variable that is none of `inputs`, so that a derivative in it may still be asked for.

    That is a leaf that somebody holds, or the argument of another transform that has not ended.
    """
    link = x._link
    if link is None or link.creator is None or not RECORDING.get():
        return False
    own = set(inputs)
    waiting = [link]
    seen: set[Node] = set()
    while waiting:
        link = waiting.pop()
        if link in own:
            continue
        node = link.creator
        # A lifted leaf is one that a transform made of an array.
        may_be_asked_for = not link.levels if node is None else node.op is ALIAS
        if may_be_asked_for and (variable := link.variable()) is not None and variable._link is link:
            return True  # not one to whose elements f assigned, which is another value now
        if node is not None and node not in seen:
            seen.add(node)
            waiting.extend([behind for behind in node.inputs if behind is not None])
    return False


def are_plain(is_plain: bool, found: Iterable[Any], inputs: Sequence[Link | None] = ()) -> bool:
    """Whether results are given back as arrays: all arguments were, and no other Variable has a part in them."""
    return is_plain and not any(is_connected(x, inputs) for x in found if isinstance(x, Variable))


def shown(x: Any, *, is_plain: bool) -> Any:
    """A result as it is given back: where all arguments were plain arrays, an array, or a number without axes."""
    if not is_plain or not isinstance(x, Variable):
        return x
    data = x.data
    if isinstance(data, Lifted):  # by a transform that goes on, from elsewhere than the arguments
        return x
    return data[()] if isinstance(data, np.ndarray) and not data.ndim else data


def all_shown(found: Iterable[Any], *, is_plain: bool, given: Iterable[Any] = ()) -> list[Any]:
    """Results as they are given back; no two arrays among them and the given ones share memory."""
    taken = {id(raw(x)) for x in given}
    results = []
    for x in found:
        result = shown(x, is_plain=is_plain)
        if isinstance(result, np.ndarray):
            if result.base is not None or id(result) in taken:
                result = result.copy()
            taken.add(id(result))
        results.append(result)
    return results

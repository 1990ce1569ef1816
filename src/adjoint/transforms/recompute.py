"""`checkpoint`: less memory for more time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from adjoint import random
from adjoint.arrays import namespace_of
from adjoint.config import LEVELS, RECORDING, TRAINING, recording_mode
from adjoint.core.apply import apply, at_link, leaf
from adjoint.core.gradients import RECORDED
from adjoint.core.graph import Link, nodes_behind
from adjoint.core.sweep import sweep
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError
from adjoint.lifted import Batch
from adjoint.ops import Op
from adjoint.structures import Structure, flatten
from adjoint.transforms.arguments import ALIAS, Results, transforming

__all__ = ["checkpoint"]

# Within a checkpoint, values that depend on its arguments have generations from here on; one within another from
# twice that. So they can be told from those that the function found elsewhere.
_FIRST = 1_000_000_000
_NESTING: ContextVar[int] = ContextVar("adjoint.checkpoints", default=0)

Draw = tuple[Any, str, tuple[Any, ...], tuple[int, ...]]


class _Draws:
    """The random draws of a run, to be made again."""

    def __init__(self) -> None:
        self._earlier: list[tuple[Any, Any]] = []  # generators with their states; of traced draws the results
        self._next: Iterator[tuple[Any, Any]] | None = None
        self._outer: Callable[..., Any] | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A block whose draws are noted the first time, and made again after it."""
        if self._earlier:
            self._next = iter(self._earlier)
        self._outer = random.RECORDER.get()
        token = random.RECORDER.set(self._draw)
        try:
            yield
        finally:
            random.RECORDER.reset(token)

    def _draw(self, rng: Any, method: str, arguments: tuple[Any, ...], size: tuple[int, ...]) -> Any:
        if self._next is None:
            if self._outer is not None:
                drawn = self._outer(rng, method, arguments, size)
                self._earlier.append((None, drawn))
                return drawn
            self._earlier.append((rng, rng.bit_generator.state))
            return getattr(rng, method)(*arguments, size)
        generator, state = next(self._next)
        if generator is None:
            return state
        now = generator.bit_generator.state
        generator.bit_generator.state = state
        try:
            return getattr(generator, method)(*arguments, size)
        finally:
            generator.bit_generator.state = now


class _Segment:
    """One call of a checkpointed function: what is needed to run it again."""

    def __init__(
        self, f: Callable[..., Any], leaves: Sequence[Any], structure: Structure, kwargs: dict[str, Any]
    ) -> None:
        self._f = f
        self._structure = structure
        self._kwargs = kwargs
        self._where = [i for i, x in enumerate(leaves) if isinstance(x, Variable) and x._data.dtype.kind in "fc"]
        self._leaves = [None if i in self._where else x for i, x in enumerate(leaves)]
        self._draws = _Draws()
        self._training = TRAINING.get()
        self._levels = LEVELS.get()
        self._nesting = _NESTING.get() + 1

    def run(self, inputs: Sequence[Variable]) -> tuple[Results, list[Link]]:
        """The results, recorded, and the links of what the function found elsewhere, always in the same order."""
        leaves = list(self._leaves)
        for i, x in zip(self._where, inputs, strict=True):
            leaves[i] = x
        modes: list[tuple[ContextVar[Any], Any]] = [
            (TRAINING, self._training),
            (LEVELS, self._levels | LEVELS.get()),
            (_NESTING, self._nesting),
        ]
        tokens = [(mode, mode.set(value)) for mode, value in modes]
        try:
            with recording_mode(True), self._draws.watched(), transforming():
                out = Results(self._f(*self._structure.build(leaves), **self._kwargs))
        finally:
            for mode, token in reversed(tokens):
                mode.reset(token)
        return out, self._found(out)

    def _found(self, out: Results) -> list[Link]:
        first = _FIRST * self._nesting
        found: dict[Link, None] = {}
        for y in out.variables:
            link = y._link
            if link is None or (link.creator is None and link.generation >= first):
                continue
            if link.generation < first:
                found[link] = None
                continue
            assert link.creator is not None
            for node in nodes_behind([link.creator]):
                if node.generation >= first:
                    found.update(dict.fromkeys(x for x in node.inputs if x is not None and x.generation < first))
        return list(found)

    def input(self, x: Variable) -> Variable:
        """A Variable that stands for x, whose generation tells that it is an argument."""
        with recording_mode(True):
            made: Variable = apply(ALIAS, x)
        link = made._link
        assert link is not None
        link.generation = _FIRST * self._nesting
        return made

    def rule(self, _F: Any, g: Any, _y: Any, *xs: Any) -> tuple[Any, ...]:
        """The cotangents, by a second run."""
        cotangents = list(g) if isinstance(g, (tuple, list)) else [g]
        count = len(self._where)
        recorded = any(isinstance(x, Variable) for x in (*cotangents, *xs))
        given = list(xs[:count])
        inputs = [self.input(x if recorded else leaf(x)) for x in given]
        places = [x._link for x in inputs]  # f may write to elements, and they stand elsewhere then
        out, found = self.run(inputs)
        pairs = [(y._link, part) for y, part in zip(out.variables, cotangents, strict=True)]
        roots = [(link, part) for link, part in pairs if link is not None and part is not None]
        wanted = [*places, *found]
        targets = {link for link in wanted if link is not None}
        namespace = namespace_of(*(raw(part) for _, part in roots))
        with recording_mode(recorded and RECORDING.get()):
            parts = sweep(roots, namespace, RECORDED if recorded else None, targets=targets)
        return tuple(None if link is None else parts.get(link) for link in wanted)


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, but so that values in between are not kept for the backward pass: it computes them again.

    Memory for one call of f at a time instead of all, for one more forward pass. Random draws are the same in both.
    Chen et al., "Training deep nets with sublinear memory cost" (2016).

    Args:
        f: a function of Variables and of structures of them. It may use others that it finds elsewhere, such as
            parameters, which get their gradients too. It runs twice, so it should change nothing.

    Returns:
        A function with the same arguments and results.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> x = ad.Variable(1.0)
    >>> ad.checkpoint(lambda x: F.sin(F.exp(x)))(x).backward()
    >>> print(x.grad)
    variable(-2.478349732955235)
    """

    if not callable(f):
        raise DTypeError(f"checkpoint takes a function, not {f!r}")

    @functools.wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not RECORDING.get():
            return f(*args, **kwargs)
        leaves, structure = flatten(args)
        segment = _Segment(f, leaves, structure, kwargs)
        variables = [x for x in leaves if isinstance(x, Variable) and x._data.dtype.kind in "fc"]
        out, found = segment.run([segment.input(leaf(x._data)) for x in variables])
        stand_ins = [at_link(_no_values(link), link) for link in found]
        if not out.variables or not (variables or stand_ins):
            return out.as_returned()
        values = tuple(y._data for y in out.variables)
        op = Op("checkpoint", lambda _xp, *_xs: values if len(values) > 1 else values[0], vjp=segment.rule)
        made = apply(op, *variables, *stand_ins)
        return out.build(made if isinstance(made, tuple) else (made,))

    return checkpointed


def _no_values(link: Link) -> Any:
    """An array of a link's shape, dtype and level that takes no memory."""
    nothing = np.zeros((), link.dtype)
    if link.levels:
        array: Any = np.broadcast_to(nothing, (*(1,) * len(link.levels), *link.shape))
        for level in sorted(link.levels):
            array = Batch(level, array)
        return array
    return np.broadcast_to(nothing, link.shape)

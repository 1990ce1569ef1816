"""Following parameters through ops: where a value was computed from one, and the graph no longer tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from adjoint.provenance.places import PLACES, Place
from adjoint.provenance.watching import RuleRunner, run_unwatched

__all__ = ["Connections", "is_view_of"]

Names = frozenset[str]
_NONE: Names = frozenset()


class _Runner:
    """Runs rules as they are."""

    def __init__(self, run_rules: Callable[..., Any]) -> None:
        self._run_rules = run_rules

    def __call__(self, node: Any, F: Any, g: Any, y: Any, xs: Any, *wanted: Any) -> Sequence[Any]:
        found: Sequence[Any] = self._run_rules(node, F, g, y, xs, *wanted)
        return found

    def end(self, leaves: dict[Any, Any]) -> None:
        pass


class Connections:
    """Notes which parameters each value was computed from, and which of them its graph leads to; a `Watcher`.

    parameters: gives paths and Variables
    """

    checks_programs = False
    infinity = False

    def __init__(self, parameters: Callable[[], Iterable[tuple[str, Any]]]) -> None:
        self._parameters = parameters
        self._from: dict[int, tuple[Any, Names]] = {}  # by id of an array or a Variable, which is held
        self._linked: dict[Any, Names] = {}  # by link: the parameters that its graph leads to
        self._cuts: list[tuple[Names, str]] = []

    def applied(self, apply: Callable[..., Any], op: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        found = run_unwatched(apply, op, inputs, params)
        place = Place.here()
        paths = {id(parameter): path for path, parameter in self._parameters()}
        sources, linked = _NONE, _NONE
        for position, value in enumerate(inputs):
            behind, led_to = self._behind(value, paths)
            if behind - led_to and not self._is_known(value):
                self._cut(behind - led_to, f"operand {position} of {op.name} {_how_lost(value)}", place)
            sources |= behind
            linked |= led_to
        for output in found if isinstance(found, tuple) else (found,):
            self._note(output, op, sources, linked, place)
        return found

    def sweeping(self, run_rules: Callable[..., Any], roots: Sequence[Any]) -> AbstractContextManager[RuleRunner]:
        return nullcontext(_Runner(run_rules))

    def lost(self, unused: Sequence[str]) -> Iterator[str]:
        """Where the graph of some parameters ends, in words."""
        for names, text in self._cuts:
            concerned = [path for path in unused if path in names]
            if concerned:
                yield f"{', '.join(concerned)}: {text}"

    def _note(self, output: Any, op: Any, sources: Names, linked: Names, place: Place) -> None:
        for held in (output, output._data):
            self._from[id(held)] = (held, sources)
        link = output._link
        if link is not None and link.creator is not None:
            self._linked[link] = linked
            PLACES[link.creator] = place
        elif linked:
            why = "ran under no_grad" if op.differentiable else "has no derivative"
            self._cut(linked, f"{op.name} {why}", place)

    def _behind(self, value: Any, paths: dict[int, str]) -> tuple[Names, Names]:
        """The parameters that an input was computed from, and those that its graph leads to."""
        if id(value) in paths:
            own = frozenset({paths[id(value)]})
            return own, own
        if not hasattr(value, "_link"):
            return self._of_array(value, paths), _NONE
        noted = self._from.get(id(value))
        sources = self._of_array(value._data, paths) if noted is None else noted[1]
        link = value._link
        return sources, _NONE if link is None or link.creator is None else self._linked.get(link, _NONE)

    def _of_array(self, array: Any, paths: dict[int, str]) -> Names:
        noted = self._from.get(id(array))
        if noted is not None:
            return noted[1]
        if not isinstance(array, np.ndarray):
            return _NONE
        own = (path for path, parameter in self._parameters() if is_view_of(array, parameter._data))
        return frozenset(own) or (_NONE if array.base is None else self._of_array(array.base, paths))

    def _is_known(self, value: Any) -> bool:
        """Whether it was told already why the graph of a value ends."""
        return hasattr(value, "_link") and id(value) in self._from and not _was_unchained(value)

    def _cut(self, names: Names, text: str, place: Place) -> None:
        layer = f" in layer {place.layer}" if place.layer else ""
        line = f", at {place.location}" if place.location else ""
        self._cuts.append((names, f"{text}{layer}{line}"))


def _was_unchained(value: Any) -> bool:
    return value._link is not None and value._link.creator is None and value._link.generation > 0


def _how_lost(value: Any) -> str:
    if not hasattr(value, "_link"):
        return "was given as a plain array (.data)"
    return "was unchained" if _was_unchained(value) else "is a new leaf (detach or .data)"


def is_view_of(array: Any, whole: Any) -> bool:
    """Whether an array is another one, or a view of it."""
    while isinstance(array, np.ndarray):
        if array is whole:
            return True
        array = array.base
    return False

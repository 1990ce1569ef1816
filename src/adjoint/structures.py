"""Structures of values: lists, tuples, dictionaries, dataclasses and models, flat and put together again.

    leaves, structure = flatten({"w": 1.0, "b": [2.0, 3.0]})   # [1.0, 2.0, 3.0]
    structure.build([…])                                       # the same structure of other leaves

What holds parts otherwise (a model holds parameters) is made known by `register`.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Integral
from typing import Any

from adjoint.errors import ArgumentError

__all__ = ["Structure", "flatten", "register"]

_UNNAMED = ""


class Structure:
    """How leaves are arranged.

    keys: of the parts, in order; None for a leaf
    parts: the structures of the parts
    make: builds the container of its parts' values
    show: builds what stands for the container in results, where that is another: for a model, a dictionary
    pick: reads a part of such a value by its key
    """

    __slots__ = ("count", "keys", "make", "parts", "pick", "show")

    def __init__(
        self,
        keys: Sequence[Any] | None = None,
        parts: Sequence[Structure] = (),
        make: Callable[[list[Any]], Any] = list,
        show: Callable[[list[Any]], Any] | None = None,
        pick: Callable[[Any, Any], Any] = lambda value, key: value[key],
    ) -> None:
        self.keys = keys
        self.parts = tuple(parts)
        self.make = make
        self.show = show or make
        self.pick = pick
        self.count: int = 1 if keys is None else sum(part.count for part in parts)

    def build(self, leaves: Iterable[Any]) -> Any:
        """The structure with these leaves."""
        return self._put_together(iter(leaves), shown=False)

    def results(self, leaves: Iterable[Any]) -> Any:
        """Results, one for each leaf, as a structure: a dictionary by path stands for a model."""
        return self._put_together(iter(leaves), shown=True)

    def _put_together(self, leaves: Iterator[Any], *, shown: bool) -> Any:
        if self.keys is None:
            return next(leaves)
        parts = [part._put_together(leaves, shown=shown) for part in self.parts]
        return self.show(parts) if shown else self.make(parts)

    def matched(self, value: Any, what: str, *, none_is_zero: bool = False) -> list[Any]:
        """The leaves of `value`, which has this structure (or that of its results).

        none_is_zero: None may stand for a part with several leaves, each of which is None then

        Raises:
            ArgumentError: where it has not; `what` names it.
        """
        found: list[Any] = []
        self._match(value, what, found, none_is_zero)
        return found

    def _match(self, value: Any, path: str, found: list[Any], none_is_zero: bool) -> None:
        if self.keys is None:
            found.append(value)
            return
        if value is None and none_is_zero:
            found += [None] * self.count
            return
        if isinstance(value, (list, tuple)) and len(value) != len(self.keys):
            raise ArgumentError(f"{path} has {len(value)} parts where {len(self.keys)} are needed")
        if isinstance(value, dict) and (unknown := [key for key in value if key not in self.keys]):
            raise ArgumentError(f"{path} has a part {unknown[0]!r} that is not needed; needed are {list(self.keys)}")
        for key, part in zip(self.keys, self.parts, strict=True):
            try:
                below = self.pick(value, key)
            except (KeyError, IndexError, AttributeError, TypeError):
                raise ArgumentError(f"{path}, of type {type(value).__name__}, has no part {key!r}") from None
            part._match(below, f"{path}[{key!r}]", found, none_is_zero)

    def spread(self, prefix: Any, what: str) -> list[Any]:
        """One whole number or None for each leaf.

        `prefix` may have this structure (or that of its results), or be one value for all below a place.

        Raises:
            ArgumentError: where it has another structure, or holds something else; `what` names it.
        """
        if prefix is None:
            return [None] * self.count
        if isinstance(prefix, (bool, float, complex, str)):
            raise ArgumentError(f"{what} is a whole number, None, or a structure of them, not {prefix!r}")
        if isinstance(prefix, Integral):  # also one of NumPy
            return [int(prefix)] * self.count
        if getattr(prefix, "shape", None) is not None:
            raise ArgumentError(f"{what} is a whole number, None, or a structure of them, not an array: {prefix!r}")
        if self.keys is None:
            raise ArgumentError(f"{what} is {prefix!r} for a single value; it is a whole number or None there")
        if isinstance(prefix, (list, tuple)) and len(prefix) != len(self.keys):
            raise ArgumentError(f"{what} has {len(prefix)} parts for {len(self.keys)} values")
        if isinstance(prefix, dict) and (unknown := [key for key in prefix if key not in self.keys]):
            raise ArgumentError(f"{what} has a part {unknown[0]!r} that is not there; there are {list(self.keys)}")
        found: list[Any] = []
        for key, part in zip(self.keys, self.parts, strict=True):
            try:
                below = prefix[key] if isinstance(prefix, dict) else self.pick(prefix, key)
            except (KeyError, IndexError, AttributeError, TypeError):
                raise ArgumentError(f"{what} {prefix!r} has nothing for {key!r}") from None
            found += part.spread(below, what)
        return found

    def paths(self, before: str = _UNNAMED) -> list[str]:
        """The place of each leaf, for the texts of errors."""
        if self.keys is None:
            return [before]
        return [
            path for key, part in zip(self.keys, self.parts, strict=True) for path in part.paths(f"{before}[{key!r}]")
        ]


_LEAF = Structure()
# By type: keys and values of the parts, the function that builds the container, and the one that reads a part.
Opener = Callable[[Any], tuple[Sequence[Any], Sequence[Any], Callable[[list[Any]], Any], Callable[[list[Any]], Any]]]
_OPENERS: dict[type, tuple[Opener, Callable[[Any, Any], Any]]] = {}


def register(kind: type, opener: Opener, pick: Callable[[Any, Any], Any]) -> None:
    """Makes objects of a type, and of those derived from it, structures.

    `opener` gives their keys, their values, and two functions of a list of values: one that builds such an object, one
    that builds what stands for it in results. `pick` reads the value for a key of either.
    """
    _OPENERS[kind] = (opener, pick)


def flatten(value: Any) -> tuple[list[Any], Structure]:
    """The leaves of a value, in a fixed order, and its structure. None is a structure without leaves."""
    leaves: list[Any] = []
    return leaves, _structure_of(value, leaves)


def _structure_of(value: Any, leaves: list[Any]) -> Structure:
    kind = type(value)
    if value is None:
        return Structure((), (), lambda _: None)
    if kind is list or kind is tuple:
        return _of_sequence(value, kind, leaves)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):  # a named tuple
        return _of_sequence(value, lambda parts: kind(*parts), leaves)
    if isinstance(value, dict):
        keys = tuple(value)
        return Structure(keys, [_structure_of(value[key], leaves) for key in keys], _dict_of(value, keys))
    for base in kind.__mro__:
        if base in _OPENERS:
            opener, pick = _OPENERS[base]
            names, values, make, show = opener(value)
            return Structure(tuple(names), [_structure_of(part, leaves) for part in values], make, show, pick)
    if dataclasses.is_dataclass(value):
        return _of_dataclass(value, leaves)
    leaves.append(value)
    return _LEAF


def _of_sequence(value: Any, make: Callable[[list[Any]], Any], leaves: list[Any]) -> Structure:
    return Structure(range(len(value)), [_structure_of(part, leaves) for part in value], make)


def _dict_of(value: dict[Any, Any], keys: tuple[Any, ...]) -> Callable[[list[Any]], Any]:
    kind = type(value)

    def make(parts: list[Any]) -> Any:
        items = dict(zip(keys, parts, strict=True))
        if kind is dict:
            return items
        made = copy.copy(value)  # which also has what else a subclass holds, as the default of a defaultdict
        made.update(items)
        return made

    return make


def _of_dataclass(value: Any, leaves: list[Any]) -> Structure:
    names = tuple(field.name for field in dataclasses.fields(value) if field.init)
    parts = [_structure_of(getattr(value, name), leaves) for name in names]
    return Structure(
        names, parts, lambda found: dataclasses.replace(value, **dict(zip(names, found, strict=True))), None, getattr
    )

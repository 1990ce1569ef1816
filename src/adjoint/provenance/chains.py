"""The ops on the way to another: behind its operands, and from the output of a sweep to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adjoint.provenance.notes import Notes
from adjoint.provenance.places import PLACES, Place
from adjoint.provenance.reports import Record, Step

__all__ = ["Stage", "path_of", "steps_before", "steps_behind"]

_LEVELS = 3


def _step(op: str, depth: int, shape: tuple[int, ...], place: Place | None) -> Step:
    return Step(op, depth, shape, None if place is None else place.location, None if place is None else place.layer)


def steps_behind(links: Iterable[Any], depth: int = 1) -> Iterator[Step]:
    """The ops that made some values, each followed by those that made what it read, a few levels deep."""
    for link in links:
        node = None if link is None else link.creator
        if node is not None:
            yield _step(node.op.name, depth, link.shape, PLACES.get(node))
            if depth < _LEVELS:
                yield from steps_behind(node.inputs, depth + 1)


def steps_before(record: Record, notes: Notes, depth: int = 1) -> Iterator[Step]:
    """As `steps_behind`, for an operation of a traced function."""
    for given in record.operands:
        for _, instruction in given.held:
            found = notes.records.get(instruction) if hasattr(instruction, "op") else None  # else a constant
            if found is not None and found is not record and found.op is not None:
                yield _step(found.op, depth, instruction.shape, found.place)
                if depth < _LEVELS:
                    yield from steps_before(found, notes, depth + 1)


@dataclass(frozen=True)
class Stage:
    """A node that a sweep has come to, without its values; `after` is the one that led to it."""

    op: str
    shape: tuple[int, ...]
    place: Place | None
    after: Stage | None


def path_of(stage: Stage | None) -> list[Step]:
    """The ops from the output of a sweep to a node."""
    steps = []
    while stage is not None:
        steps.append(_step(stage.op, 0, stage.shape, stage.place))
        stage = stage.after
    return steps[::-1]

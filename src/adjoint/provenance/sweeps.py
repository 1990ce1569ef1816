"""Watching a reverse sweep: which rule made the cotangent that is not finite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from adjoint.provenance.chains import Stage, path_of
from adjoint.provenance.notes import NOTES
from adjoint.provenance.places import PLACES, Place
from adjoint.provenance.reports import Given, Record, anomaly
from adjoint.provenance.values import first_bad, held_in, is_traced

__all__ = ["SWEEP", "SweepRunner"]


class SweepRunner:
    """Runs the rules of one sweep, and looks at the cotangents.

    A cotangent is looked at when it is complete: what a rule gives for elements that a selection has left out does not
    count. What rules gave for it before tells then which one was wrong.
    """

    def __init__(self, run_rules: Callable[..., Any], roots: Sequence[Any], *, infinity: bool) -> None:
        self._run_rules = run_rules
        self._infinity = infinity
        self._starts = {_key(root) for root, _ in roots}
        self._place = Place.here()
        # By node or, of leaves, by link: the node that led there, and what rules gave for its cotangent.
        self._stages: dict[Any, Stage] = {}
        self._given: dict[Any, list[Record]] = {}
        self.current: str | None = None  # the op whose rule runs, or ran last

    def __enter__(self) -> SweepRunner:
        self._token = SWEEP.set(self)
        self._quiet = np.errstate(all="ignore")
        self._quiet.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._quiet.__exit__(None, None, None)
        SWEEP.reset(self._token)

    def __call__(self, node: Any, F: Any, g: Any, y: Any, xs: Any, *wanted: Any) -> Sequence[Any]:
        for i, part in enumerate(g if node.siblings else [g]):
            if part is not None:
                self._look_at(node, _raw(part), f"the cotangents of {_output_name(node, i)} add up to")
        self.current = node.op.name
        parts = self._run_rules(node, F, g, y, xs, *wanted)
        stage = Stage(node.op.name, _shape_of(g), PLACES.get(node), self._stages.get(node))
        for position, (link, part) in enumerate(zip(node.inputs, parts, strict=False)):
            if link is None or part is None:
                continue
            key = _key(link)
            self._stages.setdefault(key, stage)
            array = _raw(part)
            if is_traced(array) or first_bad(array, infinity=self._infinity) is not None:
                record = self._record(node, position, array, stage)
                record.operands = list(_operands(node, g, y, xs))
                self._given.setdefault(key, []).append(record)
        return parts

    def end(self, leaves: dict[Any, Any]) -> None:
        """Looks at the cotangents of the leaves."""
        for link, total in leaves.items():
            variable = link.variable()
            name = getattr(variable, "name", None) or "a leaf"
            self._look_at(_key(link), _raw(total), f"the cotangents of {name} add up to")

    def _look_at(self, key: Any, cotangent: Any, action: str) -> None:
        """Raises AnomalyError, or has the program do so, where a complete cotangent is not finite."""
        if is_traced(cotangent):
            notes = NOTES.get()
            if notes is not None:
                record = self._sum(key, cotangent, action)
                record.candidates = self._given.get(key, [])
                notes.expect(record)
        elif first_bad(cotangent, infinity=self._infinity) is not None:
            records = self._given.get(key) or [self._sum(key, cotangent, action)]
            raise anomaly(records[0], lambda array: array, infinity=self._infinity)

    def _record(self, node: Any, position: int, part: Any, stage: Stage) -> Record:
        name = node.op.name
        place = PLACES.get(node)
        remarks = [f"the gradient was asked for at {self._place.location}"] if self._place.location else []
        if place is None:
            remarks.append("the line of the op is not known: it ran outside of detect_anomaly")
        elif place.within is not None:
            remarks.append(f"the op itself ran in the derivative rule of {place.within}")
        return Record(
            name,
            "backward",
            f"in the derivative rule of {name}, for the cotangent of input {position}:",
            [],
            held_in(part),
            f"cotangent of input {position}",
            place or self._place,
            lambda: path_of(stage),
            "the sweep came here by",
            node.op.elementwise,
            remarks,
        )

    def _sum(self, key: Any, cotangent: Any, action: str) -> Record:
        """What is noted of a cotangent to which several rules have contributed, or none."""
        stage = self._stages.get(key)
        if stage is None and key in self._starts:
            action = "the cotangent that the sweep starts from has"
        return Record(
            None if stage is None else stage.op,
            "backward",
            action,
            [],
            held_in(cotangent),
            "cotangent",
            self._place if stage is None or stage.place is None else stage.place,
            lambda: path_of(stage),
            "the sweep came here by",
        )


SWEEP: ContextVar[SweepRunner | None] = ContextVar("adjoint.sweep", default=None)


def _key(link: Any) -> Any:
    """What the contributions to a cotangent are kept under: a node, or the link of a leaf."""
    return link if link.creator is None else link.creator


def _raw(value: Any) -> Any:
    return value._data if hasattr(value, "_data") else value


def _shape_of(g: Any) -> tuple[int, ...]:
    """The shape of a cotangent, or of the first that is there."""
    parts = g if isinstance(g, (list, tuple)) else [g]
    return next((tuple(part.shape) for part in parts if part is not None), ())


def _output_name(node: Any, index: int) -> str:
    return f"output {index} of {node.op.name}" if node.siblings else f"the result of {node.op.name}"


def _operands(node: Any, g: Any, y: Any, xs: Any) -> Iterable[Given]:
    """What a rule computed with: cotangents, outputs and inputs, as far as they are still there."""
    for i, part in enumerate(g if node.siblings else [g]):
        if part is not None:
            yield Given(f"cotangent of {_output_name(node, i)}", held_in(_raw(part)))
    place = PLACES.get(node)
    for i, part in enumerate(y if isinstance(y, tuple) else [y]):
        if part is not None:
            yield Given(_output_name(node, i), held_in(_raw(part)))
    for i, x in enumerate(xs):
        if not hasattr(x, "creator"):
            yield Given(f"operand {i}", held_in(_raw(x)))
        elif place is not None and i < len(place.operands):  # a link: the rule does not read the value
            yield Given(f"operand {i}", place.operands[i])

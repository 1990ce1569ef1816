"""What is noted while a function is traced, to be looked at when its program runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from adjoint.provenance.places import Place
from adjoint.provenance.reports import Record

__all__ = ["NOTES", "Notes", "note_instruction"]


class Notes:
    """What is known of the instructions of a trace.

    records: of those that are results of ops or cotangents; what made them
    places: of all, the user's line
    """

    def __init__(self, *, infinity: bool) -> None:
        self.infinity = infinity
        self.records: dict[Any, Record] = {}
        self.places: dict[Any, Place] = {}

    def expect(self, record: Record) -> None:
        """Has the results of a record looked at when they are there."""
        for _, instruction in record.result:
            self.records.setdefault(instruction, record)


NOTES: ContextVar[Notes | None] = ContextVar("adjoint.notes", default=None)


def note_instruction(instruction: Any) -> None:
    """Notes the user's line of an instruction that was just made."""
    notes = NOTES.get()
    if notes is not None:
        notes.places[instruction] = Place.here()

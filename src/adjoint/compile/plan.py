"""What is kept of a lowered program: numbers and names only, so that another process can run it without any pass."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from adjoint.compile.codegen import cache as disk, pool
from adjoint.compile.codegen.entry import ArgumentSpec
from adjoint.compile.codegen.target import Target
from adjoint.program import Program

__all__ = ["CHECKS", "Plan", "Row", "can_fail", "plan_key"]

# Operations that may find at run time that they cannot be done.
CHECKS = frozenset({"cholesky", "eig", "eigh", "gather", "index_update", "scatter_add", "require", "solve", "svd"})


@dataclass(frozen=True)
class Row:
    """One call of a kernel.

    kernel: its key (see `adjoint.compile.codegen.kernels`); empty for an operation that NumPy runs
    record: the numbers that it is called with
    title, shape, flops, bytes: what it does, for `explain`
    """

    kernel: str
    record: tuple[int, ...]
    extent: int
    chunks: int
    title: str
    shape: tuple[int, ...]
    flops: float
    bytes: float


@dataclass
class Plan:
    """Rows in segments between which the status is looked at, or NumPy runs an operation; memory; arguments."""

    segments: list[list[Row]]
    arena: int
    specs: list[ArgumentSpec]
    in_place: dict[int, int]
    can_fail: bool
    values: int = 0  # bytes that intermediate values would take without sharing memory
    is_stored: bool = field(default=False, compare=False)

    def rows(self) -> list[Row]:
        """All rows."""
        return [row for segment in self.segments for row in segment]

    def to_bytes(self) -> bytes:
        """For the disk."""
        content = {
            "segments": [[asdict(row) for row in segment] for segment in self.segments],
            "arena": self.arena,
            "specs": [(spec.dtype.str, spec.shape, spec.writeable) for spec in self.specs],
            "in_place": list(self.in_place.items()),
            "can_fail": self.can_fail,
            "values": self.values,
        }
        return json.dumps(content, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Plan:
        """What `to_bytes` wrote."""
        known: dict[str, Any] = json.loads(content)
        segments = [
            [Row(**{**row, "record": tuple(row["record"]), "shape": tuple(row["shape"])}) for row in segment]
            for segment in known["segments"]
        ]
        specs = [ArgumentSpec(np.dtype(name), tuple(shape), writeable) for name, shape, writeable in known["specs"]]
        in_place = dict(known["in_place"])
        return cls(segments, known["arena"], specs, in_place, known["can_fail"], known["values"], is_stored=True)


def can_fail(program: Program) -> bool:
    """Whether something is checked at run time."""
    return any(x.op in CHECKS for x in program.instructions())


def plan_key(program: Program, kinds: Sequence[str], donated: dict[int, int]) -> str:
    """What a plan is found by: the program, how its inputs are given, and all that decides what is made of it."""
    numbers = {instruction: i for i, instruction in enumerate(program.inputs)}
    parts = [
        disk.fingerprint(),
        _sources(),
        str(Target.host()),
        str(pool.get_num_threads()),
        repr(kinds),
        repr(sorted(donated.items())),
    ]
    parts += [f"{x.dtype.str}{x.shape}" for x in program.inputs]
    for x in program.instructions():
        numbers[x] = len(numbers)
        parts.append(f"{x.op}{[numbers[read] for read in x.inputs]}{x.params!r}{x.dtype.str}{x.shape}")
    parts += [str(numbers[x]) for x in program.outputs]
    parts += [f"keep {numbers[x]}" for x in program.keep]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def _sources() -> str:
    """The state of this package's files: any change of the compiler makes other plans."""
    root = Path(__file__).parent
    entries = []
    for folder in (root.parent / "program", root, root / "passes", root / "codegen", root / "codegen" / "mathematics"):
        with os.scandir(folder) as files:
            for file in files:
                if file.name.endswith(".py"):
                    known = file.stat()
                    entries.append(f"{file.name} {known.st_size} {known.st_mtime_ns}")
    return "\n".join(sorted(entries))

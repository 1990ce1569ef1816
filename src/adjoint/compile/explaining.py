"""What a compiled function consists of, as a table: its kernels, what was fused into them, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adjoint.compile.native import NativeProgram
from adjoint.compile.plan import Row

__all__ = ["explanation"]

_HEAD = ("time", "share", "GFLOP/s", "GB/s", "calls", "range", "operations")


@dataclass
class _Group:
    """Calls of one kernel on one range."""

    row: Row
    nanoseconds: float = 0.0
    calls: int = 0

    def cells(self, total: float) -> tuple[str, ...]:
        spent = max(self.nanoseconds, 1e-3)
        row = self.row
        return (
            _time(self.nanoseconds),
            f"{100 * self.nanoseconds / max(total, 1e-3):.1f} %",
            f"{self.calls * row.flops / spent:.1f}",
            f"{self.calls * row.bytes / spent:.1f}",
            str(self.calls),
            " × ".join(map(str, row.shape)) or "1",
            _operations(row.title),
        )


def explanation(name: str, native: NativeProgram | None, instructions: int, seconds: tuple[float, float]) -> str:
    """The table of a compiled function's program; `seconds` are those of the trace, and of what came after it."""
    made = f"traced in {1e3 * seconds[0]:.0f} ms ({instructions} instructions), "
    if native is None:
        return f"{name}: {made}run by NumPy, operation by operation, since llvmlite is not installed"
    plan = native.plan
    rows = plan.rows()
    source = "read from disk" if plan.is_stored else "made by passes and code generation"
    made += f"{source} in {1e3 * seconds[1]:.0f} ms"
    times = native.timings()
    total = sum(times)
    groups: dict[tuple[str, tuple[int, ...], str], _Group] = {}
    for row, nanoseconds in zip(rows, times, strict=True):
        group = groups.setdefault((row.kernel, row.shape, row.title), _Group(row))
        group.nanoseconds += nanoseconds
        group.calls += 1
    ordered = sorted(groups.values(), key=lambda group: -group.nanoseconds)
    lines = [
        f"{name}: {made}",
        f"{len(rows)} calls of {len({row.kernel for row in rows})} kernels, {_time(total)} together; "
        f"{_size(plan.arena)} for intermediate values, which would take {_size(plan.values)} apart",
    ]
    return "\n".join([*lines, *_table([_HEAD, *(group.cells(total) for group in ordered)])])


def _operations(title: str) -> str:
    """The operations of a kernel, each once, with how often it is done: "mul×3 tanh"."""
    counts: dict[str, int] = {}
    for word in title.split():
        counts[word] = counts.get(word, 0) + 1
    return " ".join(word if count == 1 else f"{word}×{count}" for word, count in counts.items())


def _time(nanoseconds: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.2f} {unit}"
    return f"{nanoseconds:.0f} ns"


def _size(count: int) -> str:
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        right = [cell.rjust(width) for cell, width in zip(row[:5], widths[:5], strict=True)]
        left = [cell.ljust(width) for cell, width in zip(row[5:], widths[5:], strict=True)]
        lines.append("  ".join([*right, *left]).rstrip())
    return lines

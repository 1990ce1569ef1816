"""Figures and tables as Markdown."""

from __future__ import annotations

from collections.abc import Callable

MISSED = "✗"


def duration(seconds: float) -> str:
    """Three digits with a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{digits(seconds / size)} {unit}"
    return f"{digits(seconds / 1e-9)} ns"


def size(count: float) -> str:
    return f"{digits(count / 2**20)} MiB"


def digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def verdict(figure: float, target: float, unit: Callable[[float], str] = "{:g}".format) -> str:
    return f"{'✓' if figure <= target else MISSED} at most {unit(target)}"


def multiple(ratio: float, target: float | None) -> str:
    return f"{ratio:.2f} ×" if target is None else f"{ratio:.2f} × ({verdict(ratio, target)})"


def missed(tables: list[str]) -> list[str]:
    """The figures in tables that are above what is aimed at, an item of a list for each row."""
    items = []
    for text in tables:
        header, *rows = [_cells(line) for line in text.splitlines() if line.startswith("|")]
        where = f" ({header[0]})" if header[0] else ""
        for title, *cells in rows:
            found = [f"{name} {cell}" for name, cell in zip(header[1:], cells, strict=True) if MISSED in cell]
            if found:
                items.append(f"* {title}{where}: {', '.join(found)}")
    return items


def _cells(line: str) -> list[str]:
    return line.removeprefix("| ").removesuffix(" |").split(" | ")

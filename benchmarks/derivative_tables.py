"""The tables of derivatives beyond the gradient: eager and compiled side by side."""

from __future__ import annotations

from benchmarks.cases import DERIVATIVES, Case
from benchmarks.markdown import duration, multiple, table
from benchmarks.measure import Effort, Result, Results

Rows = dict[Case, Results]


def render(measured: Rows, effort: Effort) -> list[str]:
    """A table of multiples within a library, and one of times beside the others'; those with rows."""
    parts = []
    for kind, make in (("multiple", _multiples), ("derivative", _times)):
        rows = {case: results for case, results in measured.items() if case.kind == kind and results}
        if rows:
            parts.append(make(rows, effort))
    return parts


def _multiples(rows: Rows, effort: Effort) -> str:
    """Two rows for each case: the times of what the multiple is of, and below them times and multiples."""
    header = ["derivatives, and what they are multiples of", *DERIVATIVES.values()]
    lines = []
    for case, results in rows.items():
        found = {library: results.get(library, Result()) for library in DERIVATIVES}
        lines.append([case.base_title, *(_time(result.base or Result(), library) for library, result in found.items())])
        lines.append([case.title, *(_with_multiple(case, result, library) for library, result in found.items())])
    notes = [
        "× is the multiple of the row above, measured in the same process.",
        _note(effort),
        *dict.fromkeys(case.note for case in rows if case.note),
    ]
    return f"{table(header, lines)}\n\n{' '.join(notes)}"


def _time(result: Result, library: str) -> str:
    """The time of a step; where it is compiled, also that of the first call."""
    if not result.rounds:
        return "–"
    text = duration(result.median("step"))
    is_compiled = library in ("adjoint_compiled", "jax_jit")
    return f"{text} (first call {duration(result.median('first'))})" if is_compiled else text


def _with_multiple(case: Case, result: Result, library: str) -> str:
    text = _time(result, library)
    if not (result.rounds and result.base):
        return text
    targets = {"adjoint_eager": case.target, "adjoint_compiled": case.target_compiled}
    return f"{text}, {multiple(result.median('step') / result.base.median('step'), targets.get(library))}"


def _times(rows: Rows, effort: Effort) -> str:
    header = ["derivatives, and steps with them", *DERIVATIVES.values(), "adjoint / PyTorch", "compiled / JAX"]
    lines = []
    for case, results in rows.items():
        cells = [_time(results.get(library, Result()), library) for library in DERIVATIVES]
        eager = _ratio(results, "adjoint_eager", "torch_eager", case.target)
        compiled = _ratio(results, "adjoint_compiled", "jax_jit", case.target_compiled)
        lines.append([case.title, *cells, eager, compiled])
    return f"{table(header, lines)}\n\n{_note(effort)}"


def _ratio(results: Results, ours: str, theirs: str, target: float | None) -> str:
    if ours not in results or theirs not in results:
        return "–"
    return multiple(results[ours].median("step") / results[theirs].median("step"), target)


def _note(effort: Effort) -> str:
    return f"Medians of {effort.compiled_rounds} rounds of about {duration(effort.compiled_seconds)}."

"""The tables of compiled steps."""

from __future__ import annotations

from benchmarks import limits
from benchmarks.cases import COMPILED, Case
from benchmarks.markdown import duration, multiple, size, table, verdict
from benchmarks.measure import Effort, Result, Results

OURS = "adjoint_compiled"
Rows = dict[Case, Results]


def render(measured: Rows, effort: Effort) -> list[str]:
    """A table of times for each number of threads, one of first calls and one of memory; those with rows."""
    parts = []
    for threads in sorted({case.threads for case in measured if case.takes_threads}):
        parts += _of_threads({case: found for case, found in measured.items() if case.threads == threads}, effort)
    for kind, make in (("first", _firsts), ("compiled-peak", _peaks)):
        rows = _of_kind(measured, kind)
        if rows:
            parts.append(make(rows))
    return parts


def _of_kind(measured: Rows, kind: str) -> Rows:
    return {case: results for case, results in measured.items() if case.kind == kind and results}


def _of_threads(measured: Rows, effort: Effort) -> list[str]:
    rates = {case.name: limits.rate(case.name, results) for case, results in _of_kind(measured, "limit").items()}
    rows = _of_kind(measured, "compiled")
    texts = [_times(rows, rates, effort)] if rows else []
    if rates:
        threads = next(iter(measured)).threads
        texts.append(f"The machine's limits, {_count(threads)}: {_describe(measured, rates)}.")
    return ["\n\n".join(texts)] if texts else []


def _count(threads: int) -> str:
    return f"{threads} thread{'s' if threads > 1 else ''}"


def _describe(measured: Rows, rates: dict[str, float]) -> str:
    titles = {case.name: case.title for case in measured}
    return "; ".join(f"{titles[name]}, {rate / 1e9:.1f} {limits.LIMITS[name].unit}" for name, rate in rates.items())


def _times(rows: Rows, rates: dict[str, float], effort: Effort) -> str:
    """A column for each library, our multiple of the best other, and our share of the machine's limit."""
    threads = next(iter(rows)).threads
    header = [f"compiled step, {_count(threads)}", *COMPILED.values(), "of the best", "of the machine"]
    lines = []
    for case, results in rows.items():
        steps = {library: result.median("step") for library, result in results.items()}
        cells = [duration(steps[library]) if library in steps else "–" for library in COMPILED]
        ours = steps.get(OURS)
        share = "–" if ours is None else limits.share(case.runs, ours, rates)
        lines.append([case.title, *cells, _of_best(case, steps), share])
    notes = [_note(rows, effort), *dict.fromkeys(case.note for case in rows if case.note)]
    return f"{table(header, lines)}\n\n{' '.join(notes)}"


def _of_best(case: Case, steps: dict[str, float]) -> str:
    others = [seconds for library, seconds in steps.items() if library != OURS]
    return multiple(steps[OURS] / min(others), case.target) if others and OURS in steps else "–"


def _note(rows: Rows, effort: Effort) -> str:
    spreads = [result.spread("step") for results in rows.values() for result in results.values()]
    known = [spread for spread in spreads if spread is not None]
    widest = f"; half of what the middle half spans is at most {100 * max(known):.0f} %" if known else ""
    return f"Medians of {effort.compiled_rounds} rounds of about {duration(effort.compiled_seconds)}{widest}."


def _firsts(rows: Rows) -> str:
    others = [library for library in COMPILED if library not in (OURS, "torch_eager")]
    header = ["first call", COMPILED[OURS], "with code from the disk", *(COMPILED[library] for library in others)]
    lines = []
    for case, results in rows.items():
        ours = results.get(OURS)
        cells = [_aim(ours, "cold", case.target), _aim(ours, "from_disk", case.target_from_disk)]
        cells += [_aim(results.get(library), "cold", None) for library in others]
        lines.append([case.title, *cells])
    return table(header, lines)


def _aim(result: Result | None, name: str, target: float | None) -> str:
    if result is None:
        return "–"
    seconds = result.median(name)
    return duration(seconds) if target is None else f"{duration(seconds)} ({verdict(seconds, target, duration)})"


def _peaks(rows: Rows) -> str:
    """What the steps add to the process, as in the table of eager steps; here JAX's is the measure."""
    libraries = [library for library in COMPILED if library != "torch_compiled"]
    header = ["peak memory of 20 compiled steps", *(COMPILED[library] for library in libraries), "of JAX's"]
    lines = []
    for case, results in rows.items():
        found = [results.get(library) for library in libraries]
        cells = [
            f"+{size(result.median('growth'))}, {size(result.median('total'))} in all" if result else "–"
            for result in found
        ]
        ours, theirs = results.get(OURS), results.get("jax_jit")
        ratio = multiple(ours.median("growth") / theirs.median("growth"), case.target) if ours and theirs else "–"
        lines.append([case.title, *cells, ratio])
    note = "The multiple is of what is added to the process after its imports, llvmlite's and JAX's among them."
    return f"{table(header, lines)}\n\n{note}"

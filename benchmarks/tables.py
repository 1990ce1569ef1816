"""The results as Markdown tables, and their place in the README."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.cases import LIBRARIES, Case
from benchmarks.measure import Effort, Results, describe_libraries

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: written by python -m benchmarks -->", "<!-- end of results -->"

Measured = dict[Case, Results]


def write(measured: Measured, effort: Effort, versions: dict[str, str]) -> None:
    """Puts the tables between the README's two markers."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = render(measured, effort, versions)
    README.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", encoding="utf-8")


def render(measured: Measured, effort: Effort, versions: dict[str, str]) -> str:
    """All tables, with the machine and the versions above them."""
    parts = [f"{machine()}\n{describe_libraries(versions)}; one thread each, on one core."]
    kinds = {"time": _times, "peak": _peaks, "growth": _growths, "import": _imports, "command": _commands}
    for kind, table in kinds.items():
        rows = {case: results for case, results in measured.items() if case.kind == kind and results}
        if rows:
            parts.append(table(rows, effort))
    return "\n\n".join(parts)


def machine() -> str:
    """The processor, the system and Python."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()} ({os.cpu_count()} cores), {platform.system()} {platform.machine()}, {python}."


def _processor() -> str:
    if sys.platform == "linux":
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        fields = dict(re.findall(r"^(vendor_id|cpu family|model|model name)\s*: (.*)$", info, re.MULTILINE))
        name = fields.get("model name", platform.machine())
        if not re.search(r"\d", name):  # a virtual machine may hide the model's name
            name += f" (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')})"
        return name
    return platform.processor() or platform.machine()


def duration(seconds: float) -> str:
    """Three digits with a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{_digits(seconds / size)} {unit}"
    return f"{_digits(seconds / 1e-9)} ns"


def size(count: float) -> str:
    return f"{_digits(count / 2**20)} MiB"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _ratio(case: Case, results: Results, name: str) -> str:
    """adjoint's figure as a multiple of PyTorch's, beside the target."""
    ours, theirs = results.get("adjoint_eager"), results.get("torch_eager")
    if not (ours and theirs):
        return "–"
    ratio = ours.median(name) / theirs.median(name)
    return f"{ratio:.2f} ×" if case.target is None else f"{ratio:.2f} × ({_verdict(ratio, case.target)})"


def _verdict(figure: float, target: float, unit: Callable[[float], str] = "{:g}".format) -> str:
    return f"{'✓' if figure <= target else '✗'} at most {unit(target)}"


def _times(rows: Measured, effort: Effort) -> str:
    header = ["median time of a step", *LIBRARIES.values(), "adjoint / PyTorch"]
    lines = []
    for case, results in rows.items():
        cells = [case.title]
        for library in LIBRARIES:
            result = results.get(library)
            if result is None:
                cells.append("–")
                continue
            spread = result.spread("step")
            text = duration(result.median("step")) + (f" ± {100 * spread:.0f} %" if spread is not None else "")
            if library == "jax_jit":
                text += f" (first call {duration(result.median('first'))})"
            cells.append(text)
        lines.append([*cells, _ratio(case, results, "step")])
    note = f"{effort.rounds} rounds of about {duration(effort.seconds)}; ± is half of what the middle half spans."
    return f"{_table(header, lines)}\n\n{note}"


def _peaks(rows: Measured, _effort: Effort) -> str:
    header = ["peak memory of 20 steps", *LIBRARIES.values(), "adjoint / PyTorch"]
    lines = []
    for case, results in rows.items():
        cells = [case.title]
        for library in LIBRARIES:
            result = results.get(library)
            cells.append(f"+{size(result.median('growth'))}, {size(result.median('total'))} in all" if result else "–")
        lines.append([*cells, _ratio(case, results, "growth")])
    note = "+ is what the high-water mark of resident memory rose by, from the process after its imports."
    return f"{_table(header, lines)}\n\n{note}"


def _growths(rows: Measured, effort: Effort) -> str:
    early, late = (f"{count:,}" for count in effort.steps)
    header = ["resident memory, garbage collector off", f"after {early} steps", f"after {late} steps", "growth"]
    lines = []
    for case, results in rows.items():
        (result,) = results.values()
        before, after = result.median("early"), result.median("late")
        lines.append([case.title, size(before), size(after), f"{(after - before) / 1024:+,.0f} KiB"])
    return _table(header, lines)


def _imports(rows: Measured, _effort: Effort) -> str:
    header = ["", *(LIBRARIES[library] for library in LIBRARIES if library != "numpy_by_hand"), "target for adjoint"]
    lines = []
    for case, results in rows.items():
        found = [results.get(library) for library in LIBRARIES if library != "numpy_by_hand"]
        cells = [duration(result.median("seconds")) if result else "–" for result in found]
        lines.append([case.title, *cells, _aim(case, results)])
    return _table(header, lines)


def _commands(rows: Measured, effort: Effort) -> str:
    lines = []
    for case, results in rows.items():
        title = case.title if len(effort.command) == 2 else f"`{' '.join(effort.command)}`"
        lines.append([title, duration(results["adjoint_eager"].median("seconds")), _aim(case, results)])
    return _table(["", "wall time", "target"], lines)


def _aim(case: Case, results: Results) -> str:
    """Whether adjoint's seconds are within the target."""
    ours = results.get("adjoint_eager")
    return "–" if ours is None or case.target is None else _verdict(ours.median("seconds"), case.target, duration)

"""The results as Markdown tables, and their place in the README."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

from benchmarks import compiled_tables, derivative_tables, markdown
from benchmarks.cases import EAGER, LIBRARIES, Case
from benchmarks.markdown import duration, multiple, size, table, verdict
from benchmarks.measure import Effort, Results, describe_libraries
from benchmarks.processes import cores

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
    above = f"{machine()}\n{describe_libraries(versions)}; one thread each, on one core, where no number is given."
    tables = []
    kinds = {"time": _times, "peak": _peaks, "growth": _growths, "import": _imports, "command": _commands}
    for kind, make in kinds.items():
        rows = {case: results for case, results in measured.items() if case.kind == kind and results}
        if rows:
            tables.append(make(rows, effort))
    tables += derivative_tables.render(measured, effort)
    tables += compiled_tables.render(measured, effort)
    missed = markdown.missed(tables)
    below = "\n".join(["Above what is aimed at:", "", *missed] if missed else ["Every figure is within its target."])
    return "\n\n".join([above, *tables, below])


def machine() -> str:
    """The processor, the system and Python."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()} ({cores()} cores), {platform.system()} {platform.machine()}, {python}."


def _processor() -> str:
    if sys.platform == "linux":
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        fields = dict(re.findall(r"^(vendor_id|cpu family|model|model name)\s*: (.*)$", info, re.MULTILINE))
        name = fields.get("model name", platform.machine())
        if not re.search(r"\d", name):  # a virtual machine may hide the model's name
            name += f" (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')})"
        return name
    return platform.processor() or platform.machine()


def _ratio(case: Case, results: Results, name: str) -> str:
    """adjoint's figure as a multiple of PyTorch's, beside the target."""
    ours, theirs = results.get("adjoint_eager"), results.get("torch_eager")
    if not (ours and theirs):
        return "–"
    return multiple(ours.median(name) / theirs.median(name), case.target)


def _times(rows: Measured, effort: Effort) -> str:
    header = ["median time of a step", *EAGER.values(), "adjoint / PyTorch"]
    lines = []
    for case, results in rows.items():
        cells = [case.title]
        for library in EAGER:
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
    return f"{table(header, lines)}\n\n{note}"


def _peaks(rows: Measured, _effort: Effort) -> str:
    header = ["peak memory of 20 steps", *EAGER.values(), "adjoint / PyTorch"]
    lines = []
    for case, results in rows.items():
        cells = [case.title]
        for library in EAGER:
            result = results.get(library)
            cells.append(f"+{size(result.median('growth'))}, {size(result.median('total'))} in all" if result else "–")
        lines.append([*cells, _ratio(case, results, "growth")])
    note = "+ is what the high-water mark of resident memory rose by, from the process after its imports."
    return f"{table(header, lines)}\n\n{note}"


def _growths(rows: Measured, effort: Effort) -> str:
    early, late = (f"{count:,}" for count in effort.steps)
    header = ["resident memory, garbage collector off", f"after {early} steps", f"after {late} steps", "growth"]
    lines = []
    for case, results in rows.items():
        for library, result in results.items():
            before, after = result.median("early"), result.median("late")
            growth = f"{(after - before) / 1024:+,.0f} KiB"
            lines.append([f"{case.title}, {LIBRARIES[library]}", size(before), size(after), growth])
    return table(header, lines)


def _imports(rows: Measured, _effort: Effort) -> str:
    header = ["", *(EAGER[library] for library in EAGER if library != "numpy_by_hand"), "target for adjoint"]
    lines = []
    for case, results in rows.items():
        found = [results.get(library) for library in EAGER if library != "numpy_by_hand"]
        cells = [duration(result.median("seconds")) if result else "–" for result in found]
        lines.append([case.title, *cells, _aim(case, results)])
    return table(header, lines)


def _commands(rows: Measured, effort: Effort) -> str:
    lines = []
    for case, results in rows.items():
        title = case.title if len(effort.command) == 2 else f"`{' '.join(effort.command)}`"
        lines.append([title, duration(results["adjoint_eager"].median("seconds")), _aim(case, results)])
    return table(["", "wall time", "target"], lines)


def _aim(case: Case, results: Results) -> str:
    """Whether adjoint's seconds are within the target."""
    ours = results.get("adjoint_eager")
    return "–" if ours is None or case.target is None else verdict(ours.median("seconds"), case.target, duration)

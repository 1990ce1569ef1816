"""The harness runs from end to end, and its figures and tables are what they say."""

import os
import subprocess
import sys

import pytest

from benchmarks import memory, processes, tables
from benchmarks.cases import CASES
from benchmarks.measure import FULL, Result


def run_benchmarks(*arguments):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV_")}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=processes.ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_runs_from_end_to_end():
    before = tables.README.read_bytes()
    result = run_benchmarks("--quick", "--only", "rosenbrock", "--only", "import", "--only", "segments")
    assert result.returncode == 0, result.stderr
    assert "| Rosenbrock, an iteration of gradient descent, float64 scalars | " in result.stdout
    assert "| Import, beyond NumPy's | " in result.stdout
    assert memory.is_measurable() == ("after 500 steps" in result.stdout)
    assert tables.README.read_bytes() == before


def test_names_of_cases_are_checked():
    result = run_benchmarks("--only", "none")
    assert result.returncode == 2
    assert "invalid choice: 'none'" in result.stderr


def test_a_worker_that_fails_says_so():
    with pytest.raises(RuntimeError, match="ended with status 1"):
        processes.Worker("adjoint_eager", "none")


def test_medians_and_spreads():
    result = Result()
    for value in (1.0, 2.0, 100.0, 3.0, 2.5):
        result.add(step=value)
    assert result.median("step") == 2.5
    result.rounds["step"] = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert result.spread("step") == 0.5
    result.rounds["step"] = [1.0, 2.0, 3.0]
    assert result.spread("step") is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(12.34, "12.3 s"), (0.1234, "123 ms"), (9.999e-3, "10.0 ms"), (2.5e-6, "2.50 µs"), (3e-9, "3.00 ns")],
)
def test_durations(seconds, text):
    assert tables.duration(seconds) == text


def test_sizes():
    assert [tables.size(n * 2**20) for n in (1.234, 12.34, 1234.5)] == ["1.23 MiB", "12.3 MiB", "1,234 MiB"]


def results(**steps):
    made = {}
    for library, seconds in steps.items():
        made[library] = Result()
        made[library].add(first=1.0, steps=10, step=seconds)
    return made


def test_a_row_has_ratio_and_target():
    case = CASES[0]
    rows = {case: results(adjoint_eager=30e-6, torch_eager=60e-6)}
    text = tables.render(rows, FULL, {"adjoint_eager": "1", "torch_eager": "2"})
    assert f"| {case.title} | 30.0 µs | 60.0 µs | – | – | 0.50 × (✗ at most 0.25) |" in text
    rows = {case: results(adjoint_eager=15e-6, torch_eager=60e-6)}
    assert "| 0.25 × (✓ at most 0.25) |" in tables.render(rows, FULL, {"adjoint_eager": "1"})
    rows = {case: results(adjoint_eager=40e-6)}
    assert "| 40.0 µs | – | – | – | – |" in tables.render(rows, FULL, {"adjoint_eager": "1"})


def test_tables_go_between_the_markers(tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{tables.BEGIN}\nold\n{tables.END}\nbelow\n", encoding="utf-8")
    monkeypatch.setattr(tables, "README", readme)
    tables.write({CASES[0]: results(adjoint_eager=30e-6)}, FULL, {"adjoint_eager": "1"})
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"above\n{tables.BEGIN}\n")
    assert text.endswith(f"\n{tables.END}\nbelow\n")
    assert "old" not in text
    assert "30.0 µs" in text


def test_the_readme_has_the_markers():
    text = tables.README.read_text(encoding="utf-8")
    assert text.count(tables.BEGIN) == text.count(tables.END) == 1


@pytest.mark.skipif(not memory.is_measurable(), reason="only Linux tells a process's memory so")
def test_peaks():
    held = memory.resident()
    memory.reset_peak()
    block = bytearray(64 * 2**20)
    for i in range(0, len(block), 4096):
        block[i] = 1
    del block
    assert memory.peak() >= held + 60 * 2**20
    memory.reset_peak()
    assert memory.peak() < held + 40 * 2**20

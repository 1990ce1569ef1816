"""The harness runs from end to end, and its figures and tables are what they say."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks import limits, markdown, measure, memory, processes, tables
from benchmarks.cases import CASES
from benchmarks.measure import FULL, QUICK, Result


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


def test_compiled_steps_run_from_end_to_end():
    names = ("rosenbrock-compiled", "copy-cached", "lstm-sequence-first", "elementwise-compiled-memory")
    result = run_benchmarks("--quick", "--threads", "1", *(part for name in names for part in ("--only", name)))
    assert result.returncode == 0, result.stderr
    assert "| Rosenbrock, descent step, float64 | " in result.stdout
    assert "The machine's limits, 1 thread: copy of 512 KiB, " in result.stdout
    assert "| LSTM segment 30 × 30 × 100 | " in result.stdout
    assert memory.is_measurable() == ("| Gradient of 1,000,000 elements | " in result.stdout)


def test_derivatives_run_from_end_to_end():
    result = run_benchmarks("--quick", "--only", "hvp", "--only", "hessian")
    assert result.returncode == 0, result.stderr
    assert "| Hessian-vector product of the MLP 100×10 | " in result.stdout
    assert " × (✓ at most " in result.stdout
    assert "| The Hessian of the Rosenbrock function of 20 numbers, float64 | " in result.stdout


def test_names_of_cases_are_checked():
    result = run_benchmarks("--only", "none")
    assert result.returncode == 2
    assert "invalid choice: 'none'" in result.stderr


def test_a_worker_that_fails_says_so():
    with pytest.raises(RuntimeError, match="ended with status 1"):
        processes.Worker("adjoint_eager", "none")


def test_a_process_may_have_a_second_workload():
    with processes.Worker("adjoint_eager", "hvp", base="hvp-gradient") as worker:
        assert worker.hello["workloads"] == ["hvp", "hvp-gradient"]
        for workload in worker.hello["workloads"]:
            assert worker.ask("make", workload=workload) > 0.0
            assert worker.ask("time", steps=2, workload=workload) > 0.0
    with processes.Worker("adjoint_eager", "none", base="hvp-gradient") as worker:
        assert worker.hello["workloads"] == ["hvp-gradient"]


class SlowWorker:
    """A worker whose steps take a second."""

    def __init__(self, library, *_arguments, **_base):
        self.hello = {"version": "1", "workloads": ["hvp", "hvp-gradient"]}
        self.steps = dict.fromkeys(self.hello["workloads"], 0)

    def ask(self, request, workload, steps=1):
        seconds = {"hvp": 0.01, "hvp-gradient": 1.0}[workload]
        self.steps[workload] += steps
        return steps * seconds

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass


def test_long_steps_are_measured_in_few_rounds(monkeypatch):
    monkeypatch.setattr(processes, "Worker", SlowWorker)
    versions = {}
    found = measure.measure(replace(compiled_case("hvp"), libraries=("adjoint_eager",)), FULL, versions)
    result = found["adjoint_eager"]
    assert versions == {"adjoint_eager": "1"}
    assert result.rounds["step"] == pytest.approx([0.01] * FULL.compiled_rounds)
    assert result.base.rounds["step"] == [1.0] * 3


def test_imports_have_bytecode_that_the_first_has_written(monkeypatch):
    seen = []

    def run(command, variables):
        seen.append(variables["PYTHONPYCACHEPREFIX"])
        assert os.path.isdir(seen[-1])
        assert variables["PYTHONDONTWRITEBYTECODE"] == ""
        return f"{len(seen)}.0"

    monkeypatch.setattr(processes, "run", run)
    found = measure.measure(replace(compiled_case("import"), libraries=("adjoint_eager",)), QUICK, {})
    assert found["adjoint_eager"].rounds["seconds"] == [2.0, 3.0]
    assert len(set(seen)) == 1
    assert not os.path.exists(seen[0])


def test_variables_reach_commands():
    script = "import os; print(os.environ['PYTHONPYCACHEPREFIX'])"
    assert processes.run([sys.executable, "-c", script], {"PYTHONPYCACHEPREFIX": "here"}).strip() == "here"


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
    assert markdown.duration(seconds) == text


def test_sizes():
    assert [markdown.size(n * 2**20) for n in (1.234, 12.34, 1234.5)] == ["1.23 MiB", "12.3 MiB", "1,234 MiB"]


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


def compiled_case(name, **changes):
    (case,) = (case for case in CASES if case.name == name)
    return replace(case, **changes)


def test_a_compiled_row_is_compared_with_the_best_and_with_the_machine():
    gemm, lstm = compiled_case("gemm"), compiled_case("lstm-sequence-compiled")
    rows = {
        gemm: results(numpy_by_hand=0.04, torch_eager=0.02),
        lstm: results(adjoint_compiled=2e-3, torch_eager=4e-3, jax_jit=5e-3),
    }
    text = tables.render(rows, FULL, {"adjoint_compiled": "1"})
    operations = limits.WORK["lstm-sequence"][1]
    share = f"{operations / 2e-3 / 1e9:.1f} GF/s, {100 * operations / 2e-3 / (2 * 1024**3 / 0.02):.0f} %"
    assert f"| {lstm.title} | 2.00 ms | 4.00 ms | – | 5.00 ms | 0.50 × (✗ at most 0.42) | {share} |" in text
    assert "matrix product 1024³, float32, 107.4 GF/s" in text
    assert lstm.note in text
    assert f"* {lstm.title} (compiled step, 1 thread): of the best 0.50 × (✗ at most 0.42)" in text


def test_each_number_of_threads_has_a_table_and_its_limits():
    rows = {}
    for threads, seconds in ((1, 2e-3), (2, 1e-3)):
        rows[compiled_case("gemm", threads=threads)] = results(numpy_by_hand=10 * seconds)
        rows[compiled_case("gpt-compiled", threads=threads)] = results(adjoint_compiled=seconds, jax_jit=4e-3)
    text = tables.render(rows, FULL, {"adjoint_compiled": "1"})
    assert "| compiled step, 1 thread | " in text
    assert "| compiled step, 2 threads | " in text
    assert "limits, 2 threads: matrix product 1024³, float32, 214.7 GF/s." in text
    assert "Every figure is within its target." in text


def test_first_calls_have_two_targets():
    case, result = compiled_case("lstm-sequence-first"), Result()
    result.add(cold=0.3, from_disk=0.2)
    text = tables.render({case: {"adjoint_compiled": result}}, FULL, {"adjoint_compiled": "1"})
    assert "| 300 ms (✓ at most 400 ms) | 200 ms (✗ at most 100 ms) | – | – |" in text


def test_memory_of_compiled_steps_is_compared_with_jax():
    case, ours, theirs = compiled_case("gpt-compiled-memory"), Result(), Result()
    ours.add(growth=50 * 2**20, total=80 * 2**20)
    theirs.add(growth=100 * 2**20, total=300 * 2**20)
    text = tables.render({case: {"adjoint_compiled": ours, "jax_jit": theirs}}, FULL, {"adjoint_compiled": "1"})
    assert "| +50.0 MiB, 80.0 MiB in all | – | +100 MiB, 300 MiB in all | 0.50 × (✓ at most 1) |" in text


def pairs(**seconds):
    """Results with a base, by library: (seconds of a step, seconds of the base's)."""
    made = {}
    for library, (step, base) in seconds.items():
        made[library] = results(**{library: step})[library] if step else Result()
        made[library].base = results(**{library: base})[library]
    return made


def test_multiples_have_a_row_for_what_they_are_of():
    case = compiled_case("hvp")
    rows = {case: pairs(adjoint_eager=(6e-4, 1e-4), adjoint_compiled=(2e-5, 1e-5), jax_jit=(3e-5, 2e-5))}
    text = tables.render(rows, FULL, {"adjoint_eager": "1"})
    assert f"| {case.base_title} | 100 µs | 10.0 µs (first call 1.00 s) | – | 20.0 µs (first call 1.00 s) |" in text
    ours = "600 µs, 6.00 × (✗ at most 5) | 20.0 µs (first call 1.00 s), 2.00 × (✓ at most 2.5)"
    assert f"| {case.title} | {ours} | – | 30.0 µs (first call 1.00 s), 1.50 × |" in text
    assert f"* {case.title} (derivatives, and what they are multiples of): adjoint 600 µs, 6.00 × (✗" in text


def test_a_library_may_have_the_base_alone():
    case = compiled_case("eighth")
    rows = {case: pairs(adjoint_eager=(1e-3, 1.0), torch_eager=(None, 0.5))}
    text = tables.render(rows, FULL, {"adjoint_eager": "1"})
    assert f"| {case.base_title} | 1.00 s | – | 500 ms | – |" in text
    assert f"| {case.title} | 1.00 ms, 0.00 × (✓ at most 0.1) | – | – | – |" in text
    assert case.note in text


def test_derivatives_have_a_target_for_each_way_of_running():
    case = compiled_case("examples")
    rows = {case: results(adjoint_eager=3e-3, adjoint_compiled=1e-3, torch_eager=1e-3, jax_jit=2e-3)}
    text = tables.render(rows, FULL, {"adjoint_eager": "1"})
    cells = "3.00 ms | 1.00 ms (first call 1.00 s) | 1.00 ms | 2.00 ms (first call 1.00 s)"
    assert f"| {case.title} | {cells} | 3.00 × (✗ at most 1.5) | 0.50 × (✓ at most 1) |" in text
    rows = {case: results(adjoint_eager=3e-3)}
    assert f"| {case.title} | 3.00 ms | – | – | – | – | – |" in tables.render(rows, FULL, {"adjoint_eager": "1"})


def test_operations_of_matrix_products():
    assert limits.WORK["digits-fused"][1] == 2 * 128 * (2 * 784 * 256 + 3 * 256 * 128 + 3 * 128 * 10)


def test_processes_get_their_threads():
    for threads in (1, 2):
        environment = processes.environment(threads)
        assert environment["OMP_NUM_THREADS"] == environment["ADJOINT_NUM_THREADS"] == str(threads)
    assert "multi_thread_eigen=false" in processes.environment(1)["XLA_FLAGS"]


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

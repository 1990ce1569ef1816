"""Looking inside: the printed program and the table of kernels."""

from __future__ import annotations

import re

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F
from adjoint.compile import explaining
from adjoint.errors import DTypeError

pytest.importorskip("llvmlite")


@pytest.fixture
def compiled():
    w = ad.Variable(np.ones((4, 3), np.float32), name="w")

    @ad.compile
    def step(x):
        loss = F.sum(F.tanh(x @ w))
        w.cleargrad()
        loss.backward()
        w.data = w.data - 0.1 * w.grad.data
        return loss

    step(np.ones((5, 4), np.float32))
    return step


def test_the_program_has_types_and_names(compiled):
    text = str(compiled.program)
    assert text.startswith("program step\n")
    assert re.search(r"input %\d: float32\[5, 4\]  # argument 1", text)
    assert re.search(r"%\d+: float32\[5, 3\] = matmul %\d %\d", text)
    assert "return" in text
    assert "# the gradient of w" in text


def test_the_table_has_a_line_for_each_kernel(compiled):
    head, memory, titles, *lines = compiled.explain().splitlines()
    assert head.startswith("step: traced in")
    assert "calls of" in memory
    assert titles.split() == ["time", "share", "GFLOP/s", "GB/s", "calls", "range", "operations"]
    assert any("matmul" in line and "5 × 4 × 3" in line for line in lines)
    assert any("tanh" in line for line in lines)
    shares = [float(re.search(r"([\d.]+) %", line).group(1)) for line in lines]
    assert sum(shares) == pytest.approx(100.0, abs=0.1 * len(shares))


def test_explaining_changes_nothing(compiled):
    before = compiled(np.ones((5, 4), np.float32)).item()
    compiled.explain()
    assert compiled.cache_info().misses == 1
    assert compiled(np.ones((5, 4), np.float32)).item() < before


def test_a_function_that_was_never_called_has_nothing_to_show():
    with pytest.raises(DTypeError, match="call it once"):
        ad.compile(lambda x: x).explain()


@pytest.mark.parametrize(
    ("nanoseconds", "text"), [(12.0, "12 ns"), (1500.0, "1.50 µs"), (2.5e6, "2.50 ms"), (3e9, "3.00 s")]
)
def test_times_have_the_unit_that_fits(nanoseconds, text):
    assert explaining._time(nanoseconds) == text


@pytest.mark.parametrize(("count", "text"), [(64, "64 bytes"), (2048, "2.0 KiB"), (3 << 20, "3.0 MiB")])
def test_sizes_have_the_unit_that_fits(count, text):
    assert explaining._size(count) == text

"""Every op in every mode, in both precisions: an empty cell of the table in docs/reference/coverage.md fails here."""

from __future__ import annotations

import math

import numpy as np
import pytest

import adjoint as ad
from adjoint import apply
from adjoint.errors import AdjointError
from adjoint.ops import TABLE
from tests.modes.checks import EXAMPLES, MODES, check, raw
from tests.modes.exceptions import EXCEPTIONS
from tests.support import DIFFERENTIABLE, STEPS, is_float, package_ops, parts, samples_of

CELLS = [(op, mode) for op in DIFFERENTIABLE for mode in MODES if (op.name, mode) not in EXCEPTIONS]


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize(("op", "mode"), CELLS, ids=lambda part: part if isinstance(part, str) else part.name)
def test_op_works_in_the_mode(op, mode, dtype):
    check(op, mode, dtype)


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_no_cell_is_filled_by_samples_without_elements(op):
    assert any(all(math.prod(shape) for shape in sample.shapes) for sample in samples_of(op))


@pytest.mark.parametrize("op", [op for op in package_ops() if not op.differentiable], ids=lambda op: op.name)
def test_constants_of_a_batch_are_those_of_each_example(op):
    arrays, params = STEPS[op.name]
    stacks = [
        np.stack([array * (n + 1) if is_float(array) else np.roll(array, n) for n in range(EXAMPLES)])
        for array in arrays
    ]
    found = parts(ad.vmap(lambda *xs: apply(op, *xs, **params))(*stacks))
    for example in range(EXAMPLES):
        alone = parts(apply(op, *(x[example] for x in stacks), **params))
        for one, other in zip(found, alone, strict=True):
            np.testing.assert_array_equal(raw(one)[example], raw(other), strict=True)


@pytest.mark.parametrize("op", [op for op in package_ops() if not op.differentiable], ids=lambda op: op.name)
def test_constants_have_no_tangent(op):
    arrays, params = STEPS[op.name]
    if not all(map(is_float, arrays)):
        return
    directions = tuple(np.ones_like(array) for array in arrays)
    _, tangents = ad.jvp(lambda *xs: [y * 1.0 for y in parts(apply(op, *xs, **params))], arrays, directions)
    assert not any(raw(t).any() for t in tangents)


def test_exceptions_are_of_cells_that_there_are():
    names = {op.name for op in DIFFERENTIABLE}
    for name, mode in EXCEPTIONS:
        assert name in names
        assert mode in MODES


def test_cells_that_are_exceptions_do_not_work():
    for name, mode in EXCEPTIONS:
        with pytest.raises((AdjointError, AssertionError)):
            check(TABLE[name], mode, np.float64)

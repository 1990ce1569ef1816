"""Every op of the table, compiled: on its samples and on larger arrays, values and two derivatives are eager ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adjoint import Variable, apply, functions as F
from adjoint.ops import Sample
from tests.compile.agreement import assert_compiled_as_eager
from tests.support import CASES, draw, is_float, package_ops, parts, samples_of

DTYPES = (np.float32, np.float64)
TOLERANCE = {np.float32: 1e-4, np.float64: 1e-10}
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)


def derivatives(op, params, order):
    """A function of arrays that gives the op's results, and its gradients up to an order."""

    def computed(*inputs):
        outputs = parts(apply(op, *inputs, **params))
        total = None
        for y in outputs:
            if is_float(y):
                term = F.sum(y * cotangents[y.shape].astype(y.dtype))
                term = F.real(term) if y.dtype.kind == "c" else term
                total = term if total is None else total + term
        xs = [x for x in inputs if isinstance(x, Variable)]
        found = [*outputs]
        for n in range(order):
            total.backward(create_graph=n + 1 < order)
            gradients = [x.grad for x in xs]
            found += gradients
            for x in xs:
                x.cleargrad()
            if n + 1 < order:
                squares = [squared_size(g) for g in gradients if g is not None and g.creator is not None]
                if not squares:
                    break
                total = sum(squares[1:], squares[0])
        return found

    cotangents = Weights()
    return computed


def squared_size(g):
    """Σ |g|²"""
    return F.sum(g * g) if g.dtype.kind == "f" else F.sum(F.real(g * F.conj(g)))


class Weights(dict):
    """An array of different weights for each shape: the same one, so that it is read by every program."""

    def __missing__(self, shape):
        self[shape] = np.linspace(0.5, 1.5, math.prod(shape)).reshape(shape)
        return self[shape]


@dtypes
@pytest.mark.parametrize(("op", "sample"), CASES)
def test_values_and_derivatives_are_the_eager_ones(op, sample, dtype):
    arrays = draw(op, sample, dtype)
    if any(array.dtype.kind == "b" for array in arrays[1:]):
        pytest.skip("indexing by traced booleans is refused")
    assert_compiled_as_eager(derivatives(op, sample.params, 2), arrays, TOLERANCE[dtype])


# Larger arrays: the rest of a row after whole vectors, many rows, several parts of a sum

SHAPES = [(3, 4, 33), (1, 31), (4099,)]
LAYOUTS = {
    "columns": np.asfortranarray,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "apart": lambda x: np.repeat(x, 3, axis=-1)[..., ::3],
}
ELEMENTWISE = [op for op in package_ops() if op.elementwise and op.differentiable]
layouts = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def enlarged(op, shapes):
    """The op's first sample in other shapes."""
    first = samples_of(op)[0]
    flags = {i: np.arange(math.prod(shapes[i])).reshape(shapes[i]) % 3 > 0 for i in first.arrays}
    kind = {"distinct": first.distinct, "complex": first.complex}
    return Sample(*shapes, domain=first.domain, arrays=flags, **kind, **first.params)


def arity(op):
    return len(samples_of(op)[0].shapes)


@dtypes
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_elementwise_ops_agree_on_larger_arrays(op, shape, dtype):
    sample = enlarged(op, [shape] * arity(op))
    arrays = draw(op, sample, dtype)
    assert_compiled_as_eager(derivatives(op, sample.params, 2), arrays, TOLERANCE[dtype])


@layouts
@pytest.mark.parametrize("op", ELEMENTWISE, ids=lambda op: op.name)
def test_elementwise_ops_agree_however_arrays_lie_in_memory(op, layout):
    sample = enlarged(op, [(5, 19)] * arity(op))
    arrays = [layout(array) for array in draw(op, sample)]
    assert_compiled_as_eager(derivatives(op, sample.params, 2), arrays, TOLERANCE[np.float64])


@pytest.mark.parametrize("shapes", [((7, 1), (1, 18)), ((3, 1, 17), (5, 1)), ((2, 33), ()), ((4, 0), (1, 1))], ids=str)
@pytest.mark.parametrize("op", [op for op in ELEMENTWISE if arity(op) == 2], ids=lambda op: op.name)
def test_ops_of_two_arrays_broadcast_larger_ones(op, shapes):
    sample = enlarged(op, shapes)
    assert_compiled_as_eager(derivatives(op, sample.params, 2), draw(op, sample), TOLERANCE[np.float64])


WITH_SAMPLES = [op for op in package_ops() if op.differentiable and samples_of(op)]
REDUCTIONS = [op for op in WITH_SAMPLES if "keepdims" in samples_of(op)[0].params]
ALONG_AXIS = [op for op in WITH_SAMPLES if op.name in ("softmax", "log_softmax", "cumsum", "flip")]
AXES = [None, 0, 1, -1, (0, -1), (0, 1), ()]


@dtypes
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("op", REDUCTIONS, ids=lambda op: op.name)
def test_reductions_agree_on_larger_arrays(op, axis, dtype):
    for keepdims in (False, True):
        first = samples_of(op)[0]
        shape = (3, 4, 33)
        sample = Sample(shape, domain=first.domain, distinct=first.distinct, axis=axis, keepdims=keepdims)
        arrays = draw(op, sample, dtype)
        assert_compiled_as_eager(derivatives(op, sample.params, 2), arrays, TOLERANCE[dtype])


@pytest.mark.parametrize("shape", [(4097,), (3, 5000), (5000, 3), (20_000,), (70, 70)], ids=str)
@pytest.mark.parametrize("op", REDUCTIONS, ids=lambda op: op.name)
def test_reductions_in_several_parts_agree(op, shape):
    for axis in (None, 0, -1):
        sample = Sample(shape, domain=op.domain, distinct=samples_of(op)[0].distinct, axis=axis, keepdims=False)
        assert_compiled_as_eager(derivatives(op, sample.params, 1), draw(op, sample), TOLERANCE[np.float64])


@layouts
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("op", [*REDUCTIONS, *ALONG_AXIS], ids=lambda op: op.name)
def test_reductions_agree_however_arrays_lie_in_memory(op, axis, layout):
    first = samples_of(op)[0]
    keep = {"keepdims": False} if "keepdims" in first.params else {}
    sample = Sample((3, 5, 17), domain=first.domain, distinct=first.distinct, axis=axis, **keep)
    arrays = [layout(array) for array in draw(op, sample)]
    assert_compiled_as_eager(derivatives(op, sample.params, 2), arrays, TOLERANCE[np.float64])


@pytest.mark.parametrize("op", [op for op in package_ops() if op.name in ("max", "min")], ids=lambda op: op.name)
@pytest.mark.parametrize("values", [[1.0, np.nan, 3.0], [2.0, 2.0, 1.0], [np.inf, np.inf, 0.0], [-0.0, 0.0, -0.0]])
def test_extremes_of_ties_and_of_what_is_no_number_agree(op, values):
    arrays = [np.tile(values, (4, 7))]
    for axis in (None, 0, 1):
        with np.errstate(invalid="ignore"):
            assert_compiled_as_eager(derivatives(op, {"axis": axis, "keepdims": False}, 1), arrays)

"""Every op of the table on every one of its samples: what a declaration says is what the op does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from adjoint import Variable, apply
from adjoint.arrays import numpy_namespace as xp
from adjoint.testing import check_grads
from tests.support import (
    CASES,
    DIFFERENTIABLE,
    STEPS,
    apply_rule,
    cotangents_like,
    draw,
    is_float,
    package_ops,
    parts,
    precision,
    run,
    samples_of,
)

FLOAT32 = np.dtype(np.float32)


def cases(wanted):
    return pytest.mark.parametrize(("op", "sample"), [case for case in CASES if wanted(*case.values)])


def has_elements(op, sample):
    return all(map(math.prod, sample.shapes))


def backward(op, arrays, params, cotangents=None, create_graph=False):
    """Outputs and gradients of an op, as arrays, from a cotangent for each output."""
    outputs, inputs = run(op, arrays, params)
    for y, cotangent in zip(outputs, cotangents or cotangents_like(outputs), strict=True):
        y.backward(cotangent, create_graph=create_graph)
    grads = [x.grad for x in inputs if isinstance(x, Variable)]
    return [y.data for y in outputs], [None if g is None else g.data for g in grads]


def assert_all_close(found, expected, rtol):
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert_allclose(a, b, rtol=rtol, atol=1e-15)


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_differentiable_op_has_samples(op):
    assert samples_of(op), "declare samples: an op that is not elementwise has none by default"


@cases(lambda op, sample: True)
def test_apply_computes_the_forward(op, sample):
    arrays = draw(op, sample)
    outputs, _ = run(op, arrays, sample.params)
    direct_outputs = parts(op.forward(xp, *arrays, **sample.params))[: op.outputs]  # residuals are not returned
    for y, direct in zip(outputs, direct_outputs, strict=True):
        assert_array_equal(y.data, direct, strict=True)


@cases(has_elements)
def test_derivatives_agree_with_differences(op, sample):
    order = 3 if op.elementwise else 2
    check_grads(lambda *inputs: apply(op, *inputs, **sample.params), draw(op, sample), order)


@cases(lambda op, sample: not has_elements(op, sample))
def test_gradient_of_no_elements_has_their_shape(op, sample):
    arrays = draw(op, sample)
    _, grads = backward(op, arrays, sample.params)
    assert [g.shape for g in grads] == [x.shape for x in arrays if is_float(x)]


@cases(lambda op, sample: op.name != "astype")
def test_float32_stays_float32(op, sample):
    for create_graph in (False, True):
        outputs, grads = backward(op, draw(op, sample, np.float32), sample.params, create_graph=create_graph)
        assert {precision(y) for y in outputs} == {FLOAT32}
        assert {precision(g) for g in grads if g is not None} <= {FLOAT32}


@cases(lambda op, sample: op.name != "astype")
def test_rule_computes_in_float32(op, sample):
    """The engine casts cotangents, which would hide a rule that works in twice the precision at twice the cost."""
    arrays = draw(op, sample, np.float32)
    output = op.forward(xp, *arrays, **sample.params)
    g = cotangents_like(parts(output))
    cotangents = apply_rule(op, tuple(g) if isinstance(output, tuple) else g[0], output, arrays, sample.params)
    assert {precision(part) for part in cotangents} <= {FLOAT32}


def strided(array):
    """The same values at every second place of a longer array, backwards."""
    if array.ndim == 0:
        return array
    longer = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    longer[..., ::-2] = array
    return longer[..., ::-2]


@pytest.mark.parametrize("layout", [np.asfortranarray, strided])
@cases(lambda op, sample: any(sample.shapes))
def test_memory_layout_does_not_matter(op, sample, layout):
    arrays = draw(op, sample)
    outputs, grads = backward(op, arrays, sample.params)
    other_outputs, other_grads = backward(op, [layout(array) for array in arrays], sample.params)
    assert_all_close(other_outputs, outputs, rtol=1e-12)
    assert_all_close(other_grads, grads, rtol=1e-12)


@cases(lambda op, sample: True)
def test_nothing_that_is_given_is_written_to(op, sample):
    arrays = draw(op, sample)
    outputs, _ = run(op, arrays, sample.params)
    cotangents = cotangents_like(outputs)
    for array in (*arrays, *cotangents):
        array.flags.writeable = False  # a write raises
    backward(op, arrays, sample.params, cotangents)
    backward(op, arrays, sample.params, cotangents, create_graph=True)


@cases(lambda op, sample: True)
def test_recorded_backward_gives_what_the_plain_one_does(op, sample):
    arrays = draw(op, sample)
    _, plain = backward(op, arrays, sample.params)
    _, recorded = backward(op, arrays, sample.params, create_graph=True)
    assert_all_close(recorded, plain, rtol=1e-13)


@cases(lambda op, sample: True)
def test_rule_returns_none_of_its_values(op, sample):
    """Cotangents may be handed on, values not: a gradient that shows an input would change when it does."""
    arrays = draw(op, sample)
    output = op.forward(xp, *arrays, **sample.params)
    g = cotangents_like(parts(output))
    for part in apply_rule(op, tuple(g) if isinstance(output, tuple) else g[0], output, arrays, sample.params):
        assert not any(np.shares_memory(part, value) for value in (*arrays, *parts(output)))


@cases(lambda op, sample: op.elementwise and has_elements(op, sample))
def test_elementwise_op_looks_at_one_position(op, sample):
    arrays = draw(op, sample)
    whole = op.forward(xp, *arrays, **sample.params)
    spread = np.broadcast_arrays(*arrays)
    assert whole.shape == spread[0].shape
    for index in np.ndindex(whole.shape):
        alone = op.forward(xp, *(np.asarray(array[index]) for array in spread), **sample.params)
        assert_allclose(whole[index], alone, rtol=1e-14)


@cases(lambda op, sample: op.linear and has_elements(op, sample))
def test_linear_op_keeps_linear_combinations(op, sample):
    first, second = draw(op, sample, seed=0), draw(op, sample, seed=1)
    mixed = [2.0 * a - 3.0 * b if is_float(a) else a for a, b in zip(first, second, strict=True)]
    images = [parts(op.forward(xp, *arrays, **sample.params)) for arrays in (first, second, mixed)]
    for of_first, of_second, of_mixed in zip(*images, strict=True):
        assert_allclose(of_mixed, 2.0 * of_first - 3.0 * of_second, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("op", [op for op in package_ops() if not op.differentiable], ids=lambda op: op.name)
def test_op_without_a_rule_gives_constants(op):
    arrays, params = STEPS[op.name]
    y = apply(op, *map(Variable, arrays), **params)
    assert y.creator is None

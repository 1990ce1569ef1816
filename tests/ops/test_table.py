"""Every op of the table on every one of its samples: what a declaration says is what the op does."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from adjoint.arrays import numpy_namespace as xp
from adjoint.core.variable import Variable, apply
from adjoint.ops import raw_functions
from adjoint.testing import check_grads
from tests.support import as_variables, draw, is_float, package_ops, samples_of

DIFFERENTIABLE = [op for op in package_ops() if op.differentiable]
WITHOUT_RULE = [op for op in package_ops() if not op.differentiable]
CASES = [
    pytest.param(op, sample, id=f"{op.name}-{number}")
    for op in DIFFERENTIABLE
    for number, sample in enumerate(samples_of(op))
]


def cases(wanted):
    return [case for case in CASES if wanted(*case.values)]


def parts(value):
    """The outputs of an op, one or several."""
    return value if isinstance(value, tuple) else (value,)


def run(op, arrays, params):
    """The op's outputs on Variables, and the Variables."""
    inputs = as_variables(arrays)
    return parts(apply(op, *inputs, **params)), inputs


def cotangents_like(outputs):
    rng = np.random.default_rng(1)
    return [np.asarray(rng.uniform(0.5, 1.5, y.shape), y.dtype) for y in outputs]


def backward(op, arrays, params, cotangents=None, create_graph=False):
    """Outputs and gradients of an op, from a cotangent for each output."""
    outputs, inputs = run(op, arrays, params)
    for y, cotangent in zip(outputs, cotangents or cotangents_like(outputs), strict=True):
        y.backward(cotangent, create_graph=create_graph)
    return [y.data for y in outputs], [x.grad for x in inputs if isinstance(x, Variable)]


def apply_rule(op, arrays, output, params):
    """The cotangents that the op's rule itself gives on plain arrays, before the engine casts or sums them."""
    g = cotangents_like(parts(output))
    g = tuple(g) if isinstance(output, tuple) else g[0]
    F = raw_functions(xp)
    if op.rules is not None:
        return [rule(F, g, output, *arrays, **params) for rule in op.rules if rule is not None]
    needs = {"needs": [True] * len(arrays)} if op.takes_needs else {}
    return [part for part in op.vjp(F, g, output, *arrays, **params, **needs) if part is not None]


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_differentiable_op_has_samples(op):
    assert samples_of(op)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_apply_computes_the_forward(op, sample):
    arrays = draw(op, sample)
    outputs, _ = run(op, arrays, sample.params)
    expected = parts(op.forward(xp, *arrays, **sample.params))
    for y, direct in zip(outputs, expected, strict=True):
        assert_array_equal(y.data, direct)


@pytest.mark.parametrize(("op", "sample"), cases(lambda op, sample: all(map(np.prod, sample.shapes))))
def test_derivatives_agree_with_differences(op, sample):
    check_grads(
        lambda *inputs: apply(op, *inputs, **sample.params), draw(op, sample), order=3 if op.elementwise else 2
    )


@pytest.mark.parametrize(("op", "sample"), cases(lambda op, sample: not all(map(np.prod, sample.shapes))))
def test_gradient_of_no_elements_has_their_shape(op, sample):
    arrays = draw(op, sample)
    _, grads = backward(op, arrays, sample.params)
    assert [g.shape for g in grads] == [x.shape for x in arrays if is_float(x)]


@pytest.mark.parametrize(("op", "sample"), cases(lambda op, sample: op.name != "astype"))
def test_float32_stays_float32(op, sample):
    arrays = draw(op, sample, np.float32)
    for create_graph in (False, True):
        outputs, grads = backward(op, arrays, sample.params, create_graph=create_graph)
        assert {y.dtype for y in outputs} == {np.dtype(np.float32)}
        assert {g.dtype for g in grads if g is not None} <= {np.dtype(np.float32)}


@pytest.mark.parametrize(("op", "sample"), cases(lambda op, sample: op.name != "astype"))
def test_rule_computes_in_float32(op, sample):
    """The engine casts cotangents, which would hide a rule that works in twice the precision at twice the cost."""
    arrays = draw(op, sample, np.float32)
    output = op.forward(xp, *arrays, **sample.params)
    found = {np.asarray(part).dtype for part in apply_rule(op, arrays, output, sample.params)}
    assert found <= {np.dtype(np.float32)}


def fortran(array):
    return np.asfortranarray(array)


def strided(array):
    """The same values, at every second place of a longer array, last axis backwards."""
    if array.ndim == 0:
        return array
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::-2] = array
    return wide[..., ::-2]


@pytest.mark.parametrize("layout", [fortran, strided])
@pytest.mark.parametrize(("op", "sample"), cases(lambda op, sample: any(len(shape) for shape in sample.shapes)))
def test_memory_layout_does_not_matter(op, sample, layout):
    arrays = draw(op, sample)
    outputs, grads = backward(op, arrays, sample.params)
    others, other_grads = backward(op, [layout(x) for x in arrays], sample.params)
    for found, expected in zip(others, outputs, strict=True):
        assert_allclose(found, expected, rtol=1e-12)
    for found, expected in zip(other_grads, grads, strict=True):
        assert (found is None) == (expected is None)
        if found is not None:
            assert_allclose(found.data, expected.data, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_nothing_that_is_given_is_written_to(op, sample):
    arrays = draw(op, sample)
    outputs, _ = run(op, arrays, sample.params)
    cotangents = cotangents_like(outputs)
    for array in (*arrays, *cotangents):
        array.flags.writeable = False  # a write raises
    backward(op, arrays, sample.params, cotangents)
    backward(op, arrays, sample.params, cotangents, create_graph=True)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_recorded_backward_gives_the_plain_one(op, sample):
    arrays = draw(op, sample)
    _, plain = backward(op, arrays, sample.params)
    _, recorded = backward(op, arrays, sample.params, create_graph=True)
    for a, b in zip(plain, recorded, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert_allclose(a.data, b.data, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_rule_returns_none_of_its_values(op, sample):
    """Only cotangents may be handed on: a gradient that shows an input changes when the input does."""
    arrays = draw(op, sample)
    output = op.forward(xp, *arrays, **sample.params)
    for part in apply_rule(op, arrays, output, sample.params):
        assert not any(np.shares_memory(part, value) for value in (*arrays, *parts(output)))


@pytest.mark.parametrize(
    ("op", "sample"), cases(lambda op, sample: op.elementwise and all(map(np.prod, sample.shapes)))
)
def test_elementwise_op_looks_at_one_position(op, sample):
    arrays = draw(op, sample)
    whole = op.forward(xp, *arrays, **sample.params)
    spread = np.broadcast_arrays(*arrays)
    assert whole.shape == spread[0].shape
    for index in np.ndindex(whole.shape):
        alone = op.forward(xp, *(np.asarray(x[index]) for x in spread), **sample.params)
        assert_allclose(whole[index], alone, rtol=1e-14)


@pytest.mark.parametrize(("op", "sample"), cases(lambda op, sample: op.linear and all(map(np.prod, sample.shapes))))
def test_linear_op_keeps_linear_combinations(op, sample):
    first, second = (draw(op, sample, seed=seed) for seed in (0, 1))
    mixed = [2.0 * a - 3.0 * b if is_float(a) else a for a, b in zip(first, second, strict=True)]
    images = [parts(op.forward(xp, *arrays, **sample.params)) for arrays in (first, second, mixed)]
    for of_first, of_second, of_mixed in zip(*images, strict=True):
        assert_allclose(of_mixed, 2.0 * of_first - 3.0 * of_second, rtol=1e-12, atol=1e-12)


# What is kept for the backward pass


def names_of_values(op, count):
    """What the rules call the output and each of `count` inputs."""
    for rule in op.rules or (op.vjp,):
        if rule is None:
            continue
        kinds = inspect.signature(rule).parameters.values()
        names = [p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD][2:]
        rest = [p.name for p in kinds if p.kind is p.VAR_POSITIONAL]
        yield (names + rest * count)[: count + 1]


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_values_whose_name_begins_with_an_underscore_are_not_kept(op, sample):
    outputs, inputs = run(op, draw(op, sample), sample.params)
    node = outputs[0].creator
    read = [not all(name.startswith("_") for name in names) for names in zip(*names_of_values(op, len(inputs)))]
    assert (node.output is not None) == read[0]
    for value, link, kept, wanted in zip(inputs, node.inputs, node.saved, read[1:], strict=True):
        if isinstance(value, Variable):
            assert kept is (value.data if wanted else link)


KEEP_NOTHING = (
    "add astype broadcast_to concat copy cumsum diagonal_unindex flip getitem mean neg reshape scatter_add split stack "
    "sub sum sum_to take transpose unindex"
).split()
KEEP_THE_OUTPUT_ALONE = "exp expm1 log_softmax relu sigmoid softmax sqrt tanh".split()


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.name in KEEP_NOTHING], ids=lambda op: op.name)
def test_op_that_only_moves_or_adds_keeps_no_floats(op):
    outputs, inputs = run(op, draw(op, op.samples[0] if op.samples else samples_of(op)[0]), {**samples_of(op)[0].params})
    node = outputs[0].creator
    assert node.output is None
    assert [kept is link for value, link, kept in zip(inputs, node.inputs, node.saved, strict=True)
            if isinstance(value, Variable)] == [True] * sum(isinstance(value, Variable) for value in inputs)


def test_memory_lists_name_ops_of_the_table():
    assert {*KEEP_NOTHING, *KEEP_THE_OUTPUT_ALONE} <= {op.name for op in DIFFERENTIABLE}


@pytest.mark.parametrize(
    "op", [op for op in DIFFERENTIABLE if op.name in KEEP_THE_OUTPUT_ALONE], ids=lambda op: op.name
)
def test_op_whose_derivative_follows_from_its_value_keeps_that_alone(op):
    assert op.keeps_output
    assert not any(op.keep_mask(1))


class StandIn:
    """What a rule gets in place of a value that is not kept."""

    def __init__(self, array):
        self.shape, self.dtype = array.shape, array.dtype


def rule_works_without(op, position, sample):
    """Whether the rule gives its cotangents with a stand-in for the input at `position` (-1: for the output)."""
    arrays = draw(op, sample)
    output = op.forward(xp, *arrays, **sample.params)
    if position < 0:
        output = tuple([None] * len(output)) if isinstance(output, tuple) else None
    else:
        arrays[position] = StandIn(arrays[position])
    g = op.forward(xp, *draw(op, sample), **sample.params)
    try:
        apply_rule_with(op, g, output, arrays, sample.params)
    except Exception:
        return False
    return True


def apply_rule_with(op, g, output, arrays, params):
    F = raw_functions(xp)
    if op.rules is not None:
        for rule in op.rules:
            if rule is not None:
                rule(F, g, output, *arrays, **params)
    else:
        op.vjp(F, g, output, *arrays, **params, **({"needs": [True] * len(arrays)} if op.takes_needs else {}))

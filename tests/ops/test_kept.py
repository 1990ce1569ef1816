"""What a node keeps for the backward pass: memory is the price of a recorded computation."""

from __future__ import annotations

import inspect
from weakref import ref

import numpy as np
import pytest

from adjoint import Variable, functions as F
from adjoint.arrays import numpy_namespace as xp
from tests.support import CASES, DIFFERENTIABLE, apply_rule, draw, parts, run, samples_of

KEEP_NOTHING = (
    "add astype broadcast_to concat copy cumsum diagonal_unindex flip getitem mean neg reshape scatter_add split stack "
    "sub sum sum_to take transpose unindex"
).split()
KEEP_THEIR_OUTPUT_ALONE = "exp expm1 log_softmax relu sigmoid softmax sqrt tanh".split()


def by_name(names):
    table = {op.name: op for op in DIFFERENTIABLE}
    return pytest.mark.parametrize("op", [table[name] for name in names], ids=names)


def read_values(op, count):
    """Whether a rule reads the output, and whether one reads each of `count` inputs, by the rules' arguments."""
    read = [False] * (1 + count)
    for rule in op.rules or (op.vjp,):
        if rule is None:
            continue
        arguments = inspect.signature(rule).parameters.values()
        names = [a.name for a in arguments if a.kind is a.POSITIONAL_OR_KEYWORD][2:]
        rest = [a.name for a in arguments if a.kind is a.VAR_POSITIONAL]
        names = (names + rest * count)[: 1 + count]
        read = [before or not name.startswith("_") for before, name in zip(read, names, strict=True)]
    return read[0], read[1:]


def kept_floats(node, inputs):
    """For each Variable among the inputs, whether its array is kept, and not the link in its place."""
    return [
        kept is not link
        for value, link, kept in zip(inputs, node.inputs, node.saved, strict=True)
        if isinstance(value, Variable)
    ]


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_values_whose_name_begins_with_an_underscore_are_not_kept(op, sample):
    outputs, inputs = run(op, draw(op, sample), sample.params)
    node = outputs[0].creator
    output_read, inputs_read = read_values(op, len(inputs))
    assert (node.output is not None) == output_read
    wanted = [read for value, read in zip(inputs, inputs_read, strict=True) if isinstance(value, Variable)]
    assert kept_floats(node, inputs) == wanted


@by_name(KEEP_NOTHING)
def test_op_that_moves_or_adds_keeps_no_values(op):
    sample = samples_of(op)[0]
    outputs, inputs = run(op, draw(op, sample), sample.params)
    assert outputs[0].creator.output is None
    assert not any(kept_floats(outputs[0].creator, inputs))


@by_name(KEEP_THEIR_OUTPUT_ALONE)
def test_op_whose_derivative_follows_from_its_value_keeps_that_alone(op):
    sample = samples_of(op)[0]
    outputs, inputs = run(op, draw(op, sample), sample.params)
    assert outputs[0].creator.output is not None
    assert not any(kept_floats(outputs[0].creator, inputs))


class StandIn:
    """What a rule has of a value that is not kept."""

    def __init__(self, array):
        self.shape, self.dtype = array.shape, array.dtype

    def __bool__(self):
        raise TypeError("a stand-in has no value")


def rule_fails_without(op, position, sample):
    """Whether the rule needs the values of the input at `position`, or of the output for None."""
    arrays = draw(op, sample)
    g = output = op.forward(xp, *arrays, **sample.params)
    if position is None:
        output = tuple(map(StandIn, output)) if isinstance(output, tuple) else StandIn(output)
    else:
        arrays[position] = StandIn(arrays[position])
    try:
        apply_rule(op, g, output, arrays, sample.params)
    except Exception:
        return True
    return False


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_rule_reads_the_values_that_it_has_kept(op):
    samples = samples_of(op)
    count = max(len(sample.shapes) for sample in samples)
    output_read, inputs_read = read_values(op, count)
    positions = [i for i, read in enumerate(inputs_read) if read] + ([None] if output_read else [])
    for position in positions:
        fitting = [s for s in samples if position is None or position < len(s.shapes)]
        assert any(rule_fails_without(op, position, sample) for sample in fitting), f"kept in vain: {position}"


def test_values_between_ops_that_keep_nothing_are_freed():
    x = Variable(np.ones(3))
    between = x + 1.0
    array = ref(between.data)
    y = F.sum(between - 2.0)
    del between
    assert array() is None
    y.backward()
    assert x.grad.data.tolist() == [1.0, 1.0, 1.0]


def test_one_input_of_a_product_is_not_kept_for_a_constant():
    """The rule of the constant does not run, yet the other input's does, and reads the constant alone."""
    x = Variable(np.ones(3))
    outputs = parts(x * np.arange(3.0))
    outputs[0].backward()
    assert x.grad.data.tolist() == [0.0, 1.0, 2.0]

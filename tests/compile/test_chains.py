"""Sums over the steps of a recurrence that become one product."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint.arrays import numpy_namespace
from adjoint.compile.passes import optimized
from adjoint.compile.passes.products import join_chains
from adjoint.compile.passes.simplifying import simplify
from adjoint.program import Program, Trace, interpret


def traced(function, *arrays):
    with Trace() as trace:
        result = function(*[trace.tracer(i, array) for i, array in enumerate(arrays)])
        return Program(trace.inputs, [trace.read(result)])


def arrays_of(shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in shapes]


def counts(program):
    ops = [instruction.op for instruction in program.instructions()]
    return {op: ops.count(op) for op in set(ops)}


def weight_gradient(*arrays):
    half = len(arrays) // 2
    total = None
    for x, g in zip(arrays[:half], arrays[half:], strict=True):
        term = x.T @ g
        total = term if total is None else total + term
    return total


@pytest.mark.parametrize("steps", [4, 7])
def test_the_weight_gradients_of_many_steps_are_one_product(steps):
    arrays = arrays_of([(5, 3)] * steps + [(5, 2)] * steps)
    program = traced(weight_gradient, *arrays)
    joined = join_chains(simplify(program))
    assert counts(joined)["matmul"] == 1
    assert counts(joined)["concat"] == 2
    assert "add" not in counts(joined)
    before, after = (interpret(p, numpy_namespace, arrays)[0] for p in (program, joined))
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_a_few_products_stay_and_are_added_up_in_place():
    arrays = arrays_of([(5, 3)] * 3 + [(5, 2)] * 3)
    program = traced(weight_gradient, *arrays)
    assert counts(join_chains(simplify(program)))["matmul"] == 3
    assert counts(optimized(program))["matmul_add"] == 2


def test_products_of_other_sizes_are_joined_apart():
    shapes = [(5, 3)] * 4 + [(2, 3)] + [(5, 2)] * 4 + [(2, 2)]
    arrays = arrays_of(shapes)
    program = traced(weight_gradient, *arrays)
    joined = join_chains(simplify(program))
    before, after = (interpret(p, numpy_namespace, arrays)[0] for p in (program, joined))
    np.testing.assert_allclose(after, before, rtol=1e-12)
    assert counts(joined)["matmul"] == 1


def test_a_term_that_is_read_elsewhere_stays_as_well():
    def function(*arrays):
        first = arrays[0].T @ arrays[4]
        total = first
        for x, g in zip(arrays[1:4], arrays[5:], strict=True):
            total = total + x.T @ g
        return total * first

    arrays = arrays_of([(5, 3)] * 4 + [(5, 2)] * 4)
    program = traced(function, *arrays)
    before, after = (interpret(p, numpy_namespace, arrays)[0] for p in (program, optimized(program)))
    np.testing.assert_allclose(after, before, rtol=1e-12)

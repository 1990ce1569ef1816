"""Declaring an op, and the samples that go with it."""

from __future__ import annotations

import pytest

from adjoint import ops
from adjoint.arrays import numpy_namespace
from adjoint.errors import ArgumentError
from adjoint.ops import Op, Sample


def test_name_stands_in_the_table_once():
    with pytest.raises(ArgumentError, match="'sin' is declared already"):
        ops.op("sin", lambda xp, x: xp.sin(x))


def test_ops_stand_in_the_table_by_their_names():
    assert all(op.name == name for name, op in ops.TABLE.items())


@pytest.mark.parametrize(("vjp", "dropped", "keeps_output"), [
    (lambda F, g, y, a, b, c: (g, g, g), (), True),
    (lambda F, g, _y, _x: (g,), (0, 1, 2), False),
    (lambda F, g, _y, _a, b: (g, g), (0, 2), False),
    (lambda F, g, _y, _a, *bs: (g, *bs), (0,), False),
    (lambda F, g, _y, a, *_bs: (g, *_bs), (1, 2), False),
    (lambda F, g, _y, a, *bs, needs: (g, *bs), (), False),
    ((lambda F, g, _y, _a, b: g, lambda F, g, _y, _a, _b: g), (0, 2), False),
    ((None, lambda F, g, y, a, *_bs: g), (1, 2), True),
    ((lambda F, g, _y, _a, *bs: g, lambda F, g, _y, _a, _b: g), (0,), False),
    (print, (), True),
])  # fmt: skip
def test_what_is_dropped_follows_from_the_names_of_the_arguments(vjp, dropped, keeps_output):
    op = Op("anonymous", lambda xp, *xs: xs[0], vjp=vjp)
    assert op.dropped(3) == dropped
    assert op.keeps_output is keeps_output


def test_rule_that_asks_is_told_what_is_needed():
    assert Op("asks", lambda xp, x: x, vjp=lambda F, g, _y, _x, *, needs: (g,)).takes_needs
    assert not Op("does not", lambda xp, x: x, vjp=lambda F, g, _y, _x, *, axis: (g,)).takes_needs


def test_plain_functions_run_the_forward_and_know_no_other_names():
    F = ops.raw_functions(numpy_namespace)
    assert F.power(3.0, power=2) == 9.0
    with pytest.raises(AttributeError, match="'nonesuch'"):
        F.nonesuch  # noqa: B018


def test_sample_holds_what_it_was_given():
    sample = Sample((2, 3), (3,), domain=(0.0, 1.0), arrays={1: [0, 1, 2]}, distinct=True, axis=-1)
    assert sample.shapes == ((2, 3), (3,))
    assert (sample.domain, sample.distinct) == ((0.0, 1.0), True)
    assert (sample.arrays, sample.params) == ({1: [0, 1, 2]}, {"axis": -1})

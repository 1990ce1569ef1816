"""`detect_anomaly` stops at the first op, or derivative rule, whose result is not finite, and tells what led to it."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, layers as L, models
from adjoint.errors import AnomalyError, DTypeError
from adjoint.provenance.places import PLACES
from adjoint.provenance.watching import BLOCKS, WATCHER


@pytest.fixture(autouse=True)
def no_block_is_left():
    yield
    assert BLOCKS == []
    assert WATCHER.get() is None


def caught(call, **options):
    with pytest.raises(AnomalyError) as info, ad.detect_anomaly(**options):
        call()
    return info.value


# Forward


def test_forward_names_the_op_the_line_the_operands_and_what_made_them():
    x = ad.Variable([1.0, 0.0, 3.0])

    def compute():
        h = x * 2.0
        F.log(h)

    error = caught(compute)
    assert (error.op, error.phase) == ("log", "forward")
    assert error.location.startswith(f"{__file__}:")
    assert error.location.endswith("F.log(h)")
    operand, result = error.operands
    assert (operand.dtype, operand.shape, operand.minimum, operand.maximum) == ("float64", (3,), 0.0, 6.0)
    assert (operand.nan, operand.infinite, operand.zeros) == (0, 0, 1)
    assert (operand.index, operand.value) == ((1,), 0.0)
    assert (result.nan, result.infinite, result.index, result.value) == (0, 1, (1,), -np.inf)
    assert [(step.op, step.depth) for step in error.chain] == [("mul", 1)]
    assert error.chain[0].location.endswith("h = x * 2.0")
    text = str(error)
    assert text.startswith("log made infinity in 1 of 3 elements, from finite values\n")
    assert "operand 0 (made by mul): float64 (3,), from 0 to 6, 1 zero, 0.0 at (1,)" in text
    assert text.endswith(f"\n  at {error.location}")


def test_it_is_a_floating_point_error_and_an_error_of_the_package():
    error = caught(lambda: F.log(ad.zeros(1)))
    assert isinstance(error, FloatingPointError)
    assert isinstance(error, ad.AdjointError)


def test_values_at_the_place_of_operands_that_are_broadcast():
    x, y = ad.Variable([[1.0], [0.0]]), ad.Variable([4.0, 0.0, 5.0])
    error = caught(lambda: y / x)
    assert error.operands[-1].index == (1, 0)
    assert [operand.value for operand in error.operands[:2]] == [4.0, 0.0]
    assert [operand.index for operand in error.operands[:2]] == [(0,), (1, 0)]


def test_operands_of_a_product_have_no_place():
    x = ad.Variable(np.full((2, 2), 1e308))
    error = caught(lambda: F.matmul(x, x))
    assert [operand.index for operand in error.operands[:2]] == [None, None]


def test_what_enters_is_named():
    model = models.MLP([3, 1], rng=ad.random.const())
    model(np.ones((2, 4)))
    model.layers[1].w.data[1, 0] = np.nan
    error = caught(lambda: model(np.ones((2, 4))))
    assert error.op == "linear"
    assert error.layer == "layers.1 of MLP"
    assert "it came in with operand 1 (the parameter layers.1.w of MLP)" in error.message
    x = ad.Variable([np.inf], name="start")
    assert "it came in with operand 0 (the leaf start)" in caught(lambda: x + 1.0).message
    assert "it came in with operand 1 (a constant)" in caught(lambda: ad.ones(1) + np.array([np.nan])).message


def test_what_does_not_go_on_is_no_anomaly():
    with ad.detect_anomaly():
        F.where(np.array([True, True]), ad.ones(2), np.nan * np.ones(2))
        y = 1.0 / ad.Variable([np.inf])
    assert y.data == 0.0


def test_layer_and_chain_through_a_model():
    class Net(L.Layer):
        def __init__(self):
            self.blocks = [L.Linear(3, 2, rng=ad.random.const())]

        def forward(self, x):
            h = self.blocks[0](x)
            return F.sqrt(F.exp(h) * -1.0)

    error = caught(lambda: Net()(np.ones((1, 2))))
    assert error.layer == "Net"
    assert [step.op for step in error.chain] == ["mul", "exp", "linear"]
    assert error.chain[2].layer == "blocks.0 of Net"


def test_nan_alone_counts_without_infinity():
    with ad.detect_anomaly(infinity=False):
        masked = F.softmax(ad.Variable([1.0, 2.0]) + np.array([0.0, -np.inf]))
    assert list(masked.data) == [1.0, 0.0]
    x = ad.Variable([np.inf])
    error = caught(lambda: x - x, infinity=False)
    assert error.operands[-1].nan == 1


def test_ops_with_several_outputs():
    error = caught(lambda: F.lstm_cell(ad.Variable(np.full((1, 4), 1e3)), ad.Variable(np.full((1, 1), np.inf))))
    assert error.op == "lstm_cell"


def test_whole_numbers_and_complex_ones():
    with ad.detect_anomaly():
        ad.Variable([1, 2]) + 1
    error = caught(lambda: ad.Variable([1j]) / 0.0)
    assert error.operands[0].minimum == 1.0


def test_it_warns_of_nothing_besides():
    caught(lambda: F.log(ad.zeros(1)))  # warnings are errors in the tests


def test_without_a_graph_too():
    with ad.no_grad():
        assert caught(lambda: F.log(ad.zeros(1))).chain == ()


# Backward


def square_root(x):
    h = F.relu(x * 3.0)
    y = F.sqrt(h)
    return F.sum(y * 2.0)


@pytest.mark.parametrize("create_graph", [False, True])
def test_backward_names_the_rule_and_the_line_of_the_op(create_graph):
    x = ad.Variable([4.0, 0.0])

    def compute():
        y = square_root(x)
        y.backward(create_graph=create_graph)

    with ad.strict_ieee():
        error = caught(compute)
    assert (error.op, error.phase) == ("sqrt", "backward")
    assert error.message.startswith("in the derivative rule of sqrt, for the cotangent of input 0: infinity in 1 of 2")
    assert error.location.endswith("y = F.sqrt(h)")
    assert "y.backward(create_graph=create_graph)" in error.message
    assert [step.op for step in error.chain] == ["sum", "mul", "sqrt"]
    assert error.chain[0].location.endswith("return F.sum(y * 2.0)")
    assert [operand.name for operand in error.operands] == [
        "cotangent of the result of sqrt", "the result of sqrt", "operand 0", "cotangent of input 0",
    ]  # fmt: skip
    assert [operand.value for operand in error.operands] == [2.0, 0.0, 0.0, np.inf]
    assert x.grad is None


def test_backward_of_a_graph_from_before_the_block():
    with ad.strict_ieee():
        y = square_root(ad.Variable([0.0]))
        error = caught(y.backward)
    assert error.op == "sqrt"
    assert "the line of the op is not known" in error.message


def test_a_layer_in_the_backward_phase():
    class Root(L.Layer):
        def forward(self, x):
            return F.sqrt(x)

    class Net(L.Layer):
        def __init__(self):
            self.root = Root()

        def forward(self, x):
            return self.root(x)

    net = Net()
    with ad.strict_ieee():
        error = caught(lambda: net(ad.zeros(1)).backward())
    assert error.layer == "root of Net"


def test_cotangents_that_overflow_in_their_sum():
    x = ad.Variable(np.float32(1.0), name="x")
    error = caught(lambda: F.add(x, x).backward(np.float32(3e38)))
    assert error.message.startswith("the cotangents of x add up to infinity in 1 of 1 element")
    assert error.op == "add"
    y = x * np.float32(1.0)
    error = caught(lambda: F.add(y, y).backward(np.float32(3e38)))
    assert error.message.startswith("the cotangents of the result of mul add up to infinity")


def test_a_cotangent_that_is_not_finite_from_the_start():
    y = ad.ones(1) * 2.0
    error = caught(lambda: y.backward(np.array([np.nan])))
    assert error.message.startswith("the cotangent that the sweep starts from has NaN in 1 of 1 element")
    assert error.op is None


def test_what_a_selection_leaves_out_does_not_count_in_backward():
    x = ad.Variable([4.0, 0.0])
    with ad.detect_anomaly():
        F.sum(F.where(x.data > 0, F.sqrt(x), 0.0)).backward()
    assert list(x.grad.data) == [0.25, 0.0]


def test_second_derivatives_tell_in_whose_rule_they_ran():
    x = ad.Variable(0.0)

    def compute():
        y = x**1.5
        y.backward(create_graph=True)
        x.grad.backward()

    with ad.strict_ieee():
        error = caught(compute)
    assert "the op itself ran in the derivative rule of power" in error.message


# Transforms


def test_transforms():
    with ad.strict_ieee():
        assert caught(lambda: ad.grad(F.sqrt)(0.0)).phase == "backward"
        assert caught(lambda: ad.jvp(F.sqrt, (0.0,), (1.0,))).operands[-1].note == "the coefficient of power 1"
        assert caught(lambda: ad.vmap(ad.grad(F.sqrt))(np.zeros(2))).op == "sqrt"
    error = caught(lambda: ad.vmap(lambda x: F.log(x))(np.array([1.0, 0.0])))
    assert (error.op, error.operands[-1].index) == ("log", (1,))
    assert error.location.endswith("lambda x: F.log(x))(np.array([1.0, 0.0])))")


def test_checkpoint_in_backward():
    with ad.strict_ieee():
        error = caught(lambda: ad.checkpoint(lambda x: F.sqrt(x * 1.0))(ad.zeros(1)).backward())
    assert error.op == "sqrt"


# The block


def test_nested_blocks_restore_what_was_there_before():
    x = ad.zeros(1)
    with ad.detect_anomaly():
        with ad.detect_anomaly(infinity=False):
            F.log(x + 0.0)
        with pytest.raises(AnomalyError):
            F.log(x + 0.0)


def test_decorator_with_and_without_options():
    @ad.detect_anomaly
    def f(x):
        return F.log(x)

    @ad.detect_anomaly(infinity=False)
    def g(x):
        return F.log(x)

    with pytest.raises(AnomalyError):
        f(ad.zeros(1))
    with np.errstate(divide="ignore"):
        assert g(ad.zeros(1)).data == -np.inf


def test_decorator_refuses_generators():
    with pytest.raises(DTypeError, match="generator or a coroutine"):

        @ad.detect_anomaly
        def f():
            yield


def test_other_threads_and_tasks_are_not_watched():
    found = []

    def other():
        with np.errstate(divide="ignore"):
            found.append(F.log(ad.zeros(1)).data)

    async def task():
        await asyncio.to_thread(lambda: None)
        return WATCHER.get()

    async def main():
        waiting = asyncio.create_task(task())
        with ad.detect_anomaly():
            return await waiting

    with ad.detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert found == [-np.inf]
    assert asyncio.run(main()) is None


def test_results_are_the_same_bits_within_a_block():
    def compute():
        model = models.MLP([5, 1], rng=ad.random.const())
        x = ad.rand(4, 3, rng=ad.random.const())
        y = F.mean_squared_error(model(x), np.ones((4, 1)))
        y.backward()
        return [y.data, *(p.grad.data for p in model.params().values())]

    plain = compute()
    with ad.detect_anomaly():
        watched = compute()
    assert all(np.array_equal(a, b) for a, b in zip(plain, watched, strict=True))


@pytest.mark.usefixtures("without_collector")
def test_lines_are_kept_no_longer_than_their_graph():
    before = len(PLACES)
    with ad.detect_anomaly():
        y = square_root(ad.ones(2))
        assert len(PLACES) > before
        del y
        assert len(PLACES) == before


def test_error_keeps_its_parts_when_it_is_pickled():
    gc.collect()
    error = caught(lambda: F.log(ad.zeros(1) * 1.0))
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.op, copy.operands, copy.chain) == (str(error), "log", error.operands, error.chain)

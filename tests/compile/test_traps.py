"""Traps for compiled functions: aliased arrays, odd arrays and arguments, failures half way, threads, forks."""

from __future__ import annotations

import collections
import functools
import os
import sys
import threading
import traceback
import warnings

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import adjoint as ad
from adjoint import functions as F, models, optimizers

ONES = np.ones(3)
Pair = collections.namedtuple("Pair", "first second")


def variable(*values):
    return ad.Variable(np.array(values))


def same(result, expected):
    """Equal in type, dtype, shape and, bit for bit in sign and NaN, in values."""
    assert type(result) is type(expected)
    if isinstance(expected, (list, tuple)):
        assert len(result) == len(expected)
        for a, b in zip(result, expected, strict=True):
            same(a, b)
    elif isinstance(expected, dict):
        assert list(result) == list(expected)
        same(list(result.values()), list(expected.values()))
    elif isinstance(expected, ad.Variable):
        same(result.data, expected.data)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert result.dtype == expected.dtype
        assert result.shape == expected.shape
        np.testing.assert_allclose(result, expected, rtol=1e-6 if expected.dtype == np.float32 else 1e-13)
        np.testing.assert_array_equal(np.signbit(result), np.signbit(expected))
    else:
        assert repr(result) == repr(expected)


def agrees(function, *args, **kwargs):
    """A compiled call, and one that finds its program, against an eager one."""
    compiled = ad.compile(function)
    for _ in range(2):
        same(compiled(*args, **kwargs), function(*args, **kwargs))
    return compiled


# Aliases


def test_one_array_as_two_arguments():
    f = ad.compile(lambda x, y: x * 2.0 + y)
    x, y = np.arange(3.0), np.full(3, 5.0)
    for a, b in ((x, y), (x, x), (y, x), (y, y)):
        same(f(a, b), a * 2.0 + b)


def test_one_variable_as_two_arguments_gets_both_gradients():
    f = ad.compile(lambda x, y: F.sum(x * 2.0 * y).backward())
    for _ in range(2):
        x, y = variable(1.0, 2.0), variable(3.0, 4.0)
        f(x, y)
        same(x.grad.data, np.array([6.0, 8.0]))
        f(x, x)
        same(x.grad.data, np.array([10.0, 16.0]))
        same(y.grad.data, np.array([2.0, 4.0]))


def test_two_variables_on_one_array():
    array = np.array([1.0, 2.0])
    x, y = ad.Variable(array), ad.Variable(array)
    f = ad.compile(lambda x, y: F.sum(x * x * y).backward())
    f(x, y), f(x, y)
    same(x.grad.data, np.array([4.0, 16.0]))
    same(y.grad.data, np.array([2.0, 8.0]))


def test_two_parameters_on_one_array_are_updated_apart():
    array = np.array([1.0, 2.0])
    v, w = ad.Variable(array), ad.Variable(array)
    holder = models.Model()
    holder.v, holder.w = v, w
    optimizer = optimizers.SGD(0.5)

    @ad.compile
    def step():
        holder.cleargrads()
        F.sum(v * w * w).backward()
        optimizer.update(holder)

    step()
    same(v.data, array - 0.5 * array**2)
    same(w.data, array - array**2)
    v.data = w.data = np.array([1.0, 2.0])
    step()
    same(v.data, array - 0.5 * array**2)
    same(w.data, array - array**2)


def test_overlapping_views_as_parameter_data():
    base = np.arange(6.0)
    v, w = ad.Variable(base[:4]), ad.Variable(base[2:])

    @ad.compile
    def step():
        v.data, w.data = v.data + w.data, v.data * w.data

    a, b = v.data.copy(), w.data.copy()
    for _ in range(3):
        step()
        a, b = a + b, a * b
        same(v.data, a)
        same(w.data, b)
    same(base, np.arange(6.0))


def test_parameters_that_change_places():
    v, w = variable(1.0, 2.0), variable(3.0, 4.0)

    @ad.compile
    def swap():
        v.data, w.data = w.data, v.data

    for _ in range(3):
        before = v.data.copy(), w.data.copy()
        swap()
        same((w.data, v.data), before)


def test_a_chain_of_assignments_reads_the_values_from_before():
    a, b, c = variable(1.0), variable(2.0), variable(3.0)

    @ad.compile
    def shift():
        a.data, b.data, c.data = b.data, c.data, a.data + b.data

    values = [1.0, 2.0, 3.0]
    for _ in range(5):
        shift()
        values = [values[1], values[2], values[0] + values[1]]
        assert [a.item(), b.item(), c.item()] == values


def test_one_parameter_assigned_to_another_does_not_tie_them():
    v, w = variable(1.0, 2.0), variable(3.0, 4.0)

    @ad.compile
    def copy():
        w.data = v.data

    @ad.compile
    def add():
        v.data = v.data + 1.0

    for i in range(3):
        copy()
        add(), add()
        same(w.data, np.array([1.0, 2.0]) + 2 * i)


def test_an_input_is_returned_itself():
    x, y = variable(1.0), np.ones(2)
    f = ad.compile(lambda x, y: (x, [y], {"x": x}))
    for _ in range(2):
        first, second, third = f(x, y)
        assert first is x
        assert second[0] is y
        assert third["x"] is x


def test_a_parameter_is_returned_itself():
    w = variable(1.0, 2.0)
    f = ad.compile(lambda x: (w, w * x))
    assert f(2.0)[0] is w
    assert f(2.0)[0] is w


def test_a_result_returned_twice():
    def f(x):
        y = x * 2.0
        return y, y, [y]

    compiled = agrees(f, variable(1.0, 2.0))
    a, b, c = compiled(variable(1.0, 2.0))
    assert a is b is c[0]
    agrees(lambda x: (x * 2, x * 2, -x), np.ones(2))


def test_changing_a_result_changes_neither_inputs_nor_state_nor_later_calls():
    w = variable(1.0, 2.0)
    f = ad.compile(lambda x: (x + 0.0, x.reshape(-1), w * 1.0, w.reshape(2, 1), x[:1], np.zeros(2) * x))
    x = np.array([3.0, 4.0])
    for _ in range(3):
        results = f(x)
        same([np.asarray(getattr(r, "data", r)).sum() for r in results], [np.float64(v) for v in (7, 7, 3, 3, 3, 0)])
        for result in results:
            (result.data if isinstance(result, ad.Variable) else result)[...] = 100.0
        same(w.data, np.array([1.0, 2.0]))
        x = np.array([3.0, 4.0])


def test_a_loss_that_is_kept_by_the_caller_stays():
    f = ad.compile(lambda x: F.sum(x))
    losses = [f(np.full(3, float(i))) for i in range(10)]
    assert [loss.item() for loss in losses] == [3.0 * i for i in range(10)]


# Arrays of every form


ARRAY = np.linspace(-2.0, 2.0, 24).reshape(4, 6)
FORMS = {
    "contiguous": ARRAY,
    "reversed": ARRAY[::-1, ::-1],
    "every second": ARRAY[:, ::2],
    "transposed": ARRAY.T,
    "Fortran": np.asfortranarray(ARRAY),
    "broadcast": np.broadcast_to(ARRAY[0], (4, 6)),
    "big-endian": ARRAY.astype(">f8"),
    "big-endian float32": ARRAY.astype(">f4"),
    "float32": ARRAY.astype(np.float32),
    "float16": ARRAY.astype(np.float16),
    "int64": ARRAY.astype(np.int64),
    "big-endian int32": ARRAY.astype(">i4"),
    "uint8": np.arange(24, dtype=np.uint8).reshape(4, 6),
    "int8": np.arange(-12, 12, dtype=np.int8).reshape(4, 6),
    "bool": ARRAY > 0,
    "empty": np.zeros((0, 6)),
    "no columns": np.zeros((3, 0)),
    "no axes": np.array(1.5),
    "one": np.array([[1.5]]),
    "unaligned": np.frombuffer(bytearray(b"\0" + ARRAY.tobytes()), np.float64, 24, 1).reshape(4, 6),
    "special": np.array([[np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324]]),
}


@pytest.mark.parametrize("form", FORMS)
def test_arrays_of_every_form(form):
    array = FORMS[form]
    before = array.copy()
    with np.errstate(all="ignore"):
        compiled = agrees(
            lambda x: (
                x + x,
                x * x,
                x > 0,
                np.abs(x) if x.dtype != bool else x,
                np.sum(x, axis=-1 if x.shape else None),
            ),
            array,
        )
        compiled(np.ones(3))
        same(compiled(array)[0], array + array)
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("form", [name for name, array in FORMS.items() if array.dtype.itemsize >= 4])
def test_variables_of_every_form_get_gradients(form):
    if FORMS[form].dtype.kind != "f":
        pytest.skip("integers have no gradient")

    def f(x):
        y = F.sum(F.tanh(x) * x)
        y.backward()
        return y, x.grad

    with np.errstate(all="ignore"):
        compiled = ad.compile(f)
        for _ in range(2):
            same(compiled(ad.Variable(FORMS[form])), f(ad.Variable(FORMS[form])))


def test_a_program_is_shared_by_forms_of_one_shape_and_dtype():
    f = ad.compile(lambda x: x * 2.0)
    for form in ("contiguous", "reversed", "Fortran", "broadcast", "big-endian", "unaligned"):
        same(f(FORMS[form]), np.ascontiguousarray(FORMS[form], np.float64) * 2.0)
    assert f.cache_info().misses == 1


def test_a_read_only_input():
    x = np.ones(3)
    x.flags.writeable = False
    f = ad.compile(lambda x: (x, x * 2.0))
    for _ in range(2):
        result, doubled = f(x)
        assert result is x
        assert doubled.flags.writeable


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 9, 63, 4097, 1_000_003])
def test_sizes(size):
    x = np.random.default_rng(0).normal(size=size)

    def f(x):
        y = F.sum(F.tanh(x) * x)
        y.backward()
        return x.grad, y

    compiled = ad.compile(f)
    result, loss = compiled(ad.Variable(x))
    expected, other = f(ad.Variable(x))
    np.testing.assert_allclose(result.data, expected.data, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(loss.data, other.data, rtol=1e-11)


def test_a_memory_map_is_read_anew(tmp_path):
    np.ones(4).tofile(tmp_path / "a")
    array = np.memmap(tmp_path / "a", mode="r+", shape=(4,), dtype=np.float64)
    f = ad.compile(lambda x: x * 2.0)
    np.testing.assert_array_equal(f(array), np.full(4, 2.0))
    array[:] = 5.0
    np.testing.assert_array_equal(f(array), np.full(4, 10.0))


def test_ties_and_nan_as_in_eager():
    def f(x, y):
        loss = F.sum(F.maximum(x, y)) + F.max(x) + F.sum(F.relu(x)) + F.sum(F.abs(x)) + F.sum(F.clip(x, -1.0, 1.0))
        loss.backward()
        return loss, x.grad, y.grad

    for values in ([1.0, 1.0, 0.0, -0.0], [np.nan, 1.0, 1.0, -1.0], [np.inf, -np.inf, 1.0, 0.0]):
        compiled = ad.compile(f)
        for _ in range(2):
            args = [ad.Variable(np.array(v)) for v in (values, [1.0, 0.0, 0.0, 0.0])]
            other = [ad.Variable(v.data) for v in args]
            same(compiled(*args), f(*other))


# Arguments that are no arrays


def test_numpy_scalars_and_python_numbers():
    for value in (3.0, np.float64(3.0), np.float32(3.0), np.int64(3), 3, True, np.bool_(True)):
        agrees(lambda x, k: x * k, np.arange(3.0), value)
        agrees(lambda x, k: x * k, np.arange(3, dtype=np.float32), value)
        agrees(lambda x, k: x * k, variable(1.0, 2.0), value)
        agrees(lambda k: (k * 2, k), value)


def test_a_float_may_change_without_a_new_trace():
    f = ad.compile(lambda x, k: (x * k, k + 1.0))
    for k in (1.0, -2.5, float("inf"), -0.0, 1e300, float("nan")):
        same(f(ONES, k), (ONES * k, k + 1.0))
    assert f.cache_info().misses == 1


def test_a_float_that_is_read_decides_anew():
    def g(x, k):
        return x * k if k > 0 else x - 1.0

    f = ad.compile(g)
    for k in (1.0, -1.0, 1.0, float("nan"), float("nan"), float("inf")):
        same(f(ONES, k), g(ONES, k))


def test_one_true_and_1_0_are_three_arguments():
    def g(x, k):
        return x * {bool: 2, int: 3, float: 4}[type(k)] if not hasattr(k, "instruction") else x * 4

    f = ad.compile(g)
    for k in (1, True, 1, True):
        same(f(ONES, k), g(ONES, k))


def test_strings_and_none():
    def g(x, mode=None):
        return x if mode is None else x * len(mode)

    f = ad.compile(g)
    for args in ((), (None,), ("ab",), ("abc",), ("ab",)):
        same(f(ONES, *args), g(ONES, *args))


def test_keywords_and_defaults():
    def g(x, k=2.0, *rest, w=None, **more):
        return x * k + sum(rest) + (0 if w is None else w) + sum(more.values())

    f = ad.compile(g)
    for args, kwargs in (
        ((ONES,), {}),
        ((), {"x": ONES}),
        ((ONES, 3.0), {}),
        ((ONES,), {"k": 3.0}),
        ((ONES, 3.0, ONES, 1), {"w": ONES, "z": ONES}),
        ((ONES,), {"z": ONES, "y": 2 * ONES}),
        ((ONES,), {"y": 2 * ONES, "z": ONES}),
    ):
        for _ in range(2):
            same(f(*args, **kwargs), g(*args, **kwargs))
    assert f.cache_info().hits >= 7


def test_missing_and_surplus_arguments_are_pythons_errors():
    f = ad.compile(lambda x: x * 2.0)
    for args in ((), (ONES, ONES)):
        with pytest.raises(TypeError, match="positional argument"):
            f(*args)
    same(f(ONES), ONES * 2.0)


def test_a_large_integer():
    agrees(lambda x, n: x * n, ONES, 2**70)
    agrees(lambda x, n: x * n, ONES, -(2**63))


def test_nested_containers():
    def g(batch, options):
        x, (y, [z]) = batch["x"], batch["rest"]
        pair = Pair(x + y, {"z": z * options["scale"], 3: [x, None, "text", 2]})
        return [pair, (), [], {}, options]

    for _ in range(2):
        agrees(g, {"x": ONES, "rest": (variable(1.0, 2.0, 3.0), [2.0])}, {"scale": 3.0, "name": "n"})
    f = ad.compile(g)
    batch = {"x": ONES, "rest": (variable(1.0, 2.0, 3.0), [2.0])}
    f(batch, {"scale": 3.0})
    batch["rest"] = (variable(7.0, 8.0, 9.0), [-1.0])
    same(f(batch, {"scale": 2.0}), g(batch, {"scale": 2.0}))
    assert f.cache_info()[:2] == (1, 1)


def test_dictionaries_and_lists_of_other_classes():
    for make in (collections.OrderedDict, functools.partial(collections.defaultdict, int)):
        f = ad.compile(lambda d: d["x"] * 2.0)
        batch = make(x=ONES)
        same(f(batch), ONES * 2.0)
        batch["x"] = ONES * 5.0
        same(f(batch), ONES * 10.0)


def test_another_length_or_key_makes_a_new_trace():
    f = ad.compile(lambda arrays: sum(arrays))
    g = ad.compile(lambda arrays: sum(arrays.values()))
    for count in (1, 3, 2, 3):
        same(f([ONES] * count), ONES * count)
        same(g({str(i): ONES for i in range(count)}), ONES * count)
    assert f.cache_info()[:2] == g.cache_info()[:2] == (1, 3)


def test_an_object_as_a_batch():
    class Batch:
        def __init__(self, x, scale):
            self.x, self.scale = x, scale

    f = ad.compile(lambda batch: batch.x * batch.scale)
    batch = Batch(ONES, 2.0)
    for x, scale in ((ONES, 2.0), (2 * ONES, 3.0), (np.ones(5), 1.0), (variable(1.0), 2.0)):
        batch.x, batch.scale = x, scale
        same(f(batch), x * scale)


# Functions of every form


def test_a_function_that_returns_nothing():
    assert ad.compile(lambda: None)() is None
    assert ad.compile(lambda x: None)(ONES) is None
    w = variable(1.0)

    @ad.compile
    def step(x):
        F.sum(w * x).backward()

    assert step(ONES) is None
    assert step(ONES) is None
    same(w.grad.data, np.array([6.0]))


def test_a_function_that_returns_constants():
    agrees(lambda x: (1, "a", None, 2.5, True, x * 2), ONES)
    array = np.zeros(2)
    assert ad.compile(lambda x: array)(ONES) is array


def test_lambdas_over_a_loop_variable_see_its_last_value():
    functions = [ad.compile(lambda x: x * i) for i in range(3)]  # noqa: B023
    for f in functions:
        same(f(ONES), ONES * 2)
    functions = [ad.compile(lambda x, i=i: x * i) for i in range(3)]
    for i, f in enumerate(functions):
        same(f(ONES), ONES * i)


def test_a_function_defined_by_exec():
    space = {"np": np, "w": variable(1.0, 2.0, 3.0)}
    exec("def f(x):\n    return np.tanh(x) * w", space)
    f = ad.compile(space["f"])
    for value in (1.0, 2.0):
        space["w"].data = np.full(3, value)
        same(f(ONES), ad.Variable(np.tanh(ONES) * value))


def test_functions_of_numpy_and_of_this_package():
    for function in (np.sin, np.tanh, F.tanh, ad.Variable):
        same(ad.compile(function)(ONES), function(ONES))
    same(ad.compile(np.add)(ONES, ONES), ONES + ONES)


def test_static_and_class_methods():
    class Scale:
        factor = 3.0

        @staticmethod
        @ad.compile
        def double(x):
            return x * 2.0

        @classmethod
        @ad.compile
        def scale(cls, x):
            return x * cls.factor

    for owner in (Scale, Scale()):
        same(owner.double(ONES), ONES * 2.0)
        same(owner.scale(ONES), ONES * 3.0)


def test_a_decorated_function():
    def plus(function):
        @functools.wraps(function)
        def inner(*args):
            return function(*args) + 100.0

        return inner

    same(ad.compile(plus(lambda x: x * 2.0))(ONES), ONES * 102.0)
    same(ad.compile(ad.compile(lambda x: x * 2.0))(ONES), ONES * 2.0)


def test_name_and_docstring_are_the_functions():
    @ad.compile
    def step(x):
        """One step."""
        return x

    assert step.__name__ == "step"
    assert step.__doc__ == "One step."
    assert step.__wrapped__(1) == 1


# Compiled functions in compiled functions


def test_a_compiled_function_calls_another():
    w = variable(1.0, 2.0, 3.0)
    inner = ad.compile(lambda x: F.tanh(x * w))

    @ad.compile
    def outer(x):
        w.cleargrad()
        F.sum(inner(x) * inner(2.0 * x)).backward()

    def eager(x):
        w.cleargrad()
        F.sum(F.tanh(x * w) * F.tanh(2.0 * x * w)).backward()

    for first in (True, False):
        if not first:
            inner(ONES)
        outer(ONES)
        gradient = w.grad
        eager(ONES)
        same(gradient, w.grad)


def test_an_inner_function_without_arguments_is_traced_as_well():
    w, rng, other = variable(1.0, 2.0, 3.0), ad.random.source(0), ad.random.source(0)
    inner = ad.compile(lambda: w * ad.rand(3, rng=rng))
    outer = ad.compile(lambda x: F.sum(inner() * x).backward())
    inner(), ad.rand(3, rng=other)
    for _ in range(3):
        w.cleargrad()
        outer(ONES)
        same(w.grad, ad.rand(3, rng=other))


def test_recursion_through_another_function():
    def g(x, n):
        return x if n == 0 else h(x * 2.0, n - 1)

    def h(x, n):
        return f(x, n)

    f = ad.compile(g)
    for n in (3, 0, 3, 1):
        same(f(ONES, n), ONES * 2.0**n)


# Failures: everything is as before, and later calls work


def training():
    model = models.MLP([4, 3], rng=np.random.default_rng(0))
    optimizer, rng = optimizers.Adam(0.1), ad.random.source(0)

    def step(x, labels):
        model.cleargrads()
        loss = F.softmax_cross_entropy(F.dropout(model(x), 0.5, rng), labels)
        loss.backward()
        optimizer.update(model)
        return loss

    return model, optimizer, rng, step


def snapshot(model, optimizer, rng):
    params = model.params().values()
    return (
        [p.data.copy() for p in params],
        [None if p.grad is None else p.grad.data.copy() for p in params],
        [p.grad for p in params],
        [array.copy() for kept in optimizer._kept.values() for array in kept if kept[0].any()],
        (optimizer.updates, optimizer.learning_rate),
        repr(rng.bit_generator.state),
    )


def unchanged(before, after):
    assert before[2] == after[2] or all(a is b for a, b in zip(before[2], after[2], strict=True))
    for a, b in zip(before[0] + before[1] + before[3], after[0] + after[1] + after[3], strict=True):
        np.testing.assert_array_equal(a, b)
    assert before[4:] == after[4:]


@pytest.mark.parametrize("calls", [0, 1, 2, 4])
def test_a_label_out_of_range_is_the_same_error_and_changes_nothing(calls):
    model, optimizer, rng, step = training()
    other, _, _, eager = training()
    x = np.random.default_rng(1).normal(size=(5, 2))
    good, bad = np.array([0, 1, 2, 0, 1]), np.array([0, 1, 3, 0, 1])
    model(x), other(x)
    compiled = ad.compile(step)
    for _ in range(calls):
        same(compiled(x, good), eager(x, good))
    before = snapshot(model, optimizer, rng)
    with pytest.raises(ad.errors.OutOfRangeError, match="label 3 for 3 classes") as caught:
        compiled(x, bad)
    assert "test_traps.py" in str(caught.value)
    unchanged(before, snapshot(model, optimizer, rng))
    for _ in range(3):
        same(compiled(x, good), eager(x, good))
    for a, b in zip(model.params().values(), other.params().values(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-14)


def test_an_index_out_of_range():
    w = variable(1.0, 2.0, 3.0)
    f = ad.compile(lambda i: F.sum(w[i]).backward())
    f(np.array([0, -1]))
    for index in (3, -4):
        with pytest.raises(ad.errors.OutOfRangeError):
            f(np.array([0, index]))
        same(w.grad.data, np.array([1.0, 0.0, 1.0]))
    f(np.array([1, 1]))
    same(w.grad.data, np.array([1.0, 2.0, 1.0]))


@pytest.mark.parametrize("calls", [0, 2])
def test_an_error_of_the_users_code_while_tracing_changes_nothing(calls):
    model, optimizer, rng, step = training()
    x, labels = np.random.default_rng(1).normal(size=(5, 2)), np.array([0, 1, 2, 0, 1])
    model(x)
    log = {"fail": False}

    @ad.compile
    def compiled(x, labels, fail):
        loss = step(x, labels)
        if fail:
            with ad.no_grad(), ad.test_mode():
                raise ValueError("mine")
        return loss

    for _ in range(calls):
        compiled(x, labels, False)
    before = snapshot(model, optimizer, rng)
    with pytest.raises(ValueError, match=r"^mine$"):
        compiled(x, labels, True)
    unchanged(before, snapshot(model, optimizer, rng))
    assert type(model) is models.MLP
    assert type(optimizer) is optimizers.Adam
    assert type(optimizer.learning_rate) is float
    assert log == {"fail": False}
    compiled(x, labels, False)
    assert optimizer.updates == calls + 1


def test_shapes_that_do_not_fit_are_the_same_error():
    w = variable(1.0, 2.0, 3.0)
    f = ad.compile(lambda x: F.sum(w * x).backward())
    f(ONES)
    with pytest.raises(ad.errors.ShapeError, match=r"mul\(float64 \(3,\), float64 \(4,\)\)(.|\n)*test_traps.py"):
        f(np.ones(4))
    same(w.grad.data, ONES)


def test_a_state_of_another_batch_size_is_the_same_error():
    model = models.LSTM(3, 1, rng=np.random.default_rng(0))

    @ad.compile
    @ad.no_grad()
    def f(x):
        return model(x)

    f(np.ones((4, 2))), f(np.ones((4, 2))), f(np.ones((4, 2)))
    hidden = model.lstm.hidden
    with pytest.raises(ad.errors.StateError, match="reset_state"):
        f(np.ones((2, 2)))
    assert model.lstm.hidden is hidden
    model.reset_state()
    assert f(np.ones((2, 2))).shape == (2, 1)


# Threads and processes


def run_in_threads(*bodies):
    errors = []

    def guarded(body):
        try:
            body()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(body,)) for body in bodies]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []


def test_threads_call_one_function_with_numbers_of_their_own():
    x = np.ones(3000)
    f = ad.compile(lambda x, k: x * k)

    def body(k):
        for _ in range(200):
            assert (f(x, k) == k).all()

    run_in_threads(*(functools.partial(body, float(i)) for i in range(4)))
    assert f.cache_info().misses == 1


def test_threads_call_one_function_with_shapes_of_their_own():
    model = models.MLP([4, 1], rng=np.random.default_rng(0))
    x = np.random.default_rng(0).normal(size=(6, 2))
    expected = [model(x[:i]).data for i in range(1, 5)]
    f = ad.compile(lambda x: model(x))

    def body(i):
        for _ in range(100):
            np.testing.assert_allclose(f(x[:i]).data, expected[i - 1], rtol=1e-12)

    run_in_threads(*(functools.partial(body, i) for i in range(1, 5)))
    assert f.cache_info().misses == 4


def test_threads_train_models_of_their_own():
    x, labels = np.random.default_rng(1).normal(size=(5, 2)), np.array([0, 1, 2, 0, 1])
    ours, theirs = [training() for _ in range(4)], [training() for _ in range(4)]

    def body(i):
        compiled = ad.compile(ours[i][3])
        for _ in range(30):
            same(compiled(x, labels), theirs[i][3](x, labels))

    run_in_threads(*(functools.partial(body, i) for i in range(4)))


def test_threads_take_steps_of_one_model_in_turn():
    # Without a lock steps may be lost, as in eager code; they must not be torn, or end in an error.
    w = ad.Variable(np.zeros(1000))

    @ad.compile
    def step(x):
        w.data = w.data + x

    def body():
        for _ in range(100):
            step(1.0)
            data = w.data
            assert 1 <= data.min() <= data.max() <= 400

    run_in_threads(body, body, body, body)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_calls_and_makes_programs():
    model = models.MLP([200, 100], rng=np.random.default_rng(0))
    x = np.random.default_rng(0).normal(size=(300, 50))
    f = ad.compile(lambda x: model(x))
    f(x), f(x)
    expected = model(x).data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: there are threads
        child = os.fork()
    if child == 0:
        try:
            np.testing.assert_allclose(f(x).data, expected, rtol=1e-9)
            np.testing.assert_allclose(f(x[:7]).data, expected[:7], rtol=1e-9)
            assert (ad.compile(lambda x: x * 2.0)(ONES) == 2.0).all()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    np.testing.assert_allclose(f(x).data, expected, rtol=1e-9)


def test_a_first_call_in_several_threads_makes_one_program():
    f = ad.compile(lambda x: np.tanh(x) * 2.0)
    barrier = threading.Barrier(4)

    def body():
        barrier.wait()
        same(f(ONES), np.tanh(ONES) * 2.0)

    run_in_threads(body, body, body, body)
    assert f.cache_info().misses == 1


# Arithmetic on traced arrays that changes them


def test_in_place_operators_on_what_was_computed():
    def f(x):
        y = x * 2.0
        z = y
        z += 1.0
        z *= x
        z -= 3
        z /= 2.0
        return y, z

    agrees(f, np.arange(3.0))


def test_in_place_operators_keep_the_dtype():
    def f(x):
        y = x * 2
        y += np.float32(1.5)
        return y

    agrees(f, np.arange(3, dtype=np.float32))
    agrees(f, np.arange(3.0))

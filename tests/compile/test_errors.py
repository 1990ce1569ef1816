"""What a compiled function cannot do is an error that names the user's line and the way out, and changes nothing."""

from __future__ import annotations

import random
import re
import types

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import adjoint as ad
from adjoint import functions as F, models, optimizers
from adjoint.errors import AdjointError, DTypeError, RetraceWarning, TraceError

ONES = np.ones(3)
COUNT = 0
KEPT = None


def variable(*values):
    return ad.Variable(np.array(values))


def refused(function, *args, match, error=TraceError, line=None, **options):
    """The error of a call, which names this file, and the given line of it."""
    f = ad.compile(function, **options)
    with pytest.raises(error) as caught:
        f(*args)
    text = str(caught.value)
    assert re.search(match, text), text
    assert isinstance(caught.value, AdjointError)
    assert "test_errors.py" in caught.value.location
    if line is not None:
        assert line in text.splitlines()[-1]
    assert f.cache_info().currsize == 0
    with pytest.raises(error):  # and it is the same at the next call
        f(*args)
    return text


# Reading what is not known yet


READS = {
    "item": lambda x: x.item(),
    "float": lambda x: float(x),
    "int": lambda x: int(x),
    "bool": lambda x: bool(x),
    "format": lambda x: f"{x:.3f}",
    "tolist": lambda x: x.data.tolist(),
    "asarray": lambda x: np.asarray(x),
    "asarray of data": lambda x: np.asarray(x.data),
    "array": lambda x: np.array(x.data),
    "if": lambda x: 1 if x < 1.0 else 2,
    "while": lambda x: [1 for _ in range(1) if x.data > 0],
    "in": lambda x: 1.0 in x.data,
    "range": lambda x: list(range(x.data)),
    "index": lambda x: [1, 2, 3][x.data],
    "max": lambda x: max(x.data, 1.0),
    "complex": lambda x: complex(x.data),
    "and": lambda x: x.data and 1,
}


@pytest.mark.parametrize("name", READS)
def test_reading_a_traced_value_names_the_line_and_the_way_out(name):
    text = refused(READS[name], variable(0.5).sum().detach(), match="not known while a compiled function is traced")
    assert "F.where" in text
    assert "return the value" in text


def test_the_line_is_that_of_the_reading():
    def step(x):
        loss = F.sum(x * x)
        if loss.item() < 1:  # here
            return x
        return loss

    refused(step, variable(1.0, 2.0), match="item", line="if loss.item() < 1:  # here")


def test_a_shape_that_depends_on_values_is_an_error():
    refused(lambda x: x[x > 0], np.array([1.0, -1.0]), match="value|mask|boolean")
    refused(lambda x: F.sum(x.reshape(-1, x[0])), np.array([3, 1]), match="not known")


def test_assigning_elements_is_an_error():
    w = variable(1.0, 2.0, 3.0)

    def assign(x):
        w.data[0] = 1.0
        return x

    def assign_argument(x):
        x[0] = 1.0
        return x

    for function in (assign, assign_argument):
        text = refused(function, ONES.copy(), match="assigned", line="[0] = 1.0")
        assert "F.where" in text
    np.testing.assert_array_equal(w.data, [1.0, 2.0, 3.0])


def test_changing_an_argument_in_place_is_an_error():
    def f(x):
        x += 1.0
        return x

    x = np.ones(3)
    refused(f, x, match="in place", line="x += 1.0")
    np.testing.assert_array_equal(x, ONES)


def test_an_out_argument_of_numpy_is_an_error():
    out = np.zeros(3)
    refused(lambda x: np.add(x, x, out=out), ONES, match="add")
    assert not out.any()


def test_a_numpy_function_without_a_translation_is_an_error():
    for function in (np.linalg.svd, np.unique, np.histogram, np.nonzero):
        refused(lambda x, function=function: function(x), ONES, match=function.__name__)


# Side effects that a call cannot repeat


class Counter:
    total = 0

    def __init__(self):
        self.count = 0


@pytest.mark.parametrize("value", ["static", "computed"])
@pytest.mark.parametrize("kind", [list, set, dict, "attribute list"])
def test_filling_a_collection_is_an_error(kind, value):
    holder = Counter()
    collection = [] if kind == "attribute list" else kind()
    holder.log = collection if kind == "attribute list" else None

    def step(x):
        y = F.sum(x * x)
        kept = y if value == "computed" else 1
        if kind is dict:
            collection["a"] = kept
        elif kind is set:
            collection.add(kept)
        else:
            (collection if holder.log is None else holder.log).append(kept)
        return y

    refused(step, ONES, match="return the (new )?value")
    assert len(collection) == 0


def test_filling_a_collection_that_holds_variables_is_an_error():
    held = [variable(1.0)]

    def step(x):
        held.append(held[0] * x)
        return held[-1]

    refused(step, ONES, match="held")
    assert len(held) == 1


def test_filling_a_collection_that_is_an_argument_is_an_error():
    log, batch = [], {"x": ONES}

    def append(x, log):
        log.append(1)
        return x * 2.0

    def assign(batch):
        batch["y"] = batch["x"] * 2.0

    refused(append, ONES, log, match="argument 2|log")
    refused(assign, batch, match="argument 1|batch")
    assert log == []
    assert list(batch) == ["x"]


def test_a_counter_on_an_object_is_an_error():
    counter = Counter()

    def step(x):
        counter.count += 1
        return x * 2.0

    text = refused(step, ONES, match=r"counter\.count from 0 to 1")
    assert "outside" in text
    assert counter.count == 0


def test_a_counter_on_a_class_is_an_error():
    def step(x):
        Counter.total += 1
        return x * 2.0

    refused(step, ONES, match="Counter.total")
    assert Counter.total == 0


def test_a_counter_in_a_closure_is_an_error():
    count = 0

    def step(x):
        nonlocal count
        count += 1
        return x * 2.0

    refused(step, ONES, match="count")
    assert count == 0


def test_a_global_counter_is_an_error():
    def step(x):
        global COUNT
        COUNT += 1
        return x * 2.0

    refused(step, ONES, match="COUNT")
    assert COUNT == 0


def test_a_global_assignment_is_an_error():
    def step(x):
        global KEPT
        KEPT = x * 2.0
        return KEPT

    refused(step, ONES, match="KEPT")
    assert KEPT is None


def test_a_new_global_is_an_error():
    def step(x):
        global KEPT_NEW
        KEPT_NEW = 1
        return x * 2.0

    refused(step, ONES, match="KEPT_NEW")
    assert "KEPT_NEW" not in globals()


def test_a_new_attribute_and_a_deleted_one():
    counter = Counter()

    def make(x):
        counter.new = 5
        return x * 2.0

    def delete(x):
        del counter.count
        return x * 2.0

    refused(make, ONES, match="counter.new")
    refused(delete, ONES, match="counter.count")
    assert vars(counter) == {"count": 0}


def test_a_new_list_as_an_attribute_is_made_at_each_call():
    counter = Counter()

    @ad.compile
    def step(x):
        counter.history = [x * 2.0]
        return x

    for i in range(3):
        step(ONES * i)
        (history,) = counter.history
        np.testing.assert_array_equal(history, ONES * 2.0 * i)


def test_a_new_learning_rate_inside_of_the_step_is_an_error():
    model = models.MLP([1], rng=np.random.default_rng(0))
    optimizer = optimizers.SGD(0.1)

    def step(x):
        optimizer.learning_rate = 0.5
        return model(x)

    model(np.ones((1, 1)))
    refused(step, np.ones((1, 1)), match="optimizer.learning_rate from 0.1 to 0.5")
    assert optimizer.learning_rate == 0.1


def test_what_an_attribute_may_take():
    """Results and flags as attributes are repeated at each call."""

    class Holder:
        pass

    holder = Holder()
    holder.last, holder.ready, holder.mean = None, False, 0.0

    @ad.compile
    def step(x):
        holder.last = F.sum(x).detach()
        holder.ready = True
        return holder.last

    for i in range(3):
        holder.ready = False
        step(ONES * i)
        assert holder.last.item() == 3.0 * i
        assert holder.ready is True


# Values that escape


def test_a_value_that_is_kept_elsewhere_is_an_error():
    def cache(value, store={}):  # noqa: B006
        store["last"] = value
        return value

    class Slots:
        __slots__ = ("value",)

    slots = Slots()

    def step(x):
        slots.value = x * 2.0
        return x

    text = refused(step, ONES, match="held by an attribute of a Slots")
    assert "Return the value" in text
    refused(lambda x: cache(x * 2.0), ONES, match="store|held|default")


def test_a_closure_variable_that_takes_a_result_is_an_error():
    last = None

    def step(x):
        nonlocal last
        last = x * 2.0
        return x

    refused(step, ONES, match="last")
    assert last is None


def test_writing_to_an_array_of_a_closure_is_an_error():
    array, holder = np.zeros(3), Counter()
    holder.array = np.zeros(3)

    def count(x):
        array[0] += 1.0
        return x * array

    def count_attribute(x):
        holder.array[0] += 1.0
        return x * holder.array

    def store(x):
        array[:] = x
        return x

    for function in (count, count_attribute, store):
        refused(function, ONES, match="array|traced value")
        assert not array.any()
        assert not holder.array.any()


def test_views_changed_in_place_are_an_error():
    def change(take):
        def f(x):
            y = x * 2.0
            part = take(y)
            part += 1.0
            return y

        return f

    for take in (lambda y: y[:1], lambda y: y.reshape(3, 1), lambda y: y[None]):
        refused(change(take), np.ones(3), match="view", line="part += 1.0")


def test_views_of_the_same_shape_changed_in_place_are_an_error_or_change_the_whole():
    for take in (lambda y: y.T, lambda y: y[:], lambda y: y.reshape(3)):

        def f(x, take=take):
            y = x * 2.0
            part = take(y)
            part += 1.0
            return y

        try:
            result = ad.compile(f)(ONES)
        except TraceError:
            continue
        np.testing.assert_array_equal(result, ONES * 3.0)


def test_writing_a_traced_value_into_an_array_of_numpy_names_the_way_out():
    def fill(x):
        out = np.zeros(3)
        out[0] = x[0]
        return out

    refused(fill, ONES, match="traced", line="out[0] = x[0]")


def test_an_iterator_in_a_closure_is_an_error():
    batches = iter([ONES, 2 * ONES, 3 * ONES])
    refused(lambda: next(batches) * 2.0, match="batches")


def test_draws_from_generators_of_other_kinds_are_errors():
    numpys, pythons = np.random.RandomState(0), random.Random(0)
    refused(lambda x: x * numpys.rand(), ONES, match="draws from a")
    refused(lambda x: x * pythons.random(), ONES, match="draws from a")


def test_a_generator_that_outlives_the_trace_is_an_error_or_gives_an_error():
    f = ad.compile(lambda x: (v for v in (x * 2.0, x)))
    with pytest.raises(TraceError):
        list(f(ONES))


def test_tracers_do_not_leave_by_an_exception():
    kept = []

    def step(x):
        raise ValueError(x * 2.0)

    f = ad.compile(step)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        f(ONES)
    kept.append(caught.value.args[0])
    with pytest.raises(TraceError):
        kept[0] + 1.0


def test_state_that_was_not_found_names_the_way_out():
    class Slots:
        __slots__ = ("model",)

    holder = Slots()
    holder.model = models.MLP([2], rng=np.random.default_rng(0))
    optimizer = optimizers.Adam(0.1)
    x = np.ones((2, 2))

    def step(x):
        loss = F.sum(holder.model(x))
        holder.model.cleargrads()
        loss.backward()
        optimizer.update(holder.model)
        return loss

    holder.model(x)
    before = holder.model.layers[0].w.data
    refused(step, x, match=r"state=\[")
    assert holder.model.layers[0].w.data is before
    assert holder.model.layers[0].w.grad is None
    f = ad.compile(step, state=[holder.model])
    assert f(x).item() != f(x).item()
    assert optimizer.updates == 2


def test_an_attribute_of_a_module_that_was_not_found():
    module = types.ModuleType("mymodels")
    module.w = variable(1.0, 2.0, 3.0)
    f = ad.compile(lambda x: module.w * x)
    try:
        f(ONES)
    except TraceError as error:
        assert "state=[" in str(error)  # noqa: PT017
        return
    module.w.data = np.zeros(3)
    assert not f(ONES).data.any()


# Draws


@pytest.mark.parametrize("draw", ["random", "normal", "integers", "permutation"])
def test_a_direct_draw_from_a_generator_is_an_error(draw):
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    arguments = {"integers": (3,), "permutation": (3,)}.get(draw, ())
    text = refused(lambda x: x * getattr(rng, draw)(*arguments), ONES, match="draws from a")
    assert "F.dropout" in text
    assert rng.bit_generator.state == before


def test_a_draw_from_a_generator_that_is_an_argument_is_an_error():
    rng = np.random.default_rng(0)
    refused(lambda x, rng: x * rng.random(), ONES, rng, match="draws from a")


def test_draws_from_global_generators_are_errors():
    before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    refused(lambda x: x * np.random.rand(), ONES, match="draws from a")  # noqa: NPY002
    refused(lambda x: x * random.random(), ONES, match="draws from a")
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


# What can be compiled, and on what


def test_what_is_no_function():
    for value in (3, None, "f"):
        with pytest.raises(DTypeError, match="function"):
            ad.compile(3 if value is None else value)


def test_generators_and_coroutines_are_refused_at_once():
    def generator(x):
        yield x

    async def coroutine(x):
        return x

    async def both(x):
        yield x

    for function in (generator, coroutine, both):
        with pytest.raises(DTypeError, match=function.__name__):
            ad.compile(function)


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, "a"], object),
        np.array(["a"]),
        np.array(["2020-01-01"], "M8[D]"),
        np.zeros(2, [("a", "f8")]),
        np.ma.array([1.0, 2.0], mask=[False, True]),
    ],
    ids=["object", "text", "date", "records", "masked"],
)
def test_arrays_that_are_not_supported(array):
    refused(lambda x: x, array, match="argument 1", error=DTypeError)


# Warnings


def step_of(n):
    """Stands for a user's function with a value that is no array."""
    return n


@pytest.mark.parametrize(
    ("function", "arguments", "cause"),
    [
        (lambda x, n: x * n, lambda i: (ONES, i), "argument 2, 6 before, has another value"),
        (lambda x, mode: x * len(mode), lambda i: (ONES, "a" * i), "argument 2, 'aaaaaa' before, has another value"),
        (lambda x, k: x if k > 99 else x * k, lambda i: (ONES, float(i)), "argument 2, 6.0 before, has another value"),
        (lambda x: x * 2, lambda i: (np.ones(i),), "argument 1 has another shape or dtype: float64[7]"),
        (lambda x: x * 2, lambda i: (np.ones(3, "fdilhBHI"[i]),), "argument 1 has another shape or dtype: uint32[3]"),
        (lambda xs: sum(xs), lambda i: ([ONES] * (i + 1),), "the length of argument 1"),
        (lambda d: sum(d.values()), lambda i: ({str(i): ONES},), "the keys of argument 1"),
    ],
    ids=["int", "text", "float", "shape", "dtype", "length", "keys"],
)
def test_a_function_that_is_traced_again_and_again_says_why(function, arguments, cause):
    f = ad.compile(function)
    for i in range(7):
        f(*arguments(i))
    with pytest.warns(RetraceWarning) as caught:
        f(*arguments(7))
    (warning,) = caught
    assert cause in str(warning.message)
    assert "traced 8 times in 8 calls" in str(warning.message)
    assert warning.filename == __file__


def test_a_warning_names_the_attribute_or_name_that_changed():
    class Holder:
        pass

    holder = Holder()
    w = None
    for change, cause in (("attribute", "holder.n, 6 before"), ("name", "w is another object")):
        f = ad.compile((lambda x: x * holder.n) if change == "attribute" else (lambda x: x * w))  # noqa: B023
        for i in range(8):
            holder.n, w = i, variable(1.0, 2.0, 3.0)
            if i < 7:
                f(ONES)
        with pytest.warns(RetraceWarning, match=re.escape(cause)):
            f(ONES)


def test_no_warning_where_programs_are_used():
    f = ad.compile(lambda x: x * 2.0)
    for i in range(12):
        for _ in range(6):
            f(np.ones(i + 1))
    assert f.cache_info().misses == 12


def test_a_warning_that_is_an_error_does_not_keep_the_program_away():
    f = ad.compile(lambda x, n: x * n)
    for n in range(7):
        f(ONES, n)
    with pytest.raises(RetraceWarning):
        f(ONES, 7)
    np.testing.assert_array_equal(f(ONES, 7), ONES * 7)


def test_state_that_is_kept_with_its_graph_is_warned_of():
    model = models.LSTM(3, 1, rng=np.random.default_rng(0))
    x = np.ones((2, 2))
    model(x)
    with pytest.warns(RetraceWarning) as caught:
        ad.compile(lambda x: model(x))(x)
    assert ["_hidden" in str(warning.message) for warning in caught] == [True, False]
    assert all("unchain_backward()" in str(warning.message) for warning in caught)


# And afterwards


def test_after_an_error_everything_is_as_before_and_calls_work():
    model = models.LSTM(3, 1, rng=np.random.default_rng(0))
    optimizer, rng = optimizers.Adam(0.1), ad.random.source(0)
    x = np.ones((2, 2))
    log = []

    @ad.compile
    def step(x, log):
        loss = F.sum(F.dropout(model(x), 0.5, rng))
        model.cleargrads()
        loss.backward()
        loss.unchain_backward()
        optimizer.update(model)
        if log is not None:
            log.append(loss.item())
        return loss

    step(x, None), step(x, None)
    params = model.params()
    held = [p.data for p in params.values()] + [p.grad for p in params.values()]
    held += [model.lstm.hidden, model.lstm.cell, optimizer._kept, *optimizer._kept.values(), optimizer.learning_rate]
    copies = [p.data.copy() for p in params.values()]
    state = rng.bit_generator.state
    with pytest.raises(TraceError):
        step(x, log)
    now = [p.data for p in params.values()] + [p.grad for p in params.values()]
    now += [model.lstm.hidden, model.lstm.cell, optimizer._kept, *optimizer._kept.values(), optimizer.learning_rate]
    assert all(a is b for a, b in zip(held, now, strict=True))
    for a, b in zip(copies, params.values(), strict=True):
        np.testing.assert_array_equal(a, b.data)
    assert rng.bit_generator.state == state
    assert optimizer.updates == 2
    assert type(optimizer) is optimizers.Adam
    assert type(model) is models.LSTM
    assert ad.random.RECORDER.get() is None
    step(x, None)
    assert optimizer.updates == 3

"""Random functions of arrays: compiled they give what they give eagerly, with their first and second derivatives."""

from __future__ import annotations

import math
import operator

import numpy as np
from hypothesis import HealthCheck, given, settings, strategies as st

import adjoint as ad
from adjoint import Variable, functions as F
from tests.compile.agreement import assert_compiled_as_eager, plain

LENGTHS = [1, 2, 3, 4, 5, 8, 17, 33, 0]
FLOATS = [np.float64, np.float32]
DTYPES = [np.float64, np.float32, np.int64, np.int32, np.bool_, np.uint8]
MOST = 3000  # elements
LARGE = 50.0

slow_to_draw = settings(suppress_health_check=list(HealthCheck))


class Value:
    """A value of a plan: its array, and whether it is of given numbers that no arithmetic has rounded."""

    def __init__(self, array, exact):
        self.array = array
        self.exact = exact


class Planner:
    """Draws a function step by step, each checked on arrays; a step is a function and the numbers of what it reads."""

    def __init__(self, draw, dtypes):
        self.draw = draw
        self.steps = []
        self.values = []
        self.arrays = []
        self.seed = draw(st.integers(0, 5))
        base = [self.pick(LENGTHS) for _ in range(draw(st.integers(1, 3)))]
        self.base = base if math.prod(base) <= MOST else [3]
        for _ in range(draw(st.integers(1, 3))):
            self.input(self.pick(dtypes))

    def pick(self, options):
        return options[self.draw(st.integers(0, len(options) - 1))]

    def flag(self):
        return self.draw(st.booleans())

    def input(self, dtype):
        """An array that can be broadcast with most others, in some order in memory."""
        base = self.base[self.draw(st.integers(0, len(self.base))) :]
        shape = [1 if n > 1 and self.draw(st.integers(0, 5)) == 5 else n for n in base]
        rng = np.random.default_rng(self.seed + len(self.arrays))
        values = rng.integers(-8, 9, shape) / 4
        array = np.asarray(values if np.dtype(dtype).kind == "f" else np.abs(values)).astype(dtype)
        self.arrays.append(self.laid_out(array))
        self.values.append(Value(array, True))

    def laid_out(self, array):
        layout = self.pick(["rows", "columns", "backwards", "apart"])
        if layout == "columns":
            return np.asarray(array, order="F")
        if layout == "backwards" and array.ndim:
            return array[::-1].copy()[::-1]
        if layout == "apart" and array.ndim:
            wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
            wide[..., ::2] = array
            return wide[..., ::2]
        return array

    def some(self, wanted=lambda value: True):
        """The number of a value, one of the last rather than the first; None if there is no such."""
        fitting = [i for i, value in enumerate(self.values) if wanted(value)]
        return fitting[-1 - self.draw(st.integers(0, len(fitting) - 1))] if fitting else None

    def add(self, function, *reads, exact=False):
        """Takes a step, if its result is of a size that is wanted."""
        if any(i is None for i in reads):
            return
        given = [self.values[i] for i in reads]
        with np.errstate(all="ignore"), ad.no_grad():
            result = plain(function(*[self.wrapped(value.array) for value in given]))[0]
        result = np.asarray(result)
        if result.size > MOST or result.ndim > 5:
            return
        if result.dtype.kind == "f" and not np.all(np.abs(result) < LARGE):
            return
        self.steps.append((function, reads))
        self.values.append(Value(result, exact and all(value.exact for value in given)))

    def wrapped(self, array):
        return array

    def function(self):
        """The function that was drawn: of arrays, giving some of its values."""
        count = len(self.values)
        results = sorted({count - 1, *(self.draw(st.integers(0, count - 1)) for _ in range(2))})
        steps = self.steps

        def drawn(*inputs):
            values = list(inputs)
            for function, reads in steps:
                values.append(function(*[values[i] for i in reads]))
            return [values[i] for i in results]

        return drawn

    # Parts of steps

    def axes(self, ndim):
        """Some axes, from either end."""
        chosen = tuple(axis for axis in range(ndim) if self.flag())
        return tuple(axis - ndim if self.flag() else axis for axis in chosen) if chosen else None

    def shape_of(self, size):
        """A shape of so many elements."""
        if size == 0:
            return self.pick([(0,), (0, 3), (2, 0), (1, 0, 2)])
        shape = []
        while size > 1:
            factor = self.pick([n for n in range(1, size + 1) if size % n == 0])
            shape.append(factor)
            size //= factor
            if len(shape) == 3:
                break
        return (*shape, size)

    def basic_index(self, shape):
        """Slices of any step, numbers and new axes."""
        index = []
        for length in shape:
            kind = self.draw(st.integers(0, 7))
            if kind == 0 and length:
                index.append(self.draw(st.integers(-length, length - 1)))
            elif kind == 1:
                index += [None, slice(None)]
            elif kind == 2:
                index.append(slice(None, None, -1))
            elif kind <= 5:
                ends = st.one_of(st.none(), st.integers(-length - 1, length + 1))
                index.append(slice(self.draw(ends), self.draw(ends), self.pick([1, 2, -1, -2, 3])))
            else:
                index.append(slice(None))
        cut = self.draw(st.integers(0, 3))
        return (*index, ...) if cut == 0 else tuple(index)

    def array_index(self, shape):
        """Whole numbers for adjacent axes, or for some."""
        common = self.pick([(3,), (1,), (2, 2), (7,), ()])
        rng = np.random.default_rng(self.draw(st.integers(0, 3)))
        index = []
        for length in shape:
            kind = self.draw(st.integers(0, 2))
            if kind == 0 and length:
                index.append(rng.integers(-length, length, common))
            elif kind == 1:
                index.append(slice(None, None, self.pick([1, 1, 2, -1])))
            else:
                index.append(slice(None))
        return tuple(index)


def broadcastable(*shapes):
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


# Functions of Variables

UNARY = [
    F.neg,
    F.sin,
    F.tanh,
    F.sigmoid,
    F.relu,
    F.softplus,
    F.abs,
    F.gelu,
    lambda x: F.exp(F.sin(x)),
    lambda x: F.log(F.square(x) + 1.0),
    lambda x: F.sqrt(x * x + 0.5),
    lambda x: 2.0 - x,
    lambda x: x * 0.5 + 1.0,
    lambda x: x / 4.0,
    lambda x: 1.0 / (x * x + 1.0),
    lambda x: 0.1 * x**3,
    lambda x: (x * x + 1.0) ** -0.5,
    lambda x: x - x,
    lambda x: x * 0.0,
    lambda x: ad.ones_like(x) - x,
]
BINARY = [
    F.add,
    F.sub,
    F.mul,
    lambda a, b: a / (b * b + 1.0),
    lambda a, b: a * F.sigmoid(b),
    lambda a, b: -a + b,
]
KINKED = [
    F.maximum,
    F.minimum,
    lambda a, b: F.where(a > b, a, b * 0.5),
    lambda a, b: F.where(a == b, a, 0.0),
]


class DifferentiablePlanner(Planner):
    def wrapped(self, array):
        return Variable(array)

    def step(self):
        kind = self.pick(
            "unary unary binary binary binary kink reduce reduce view view slice slice join join part index product "
            "product scan spread softmax cast recurrence".split()
        )
        getattr(self, f"_{kind}")()

    def _unary(self):
        function = self.pick(UNARY)
        i = self.some()
        if function in (F.relu, F.abs) and not self.values[i].exact and np.any(np.abs(self.values[i].array) < 1e-3):
            return
        self.add(function, i)

    def _pair(self):
        i = self.some()
        a = self.values[i].array
        return i, self.some(lambda value: broadcastable(value.array.shape, a.shape) and value.array.dtype == a.dtype)

    def _binary(self):
        self.add(self.pick(BINARY), *self._pair())

    def _kink(self):
        i, j = self._pair()
        a, b = self.values[i], self.values[j]
        if (a.exact and b.exact) or not np.any(np.abs(a.array - b.array) < 1e-3):
            self.add(self.pick(KINKED), i, j)

    def _reduce(self):
        i = self.some()
        value = self.values[i]
        axes, keepdims = self.axes(value.array.ndim), self.flag()
        name = self.pick(["sum", "sum", "mean", "max", "min", "logsumexp", "variance"])
        count = math.prod(value.array.shape[axis] for axis in (range(value.array.ndim) if axes is None else axes))
        if count == 0 and name != "sum":
            return
        if name in ("max", "min") and not value.exact:
            flat = np.sort(value.array, axis=None)
            if np.any(np.diff(flat) < 1e-3):
                return
        scale = 1.0 if name != "sum" else 1.0 / max(count, 1)
        self.add(lambda x: scale * getattr(F, name)(x, axis=axes, keepdims=keepdims), i)

    def _view(self):
        i = self.some()
        shape = self.values[i].array.shape
        kind = self.pick(["reshape", "transpose", "flip", "unsqueeze", "squeeze"])
        if kind == "reshape":
            new = self.shape_of(math.prod(shape))
            self.add(lambda x: F.reshape(x, new), i, exact=True)
        elif kind == "transpose":
            axes = tuple(self.draw(st.permutations(range(len(shape)))))
            self.add(lambda x: F.transpose(x, axes), i, exact=True)
        elif kind == "flip":
            axes = self.axes(len(shape))
            self.add(lambda x: F.flip(x, axis=axes), i, exact=True)
        elif kind == "unsqueeze":
            axis = self.draw(st.integers(-len(shape) - 1, len(shape)))
            self.add(lambda x: F.unsqueeze(x, axis), i, exact=True)
        elif 1 in shape:
            axis = shape.index(1)
            self.add(lambda x: F.squeeze(x, axis), i, exact=True)

    def _slice(self):
        i = self.some()
        index = self.basic_index(self.values[i].array.shape)
        self.add(lambda x: x[index], i, exact=True)

    def _join(self):
        i = self.some(lambda value: value.array.ndim > 0)
        if i is None:
            return
        a = self.values[i].array
        axis = self.draw(st.integers(-a.ndim, a.ndim - 1))

        def fits(value):
            b = value.array
            return b.ndim == a.ndim and b.dtype == a.dtype and np.delete(b.shape, axis).tolist() == others

        others = np.delete(a.shape, axis).tolist()
        kind = self.pick(["concat", "stack", "constants", "three", "placed"])
        if kind == "constants":
            self.add(lambda x: F.concat([ad.ones_like(x), x, ad.zeros_like(x)], axis), i, exact=True)
        elif kind == "concat":
            self.add(lambda x, y: F.concat([x, y], axis), i, self.some(fits), exact=True)
        elif kind == "three":
            self.add(lambda x, y, z: F.concat([x, y, F.sin(z)], axis), i, self.some(fits), self.some(fits))
        elif kind == "stack":
            j = self.some(lambda value: value.array.shape == a.shape and value.array.dtype == a.dtype)
            self.add(lambda x, y: F.stack([x, y], axis), i, j, exact=True)
        elif kind == "placed":
            self.add(lambda x, y: F.concat([x * 2.0, y.sum() * F.tanh(x)], axis), i, self.some(fits))

    def _part(self):
        i = self.some(lambda value: value.array.ndim > 0)
        if i is None:
            return
        length = self.values[i].array.shape[-1]
        cut = self.draw(st.integers(0, length))
        self.add(lambda x: F.split(x, [cut, length - cut], -1)[0], i, exact=True)
        self.add(lambda x: F.split(x, [cut, length - cut], -1)[1], i, exact=True)

    def _index(self):
        i = self.some(lambda value: value.array.ndim > 0)
        if i is None:
            return
        shape = self.values[i].array.shape
        index = self.array_index(shape)
        if self.flag():
            self.add(lambda x: x[index], i, exact=True)
        elif shape[0]:
            rows = np.random.default_rng(self.seed).integers(-shape[0], shape[0], self.pick([(3,), (2, 2), (0,), ()]))
            if self.flag():
                self.add(lambda x: F.take(x, rows, axis=0), i, exact=True)
            else:
                self.add(lambda x: F.scatter_add(x, rows, F.take(x, rows, axis=0) * 0.5), i)

    def _product(self):
        i = self.some(lambda value: value.array.ndim > 0)
        if i is None:
            return
        a = self.values[i].array
        kind = self.pick(["own", "weights", "other", "einsum", "linear"])
        k = a.shape[-1]
        scale = 1.0 / max(k, 1)
        if kind == "own" and a.ndim > 1:
            axes = (*range(a.ndim - 2), a.ndim - 1, a.ndim - 2)
            self.add(lambda x: scale * (x @ F.transpose(x, axes)), i)
        elif kind == "other":
            j = self.some(
                lambda value: (
                    value.array.ndim > 0
                    and value.array.dtype == a.dtype
                    and value.array.shape[-2 if value.array.ndim > 1 else 0] == k
                    and broadcastable(value.array.shape[:-2], a.shape[:-2])
                )
            )
            self.add(lambda x, y: scale * (x @ y), i, j)
        elif kind == "einsum" and a.ndim == 2:
            j = self.some(lambda value: value.array.shape == a.shape and value.array.dtype == a.dtype)
            terms = self.pick(["ij,ij->i", "ij,ij->j", "ij,kj->ik", "ij,ij->", "ij,ik->kj", "ij,ij->ji"])
            self.add(lambda x, y: scale * F.einsum(terms, x, y), i, j)
        else:
            rng = np.random.default_rng(self.seed)
            weights = (rng.normal(size=(k, self.pick([1, 4, 7]))) * scale).astype(a.dtype)
            bias = rng.normal(size=weights.shape[1]).astype(a.dtype)
            if kind == "linear" and a.ndim > 1:
                self.add(lambda x: F.linear(x, weights, bias), i)
            else:
                self.add(lambda x: x @ weights, i)

    def _recurrence(self):
        """Steps that use one matrix again and again, so that its gradient is a sum of products."""
        i = self.some(lambda value: value.array.ndim == 2)
        if i is None:
            return
        count, gated = self.draw(st.integers(2, 6)), self.flag()

        def unrolled(x):
            weights = F.tanh(F.transpose(x) @ x) / max(x.shape[1], 1)
            bias = F.sum(x, axis=0) * 0.1
            h = F.sin(x)
            for step in range(count):
                z = h @ weights + bias
                h = F.tanh(z) if not gated else F.sigmoid(z) * h + F.tanh(z[:, ::-1]) * (1.0 / (step + 1))
            return h

        self.add(unrolled, i)

    def _scan(self):
        i = self.some(lambda value: value.array.ndim > 0)
        if i is None:
            return
        axis = self.draw(st.integers(-self.values[i].array.ndim, self.values[i].array.ndim - 1))
        scale = 1.0 / max(self.values[i].array.shape[axis], 1)
        self.add(lambda x: F.cumsum(x, axis=axis) * scale, i)

    def _spread(self):
        i = self.some()
        shape = self.values[i].array.shape
        new = (self.pick([1, 2, 3]), *(3 if n == 1 and self.flag() else n for n in shape))
        self.add(lambda x: F.broadcast_to(x, new), i, exact=True)

    def _softmax(self):
        i = self.some(lambda value: value.array.ndim > 0 and value.array.size > 0)
        if i is None:
            return
        axis = self.draw(st.integers(-self.values[i].array.ndim, self.values[i].array.ndim - 1))
        function = self.pick([F.softmax, F.log_softmax])
        self.add(lambda x: function(x, axis=axis), i)

    def _cast(self):
        dtype = self.pick([np.float32, np.float64])
        self.add(lambda x: x.astype(dtype), self.some())


def with_derivatives(function, weights):
    """The results, the gradients of their weighted sum, and those of the sum of the gradients' squares."""

    def computed(*inputs):
        xs = [x for x in inputs if isinstance(x, Variable)]
        results = function(*inputs)
        total = 0.0
        for y, seed in zip(results, weights, strict=True):
            total = total + F.sum(y * seed).astype(np.float64)
        total.backward(create_graph=True)
        first = [x.grad for x in xs]
        for x in xs:
            x.cleargrad()
        parts = [F.mean(g * g).astype(np.float64) for g in first if g is not None and g.creator is not None and g.size]
        found = [*results, *first]
        if parts:
            sum(parts[1:], parts[0]).backward()
            found += [x.grad for x in xs]
        return found

    return computed


@st.composite
def differentiable(draw):
    planner = DifferentiablePlanner(draw, FLOATS)
    for _ in range(draw(st.integers(1, 9))):
        planner.step()
    function = planner.function()
    with ad.no_grad():
        results = function(*[Variable(array) for array in planner.arrays])
    weights = [np.linspace(0.5, 1.5, y.size).reshape(y.shape).astype(y.dtype) / max(y.size, 1) for y in results]
    single = any(value.array.dtype == np.float32 for value in planner.values)
    return with_derivatives(function, weights), planner.arrays, 1e-3 if single else 1e-8


@slow_to_draw
@given(differentiable())
def test_values_and_derivatives_of_any_function_are_the_eager_ones(case):
    function, arrays, tolerance = case
    expected = plain(function(*[Variable(array) for array in arrays]))
    if any(y is not None and not np.all(np.abs(y) < 1e4) for y in expected):
        return
    del expected
    assert_compiled_as_eager(function, arrays, tolerance)


# Functions of arrays of any dtype, by NumPy's functions

WHOLE_BINARY = [
    operator.add,
    operator.mul,
    np.maximum,
    np.minimum,
    operator.truediv,
    lambda a, b: a // (abs(b) + 1),
    lambda a, b: a % (b * b + 1),
    operator.and_,
    operator.or_,
    operator.xor,
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    lambda a, b: np.where(a > b, a, b),
    lambda a, b: np.where(a, b, 1),
    lambda a, b: a - 2 * b,
    lambda a, b: a * a + b,
]
WHOLE_UNARY = [
    operator.neg,
    operator.invert,
    abs,
    np.sign,
    np.logical_not,
    np.isnan,
    np.isfinite,
    np.sin,
    np.tanh,
    np.sqrt,
    lambda x: x + 1,
    lambda x: 3 - x,
    lambda x: x * 0.5,
    lambda x: x / 2,
    lambda x: x // 2,
    lambda x: x % 3,
    lambda x: x > 1,
    lambda x: x == 0,
    lambda x: x * 0,
    lambda x: x - x,
    lambda x: np.where(x > 0, x, -1.5),
    lambda x: np.ones_like(x) + x,
    lambda x: np.zeros_like(x),
]


class PlainPlanner(Planner):
    def step(self):
        kind = self.pick("unary unary binary binary reduce reduce view slice join index product scan cast".split())
        try:
            getattr(self, f"_{kind}")()
        except (TypeError, ValueError, OverflowError):  # what NumPy refuses: - of booleans, & of floats, …
            return

    def close(self, *numbers):
        """Whether a comparison, or a step as of //, may be decided by a rounding."""
        return any(not self.values[i].exact and self.values[i].array.dtype.kind == "f" for i in numbers)

    def _unary(self):
        function = self.pick(WHOLE_UNARY)
        i = self.some()
        if function is np.sqrt:
            self.add(lambda x: np.sqrt(abs(x) + 1), i)
        elif not self.close(i):
            self.add(function, i, exact=function not in (np.sin, np.tanh))

    def _binary(self):
        i = self.some()
        j = self.some(lambda value: broadcastable(value.array.shape, self.values[i].array.shape))
        function = self.pick(WHOLE_BINARY)
        kinds = {self.values[n].array.dtype.kind for n in (i, j)}
        if not self.close(i, j) and kinds != {"i", "u"}:
            self.add(function, i, j, exact=function is not operator.truediv)

    def _reduce(self):
        i = self.some()
        value = self.values[i].array
        axes, keepdims = self.axes(value.ndim), self.flag()
        name = self.pick(["sum", "mean", "max", "min", "any", "all", "argmax"])
        if self.close(i) and name in ("argmax", "any", "all"):
            return
        if name == "argmax":
            axis = self.pick([None, *range(-value.ndim, value.ndim)])
            self.add(lambda x: np.argmax(x, axis=axis), i, exact=True)
        elif not (name == "mean" and value.size == 0):
            self.add(lambda x: getattr(np, name)(x, axis=axes, keepdims=keepdims), i, exact=name != "mean")

    def _view(self):
        i = self.some()
        shape = self.values[i].array.shape
        kind = self.pick(["reshape", "transpose", "flip", "spread"])
        if kind == "reshape":
            new = self.shape_of(math.prod(shape))
            self.add(lambda x: np.reshape(x, new), i, exact=True)
        elif kind == "transpose":
            axes = tuple(self.draw(st.permutations(range(len(shape)))))
            self.add(lambda x: np.transpose(x, axes), i, exact=True)
        elif kind == "flip":
            axes = self.axes(len(shape))
            self.add(lambda x: np.flip(x, axes), i, exact=True)
        else:
            new = (self.pick([1, 2, 3]), *(3 if n == 1 and self.flag() else n for n in shape))
            self.add(lambda x: np.broadcast_to(x, new), i, exact=True)

    def _slice(self):
        i = self.some()
        index = self.basic_index(self.values[i].array.shape)
        self.add(lambda x: x[index], i, exact=True)

    def _join(self):
        i = self.some()
        a = self.values[i].array
        if self.flag():
            j = self.some(lambda value: value.array.shape == a.shape)
            axis = self.draw(st.integers(-a.ndim - 1, a.ndim))
            self.add(lambda x, y: np.stack([x, y], axis=axis), i, j, exact=True)
        elif a.ndim:
            axis = self.draw(st.integers(-a.ndim, a.ndim - 1))
            others = np.delete(a.shape, axis).tolist()
            j = self.some(
                lambda value: value.array.ndim == a.ndim and np.delete(value.array.shape, axis).tolist() == others
            )
            self.add(lambda x, y: np.concatenate([x, y, x], axis=axis), i, j, exact=True)

    def _index(self):
        i = self.some(lambda value: value.array.ndim > 0)
        if i is None:
            return
        if self.flag():
            index = self.array_index(self.values[i].array.shape)
            self.add(lambda x: x[index], i, exact=True)
            return
        length = self.values[i].array.shape[0]
        j = self.some(
            lambda value: (
                value.array.dtype.kind in "iu"
                and value.array.size
                and -length <= value.array.min()
                and value.array.max() < length
            )
        )
        self.add(lambda x, rows: x[rows], i, j, exact=True)

    def _product(self):
        i = self.some(lambda value: value.array.ndim > 0)
        if i is None:
            return
        a = self.values[i].array
        j = self.some(
            lambda value: (
                value.array.ndim > 0
                and value.array.shape[-2 if value.array.ndim > 1 else 0] == a.shape[-1]
                and broadcastable(value.array.shape[:-2], a.shape[:-2])
            )
        )
        self.add(lambda x, y: x @ y, i, j, exact=True)

    def _scan(self):
        i = self.some(lambda value: value.array.ndim > 0)
        if i is not None:
            axis = self.draw(st.integers(-self.values[i].array.ndim, self.values[i].array.ndim - 1))
            self.add(lambda x: np.cumsum(x, axis=axis), i, exact=True)

    def _cast(self):
        dtype = self.pick([*DTYPES, np.int8, np.int16])
        i = self.some()
        if not self.close(i) and not (np.dtype(dtype).kind == "u" and np.any(self.values[i].array < 0)):
            self.add(lambda x: x.astype(dtype), i, exact=True)


@st.composite
def of_any_dtype(draw):
    planner = PlainPlanner(draw, DTYPES)
    for _ in range(draw(st.integers(1, 9))):
        planner.step()
    return planner.function(), planner.arrays


@slow_to_draw
@given(of_any_dtype())
def test_functions_of_any_dtype_are_the_eager_ones(case):
    function, arrays = case
    assert_compiled_as_eager(function, arrays, 1e-4, as_variables=False)

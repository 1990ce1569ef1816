"""What several tests share: arrays to try things on, derivatives of a given order, and looks into the graph."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adjoint import Variable, apply
from adjoint.arrays import Place, numpy_namespace
from adjoint.ops import TABLE, Op, Sample, raw_functions

# Ops on their samples


def package_ops():
    """The ops of the package, without those that tests and doctests declare."""
    return [op for op in TABLE.values() if type(op) is Op]


def samples_of(op):
    """The samples of an op; an elementwise op without any is tried on a matrix, one number and no elements."""
    if op.samples or not op.elementwise:
        return op.samples
    arity = op.forward.__code__.co_argcount - 1
    return tuple(Sample(*(shape,) * arity) for shape in ((2, 3), (), (0, 3)))


DIFFERENTIABLE = [op for op in package_ops() if op.differentiable]
CASES = [
    pytest.param(op, sample, id=f"{op.name}-{number}")
    for op in DIFFERENTIABLE
    for number, sample in enumerate(samples_of(op))
]


ONES = np.ones((2, 3))
# Inputs and parameters of ops without a rule.
STEPS = {
    "gammasgn": ([np.array([0.5, -0.5, -1.5])], {}),
    "sign": ((ONES,), {}),
    "last_written": (np.array([[0, 2, 0]]), {"index": Place(0), "shape": (3,)}),
    "argsort": ((ONES,), {"axis": 1}),
    "floor": ((ONES,), {}),
    "ceil": ((ONES,), {}),
    "trunc": ((ONES,), {}),
    "round": ((ONES,), {}),
    "floor_divide": ((ONES, ONES), {}),
    "tie_share": ((ONES, np.ones((2, 1))), {"axis": 1}),
    "one_hot": ((ONES,), {"classes": 2, "ignore_index": -100, "dtype": "float64"}),
    "label_weight": ((ONES,), {"ignore_index": -100, "dtype": "float64"}),
}


def draw(op, sample, dtype=np.float64, seed=0):
    """The arrays of a sample: drawn in the op's domain, but for those that the sample gives itself."""
    rng = np.random.default_rng(seed)
    low, high = sample.domain or op.domain
    sizes = [math.prod(shape) for shape in sample.shapes]
    if sample.distinct:
        bounds = [0.0, *(value for value in sample.params.values() if isinstance(value, float))]
        values = rng.permutation(apart(sum(sizes), low, high, bounds))
    else:
        values = rng.uniform(low, high, sum(sizes))
    if sample.complex:
        dtype = complex_dtype(dtype)
        values = values + 1j * rng.uniform(low, high, sum(sizes))
    pieces = np.split(values, np.cumsum(sizes)[:-1])
    return [
        _given(sample.arrays[i], dtype) if i in sample.arrays else piece.reshape(shape).astype(dtype)
        for i, (piece, shape) in enumerate(zip(pieces, sample.shapes, strict=True))
    ]


def _given(values, dtype):
    """The array that a sample gives, of which one of floats is in the wanted dtype as drawn ones are."""
    array = np.asarray(values)
    return array.astype(dtype) if is_float(array) else array


def apart(count, low, high, bounds, gap=0.01):
    """`count` values from `low` to `high`, each at least `gap` from the others and from all `bounds`."""
    values = low + (high - low) * (np.arange(count) + 0.5) / max(count, 1)
    for bound in bounds:
        values[np.abs(values - bound) < gap] = bound + gap
    return values


def is_float(array):
    """Whether an array is of real or complex floating point numbers."""
    return array.dtype.kind in "fc"


def complex_dtype(dtype):
    """The dtype of complex numbers whose parts are of `dtype`."""
    return np.result_type(dtype, np.complex64)


def precision(array):
    """The dtype of the real parts."""
    return array.real.dtype


def parts(value):
    """The outputs of an op, one or several."""
    return value if isinstance(value, tuple) else (value,)


def run(op, arrays, params):
    """The op's outputs, and its inputs: arrays of floats as Variables, others as constants."""
    inputs = [Variable(array) if is_float(array) else array for array in arrays]
    return parts(apply(op, *inputs, **params)), inputs


def cotangents_like(outputs):
    rng = np.random.default_rng(1)
    drawn = [rng.uniform(0.5, 1.5, y.shape) for y in outputs]
    return [
        np.asarray(g + 1j * rng.uniform(0.5, 1.5, g.shape) if y.dtype.kind == "c" else g, y.dtype)
        for g, y in zip(drawn, outputs, strict=True)
    ]


def apply_rule(op, g, output, arrays, params):
    """The cotangents that the op's rule itself gives on plain arrays, before the engine casts or sums them."""
    F = raw_functions(numpy_namespace)
    if op.rules is not None:
        return [rule(F, g, output, *arrays, **params) for rule in op.rules if rule is not None]
    needs = {"needs": [is_float(array) for array in arrays]} if op.takes_needs else {}
    return [part for part in op.vjp(F, g, output, *arrays, **params, **needs) if part is not None]


# Derivatives


def gradients(f, *arrays, gradient=None, create_graph=False):
    """The gradients of f as arrays; None for an argument that gets none."""
    xs = [Variable(array) for array in arrays]
    f(*xs).backward(gradient, create_graph=create_graph)
    return [None if x.grad is None else x.grad.data for x in xs]


def derivatives(f, value, order):
    """f(x), f'(x), … up to `order` by that many backward sweeps; 0 where x has no influence left."""
    x = Variable(value)
    y = f(x)
    found = [y.data]
    for _ in range(order):
        x.cleargrad()
        if y.creator is not None:
            y.backward(create_graph=True)
        y = x.grad if x.grad is not None else Variable(np.zeros_like(x.data))
        found.append(y.data)
    return found


# Graphs


def nodes_behind(y):
    """Every node that `y` depends on, each once."""
    found, waiting = {}, [y.creator]
    while waiting:
        node = waiting.pop()
        if node is not None and id(node) not in found:
            found[id(node)] = node
            waiting.extend(link.creator for link in node.inputs if link is not None)
    return list(found.values())

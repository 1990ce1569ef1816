"""Every op of the table on every one of its samples, compiled: values, first and second derivatives are the eager ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adjoint import Variable, apply
from adjoint import functions as F
from adjoint.ops import Sample
from tests.compile.agreement import assert_compiled_as_eager
from tests.support import CASES, draw, package_ops, parts

DTYPES = (np.float32, np.float64)
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)


def derivatives(op, params, order):
    """A function of arrays that gives the op's results, and its gradients up to an order."""

    def computed(*inputs):
        outputs = parts(apply(op, *inputs, **params))
        total = None
        for y in outputs:
            if y.dtype.kind == "f":
                term = F.sum(y * cotangents[y.shape].astype(y.dtype))
                total = term if total is None else total + term
        xs = [x for x in inputs if isinstance(x, Variable)]
        found = [*outputs]
        for n in range(order):
            total.backward(create_graph=n + 1 < order)
            gradients = [x.grad for x in xs]
            found += gradients
            for x in xs:
                x.cleargrad()
            if n + 1 < order:
                squares = [F.sum(g * g) for g in gradients if g is not None and g.creator is not None]
                if not squares:
                    break
                total = sum(squares[1:], squares[0])
        return found

    cotangents = Weights()
    return computed


class Weights(dict):
    """An array of different weights for each shape."""

    def __missing__(self, shape):
        size = math.prod(shape)
        self[shape] = np.linspace(0.5, 1.5, size).reshape(shape)
        return self[shape]


@dtypes
@pytest.mark.parametrize(("op", "sample"), CASES)
def test_values_and_derivatives_are_the_eager_ones(op, sample, dtype):
    arrays = draw(op, sample, dtype)
    if any(array.dtype.kind == "b" for array in arrays[1:]):
        pytest.skip("indexing by traced booleans is refused")
    assert_compiled_as_eager(derivatives(op, sample.params, 2), arrays, 1e-4 if dtype is np.float32 else 1e-10)

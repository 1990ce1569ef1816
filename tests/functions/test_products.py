"""Matrix products and linear maps, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_allclose

from adjoint import Variable, functions as F
from adjoint.errors import ShapeError
from adjoint.testing import check_grads


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in shapes]


@given(st_numpy.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3), st.integers(0, 3))
def test_matmul_is_numpys_with_vectors_and_stacks(shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal(shape) for shape in shapes.input_shapes)
    assert_allclose(F.matmul(a, b).data, np.matmul(a, b), rtol=1e-12, atol=1e-12)
    check_grads(F.matmul, (a, b), order=2 if seed == 0 else 1)


@pytest.mark.parametrize("product", [F.matmul, F.linear, lambda a, b: F.einsum("ij,jk", a, b)])
def test_one_factor_may_be_a_constant(product):
    a, b = arrays((2, 3), (3, 4))
    check_grads(lambda a: product(a, b), a)
    check_grads(lambda b: product(a, b), b)


def test_matmul_of_nothing_is_zero():
    assert F.matmul(np.ones((2, 0)), np.ones((0, 3))).data.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize(("a", "b"), [((2, 3), (2, 3)), ((3,), (2,)), ((), (3,)), ((2, 3, 4), (3, 4, 2))])
def test_matmul_of_shapes_that_do_not_go_together_is_refused(a, b):
    with pytest.raises(ShapeError, match="matmul"):
        F.matmul(np.ones(a), np.ones(b))


@pytest.mark.parametrize("x", [(3,), (4, 3), (2, 4, 3), (5, 2, 4, 3), (0, 3)], ids=str)
@pytest.mark.parametrize("b", [None, (2,), (1,)], ids=str)
def test_linear_maps_the_last_axis(x, b):
    values = arrays(x, (3, 2), *([b] if b else []))
    expected = np.matmul(values[0], values[1])
    expected = expected + values[2] if b else expected
    assert_allclose(F.linear(*values).data, expected, rtol=1e-12, atol=1e-14)
    if 0 not in x:
        check_grads(F.linear, tuple(values))


def test_linear_takes_a_bias_of_one_row():
    x, w, b = arrays((4, 3), (3, 2), (1, 2))
    assert_allclose(F.linear(x, w, b).data, x @ w + b, rtol=1e-12)
    check_grads(F.linear, (x, w, b))


@pytest.mark.parametrize("x", [(3,), (4, 3), (2, 4, 3), (1, 4, 3)], ids=str)
def test_linear_takes_a_stack_of_weights(x):
    values = arrays(x, (2, 3, 2), (2,))
    assert_allclose(F.linear(*values).data, np.matmul(values[0], values[1]) + values[2], rtol=1e-12)
    check_grads(F.linear, tuple(values))


def test_linear_takes_lists():
    assert F.linear([[1.0, 2.0]], [[3.0], [4.0]], [0.5]).item() == 11.5


@pytest.mark.parametrize("shapes", [
    ((4, 2), (3, 2)),
    ((4, 3), (3,)),
    ((), (3, 2)),
    ((4, 3), (3, 2), (3,)),
    ((4, 3), (3, 2), (4, 2)),
    ((4, 3), (3, 2), ()),
], ids=str)  # fmt: skip
def test_linear_refuses_shapes_that_do_not_go_together(shapes):
    with pytest.raises(ShapeError, match="linear"):
        F.linear(*map(Variable, arrays(*shapes)))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("leading", [(), (4,), (2, 3)], ids=str)
def test_recurrent_linear_adds_two_maps(leading, bias):
    x, w, h, v, b = arrays((*leading, 3), (3, 2), (*leading, 5), (5, 2), (2,))
    given = (x, w, h, v, b) if bias else (x, w, h, v)
    assert_allclose(F.recurrent_linear(*given).data, x @ w + h @ v + (b if bias else 0.0), rtol=1e-12)
    check_grads(F.recurrent_linear, given)


@pytest.mark.parametrize("shapes", [
    ((4, 3), (2, 2), (4, 5), (5, 2)),
    ((4, 3), (3, 2), (4, 5), (4, 2)),
    ((4, 3), (3, 2), (1, 5), (5, 2)),
    ((4, 3), (3, 2), (5,), (5, 2)),
    ((4, 3), (3, 2), (4, 5), (5, 3)),
], ids=str)  # fmt: skip
def test_recurrent_linear_refuses_shapes_that_do_not_go_together(shapes):
    with pytest.raises(ShapeError, match="recurrent_linear"):
        F.recurrent_linear(*map(Variable, arrays(*shapes)))

"""Operators and methods of Variables, with every kind of operand on either side."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from numpy.testing import assert_allclose

from adjoint import Variable, apply, functions as F
from adjoint.errors import GradientError, ShapeError
from adjoint.ops import Op
from adjoint.testing import check_grads

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
A = np.array([[0.5, 1.0], [2.0, 3.0]])
OTHERS = {
    "array": np.array([1.0, 2.0]),
    "list": [1.0, 2.0],
    "float": 2.5,
    "int": 3,
    "bool": True,
    "NumPy scalar": np.float64(1.5),
    "array without axes": np.array(1.5),
    "whole numbers": np.array([1, 2]),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("operation", ARITHMETIC, ids=lambda f: f.__name__)
def test_operand_may_be_plain_on_either_side(operation, kind):
    other = OTHERS[kind]
    plain = np.asarray(other) if kind == "list" else other
    assert_allclose(operation(Variable(A), other).data, operation(A, plain))
    assert_allclose(operation(other, Variable(A)).data, operation(plain, A))
    check_grads(lambda x: operation(x, other), A)
    check_grads(lambda x: operation(other, x), A)


@pytest.mark.parametrize("operation", ARITHMETIC, ids=lambda f: f.__name__)
def test_both_operands_may_be_variables(operation):
    check_grads(operation, (A, np.array([1.0, 2.0])))
    assert_allclose(operation(Variable(A), Variable(A)).data, operation(A, A))


@pytest.mark.parametrize(("a", "b"), [((2, 3), (3, 2)), ((3,), (3, 2)), ((4, 2, 3), (3,))])
def test_matrix_product_operator(a, b):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(a), rng.standard_normal(b)
    for y in (Variable(a) @ Variable(b), Variable(a) @ b, a @ Variable(b)):
        assert_allclose(y.data, a @ b)


def test_signs():
    x = Variable([-1.0, 2.0])
    assert (-x).data.tolist() == [1.0, -2.0]
    assert abs(x).data.tolist() == [1.0, 2.0]
    assert (+x).data.tolist() == [-1.0, 2.0]
    assert (+x).creator is not None  # a copy, as in NumPy


def test_operators_make_new_variables():
    x = y = Variable([1.0, 2.0])
    y += 1.0
    y *= 2.0
    assert x.data.tolist() == [1.0, 2.0]
    assert y.data.tolist() == [4.0, 6.0]
    F.sum(y).backward()
    assert x.grad.data.tolist() == [2.0, 2.0]


def test_variable_is_not_added_to_an_array_in_place():
    array = np.ones(2)
    with pytest.raises(GradientError, match=r"array = array \+ x"):
        array += Variable([1.0, 2.0])
    assert array.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("operation", [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift])
def test_operators_of_integers_refuse_floats(operation):
    for a, b in ((Variable(A), A), (A, Variable(A))):
        with pytest.raises(TypeError):
            operation(a, b)


@pytest.mark.parametrize(
    "other", [Variable([2.0, 2.0]), np.array([2.0, 2.0]), 2.0], ids=["Variable", "array", "number"]
)
@pytest.mark.parametrize("operation", COMPARISONS, ids=lambda f: f.__name__)
def test_comparisons_give_booleans_that_are_constants(operation, other):
    plain = other.data if isinstance(other, Variable) else other
    found = operation(Variable(A), other)
    assert type(found) is Variable
    assert found.dtype == bool
    assert found.creator is None
    assert found.data.tolist() == operation(A, plain).tolist()
    # NumPy's functions give plain ones, also where an array is on the left.
    reflected = operation(other, Variable(A))
    assert type(reflected) is (np.ndarray if isinstance(other, np.ndarray) else Variable)
    assert np.array_equal(reflected, operation(plain, A))


@pytest.mark.parametrize("operation", COMPARISONS, ids=lambda f: f.__name__)
def test_comparisons_give_rules_plain_booleans(operation):
    seen = []

    def rule(F, g, _y, x):
        seen.append(type(operation(x, 2.0)))
        return (g * operation(x, 2.0),)

    x = Variable(A)
    y = Op("masked", lambda xp, x: x * 1.0, vjp=rule)
    for create_graph in (False, True):
        apply(y, x).backward(np.ones(A.shape), create_graph=create_graph)
    assert seen == [np.ndarray, np.ndarray]
    assert type(operation(x, 2.0)) is Variable


def test_variables_are_told_apart_by_identity():
    x, twin = Variable(1.0), Variable(1.0)
    table = {x: "x", twin: "twin"}
    assert table[x] == "x"
    assert table[twin] == "twin"
    assert len({x, x, twin}) == 2


@pytest.mark.parametrize("operation", ARITHMETIC, ids=lambda f: f.__name__)
def test_shapes_that_cannot_be_broadcast_are_named(operation):
    with pytest.raises(ShapeError, match=r"float64 \(2, 3\).*float64 \(4,\)"):
        operation(Variable(np.ones((2, 3))), np.ones(4))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_numbers_take_the_dtype_of_the_array(dtype):
    x = Variable(np.ones(2, dtype))
    for y in (x + 1, 1.5 * x, x**2, 2.0**x, x / 3, -x):
        assert y.dtype == dtype


def test_mixed_dtypes_follow_numpy_and_gradients_their_own():
    a, b = Variable(np.ones(2, np.float32)), Variable(np.ones(2))
    y = a * b
    y.backward()
    assert y.dtype == np.float64
    assert a.grad.dtype == np.float32
    assert b.grad.dtype == np.float64


def test_astype_takes_the_gradient_back_to_the_old_dtype():
    x = Variable(np.ones(2, np.float32))
    y = x.astype(np.float64) * 3.0
    y.backward()
    assert y.dtype == np.float64
    assert x.grad.dtype == np.float32
    assert x.grad.data.tolist() == [3.0, 3.0]


def test_whole_numbers_are_constants():
    x = Variable([1.6, 2.4])
    assert x.astype(int).creator is None
    count = Variable([1, 2])
    y = F.sum(x * count)
    y.backward()
    assert x.grad.data.tolist() == [1.0, 2.0]
    assert count.grad is None


def test_reshape_takes_numbers_or_a_tuple():
    x = Variable(np.arange(6.0))
    assert x.reshape(2, 3).shape == x.reshape((2, 3)).shape == x.reshape([2, -1]).shape == (2, 3)
    assert x.reshape(-1).shape == (6,)

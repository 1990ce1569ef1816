"""Every error is an AdjointError and the built-in that fits; its text names the op, the shapes and the user's line."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, errors, functions as F, layers as L, models
from adjoint.errors import AdjointError

BASES = {
    "ShapeError": (ValueError,),
    "StateError": (errors.ShapeError, ValueError),
    "ArgumentError": (ValueError,),
    "FormatError": (errors.ArgumentError, ValueError),
    "DataError": (errors.ArgumentError, ValueError),
    "AxisError": (ValueError, IndexError),
    "OutOfRangeError": (IndexError,),
    "LinearAlgebraError": (np.linalg.LinAlgError, ValueError),
    "DTypeError": (TypeError,),
    "GradientError": (RuntimeError,),
    "MissingDependencyError": (ImportError,),
    "AnomalyError": (FloatingPointError,),
    "TransformError": (TypeError,),
    "TraceError": (TypeError,),
    "ProgramError": (RuntimeError,),
}


def test_every_class_has_its_bases():
    assert {"AdjointError", "RetraceWarning", *BASES} == set(errors.__all__)
    assert issubclass(errors.RetraceWarning, UserWarning)
    for name, bases in BASES.items():
        assert issubclass(getattr(errors, name), (AdjointError, *bases))
        assert all(issubclass(getattr(errors, name), base) for base in (AdjointError, *bases))


def test_tree_at_the_head_of_the_module_names_every_class():
    for name, bases in BASES.items():
        line = next(line for line in errors.__doc__.splitlines() if f" {name} " in line)
        builtins = [base.__name__ for base in bases if base.__module__ == "builtins"]
        assert line.count("(") == 0 or all(name in line for name in builtins)


def caught(call):
    with pytest.raises(AdjointError) as info:
        call()
    return info.value


def test_location_is_the_users_line():
    error = caught(lambda: F.matmul(np.ones((2, 3)), np.ones((2, 3))))
    assert error.location.startswith(f"{__file__}:")
    assert error.location.endswith("error = caught(lambda: F.matmul(np.ones((2, 3)), np.ones((2, 3))))")
    assert str(error).endswith(f"\n  at {error.location}")


def test_location_of_a_line_without_source_is_its_number():
    error = caught(lambda: exec(compile("\n\nx + y", "<typed in>", "exec"), {"x": ad.ones(2), "y": ad.ones(3)}))
    assert error.location == "<typed in>:3"


def test_location_in_backward_is_that_of_the_call():
    y = ad.ones(2) * 2.0
    error = caught(lambda: y.backward(ad.ones(3)))
    assert "y.backward(ad.ones(3))" in error.location


def test_message_is_the_text_alone():
    error = caught(lambda: F.dropout(ad.ones(2), 2.0))
    assert error.message == "dropout: the ratio is at least 0 and below 1, not 2.0"
    assert error.layer is None


def test_layer_is_named_by_its_path():
    model = models.MLP([3, 2])
    model(np.ones((4, 5)))
    error = caught(lambda: model(np.ones((4, 6))))
    assert error.layer == "layers.0 of MLP"
    assert "\n  in layer layers.0 of MLP\n  at " in str(error)


def test_error_keeps_its_text_when_it_is_pickled():
    error = caught(lambda: L.Linear(0))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)


# The texts. Each names what was called, what was given, and what would do.

X = Variable(np.ones((2, 3)))
TEXTS = [
    (lambda: X + np.ones(4), errors.ShapeError, "add(float64 (2, 3), float64 (4,))", "can be broadcast"),
    (lambda: F.matmul(X, X), errors.ShapeError, "matmul(float64 (2, 3), float64 (2, 3))", "the last axis of the first"),
    (lambda: F.linear(X, np.ones((2, 2))), errors.ShapeError, "linear(float64 (2, 3), float64 (2, 2))", "w (in, out)"),
    (lambda: F.sum(X, axis=2), errors.AxisError, "sum(float64 (2, 3), axis=2", "axes that the array has"),
    (lambda: F.softmax(X, 2), errors.AxisError, "softmax(float64 (2, 3), axis=2)", "axes that the array has"),
    (lambda: F.max(np.ones((0, 2)), 0), errors.ShapeError, "max(float64 (0, 2), axis=0", "at least one element"),
    (lambda: F.prod(X, 5), errors.AxisError, "axis 5", "axes go from -2 to 1"),
    (lambda: F.reshape(X, (4, 2)), errors.ShapeError, "reshape(float64 (2, 3), shape=(4, 2))", "as many elements"),
    (lambda: F.transpose(X, (0, 0)), errors.ShapeError, "transpose(float64 (2, 3), axes=(0, 0))", "every axis once"),
    (lambda: F.concat([X, np.ones((3, 2))]), errors.ShapeError, "concat(float64 (2, 3), float64 (3, 2)", "equal but"),
    (lambda: F.stack([X, np.ones(3)]), errors.ShapeError, "stack(float64 (2, 3), float64 (3,)", "equal shapes"),
    (lambda: F.split(X, [1, 1], 1), errors.ShapeError, "split: sizes [1, 1]", "axis 1 of length 3"),
    (lambda: F.squeeze(X, 1), errors.ShapeError, "squeeze: axis 1 of shape (2, 3)", "only 1 can be left out"),
    (lambda: X[2], errors.OutOfRangeError, "getitem(float64 (2, 3), index=2)", "within the array's shape"),
    (lambda: F.take(X, [3], 1), errors.OutOfRangeError, "take(float64 (2, 3), int64 (1,), axis=1)", "within"),
    (lambda: F.sum_to(X, (4,)), errors.ShapeError, "sum_to(float64 (2, 3), shape=(4,))", "could be broadcast"),
    (lambda: F.einsum("ij,jk", X, X), errors.ShapeError, "einsum(float64 (2, 3), float64 (2, 3)", "equal lengths"),
    (lambda: F.einsum("ij,jk", X), errors.ArgumentError, "einsum 'ij,jk'", "2 terms for 1 arrays"),
    (
        lambda: F.mean_squared_error(X, np.ones((3, 2))),
        errors.ShapeError,
        "mean_squared_error(float64 (2, 3)",
        "(3, 2)",
    ),
    (lambda: F.softmax_cross_entropy(X, [0, 3]), errors.OutOfRangeError, "label 3 for 3 classes", "labels are 0 to 2"),
    (lambda: F.softmax_cross_entropy(X, [0]), errors.ShapeError, "labels of shape (1,)", "they must be (2,)"),
    (lambda: F.softmax_cross_entropy(X, [0.0, 1.0]), errors.DTypeError, "not float64", "astype(int)"),
    (lambda: F.clip(X, 1.0, 0.0), errors.ArgumentError, "clip from 1.0 to 0.0", "above the upper"),
    (lambda: F.norm(X, 3), errors.ArgumentError, "norm of order 3", "only 1, 2 and inf"),
    (lambda: F.gelu(X, "fast"), errors.ArgumentError, "gelu", "not 'fast'"),
    (lambda: F.lstm_cell(X), errors.ShapeError, "lstm_cell(float64 (2, 3))", "z (..., 4 hidden)"),
    (lambda: F.concat([]), errors.ArgumentError, "concat", "empty list"),
    (lambda: F.stack(X), errors.DTypeError, "stack takes a list", "not Variable"),
    (lambda: X.astype(int).backward(), errors.GradientError, "dtype int64 and shape (2, 3)", "astype('float64')"),
    (lambda: X.backward(1.0), errors.ShapeError, "a cotangent of shape ()", "shape (2, 3)"),
    (lambda: float(X), errors.ArgumentError, "float()", "shape (2, 3)"),
    (lambda: ad.zeros(-1), errors.ArgumentError, "a length in a shape", "not -1"),
]


@pytest.mark.parametrize(("call", "kind", "what", "advice"), TEXTS, ids=[text[2] for text in TEXTS])
def test_text_names_what_was_done_and_what_would_do(call, kind, what, advice):
    error = caught(call)
    assert type(error) is kind
    assert what in error.message
    assert advice in error.message
    assert error.location.startswith(f"{__file__}:")


NUMBERS = [
    lambda: F.add(1.0, 2.0), lambda: F.neg(1.0), lambda: F.pow(2.0, 3), lambda: F.mean(2.0), lambda: F.square(2),
    lambda: F.mean_squared_error(1.0, Variable(2.0)), lambda: F.sigmoid_cross_entropy(0.0, Variable(1.0)),
    lambda: F.clip(1.0), lambda: F.logsumexp(2.0),
]  # fmt: skip


@pytest.mark.parametrize("call", NUMBERS)
def test_functions_take_numbers_alone(call):
    assert call().shape == ()


def test_matrix_product_with_a_number_is_refused():
    for call in (lambda: F.matmul(ad.ones(1), 3.0), lambda: F.matmul(3.0, ad.ones(1))):
        assert type(caught(call)) is errors.ShapeError

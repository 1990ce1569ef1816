"""Losses against their formulas, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from adjoint import Variable, functions as F
from adjoint.errors import DTypeError, OutOfRangeError, ShapeError
from adjoint.testing import check_grads
from tests.support import gradients

LOGITS = np.random.default_rng(0).standard_normal((4, 3))
LABELS = np.array([0, 2, 1, 2])


def test_mean_squared_error_is_its_formula():
    y, t = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 4.0], [0.0, 4.0]])
    assert F.mean_squared_error(y, t).item() == 13.0 / 4
    of_y, of_t = gradients(F.mean_squared_error, y, t)
    assert of_y.tolist() == (-of_t).tolist() == [[0.0, -1.0], [1.5, 0.0]]


@pytest.mark.parametrize("loss", [F.mean_squared_error, F.binary_cross_entropy, F.sigmoid_cross_entropy])
@pytest.mark.parametrize(("y", "t"), [((3, 1), (3,)), ((3,), (3, 1)), ((3, 1), (1, 3)), ((3,), ()), ((3, 2), (3, 1))])
def test_loss_refuses_unequal_shapes_and_names_both(loss, y, t):
    with pytest.raises(ShapeError) as caught:
        loss(Variable(np.full(y, 0.5)), np.full(t, 0.5))
    assert str(y) in str(caught.value)
    assert str(t) in str(caught.value)


@pytest.mark.parametrize("loss", [F.mean_squared_error, F.binary_cross_entropy, F.sigmoid_cross_entropy])
def test_loss_of_no_elements_is_refused(loss):
    with pytest.raises(ShapeError, match="no elements"):
        loss(np.ones((0, 2)), np.ones((0, 2)))


def test_binary_cross_entropy_is_its_formula():
    p, t = np.array([0.1, 0.7, 0.5]), np.array([0.0, 1.0, 0.25])
    expected = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    assert F.binary_cross_entropy(p, t).item() == pytest.approx(expected, rel=1e-15)
    check_grads(F.binary_cross_entropy, (p, np.array([0.2, 0.9, 0.25])))


def test_binary_cross_entropy_is_finite_where_it_is_certain_and_right():
    assert F.binary_cross_entropy(Variable([0.0, 1.0]), [0.0, 1.0]).item() == 0.0
    (slope,) = gradients(lambda p: F.binary_cross_entropy(p, [0.0, 1.0]), np.array([0.0, 1.0]))
    assert slope.tolist() == [0.5, -0.5]


def test_sigmoid_cross_entropy_is_the_binary_one_of_the_sigmoid():
    x, t = LOGITS, np.random.default_rng(1).uniform(size=LOGITS.shape)
    expected = F.binary_cross_entropy(F.sigmoid(x), t).item()
    assert F.sigmoid_cross_entropy(x, t).item() == pytest.approx(expected, rel=1e-13)


def test_sigmoid_cross_entropy_does_not_overflow():
    assert F.sigmoid_cross_entropy(np.array([800.0, -800.0]), np.array([1.0, 0.0])).item() == 0.0
    assert F.sigmoid_cross_entropy(np.array([800.0, -800.0]), np.array([0.0, 1.0])).item() == 800.0


# Softmax cross-entropy


def row_losses(x, t):
    return np.log(np.exp(x).sum(axis=-1)) - np.take_along_axis(x, t[..., None], axis=-1)[..., 0]


def test_softmax_cross_entropy_is_its_formula():
    assert F.softmax_cross_entropy(LOGITS, LABELS).item() == pytest.approx(row_losses(LOGITS, LABELS).mean(), rel=1e-14)


def test_its_gradient_is_softmax_less_the_labels():
    (found,) = gradients(lambda x: F.softmax_cross_entropy(x, LABELS), LOGITS)
    assert_allclose(found, (F.softmax(LOGITS).data - np.eye(3)[LABELS]) / 4, rtol=1e-13)


@pytest.mark.parametrize("ignored", [-100, 1, 7, -1])
def test_ignored_rows_neither_count_nor_learn(ignored):
    t = np.array([0, ignored, 2, ignored])
    expected = row_losses(LOGITS[[0, 2]], t[[0, 2]]).mean()
    loss = F.softmax_cross_entropy(LOGITS, t, ignore_index=ignored)
    assert loss.item() == pytest.approx(expected, rel=1e-14)
    (slope,) = gradients(lambda x: F.softmax_cross_entropy(x, t, ignored), LOGITS)
    assert slope[[1, 3]].tolist() == [[0.0] * 3] * 2
    assert (slope[[0, 2]] != 0).all()


def test_loss_of_ignored_rows_alone_is_0():
    x = Variable(LOGITS)
    loss = F.softmax_cross_entropy(x, np.full(4, -100))
    loss.backward()
    assert loss.item() == 0.0
    assert not x.grad.data.any()


def test_loss_of_no_rows_is_0():
    assert F.softmax_cross_entropy(np.ones((0, 3)), np.ones(0, int)).item() == 0.0


def test_rows_may_have_several_leading_axes_or_none():
    x, t = LOGITS.reshape(2, 2, 3), LABELS.reshape(2, 2)
    assert F.softmax_cross_entropy(x, t).item() == pytest.approx(row_losses(x, t).mean(), rel=1e-14)
    assert F.softmax_cross_entropy(LOGITS[0], np.array(2)).item() == pytest.approx(
        row_losses(LOGITS, LABELS * 0 + 2)[0]
    )


def test_softmax_cross_entropy_does_not_overflow():
    assert F.softmax_cross_entropy(np.array([[1000.0, -1000.0]]), [1]).item() == 2000.0


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_labels_may_be_of_any_integer_dtype(dtype):
    expected = F.softmax_cross_entropy(LOGITS, LABELS).item()
    assert F.softmax_cross_entropy(LOGITS, LABELS.astype(dtype)).item() == expected
    assert F.softmax_cross_entropy(LOGITS, Variable(LABELS.astype(dtype))).item() == expected


def test_lists_do_as_well():
    assert F.softmax_cross_entropy([[0.0, 0.0]], [1]).item() == pytest.approx(math.log(2.0))
    assert F.accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1]).item() == 0.5
    assert F.mean_squared_error([1.0, 2.0], [1.0, 4.0]).item() == 2.0


@pytest.mark.parametrize("function", [F.softmax_cross_entropy, F.accuracy])
@pytest.mark.parametrize(("t", "error"), [
    (np.zeros(3, int), ShapeError),
    (np.zeros((4, 1), int), ShapeError),
    (np.zeros((4, 3), int), ShapeError),
    (np.zeros(4), DTypeError),
    (np.zeros(4, bool), DTypeError),
], ids=str)  # fmt: skip
def test_labels_that_do_not_fit_are_refused(function, t, error):
    with pytest.raises(error, match=function.__name__):
        function(Variable(LOGITS), t)


@pytest.mark.parametrize("label", [3, -1])
def test_label_outside_of_the_classes_is_refused(label):
    with pytest.raises(OutOfRangeError, match=rf"label {label} for 3 classes"):
        F.softmax_cross_entropy(LOGITS, np.array([0, 1, label, 2]))


# Accuracy


def test_accuracy_is_the_share_of_hits_and_a_constant():
    y = Variable(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], np.float32))
    found = F.accuracy(y, np.array([1, 1, 1]))
    assert found.item() == pytest.approx(2.0 / 3.0)
    assert found.dtype == np.float32
    assert found.creator is None


def test_accuracy_of_whole_scores_is_a_fraction():
    assert F.accuracy([[1, 0], [0, 1]], [0, 0]).item() == 0.5


def test_accuracy_of_no_rows_is_refused():
    with pytest.raises(ShapeError, match="no "):
        F.accuracy(np.ones((0, 2)), np.ones(0, int))

"""What a Variable is made from, what it shows, and how it turns into plain values."""

from __future__ import annotations

import copy
import decimal
import math
import pickle

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import ArgumentError, DTypeError, GradientError, ShapeError
from tests.support import nodes_behind

# Making one


@pytest.mark.parametrize(("data", "dtype"), [
    (1.0, "float64"),
    (1, "int64"),
    (True, "bool"),
    ([1.0, 2.0], "float64"),
    ([[1, 2], [3, 4]], "int64"),
    (np.float32(1.0), "float32"),
    (np.ones(2, np.float16), "float16"),
    (np.ones(2, np.uint8), "uint8"),
    (np.ones(2, np.longdouble), np.dtype(np.longdouble).name),
], ids=str)  # fmt: skip
def test_dtype_is_kept(data, dtype):
    x = Variable(data)
    assert x.dtype == x.data.dtype == np.dtype(dtype)
    assert isinstance(x.data, np.ndarray)


def test_array_is_wrapped_and_not_copied():
    array = np.ones((2, 3))
    x = Variable(array)
    assert x.data is array
    assert (x.shape, x.ndim, x.size) == ((2, 3), 2, 6)
    assert x.grad is x.name is x.creator is None
    assert x.generation == 0


@pytest.mark.parametrize("data", [
    "text", ["a"], None, object, {}, [1.0, None], [[1.0], [1.0, 2.0]], decimal.Decimal(1),
    np.array([1.0], dtype=object), np.datetime64("2020-01-01"), np.zeros(1, [("a", float)]),
], ids=repr)  # fmt: skip
def test_what_is_not_made_of_numbers_is_refused(data):
    with pytest.raises(DTypeError):
        Variable(data)


@pytest.mark.parametrize("other", [np.array([1.0], dtype=object), np.array(["a"])], ids=repr)
def test_operand_that_is_not_made_of_numbers_is_refused(other):
    with pytest.raises(DTypeError, match="not supported"):
        Variable([1.0]) + other


@pytest.mark.parametrize("other", ["text", None, [1.0, None], ...], ids=repr)
def test_operand_that_is_no_number_is_refused(other):
    with pytest.raises(DTypeError, match="not supported"):
        Variable([1.0]) * other


def test_variable_of_a_variable_is_refused():
    with pytest.raises(DTypeError, match="detach"):
        Variable(Variable(1.0))


# Printing


@pytest.mark.parametrize(("variable", "text"), [
    (F.sin(Variable(1.0)), "variable(0.8414709848078965)"),
    (Variable([[2.5]]), "variable(2.5)"),
    (Variable(3), "variable(3)"),
    (Variable(True), "variable(True)"),
    (Variable(np.float32(0.1)), "variable(0.1)"),
    (Variable(-math.inf), "variable(-inf)"),
    (Variable([1.0, 2.0]), "variable[2]([1. 2.])"),
    (Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "variable[2, 3]([[1. 2. 3.]\n [4. 5. 6.]])"),
    (Variable(np.ones((0, 3))), "variable[0, 3]([])"),
    (Variable(1.0, name="x"), "x(1.0)"),
    (Variable([1.0, 2.0], "weights"), "weights[2]([1. 2.])"),
])  # fmt: skip
def test_printing(variable, text):
    assert str(variable) == repr(variable) == text


def test_formatting_takes_the_specifications_of_numbers():
    x = Variable(math.pi)
    assert f"{x:.3f}" == "3.142"
    assert f"{x}" == str(x)
    assert f"{Variable(5):04d}" == "0005"
    with pytest.raises(ArgumentError, match=r"\(2,\)"):
        format(Variable([1.0, 2.0]), ".3f")


def test_notebooks_show_name_shape_dtype_and_creator():
    x = Variable([[1.0, 2.0]], name="<x>")
    assert "&lt;x&gt;" in x._repr_html_()
    assert "1×2 float64, leaf" in x._repr_html_()
    assert "scalar float64, made by sum" in F.sum(x)._repr_html_()


def test_nodes_show_their_op_and_the_shapes_of_its_inputs():
    y = Variable(np.ones((2, 3))) + np.ones(3)
    assert repr(y.creator) == "<node add((2, 3), constant)>"
    assert y.creator.name == "add"


# Plain values


def test_conversions_of_one_element():
    x = Variable([[2.5]])
    assert x.item() == float(x) == 2.5
    assert int(x) == 2
    assert bool(x)
    assert not Variable(0.0)
    assert type(x.item()) is type(float(x)) is float
    assert type(Variable(3).item()) is int


@pytest.mark.parametrize("convert", [float, int, bool, Variable.item])
def test_several_elements_are_no_number(convert):
    with pytest.raises(ArgumentError, match=r"shape \(2,\)"):
        convert(Variable([1.0, 2.0]))


def test_item_at_an_index():
    x = Variable([[1.0, 2.0], [3.0, 4.0]])
    assert x.item(1, 0) == 3.0
    assert x.item(3) == 4.0


def test_item_beyond_the_end_is_an_error_of_the_package():
    with pytest.raises(ad.AdjointError):
        Variable([1.0, 2.0]).item(2)


def test_length_and_iteration_go_along_the_first_axis():
    x = Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert len(x) == 3
    total = sum(row[0] for row in x)
    total.backward()
    assert total.item() == 9.0
    assert x.grad.data.tolist() == [[1.0, 0.0]] * 3


@pytest.mark.parametrize("function", [len, list, iter])
def test_one_number_has_no_length(function):
    with pytest.raises(TypeError, match="no length"):
        function(Variable(1.0))


def test_numpy_reads_the_value():
    x = Variable([1.0, 2.0])
    assert np.asarray(x).tolist() == [1.0, 2.0]
    assert np.asarray(x, np.float32).dtype == np.float32
    assert np.array(x) is not x.data


@pytest.mark.parametrize("read", [np.asarray, np.array, lambda y: np.asarray([y, y]), lambda y: np.zeros(2) + [y, y]])  # noqa: RUF005
def test_numpy_does_not_read_a_computed_value_silently(read):
    x = Variable([1.0, 2.0])
    y = x * 2.0
    with pytest.raises(GradientError, match=r"x\.data.*numpy\.stack.*ad\.zeros"):
        read(y)
    with ad.no_grad():
        assert read(y).shape[-1] == 2
    assert np.asarray(y.detach()).tolist() == y.data.tolist() == [2.0, 4.0]
    del x  # nobody can ask for a derivative any more
    assert read(y).shape[-1] == 2


# Assignment


def test_data_can_be_replaced():
    x = Variable([1.0, 2.0])
    x.data = [3, 4]
    assert x.data.tolist() == [3.0, 4.0]
    assert x.dtype == np.float64
    x.data = np.ones(5, np.float32)
    assert (x.shape, x.dtype) == ((5,), np.float32)


def test_data_takes_no_variable():
    x = Variable(1.0)
    with pytest.raises(DTypeError, match=r"\.data"):
        x.data = Variable(2.0)


def test_gradient_can_be_assigned():
    x = Variable([1.0, 2.0])
    g = Variable([3.0, 4.0])
    x.grad = g
    assert x.grad is g
    x.grad = np.array([5.0, 6.0])
    assert x.grad.data.tolist() == [5.0, 6.0]
    x.grad = None
    assert x.grad is None


@pytest.mark.parametrize("gradient", [Variable(1.0), np.ones((2, 1)), [1.0]], ids=str)
def test_gradient_of_another_shape_is_refused(gradient):
    x = Variable([1.0, 2.0], name="w")
    with pytest.raises(ShapeError, match=r"for w of dtype float64 and shape \(2,\)"):
        x.grad = gradient
    assert x.grad is None


def test_other_attributes_cannot_be_assigned():
    with pytest.raises(AttributeError):
        Variable(1.0).gard = 1.0


# Copies


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"]
)
def test_copies_hold_values_and_not_the_graph(duplicate):
    x = Variable([1.0, 2.0], name="x")
    y = F.exp(x)
    F.sum(y).backward(retain_grad=True)
    twin = duplicate(y)
    assert twin.creator is None
    assert twin.data.tolist() == y.data.tolist()
    assert twin.grad.data.tolist() == [1.0, 1.0]
    assert not np.shares_memory(twin.data, y.data)
    assert not np.shares_memory(twin.grad.data, y.grad.data)
    assert duplicate(x).name == "x"


def test_copied_computation_does_not_lead_to_the_original():
    x = Variable(2.0)
    twin = copy.deepcopy(x * 3.0)
    z = twin * twin
    z.backward()
    assert x.grad is None
    assert twin.grad.item() == 12.0
    assert len(nodes_behind(z)) == 1


def test_conversions_of_several_elements_name_themselves():
    x = Variable([1.0, 2.0])
    for convert in (float, int, bool, complex):
        with pytest.raises(ArgumentError, match=rf"{convert.__name__}\(\) of a Variable .*, which has 2 elements"):
            convert(x)

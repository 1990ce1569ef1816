"""DOT text: what is drawn, how it is numbered, how labels are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from weakref import ref

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, viz
from adjoint.errors import DTypeError
from adjoint.viz import dot

BOX = re.compile(r'  (\d+) \[label="((?:[^"\\]|\\.)*)", color=(\w+), style=filled(, shape=box)?\]')
EDGE = re.compile(r"  (\d+) -> (\d+)")
COLORS = {"orange": "variable", "lightblue": "op", "lightgray": "constant"}


class Parsed:
    """The boxes by number, as (kind, label), and the edges as pairs of numbers; every line must be one of them."""

    def __init__(self, text: str) -> None:
        first, *lines, last = text.split("\n")
        assert (first, last) == ("digraph {", "}")
        self.boxes: list[tuple[str, str]] = []
        self.edges: list[tuple[int, int]] = []
        for line in lines:
            if box := BOX.fullmatch(line):
                number, label, color, shape = box.groups()
                assert int(number) == len(self.boxes)
                assert (color == "lightblue") == (shape is not None)
                self.boxes.append((COLORS[color], unescape(label)))
            else:
                edge = EDGE.fullmatch(line)
                assert edge, line
                self.edges.append((int(edge[1]), int(edge[2])))
        for source, target in self.edges:
            assert source < len(self.boxes)
            assert target < len(self.boxes)
            kinds = self.boxes[source][0], self.boxes[target][0]
            assert kinds in {("variable", "op"), ("constant", "op"), ("op", "variable")}

    def labels(self, kind: str) -> list[str]:
        return [label for found, label in self.boxes if found == kind]

    def inputs(self, number: int) -> list[str]:
        return [self.boxes[source][1] for source, target in self.edges if target == number]

    def number(self, label: str) -> int:
        (number,) = (i for i, (_, found) in enumerate(self.boxes) if found == label)
        return number


def unescape(label: str) -> str:
    unquoted = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], label)
    return unquoted.replace("&amp;", "&")


def names(*labels: str) -> list[ad.Variable]:
    return [ad.Variable(float(i + 1), name=label) for i, label in enumerate(labels)]


def derivative(f, x: ad.Variable, order: int) -> ad.Variable:
    y = f(x)
    for _ in range(order):
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
    return y


def test_whole_text():
    a, b = names("a", "b")
    y = a * b + 1.0
    y.name = "y"
    assert dot(y) == (
        "digraph {\n"
        '  0 [label="y", color=orange, style=filled]\n'
        '  1 [label="add", color=lightblue, style=filled, shape=box]\n'
        '  2 [label="", color=orange, style=filled]\n'
        '  3 [label="mul", color=lightblue, style=filled, shape=box]\n'
        '  4 [label="a", color=orange, style=filled]\n'
        '  5 [label="b", color=orange, style=filled]\n'
        "  1 -> 0\n"
        "  2 -> 1\n"
        "  3 -> 2\n"
        "  4 -> 3\n"
        "  5 -> 3\n"
        "}"
    )


class TestWhatIsDrawn:
    def test_a_leaf_is_one_ellipse(self):
        for x in (ad.Variable(1.0), ad.Variable([1.0, 2.0], name="x")):
            parsed = Parsed(dot(x))
            assert parsed.boxes == [("variable", x.name or "")]
            assert parsed.edges == []

    def test_a_leaf_that_was_used_is_one_ellipse(self):
        (x,) = names("x")
        F.sin(x)
        assert Parsed(dot(x)).boxes == [("variable", "x")]

    @pytest.mark.parametrize("value", [np.zeros(0), np.array([1, 2]), np.array(True), np.float32(1.0)])
    def test_leaves_of_every_dtype(self, value):
        assert len(Parsed(dot(ad.Variable(value), verbose=True)).boxes) == 1

    def test_without_recording_the_result_is_a_leaf(self):
        with ad.no_grad():
            y = F.sin(ad.Variable(1.0))
        assert len(Parsed(dot(y)).boxes) == 1

    def test_an_input_used_twice_has_two_edges_and_one_ellipse(self):
        (x,) = names("x")
        parsed = Parsed(dot(x * x))
        assert parsed.inputs(parsed.number("mul")) == ["x", "x"]
        assert len(parsed.boxes) == 3

    def test_a_shared_value_is_drawn_once(self):
        (x,) = names("x")
        a = F.exp(x)
        a.name = "a"
        parsed = Parsed(dot(F.sin(a) + F.cos(a)))
        assert parsed.labels("variable").count("a") == 1
        assert sorted(parsed.labels("op")) == ["add", "cos", "exp", "sin"]
        assert [source for source, _ in parsed.edges].count(parsed.number("a")) == 2

    def test_constants_are_drawn_with_verbose_only(self):
        (x,) = names("x")
        y = 2.0 * x + np.ones((2, 3))
        assert Parsed(dot(y)).labels("constant") == []
        assert sorted(Parsed(dot(y, verbose=True)).labels("constant")) == ["(2, 3) float64", "2.0"]

    def test_each_use_of_a_constant_is_drawn(self):
        (x,) = names("x")
        ones = np.ones(3)
        assert Parsed(dot((x + ones) * ones, verbose=True)).labels("constant") == ["(3,) float64"] * 2

    def test_the_graph_ends_where_it_is_unchained(self):
        (x,) = names("x")
        y = F.sin(x)
        y.name = "y"
        z = F.cos(y)
        y.unchain()
        assert Parsed(dot(z)).boxes == [("variable", ""), ("op", "cos"), ("variable", "y")]

    def test_unchain_backward(self):
        (x,) = names("x")
        z = F.cos(F.sin(x))
        z.unchain_backward()
        assert Parsed(dot(z)).labels("op") == ["cos"]

    def test_detached_is_a_leaf(self):
        (x,) = names("x")
        assert len(Parsed(dot(F.sin(x).detach())).boxes) == 1

    def test_other_things_than_variables_are_refused(self):
        for wrong in (1.0, np.ones(2), None, "x"):
            with pytest.raises(DTypeError, match="Variable"):
                dot(wrong)  # type: ignore[arg-type]

    def test_inputs_are_not_changed(self):
        (x,) = names("x")
        y = F.sin(x)
        dot(y, verbose=True)
        assert y.grad is None
        assert x.grad is None
        y.backward()
        assert x.grad.item() == pytest.approx(np.cos(1.0))


class TestSeveralOutputs:
    def test_one_box_with_several_results(self):
        x = ad.Variable([1.0, 2.0, 3.0], name="x")
        a, b = F.split(x, [1, 2])
        a.name, b.name = "a", "b"
        parsed = Parsed(dot(F.sum(a) * F.sum(b)))
        assert parsed.labels("op").count("split") == 1
        split = parsed.number("split")
        assert sorted(parsed.boxes[target][1] for source, target in parsed.edges if source == split) == ["a", "b"]

    def test_results_that_lead_nowhere_are_not_drawn(self):
        a, b = F.split(ad.Variable([1.0, 2.0, 3.0], name="x"), [1, 2])
        b.name = "b"
        assert "b" not in Parsed(dot(a)).labels("variable")

    def test_both_states_of_an_lstm(self):
        layer = ad.layers.LSTM(2, rng=ad.random.const())
        layer(ad.ones(1, 3))
        parsed = Parsed(dot(layer(ad.ones(1, 3))))
        assert parsed.labels("op").count("lstm_cell") == 2
        first = [i for i, box in enumerate(parsed.boxes) if box == ("op", "lstm_cell")][1]
        assert len([1 for source, _ in parsed.edges if source == first]) == 2


class TestHigherOrders:
    def test_a_gradient_without_create_graph_is_a_leaf(self):
        (x,) = names("x")
        F.sin(x).backward()
        assert len(Parsed(dot(x.grad)).boxes) == 1

    def test_the_second_derivative_of_tanh(self):
        (x,) = names("x")
        parsed = Parsed(dot(derivative(F.tanh, x, 2)))
        # tanh'' = −2 tanh (1 − tanh²): the value of tanh is computed once, and shared.
        assert parsed.labels("op").count("tanh") == 1
        assert parsed.labels("variable").count("x") == 1

    def test_the_first_orders_of_sin(self):
        found = []
        for order in range(4):
            (x,) = names("x")
            parsed = Parsed(dot(derivative(F.sin, x, order)))
            assert parsed.labels("variable").count("x") == 1
            found.append(sorted(parsed.labels("op")))
        # sin, g cos x, and again −(g cos x)' …; each order multiplies by a cotangent.
        assert found[0] == ["sin"]
        assert found[1] == ["cos", "mul"]
        assert found[2] == ["mul", "mul", "neg", "sin"]
        assert "cos" in found[3]

    @pytest.mark.parametrize("f", [F.tanh, F.exp, F.log, F.sigmoid, lambda x: F.pow(x, 3)])
    @pytest.mark.parametrize("order", range(4))
    def test_every_order_can_be_drawn(self, f, order):
        (x,) = names("x")
        y = derivative(f, x, order)
        for verbose in (False, True):
            Parsed(dot(y, verbose))

    def test_every_value_has_one_ellipse(self):
        """No two ellipses show the result of one box, however often the backward pass read it again."""
        (x,) = names("x")
        parsed = Parsed(dot(derivative(F.tanh, x, 3)))
        results = [source for source, target in parsed.edges if parsed.boxes[source][0] == "op"]
        assert len(results) == len(set(results)) == len(parsed.labels("op"))

    def test_the_value_of_a_reread_output_keeps_its_name(self):
        (x,) = names("x")
        y = F.tanh(x)
        y.name = "y"
        y.backward(create_graph=True)
        assert Parsed(dot(x.grad)).labels("variable").count("y") == 1
        assert Parsed(dot(x.grad * y)).labels("variable").count("y") == 1


class TestNames:
    def test_a_value_that_no_variable_shows_has_no_name(self):
        (x,) = names("x")
        inner = F.sin(x)
        inner.name = "inner"
        y = F.cos(inner)
        assert "inner" in Parsed(dot(y)).labels("variable")
        del inner
        assert "inner" not in Parsed(dot(y)).labels("variable")

    def test_a_variable_that_shows_something_else_by_now(self):
        (x,) = names("x")
        y = F.sin(x)
        x.data = [1.0, 2.0]
        assert "x" not in Parsed(dot(y)).labels("variable")
        assert "() float64" in Parsed(dot(y, verbose=True)).labels("variable")

    def test_names_given_later(self):
        x = ad.Variable(1.0)
        y = F.sin(x)
        x.name = "late"
        assert "late" in Parsed(dot(y)).labels("variable")

    @pytest.mark.parametrize(
        "name",
        [
            'say "x"',
            '"',
            "\\",
            "back\\slash",
            "ends with \\",
            '\\"',
            "two\nlines",
            "\\n",
            "\\N \\G \\l",
            "<b>bold</b>",
            "a & b",
            "&lt;",
            "&amp;",
            "]; 1 -> 2 [",
            "// comment",
            "θ₁ − ∂L/∂x",
            "名前",
            "🙂",
            "{a|b}",
            " ",
        ],
    )
    def test_names_come_through(self, name):
        x = ad.Variable(1.0, name=name)
        assert Parsed(dot(x)).boxes == [("variable", name)]
        assert Parsed(dot(F.sin(x))).labels("variable")[1] == name

    @pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\r", "\t", "\x7f", "\x85", "\ud800", "\uffff"])
    def test_characters_that_a_picture_cannot_hold_are_replaced(self, character):
        text = dot(ad.Variable(1.0, name=f"a{character}b"))
        assert 'label="a\N{REPLACEMENT CHARACTER}b"' in text
        text.encode()

    @pytest.mark.usefixtures("op_table")
    def test_names_of_ops_are_escaped(self):
        odd = ad.op('viz "odd" \\ op', lambda _xp, x: x * 1.0, vjp=lambda _F, g, _y, _x: (g,))
        assert Parsed(dot(odd(ad.Variable(1.0)))).labels("op") == ['viz "odd" \\ op']


class TestVerbose:
    def test_name_shape_dtype_and_value(self):
        x = ad.Variable(np.float32(0.1), name="x")
        assert Parsed(dot(x, verbose=True)).boxes == [("variable", "x\n() float32\n0.1")]

    def test_a_single_element_of_any_shape_shows_its_value(self):
        assert Parsed(dot(ad.Variable([[2.5]]), verbose=True)).boxes == [("variable", "(1, 1) float64\n2.5")]

    def test_several_elements_show_none(self):
        assert Parsed(dot(ad.zeros(2, 3), verbose=True)).boxes == [("variable", "(2, 3) float64")]
        assert Parsed(dot(ad.zeros(0), verbose=True)).boxes == [("variable", "(0,) float64")]

    def test_a_dead_value_shows_shape_and_dtype(self):
        y = F.cos(F.sin(ad.Variable(1.0)))
        parsed = Parsed(dot(y, verbose=True))
        assert parsed.labels("variable") == [f"() float64\n{y.item()}", "() float64", "() float64"]

    def test_parameters_of_ops(self):
        parsed = Parsed(dot(F.sum(ad.zeros(2, 3), axis=1) ** 3, verbose=True))
        assert parsed.labels("op") == ["power\npower=3", "sum\naxis=1, keepdims=False"]

    def test_long_parameters_are_cut(self):
        x = ad.zeros(100)
        (label,) = Parsed(dot(F.split(x, [1] * 100)[0], verbose=True)).labels("op")
        assert label.startswith("split\nsizes=(1, 1, ")
        assert label.endswith("…")
        assert len(label) == len("split\n") + 60

    def test_both_forms_have_the_same_graph(self):
        (x,) = names("x")
        y = derivative(F.sin, x, 2)
        plain, verbose = Parsed(dot(y)), Parsed(dot(y, verbose=True))
        assert len(verbose.boxes) - len(verbose.labels("constant")) == len(plain.boxes)
        assert verbose.labels("op") == plain.labels("op")

    def test_index_arrays_and_masks(self):
        x = ad.Variable(np.arange(6.0).reshape(2, 3), name="x")
        assert Parsed(dot(x[[1, 0]], verbose=True)).labels("constant") == ["(2,) int64"]
        parsed = Parsed(dot(F.where([True, False, True], x, 0.0), verbose=True))
        assert sorted(parsed.labels("constant")) == ["(3,) bool", "0.0"]


class TestSameTextInEachRun:
    PROGRAM = (
        "import adjoint as ad\n"
        "from adjoint import functions as F, viz\n"
        "x, y = ad.Variable(1.0, name='x'), ad.Variable(2.0, name='y')\n"
        "z = F.sin(x * y) + F.tanh(x) / y\n"
        "z.backward(create_graph=True)\n"
        "x.grad.backward(create_graph=True)\n"
        "print(viz.dot(y.grad, verbose=True))\n"
    )

    def test_within_a_process(self):
        texts = set()
        for _ in range(3):
            x, y = names("x", "y")
            texts.add(dot(F.sin(x * y) + F.tanh(x) / y))
        assert len(texts) == 1

    def test_the_same_graph_twice(self):
        (x,) = names("x")
        y = derivative(F.tanh, x, 2)
        assert dot(y) == dot(y)

    def test_across_processes(self):
        command = [sys.executable, "-c", self.PROGRAM]
        texts = set()
        for seed in ("1", "2"):
            environment = {**os.environ, "PYTHONHASHSEED": seed}
            run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            texts.add(run.stdout)
        assert len(texts) == 1
        Parsed(texts.pop().rstrip("\n"))


class TestLargeGraphs:
    STEPS = 100_000

    def test_a_long_chain(self):
        x = z = ad.Variable(1.0, name="x")
        for _ in range(self.STEPS):
            z = -z
        parsed = Parsed(dot(z))
        assert len(parsed.boxes) == 2 * self.STEPS + 1
        assert parsed.boxes[-1] == ("variable", x.name)

    def test_a_lattice_takes_linear_time(self):
        z = ad.Variable(1.0)
        for _ in range(200):  # 2²⁰⁰ paths, 200 nodes
            z = z * z
        assert len(Parsed(dot(z)).labels("op")) == 200


@pytest.mark.usefixtures("without_collector")
def test_a_drawing_leaves_nothing_behind():
    """Text holds no graph: a dropped graph is gone at once."""
    x = ad.Variable(1.0)
    y = F.sin(x)
    watched = ref(y.creator)
    drawing = viz.graph(y, verbose=True)
    del y
    assert watched() is None
    assert "sin" in drawing.dot

"""Structures of values: flat, and put together again."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import pytest
from hypothesis import given, strategies as st

import adjoint as ad
from adjoint import Variable, layers, structures
from adjoint.errors import ArgumentError
from adjoint.structures import flatten

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Pair:
    first: Any
    second: Any
    kind: str = "pair"


@dataclasses.dataclass(frozen=True)
class Frozen:
    value: Any
    size: int = dataclasses.field(init=False, default=1)


VALUES = [
    3.0,
    [1.0, 2.0],
    (1.0, [2.0, (3.0,)]),
    {"b": 1.0, "a": {"c": 2.0}},
    Point(1.0, [2.0]),
    Pair(1.0, Point(2.0, 3.0)),
    Frozen(1.0),
    None,
    (None, 1.0, None),
    [],
    {},
    collections.OrderedDict(z=1.0, a=2.0),
    collections.defaultdict(list, z=1.0),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_built_again(value):
    leaves, structure = flatten(value)
    built = structure.build(leaves)
    assert built == value
    assert type(built) is type(value)
    assert structure.count == len(leaves) == len(structure.paths())


def test_leaves_are_in_the_order_of_the_value():
    leaves, structure = flatten({"b": [1, (2, None)], "a": Pair(3, 4)})
    assert leaves == [1, 2, 3, 4, "pair"]
    assert structure.paths("p") == [
        "p['b'][0]",
        "p['b'][1][0]",
        "p['a']['first']",
        "p['a']['second']",
        "p['a']['kind']",
    ]
    assert structure.build("vwxyz") == {"b": ["v", ("w", None)], "a": Pair("x", "y", "z")}


def test_building_leaves_the_value_as_it_was():
    value = {"a": [1.0], "b": collections.defaultdict(list, c=2.0)}
    built = flatten(value)[1].build([5.0, 6.0])
    assert value == {"a": [1.0], "b": {"c": 2.0}}
    assert built == {"a": [5.0], "b": {"c": 6.0}}
    assert built["b"]["new"] == [], "a defaultdict keeps its default"


def test_subclasses_of_lists_are_leaves():
    class Special(list):
        pass

    value = Special([1.0])
    assert flatten(value)[0] == [value]


@given(st.recursive(st.integers() | st.none(), lambda part: st.lists(part) | st.dictionaries(st.text(), part)))
def test_any_nesting(value):
    leaves, structure = flatten(value)
    assert structure.build(leaves) == value
    assert structure.matched(value, "it") == leaves
    assert structure.spread(7, "it") == [7] * len(leaves)


def test_matched_takes_dictionaries_in_another_order():
    structure = flatten({"a": 1, "b": 2})[1]
    assert structure.matched({"b": 4, "a": 3}, "it") == [3, 4]


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ({"a": 1}, r"it, of type dict, has no part 'b'"),
        ({"a": 1, "b": [2], "c": 3}, r"it has a part 'c' that is not needed; needed are \['a', 'b'\]"),
        ({"a": 1, "b": [2, 3]}, r"it\['b'\] has 2 parts where 1 are needed"),
        ({"a": 1, "b": 2}, r"it\['b'\], of type int, has no part 0"),
        (5, r"it, of type int, has no part 'a'"),
    ],
)
def test_what_does_not_match(other, text):
    with pytest.raises(ArgumentError, match=text):
        flatten({"a": 1, "b": [2]})[1].matched(other, "it")


def test_spread_of_prefixes():
    structure = flatten(({"a": 1, "b": [2, 3]}, 4))[1]
    assert structure.spread(({"a": 0, "b": None}, 1), "axes") == [0, None, None, 1]
    assert structure.spread((0, None), "axes") == [0, 0, 0, None]
    with pytest.raises(ArgumentError, match="axes has 1 parts for 2 values"):
        structure.spread((0,), "axes")
    with pytest.raises(ArgumentError, match="nothing for 'b'"):
        structure.spread(({"a": 0}, 1), "axes")


class Scale(layers.Layer):
    """Nested layers, of which one stands at two places, and state of its own."""

    def __init__(self):
        self.factor = Variable([2.0])
        self.inner = {"linear": layers.Linear(2, in_size=1, rng=ad.random.const())}
        self.again = [self.inner["linear"]]
        self._state = ["kept"]

    def forward(self, x):
        return self.again[0](self.inner["linear"].w.sum() * x * self.factor)


def test_models_are_structures_of_their_parameters():
    model = Scale()
    leaves, structure = flatten(model)
    assert [id(x) for x in leaves] == [id(p) for p in model.params().values()]
    others = [Variable(x.data * 0.0) for x in leaves]
    built = structure.build(others)
    assert type(built) is Scale
    assert built.factor is others[0]
    assert built.again[0] is built.inner["linear"], "what is shared stays shared"
    assert [p is q for p, q in zip(model.params().values(), leaves, strict=True)] == [True] * len(leaves)
    assert structure.results(range(len(leaves))) == dict(zip(model.params(), range(len(leaves)), strict=True))
    assert structure.matched(structure.results(others), "it") == others
    assert structure.matched(model, "it") == leaves


def test_registered_types():
    class Box:
        def __init__(self, content):
            self.content = content

    structures.register(
        Box, lambda box: (["content"], [box.content], lambda parts: Box(*parts), list), lambda value, key: value.content
    )
    try:
        assert ad.grad(lambda box: box.content**2)(Box(3.0)) == [6.0]
    finally:
        structures._OPENERS.pop(Box)


def test_none_for_a_part_is_no_structure_unless_it_is_zero():
    _, structure = flatten({"a": [1.0, 2.0], "b": 3.0})
    assert structure.matched({"a": None, "b": 1.0}, "it", none_is_zero=True) == [None, None, 1.0]
    with pytest.raises(ArgumentError, match="has no part 0"):
        structure.matched({"a": None, "b": 1.0}, "it")

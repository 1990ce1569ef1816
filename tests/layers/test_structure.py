"""Parameters are found anew after every change of a model's structure, and only then."""

import copy
import pickle

import numpy as np
import pytest

import adjoint as ad
from adjoint import layers as L, models
from adjoint.layers import layer as layer_module


class Free(L.Layer):
    def __init__(self):
        self.table = {"a": ad.Variable(1.0)}
        self.rows = [[ad.Variable(2.0)], (ad.Variable(3.0),)]
        self.inner = L.Linear(2, in_size=3)

    def forward(self, x):
        return x


START = ["table.a", "rows.0.0", "rows.1.0", "inner.w", "inner.b"]


def set_attribute(model):
    model.extra = ad.Variable(0.0)
    return [*START, "extra"]


def delete_attribute(model):
    del model.table
    return START[1:]


def replace_attribute_by_another_kind(model):
    model.table = None
    return START[1:]


def set_attribute_below(model):
    model.inner.extra = ad.Variable(0.0)
    return [*START, "inner.extra"]


def drop_bias_below(model):
    model.inner.b = None
    return START[:-1]


def append_to_a_list(model):
    model.rows.append(ad.Variable(0.0))
    return [*START[:3], "rows.2", *START[3:]]


def append_to_an_inner_list(model):
    model.rows[0].append(L.Linear(1, in_size=1, bias=False))
    return [*START[:2], "rows.0.1.w", *START[2:]]


def empty_a_list(model):
    model.rows.clear()
    return [START[0], *START[3:]]


def add_to_a_dictionary(model):
    model.table["b"] = ad.Variable(0.0)
    return [START[0], "table.b", *START[1:]]


def rename_in_a_dictionary(model):
    model.table["b"] = model.table.pop("a")
    return ["table.b", *START[1:]]


def put_a_container_into_a_dictionary(model):
    model.table["more"] = {"deep": [ad.Variable(0.0)]}
    return [START[0], "table.more.deep.0", *START[1:]]


CHANGES = [
    set_attribute,
    delete_attribute,
    replace_attribute_by_another_kind,
    set_attribute_below,
    drop_bias_below,
    append_to_a_list,
    append_to_an_inner_list,
    empty_a_list,
    add_to_a_dictionary,
    rename_in_a_dictionary,
    put_a_container_into_a_dictionary,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change):
    model = Free()
    assert list(model.params()) == START
    expected = change(model)
    assert list(model.params()) == expected
    assert list(model.params()) == expected


@pytest.mark.parametrize(
    "replace",
    [
        lambda model, p: model.table.update(a=p),
        lambda model, p: model.rows[0].__setitem__(0, p),
        lambda model, p: setattr(model.inner, "w", p),
    ],
    ids=["in a dictionary", "in a list", "in a layer"],
)
def test_another_variable_at_the_same_path_is_seen(replace):
    model, new = Free(), ad.Variable(np.ones((3, 2)))
    old = set(map(id, model.params().values()))
    replace(model, new)
    assert [p for p in model.params().values() if id(p) not in old] == [new] or new in model.params().values()
    model.params()
    new.grad = np.ones((3, 2))
    model.cleargrads()
    assert new.grad is None


def test_items_that_swap_places_are_seen():
    model = Free()
    one, other = model.rows[0][0], ad.Variable(5.0)
    model.rows[0].append(other)
    assert model.params()["rows.0.0"] is one
    model.rows[0].reverse()
    assert model.params()["rows.0.0"] is other


def test_parameters_that_the_first_call_makes_are_seen():
    model = models.LSTM(2, 1)
    assert model.params() == {}
    model(np.ones((1, 3)))
    assert len(model.params()) == 5


def test_the_mapping_is_the_callers():
    model = Free()
    model.params().clear()
    assert list(model.params()) == START


def test_private_state_costs_no_new_search():
    model = models.LSTM(2, 1)
    model(np.ones((1, 3)))
    model.params()
    before = layer_module._structure
    model(np.ones((1, 3)))
    model.reset_state()
    model(np.ones((1, 3)))
    assert layer_module._structure == before


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, copy.copy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_find_their_own(duplicate, change):
    model = Free()
    model.params()
    twin = duplicate(model)
    assert list(twin.params()) == START
    if duplicate is not copy.copy:
        assert not set(map(id, twin.params().values())) & set(map(id, model.params().values()))
        expected = change(twin)
        assert list(twin.params()) == expected
        assert list(model.params()) == START


def test_a_file_of_another_process_brings_no_stale_search(monkeypatch):
    model = Free()
    model.params()
    count = layer_module._structure
    model.extra = ad.Variable(0.0)
    content = pickle.dumps(model)
    # In the process that reads it, the count of changes happens to be that of the last search.
    monkeypatch.setattr(layer_module, "_structure", count)
    assert list(pickle.loads(content).params()) == [*START, "extra"]


def test_a_change_during_the_search_is_seen_by_the_next(monkeypatch):
    model, walk = Free(), layer_module.tree.walk

    def changed_meanwhile(*args):
        found = walk(*args)
        model.extra = ad.Variable(0.0)  # as another thread may
        return found

    monkeypatch.setattr(layer_module.tree, "walk", changed_meanwhile)
    model.params()
    monkeypatch.undo()
    assert list(model.params()) == [*START, "extra"]

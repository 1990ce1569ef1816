"""Walks over attributes, lists and dictionaries."""

import pytest

from adjoint import tree


class Leaf:
    pass


class Branch:
    def __init__(self, **parts):
        vars(self).update(parts)


class Both(Leaf, Branch):
    """A part that is wanted, and holds others."""


def found(root):
    return tree.walk(root, Leaf, Branch).parts


def paths(root):
    return [path for path, _ in found(root)]


def test_paths_are_dotted_and_in_order_of_making():
    root = Branch(b=Leaf(), a=[Leaf(), (Leaf(), {"k": Leaf(), 7: Leaf()})], c=Branch(d=Branch(e=Leaf())))
    assert paths(root) == ["b", "a.0", "a.1.0", "a.1.1.k", "a.1.1.7", "c.d.e"]


@pytest.mark.parametrize("root", [[Leaf(), [Leaf()]], (Leaf(), (Leaf(),)), {"0": Leaf(), 1: [Leaf()]}])
def test_a_container_may_be_the_root(root):
    assert paths(root) == ["0", "1.0"]


def test_the_parts_are_the_objects():
    leaf = Leaf()
    assert found([leaf])[0][1] is leaf


def test_what_stands_at_several_places_is_found_at_the_first():
    leaf, shared = Leaf(), [Leaf()]
    assert paths(Branch(a=leaf, b=[leaf], c=shared, d=shared, e={"x": leaf})) == ["a", "c.0"]


def test_equal_containers_that_are_not_the_same_are_both_looked_into():
    assert paths([[Leaf()], [Leaf()]]) == ["0.0", "1.0"]


def test_circles_end():
    root, rows = Branch(), []
    rows.append(rows)
    root.me, root.rows, root.leaf = root, rows, Leaf()
    assert paths(root) == ["leaf"]


def test_private_attributes_are_left_out_and_keys_are_not():
    assert paths(Branch(_a=Leaf(), __b=[Leaf()], c={"_d": Leaf()})) == ["c._d"]


def test_other_objects_are_not_looked_into():
    class Other:
        def __init__(self):
            self.leaf = Leaf()

    assert paths(Branch(a=Other(), b=3, c="text", d=None, e={Leaf()})) == []


def test_a_part_that_is_wanted_may_hold_others():
    root = Branch(a=Both(inner=Leaf(), deep=Both()))
    assert paths(root) == ["a", "a.inner", "a.deep"]
    assert [path for path, _ in tree.walk(root, Branch, Branch).parts] == ["a", "a.deep"]


def test_subclasses_count():
    class Special(Leaf):
        pass

    assert paths(Branch(a=Special())) == ["a"]


@pytest.mark.parametrize(
    ("root", "change"),
    [
        ([Leaf()], lambda rows: rows.append(Leaf())),
        ([Leaf(), Leaf()], lambda rows: rows.pop()),
        ([Leaf(), Leaf()], lambda rows: rows.reverse()),
        ([Leaf()], lambda rows: rows.__setitem__(0, Leaf())),
        ([3], lambda rows: rows.__setitem__(0, Leaf())),
        ([[Leaf()]], lambda rows: rows[0].append(Leaf())),
        ([([Leaf()],)], lambda rows: rows[0][0].append(Leaf())),
        ({"a": Leaf()}, lambda table: table.update(b=Leaf())),
        ({"a": Leaf()}, lambda table: table.update(a=Leaf())),
        ({"a": Leaf()}, lambda table: table.update(b=table.pop("a"))),
        ({"a": []}, lambda table: table["a"].append(Leaf())),
    ],
)
def test_a_change_of_a_container_is_noticed(root, change):
    before = tree.walk(root, Leaf, Branch)
    assert before.is_current()
    change(root)
    assert not before.is_current()
    assert tree.walk(root, Leaf, Branch).is_current()

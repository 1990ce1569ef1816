"""Einstein sums, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from numpy.testing import assert_allclose

from adjoint import Variable, functions as F
from adjoint.testing import check_grads


@st.composite
def einsums(draw, broadcast=False):
    """Subscripts and the shapes of arrays that fit them: letters may repeat, results may be implicit."""
    length = {letter: draw(st.integers(1, 3)) for letter in "ijkA"}
    spread = draw(st.lists(st.integers(1, 2), max_size=2))
    with_ellipsis = draw(st.booleans())
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        term = draw(st.text("ijkA", max_size=3))
        shape = [length[letter] for letter in term]
        if with_ellipsis and draw(st.booleans()):
            at = draw(st.integers(0, len(term)))
            leading = spread[draw(st.integers(0, len(spread))) :]
            leading = [draw(st.sampled_from([1, n])) for n in leading]
            term, shape = term[:at] + "..." + term[at:], shape[:at] + leading + shape[at:]
        elif broadcast and len(set(term)) == len(term):
            shape = [draw(st.sampled_from([1, n])) for n in shape]
        terms.append(term)
        shapes.append(tuple(shape))
    subscripts = ",".join(terms)
    if draw(st.booleans()):
        letters = sorted(set(subscripts) - set(",."))
        out = "".join(draw(st.permutations(draw(st.lists(st.sampled_from(letters), unique=True)) if letters else [])))
        subscripts += "->" + ("..." if "..." in subscripts else "") + out
    return subscripts, shapes


def assert_is_numpys(subscripts, shapes):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    try:
        expected = np.einsum(subscripts, *arrays)
    except ValueError:
        assume(False)
    assert_allclose(F.einsum(subscripts, *arrays).data, expected, rtol=1e-10, atol=1e-12)
    check_grads(lambda *xs: F.einsum(subscripts, *xs), tuple(arrays), order=1)


@given(einsums())
def test_value_and_gradients_follow_numpys_einsum(example):
    assert_is_numpys(*example)


@given(einsums(broadcast=True))
def test_axes_of_length_1_are_broadcast(example):
    assert_is_numpys(*example)


@pytest.mark.parametrize(("subscripts", "shapes"), [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ji", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->j", [(2, 2, 3)]),
    ("iji,j->i", [(2, 3, 2), (3,)]),
    ("ij->", [(2, 3)]),
    ("i,j,k->kij", [(2,), (3,), (2,)]),
    ("...ij,...jk->...ik", [(2, 1, 2, 3), (4, 3, 2)]),
    ("i...,i...", [(2, 3), (2, 1)]),
    ("ij,ij->i", [(2, 3), (2, 1)]),
    ("ij,ij->ij", [(1, 3), (2, 3)]),
    ("bhqd,bhkd->bhqk", [(1, 2, 2, 3), (1, 2, 4, 3)]),
], ids=str)  # fmt: skip
def test_second_derivatives_agree_with_differences(subscripts, shapes):
    rng = np.random.default_rng(0)
    check_grads(lambda *xs: F.einsum(subscripts, *xs), tuple(rng.standard_normal(shape) for shape in shapes))


def test_spaces_do_not_count():
    assert F.einsum(" i , i -> ", [1.0, 2.0], [3.0, 4.0]).item() == 11.0


@pytest.mark.parametrize("subscripts", [
    "ij",  # one axis too many
    "ij,jk->ik",  # an array is missing
    "ijk->i1",  # no letter
    "ijk->ijl",  # l is nowhere on the left
    "ijk->ii",  # an axis twice
    "...k->k",  # axes of the ellipsis would be lost
    "iik",  # i is 2 and 3 long
    "ij...k...",
    "i.jk",
])  # fmt: skip
def test_subscripts_that_do_not_fit_are_refused(subscripts):
    with pytest.raises(ValueError, match="einsum") as caught:
        F.einsum(subscripts, Variable(np.ones((2, 3, 4))))
    assert "test_einsum.py" in str(caught.value)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"einsum.*\(2, 3\).*\(4, 2\)"):
        F.einsum("ij,jk", Variable(np.ones((2, 3))), np.ones((4, 2)))


def test_subscripts_must_be_a_string():
    with pytest.raises(TypeError, match="string"):
        F.einsum(np.ones(2), np.ones(2))

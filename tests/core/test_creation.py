"""New Variables of a given shape."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, random
from adjoint.errors import ArgumentError, DTypeError

MAKERS = {"zeros": ad.zeros, "ones": ad.ones, "rand": ad.rand, "randn": ad.randn}
FROM_ONE_SHAPE = [*MAKERS.values(), ad.normal]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_shape_is_given_as_numbers_or_as_one_tuple(make):
    assert make(2, 3).shape == make((2, 3)).shape == make([2, 3]).shape == (2, 3)
    assert make().shape == make(()).shape == ()
    assert make(0, 4).shape == (0, 4)
    assert make(np.int64(2)).shape == (2,)


@pytest.mark.parametrize("make", FROM_ONE_SHAPE, ids=lambda f: f.__name__)
def test_results_are_leaves_of_float64(make):
    x = make((2, 3))
    assert x.dtype == np.float64
    assert x.creator is None
    assert isinstance(x.data, np.ndarray)


@pytest.mark.parametrize("make", FROM_ONE_SHAPE, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("shape", "error"), [
    ((2, -1), ArgumentError), ((2.0,), DTypeError), (("2",), DTypeError), ((True,), DTypeError), ((None,), DTypeError),
], ids=str)  # fmt: skip
def test_what_is_no_shape_is_refused(make, shape, error):
    with pytest.raises(error, match="shape"):
        make(shape)


def test_values():
    assert not ad.zeros(3).data.any()
    assert ad.ones(3, dtype=np.float32).data.tolist() == [1.0, 1.0, 1.0]
    assert ad.ones(3, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("x", [Variable(np.full(2, 7, np.float32)), np.full((2, 1), 7.0), [7, 7], 7.0], ids=repr)
def test_likes_take_shape_and_dtype(x):
    pattern = x.data if isinstance(x, Variable) else np.asarray(x)
    for made, value in ((ad.zeros_like(x), 0), (ad.ones_like(x), 1)):
        assert (made.shape, made.dtype) == (pattern.shape, pattern.dtype)
        assert (made.data == value).all()


def test_distributions():
    uniform = ad.rand(10_000, rng=random.const()).data
    assert 0.0 <= uniform.min() < 0.01
    assert 0.99 < uniform.max() < 1.0
    gaussian = ad.randn(10_000, rng=random.const()).data
    assert abs(gaussian.mean()) < 0.05
    assert abs(gaussian.std() - 1.0) < 0.05
    shifted = ad.normal(10_000, 5.0, 0.1, rng=random.const()).data
    assert abs(shifted.mean() - 5.0) < 0.01
    assert abs(shifted.std() - 0.1) < 0.01


def test_normal_without_spread_is_its_mean():
    assert ad.normal(3, 2.0, 0.0).data.tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(ArgumentError, match="-1"):
        ad.normal(3, 0.0, -1.0)


DRAWS = [lambda rng: ad.rand(5, rng=rng), lambda rng: ad.randn(5, rng=rng), lambda rng: ad.normal(5, 1.0, 2.0, rng=rng)]


@pytest.mark.parametrize("draw", DRAWS, ids=["rand", "randn", "normal"])
def test_seeded_draws_repeat_and_others_do_not(draw):
    assert draw(random.source(3)).data.tolist() == draw(random.source(3)).data.tolist()
    assert draw(random.source(3)).data.tolist() != draw(random.source(4)).data.tolist()
    assert draw(None).data.tolist() != draw(None).data.tolist()


@pytest.mark.parametrize("make", [ad.rand, ad.randn, ad.normal], ids=lambda f: f.__name__)
def test_what_is_no_generator_is_refused(make):
    with pytest.raises(DTypeError, match="Generator"):
        make(2, rng=42)

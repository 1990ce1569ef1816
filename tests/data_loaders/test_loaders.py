"""Loaders: what each batch holds, that a pass uses everything, and what is refused at construction."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

import adjoint as ad
from adjoint import data
from adjoint.errors import ArgumentError, DataError, DTypeError


def batches(loader):
    return [(x.tolist(), t.tolist()) for x, t in loader]


class TestDataLoader:
    def test_batches_are_rows_in_order(self):
        x, t = np.arange(10.0).reshape(5, 2), np.arange(5)
        loader = data.DataLoader(x, t, 2)
        assert batches(loader) == [
            ([[0.0, 1.0], [2.0, 3.0]], [0, 1]),
            ([[4.0, 5.0], [6.0, 7.0]], [2, 3]),
            ([[8.0, 9.0]], [4]),
        ]
        assert len(loader) == 3

    def test_drop_last_leaves_a_smaller_batch_out(self):
        loader = data.DataLoader(np.arange(5), np.arange(5), 2, drop_last=True)
        assert len(loader) == 2
        assert [len(x) for x, _ in loader] == [2, 2]

    def test_drop_last_keeps_a_last_batch_of_full_size(self):
        assert len(data.DataLoader(np.arange(4), np.arange(4), 2, drop_last=True)) == 2

    def test_a_batch_size_above_the_length_gives_one_batch(self):
        assert batches(data.DataLoader([1, 2], [3, 4], 5)) == [([1, 2], [3, 4])]

    @given(
        n=st.integers(1, 40),
        size=st.integers(1, 45),
        shuffle=st.booleans(),
        drop_last=st.booleans(),
        seed=st.integers(0),
    )
    def test_length_pairs_and_use_of_every_example(self, n, size, shuffle, drop_last, seed):
        if drop_last and size > n:
            return
        x = np.arange(n)
        loader = data.DataLoader(x, -x, size, shuffle=shuffle, rng=ad.random.source(seed), drop_last=drop_last)
        seen = list(loader)
        assert len(seen) == len(loader)
        assert all((a == -b).all() for a, b in seen)
        used = np.concatenate([a for a, _ in seen])
        assert len(set(used.tolist())) == len(used) == (n // size * size if drop_last else n)

    def test_shuffles_anew_in_each_pass_and_repeats_by_seed(self):
        def passes():
            loader = data.DataLoader(np.arange(50), np.arange(50), 50, shuffle=True, rng=ad.random.const())
            return [next(iter(loader))[0].tolist() for _ in range(2)]

        first, second = passes()
        assert first != second
        assert sorted(first) == sorted(second) == list(range(50))
        assert passes() == [first, second]

    def test_passes_do_not_disturb_one_another(self):
        loader = data.DataLoader(np.arange(4), np.arange(4), 1)
        pairs = [(a.item(), b.item()) for a, _ in loader for b, _ in loader]
        assert pairs == [(a, b) for a in range(4) for b in range(4)]

    @pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "int64", "bool"])
    @pytest.mark.parametrize("shuffle", [False, True])
    def test_dtypes_are_kept_and_batches_are_plain_arrays(self, dtype, shuffle):
        loader = data.DataLoader(np.ones((3, 2), dtype), np.zeros(3, dtype), 2, shuffle=shuffle)
        for x, t in loader:
            assert type(x) is type(t) is np.ndarray
            assert x.dtype == t.dtype == dtype

    def test_inputs_stay_as_they_are(self):
        x, t = np.arange(6.0), np.arange(6)
        list(data.DataLoader(x, t, 4, shuffle=True))
        assert (x == np.arange(6.0)).all()
        assert (t == np.arange(6)).all()

    @pytest.mark.parametrize(
        ("x", "t", "settings", "error", "text"),
        [
            ([1, 2], [1], {}, DataError, "x has 2 elements along its first axis and t 1"),
            ([], [], {}, DataError, "empty"),
            (1.0, [1], {}, DataError, "x is a single number"),
            ([1], 2.0, {}, DataError, "t is a single number"),
            ([1], [1], {"batch_size": 0}, ArgumentError, "at least 1, not 0"),
            ([1], [1], {"batch_size": -3}, ArgumentError, "at least 1, not -3"),
            ([1], [1], {"batch_size": 2.0}, DTypeError, "whole number"),
            ([1], [1], {"batch_size": True}, DTypeError, "whole number"),
            ([1], [1], {"batch_size": "2"}, DTypeError, "whole number"),
            ([1], [1], {"batch_size": 2, "drop_last": True}, ArgumentError, "drop_last leaves nothing of 1 examples"),
            (["a"], [1], {}, DTypeError, "dtype"),
            ([[1], [1, 2]], [1, 2], {}, DTypeError, "rectangular"),
            (ad.Variable([1.0]), [1], {}, DTypeError, "x is a Variable; pass x.data"),
            ([1], ad.Variable([1.0]), {}, DTypeError, "t is a Variable; pass t.data"),
            ([1], [1], {"rng": 7}, DTypeError, "Generator"),
        ],
    )
    def test_refuses(self, x, t, settings, error, text):
        with pytest.raises(error, match=text):
            data.DataLoader(x, t, **{"batch_size": 1, **settings})

    def test_repr(self):
        assert repr(data.DataLoader([1, 2, 3], [1, 2, 3], 2)) == "DataLoader(3 examples, batch_size=2)"


@st.composite
def series_and_rows(draw):
    length = draw(st.integers(1, 80))
    return length, draw(st.integers(1, length))


class TestSequenceLoader:
    @given(series_and_rows())
    def test_each_row_continues_and_everything_is_used(self, sizes):
        length, rows = sizes
        x = np.arange(length)
        loader = data.SequenceLoader(x, x + 1, rows)
        seen = [(a[:, 0], b[:, 0]) for a, b in loader]
        assert len(seen) == len(loader) == -(-length // rows)
        assert all(a.shape == b.shape == (rows,) and (b == a + 1).all() for a, b in seen)
        for (before, _), (after, _) in itertools.pairwise(seen):
            assert (after == before + 1).all()
        assert {i for a, _ in seen for i in a.tolist()} == set(range(length))

    @given(series_and_rows())
    def test_rows_start_evenly_spaced_and_the_last_ends_the_series(self, sizes):
        length, rows = sizes
        x = np.arange(length)
        seen = [a[:, 0] for a, _ in data.SequenceLoader(x, x, rows)]
        assert seen[0][0] == 0
        assert seen[-1][-1] == length - 1
        gaps = np.diff(seen[0])
        assert rows == 1 or gaps.max() - gaps.min() <= 1

    def test_the_defaults_of_the_program(self):
        x = np.arange(999)
        loader = data.SequenceLoader(x, x, 30)
        assert len(loader) == 34

    def test_features_stay_together(self):
        x = np.arange(12.0).reshape(6, 2)
        seen = list(data.SequenceLoader(x, x[:, :1], 2))
        assert [a.tolist() for a, _ in seen] == [[x[i].tolist(), x[i + 3].tolist()] for i in range(3)]
        assert all(b.shape == (2, 1) for _, b in seen)

    def test_goes_over_the_series_again(self):
        loader = data.SequenceLoader([1, 2, 3], [4, 5, 6], 2)
        assert batches(loader) == batches(loader)
        assert len(list(loader)) == 2

    @pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "bool"])
    def test_dtypes_are_kept_and_batches_are_plain_arrays(self, dtype):
        for x, t in data.SequenceLoader(np.ones(5, dtype), np.ones((5, 3), dtype), 2):
            assert type(x) is type(t) is np.ndarray
            assert x.dtype == t.dtype == dtype
            assert (x.shape, t.shape) == ((2, 1), (2, 3))

    def test_batches_are_not_views_of_the_series(self):
        series = np.arange(4.0)
        for x, _ in data.SequenceLoader(series, series, 2):
            x += 1.0
        assert series.tolist() == [0.0, 1.0, 2.0, 3.0]

    @pytest.mark.parametrize(
        ("x", "t", "rows", "error", "text"),
        [
            ([1, 2], [1], 1, DataError, "x has 2 elements along its first axis and t 1"),
            ([], [], 1, DataError, "empty"),
            (1.0, 1.0, 1, DataError, "single number"),
            (np.ones((2, 2, 2)), [1, 2], 1, DataError, r"x has shape \(2, 2, 2\)"),
            ([1, 2], np.ones((2, 2, 2)), 1, DataError, r"t has shape \(2, 2, 2\)"),
            ([1, 2], [1, 2], 3, ArgumentError, "3 rows need a series of at least as many steps, not 2"),
            ([1, 2], [1, 2], 0, ArgumentError, "at least 1, not 0"),
            ([1, 2], [1, 2], 1.5, DTypeError, "whole number"),
            ([1, 2], [1, 2], None, DTypeError, "whole number"),
            (["a"], [1], 1, DTypeError, "dtype"),
            (ad.Variable([1.0]), [1], 1, DTypeError, "Variable"),
        ],
    )
    def test_refuses(self, x, t, rows, error, text):
        with pytest.raises(error, match=text):
            data.SequenceLoader(x, t, rows)

    def test_repr(self):
        assert repr(data.SequenceLoader([1, 2, 3], [1, 2, 3], 2)) == "SequenceLoader(3 steps, batch_size=2)"

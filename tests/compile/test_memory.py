"""The plan of memory: what is needed at the same time never overlaps, and what is not shares its place."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from adjoint.compile.memory import ALIGNMENT, Interval, plan_memory

intervals = st.lists(
    st.builds(
        lambda first, length, size: Interval(first, first + length, size),
        st.integers(0, 12),
        st.integers(0, 8),
        st.one_of(st.integers(0, 200), st.integers(0, 100_000)),
    ),
    max_size=30,
)


def are_live_together(a, b):
    return a.first <= b.last and b.first <= a.last


@given(intervals, st.sampled_from([0, 64, 128]))
def test_what_is_needed_at_the_same_time_does_not_overlap(needed, reserved):
    offsets, _ = plan_memory(needed, reserved)
    for i, a in enumerate(needed):
        for j, b in enumerate(needed[:i]):
            if are_live_together(a, b):
                assert offsets[i] + max(a.size, 1) <= offsets[j] or offsets[j] + max(b.size, 1) <= offsets[i]


@given(intervals, st.sampled_from([0, 64, 128]))
def test_everything_lies_in_the_block_after_what_is_reserved(needed, reserved):
    offsets, size = plan_memory(needed, reserved)
    assert len(offsets) == len(needed)
    for offset, interval in zip(offsets, needed, strict=True):
        assert reserved <= offset <= offset + interval.size <= size


@given(intervals)
def test_every_place_is_aligned(needed):
    offsets, size = plan_memory(needed)
    assert all(offset % ALIGNMENT == 0 for offset in [*offsets, size])


@given(intervals)
def test_the_block_is_no_larger_than_all_together(needed):
    _, size = plan_memory(needed)
    # large arrays are kept apart by up to 16 lines more
    places = [-(-max(one.size, 1) // ALIGNMENT) * ALIGNMENT + (one.size > 16_000) * 16 * ALIGNMENT for one in needed]
    assert size <= ALIGNMENT + sum(places)


@given(intervals)
def test_the_plan_is_the_same_every_time(needed):
    assert plan_memory(needed) == plan_memory(list(needed))


def test_nothing_takes_only_what_is_reserved():
    assert plan_memory([]) == ([], ALIGNMENT)


def test_what_ends_makes_room():
    chain = [Interval(i, i + 1, 1000) for i in range(10)]
    _, size = plan_memory(chain)
    assert size == ALIGNMENT + 2 * 1024


def test_an_interval_that_ends_as_another_begins_is_still_needed():
    offsets, _ = plan_memory([Interval(0, 3, 64), Interval(3, 4, 64)])
    assert offsets[0] != offsets[1]


def test_neighbouring_gaps_are_one():
    offsets, size = plan_memory([Interval(0, 0, 64), Interval(0, 0, 64), Interval(1, 1, 128)])
    assert offsets[2] == ALIGNMENT
    assert size == ALIGNMENT + 128


def test_the_smallest_gap_that_is_large_enough_is_taken():
    needed = [
        Interval(0, 0, 640),
        Interval(0, 9, 256),
        Interval(0, 0, 128),
        Interval(0, 9, 64),
        Interval(1, 9, 128),
    ]
    offsets, _ = plan_memory(needed)
    assert offsets[4] == offsets[2]


def test_the_block_grows_by_what_the_last_gap_lacks():
    offsets, size = plan_memory([Interval(0, 0, 64), Interval(1, 1, 640)])
    assert offsets == [ALIGNMENT, ALIGNMENT]
    assert size == ALIGNMENT + 640


def test_thousands_of_intervals_are_planned():
    count = 2000
    rng = np.random.default_rng(0)
    first = rng.integers(0, count, count)
    lengths, sizes = rng.integers(0, 5, count), rng.integers(1, 9999, count)
    needed = [Interval(int(i), int(i + n), int(s)) for i, n, s in zip(first, lengths, sizes, strict=True)]
    _, size = plan_memory(needed)
    assert size < sum(one.size for one in needed) / 20

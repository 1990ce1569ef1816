"""One block of memory for all intermediate values of a program: what is not needed at once shares its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

__all__ = ["Interval", "plan_memory"]

ALIGNMENT = 64
_LARGE = 16_384


@dataclass(frozen=True)
class Interval:
    """Memory that is needed from the kernel `first` to the kernel `last`."""

    first: int
    last: int
    size: int  # bytes


def plan_memory(intervals: Sequence[Interval], reserved: int = ALIGNMENT) -> tuple[list[int], int]:
    """The offset of each interval, and the size of the block; the first `reserved` bytes stay free.

    Intervals are placed as they begin, each in the smallest gap that holds it.
    """
    offsets = [0] * len(intervals)
    gaps: list[tuple[int, int]] = []  # begin, end; in order
    top = reserved
    ending: list[tuple[int, int, int]] = []  # a heap of last, begin, end
    for number in sorted(range(len(intervals)), key=lambda i: (intervals[i].first, -intervals[i].size)):
        interval = intervals[number]
        size = -(-max(interval.size, 1) // ALIGNMENT) * ALIGNMENT
        if size >= _LARGE:  # sizes of powers of two would put all arrays at the same places of the caches
            size += ALIGNMENT * (5 * number % 16 + 1)
        freed = False
        while ending and ending[0][0] < interval.first:
            _, begin, end = heappop(ending)
            gaps.append((begin, end))
            freed = True
        if freed:
            gaps = _merged(gaps)
        fitting = [gap for gap in gaps if gap[1] - gap[0] >= size]
        if fitting:
            gap = min(fitting, key=lambda g: (g[1] - g[0], g[0]))
            gaps.remove(gap)
            if gap[1] - gap[0] > size:
                gaps.append((gap[0] + size, gap[1]))
            offset = gap[0]
        elif gaps and max(gaps)[1] == top:  # the block grows by what the last gap lacks
            gap = max(gaps)
            gaps.remove(gap)
            offset, top = gap[0], gap[0] + size
        else:
            offset, top = top, top + size
        offsets[number] = offset
        heappush(ending, (interval.last, offset, offset + size))
    return offsets, top


def _merged(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(gaps):
        if merged and merged[-1][1] == begin:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return merged

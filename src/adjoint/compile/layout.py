"""Where values lie: an array of a program is a block of memory, and views of it are offsets and strides in elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adjoint.program import Instruction

__all__ = ["Layout", "contiguous_strides", "reshaped_strides", "view"]


@dataclass(frozen=True)
class Layout:
    """A place in the memory of `root`, the instruction that fills it.

    offset, strides: in elements
    """

    root: Instruction
    offset: int
    strides: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie one after the other, in row-major order."""
        expected = 1
        if 0 in self.shape:
            return True
        for length, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if length != 1 and stride != expected:
                return False
            expected *= length
        return True


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a row-major array."""
    strides = []
    step = 1
    for length in reversed(shape):
        strides.append(step)
        step *= max(length, 1)
    return tuple(reversed(strides))


def view(op: str, params: tuple[Any, ...], source: Layout, shape: tuple[int, ...]) -> Layout | None:
    """The layout of a view, or None where the elements have to be copied."""
    if op == "permute":
        return Layout(source.root, source.offset, tuple(source.strides[axis] for axis in params[0]), shape)
    if op == "broadcast":
        extra = len(shape) - len(source.shape)
        strides = (0,) * extra + tuple(
            0 if n == 1 and m != 1 else s for n, s, m in zip(source.shape, source.strides, shape[extra:], strict=True)
        )
        return Layout(source.root, source.offset, strides, shape)
    if op == "slice":
        ranges = params[0]
        offset = source.offset + sum(start * s for (start, _, _), s in zip(ranges, source.strides, strict=True))
        strides = tuple(step * s for (_, _, step), s in zip(ranges, source.strides, strict=True))
        return Layout(source.root, offset, strides, shape)
    assert op == "reshape"
    new = reshaped_strides(source.shape, source.strides, shape)
    return None if new is None else Layout(source.root, source.offset, new, shape)


def reshaped_strides(
    shape: tuple[int, ...], strides: tuple[int, ...], target: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The strides of the same elements in another shape; None where no strides say that."""
    if 0 in shape or 0 in target:
        return contiguous_strides(target)
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    result = [0] * len(target)
    place = 0
    axis = 0
    while axis < len(target):
        if target[axis] == 1:
            result[axis] = 1
            axis += 1
            continue
        if place >= len(old):
            return None
        # Match a run of old axes with a run of new ones of as many elements.
        have, last = old[place][0], place + 1
        want, end = target[axis], axis + 1
        while have != want:
            if have < want:
                if last >= len(old) or old[last - 1][1] != old[last][0] * old[last][1]:
                    return None
                have *= old[last][0]
                last += 1
            else:
                if end >= len(target):
                    return None
                want *= target[end]
                end += 1
        step = old[last - 1][1]
        for i in range(end - 1, axis - 1, -1):
            result[i] = step
            step *= target[i]
        place, axis = last, end
    return tuple(result)

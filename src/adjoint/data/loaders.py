"""Loaders: ``for x, t in loader`` gives inputs and targets in batches, as often as it is asked to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from adjoint import random
from adjoint.arrays import as_array
from adjoint.checks import check_size
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DataError, DTypeError

__all__ = ["DataLoader", "SequenceLoader"]


class DataLoader:
    """Batches of examples: rows i · batch_size … (i + 1) · batch_size − 1, in order or shuffled.

    Args:
        x: inputs, (N, ...); arrays or nested lists. The dtype is kept.
        t: targets, (N, ...).
        batch_size: the number of examples in a batch, from 1. The last batch has those that are left.
        shuffle: whether each pass draws an order of its own.
        rng: the `numpy.random.Generator` to draw it from; None for fresh entropy.
        drop_last: leaves a last batch out that is smaller than the others.

    Unshuffled batches are views of `x` and `t`.

    Raises:
        DataError: for lengths that differ, and without an example.
        ArgumentError: for a batch size below 1, or one that with `drop_last` leaves no batch.
        DTypeError: for what is not an array of numbers, a batch size that is not a whole number, and an `rng` that is
            no generator.

    >>> loader = DataLoader([[1.0], [2.0], [3.0]], [0, 1, 0], batch_size=2)
    >>> len(loader)
    2
    >>> for x, t in loader:
    ...     print(x.tolist(), t.tolist())
    [[1.0], [2.0]] [0, 1]
    [[3.0]] [0]
    """

    def __init__(
        self, x: Any, t: Any, batch_size: int, shuffle: bool = False, rng: Any = None, drop_last: bool = False
    ) -> None:
        self._x, self._t = _pair("DataLoader", x, t)
        self._batch_size = check_size("batch_size", batch_size)
        self._shuffle = bool(shuffle)
        self._rng = random.generator(rng)
        self._drop_last = bool(drop_last)
        if len(self) == 0:
            raise ArgumentError(
                f"DataLoader: drop_last leaves nothing of {len(self._x)} examples in batches of {self._batch_size}"
            )

    def __len__(self) -> int:
        whole, rest = divmod(len(self._x), self._batch_size)
        return whole + (rest > 0 and not self._drop_last)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        order = self._rng.permutation(len(self._x)) if self._shuffle else None
        for i in range(len(self)):
            rows: Any = slice(i * self._batch_size, (i + 1) * self._batch_size)
            if order is not None:
                rows = order[rows]
            yield self._x[rows], self._t[rows]

    def __repr__(self) -> str:
        return f"DataLoader({len(self._x)} examples, batch_size={self._batch_size})"


class SequenceLoader:
    """A series cut into `batch_size` rows that are read side by side, one time step a batch.

    Row j of batch i + 1 continues row j of batch i, as truncated backpropagation through time needs it, and a pass
    uses every element. There are L = ⌈T / batch_size⌉ batches; row j starts at ⌊j (T − L) / (batch_size − 1)⌋, so the
    starts are evenly spaced, the last row ends with the series, and neighbours may share a few elements.

    Args:
        x: inputs over time, (T,) or (T, F); arrays or lists. The dtype is kept.
        t: targets over time, (T,) or (T, F).
        batch_size: the number of rows, from 1 to T.

    Batches are (batch_size, F), of a series (T,) they are (batch_size, 1).

    Raises:
        DataError: for lengths that differ, without an element, and for arrays of more axes than two.
        ArgumentError: for a batch size below 1 or above T.
        DTypeError: for what is not an array of numbers, and a batch size that is not a whole number.

    >>> loader = SequenceLoader([0, 1, 2, 3, 4], [1, 2, 3, 4, 5], batch_size=2)
    >>> for x, t in loader:
    ...     print(x.ravel().tolist(), t.ravel().tolist())
    [0, 2] [1, 3]
    [1, 3] [2, 4]
    [2, 4] [3, 5]
    """

    def __init__(self, x: Any, t: Any, batch_size: int) -> None:
        x, t = _pair("SequenceLoader", x, t)
        self._x, self._t = _over_time("x", x), _over_time("t", t)
        rows = check_size("batch_size", batch_size)
        if rows > len(x):
            raise ArgumentError(f"SequenceLoader: {rows} rows need a series of at least as many steps, not {len(x)}")
        self._length = -(-len(x) // rows)
        self._starts = np.arange(rows) * (len(x) - self._length) // max(rows - 1, 1)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for i in range(self._length):
            here = self._starts + i
            yield self._x[here], self._t[here]

    def __repr__(self) -> str:
        return f"SequenceLoader({len(self._x)} steps, batch_size={len(self._starts)})"


def _pair(what: str, x: Any, t: Any) -> tuple[Any, Any]:
    """Inputs and targets as arrays of one length, which is not 0."""
    x, t = _array(what, "x", x), _array(what, "t", t)
    if len(x) != len(t):
        raise DataError(f"{what}: x has {len(x)} elements along its first axis and t {len(t)}; each x needs its t")
    if len(x) == 0:
        raise DataError(f"{what}: x and t are empty")
    return x, t


def _array(what: str, name: str, value: Any) -> Any:
    if isinstance(value, Variable):
        raise DTypeError(f"{what} takes arrays, and {name} is a Variable; pass {name}.data")
    array = as_array(value)
    if len(array.shape) == 0:
        raise DataError(f"{what}: {name} is a single number; it needs an axis of examples")
    return array


def _over_time(name: str, array: Any) -> Any:
    """A series as (T, F)."""
    if len(array.shape) > 2:
        raise DataError(f"SequenceLoader takes series (T,) or (T, F), and {name} has shape {tuple(array.shape)}")
    return array if len(array.shape) == 2 else array.reshape(-1, 1)

"""Arrays that are looked at: whether all their elements are finite, and what they are like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Operand", "arrays_in", "bad_elements", "described", "first_bad", "held_in", "is_traced"]


@dataclass(frozen=True)
class Operand:
    """What one of the arrays of an operation is like.

    name: such as "operand 0" or "result"
    note: what it is, or None
    minimum, maximum: of its finite elements, of complex ones the magnitude; None where there are none
    nan, infinite, zeros: how many elements are that
    index, value: the first element that is not finite; for operands of an elementwise op, what was there
    """

    name: str
    note: str | None
    dtype: str
    shape: tuple[int, ...]
    minimum: float | None
    maximum: float | None
    nan: int
    infinite: int
    zeros: int
    index: tuple[int, ...] | None = None
    value: Any = None

    def __str__(self) -> str:
        who = f"{self.name} ({self.note})" if self.note else self.name
        parts = [f"{who}: {self.dtype} {self.shape}"]
        if self.minimum is not None:
            sign = "|x| " if self.dtype.startswith("complex") else ""
            parts.append(f"{sign}from {self.minimum:.6g} to {self.maximum:.6g}")
        counts = ((self.nan, "NaN"), (self.infinite, "infinite"), (self.zeros, "zero"))
        parts += [f"{count} {what}" for count, what in counts if count]
        if self.index is not None:
            parts.append(f"{self.value} at {self.index}" if self.index else f"it is {self.value}")
        return ", ".join(parts)


def arrays_in(value: Any) -> Iterator[tuple[str | None, Any]]:
    """The arrays, or tracers, that a lifted array holds, with what each is; any other array itself."""
    if hasattr(value, "instruction") or not hasattr(value, "level"):
        yield None, value
    elif hasattr(value, "coefficients"):
        for power, coefficient in enumerate(value.coefficients):
            if coefficient is not None:
                what = "the value" if power == 0 else f"the coefficient of power {power}"
                yield from ((_both(what, note), array) for note, array in arrays_in(coefficient))
    else:
        yield from ((_both("for all examples", note), array) for note, array in arrays_in(value.value))


def _both(what: str, note: str | None) -> str:
    return what if note is None else f"{what}, {note}"


def held_in(value: Any) -> list[tuple[str | None, Any]]:
    """As `arrays_in`, with the instruction in place of a tracer, which must not be kept."""
    return [(note, getattr(array, "instruction", array)) for note, array in arrays_in(value)]


def is_traced(value: Any) -> bool:
    """Whether an array holds tracers."""
    return any(hasattr(array, "instruction") for _, array in arrays_in(value))


def bad_elements(array: Any, *, infinity: bool) -> Any:
    """Where an array holds NaN, or with `infinity` an infinity; None where its dtype has neither."""
    if getattr(getattr(array, "dtype", None), "kind", "") not in "fc" or hasattr(array, "instruction"):
        return None
    return ~np.isfinite(array) if infinity else np.isnan(array)


def first_bad(value: Any, *, infinity: bool) -> tuple[str | None, Any] | None:
    """The first array in a value with such an element, with what it is."""
    for note, array in arrays_in(value):
        found = bad_elements(array, infinity=infinity)
        if found is not None and found.any():
            return note, array
    return None


def described(name: str, note: str | None, array: Any, index: Sequence[int] | None = None) -> Operand:
    """What an array is like; `index` is that of the element to show."""
    values = _on_host(array)
    if values.dtype.kind not in "fciub":
        return Operand(name, note, str(values.dtype), values.shape, None, None, 0, 0, 0)
    finite = values[np.isfinite(values)]
    sizes = np.abs(finite) if values.dtype.kind == "c" else finite
    return Operand(
        name,
        note,
        str(values.dtype),
        values.shape,
        float(sizes.min()) if sizes.size else None,
        float(sizes.max()) if sizes.size else None,
        int(np.isnan(values).sum()),
        int(np.isinf(values).sum()),
        int((values == 0).sum()),
        None if index is None else tuple(map(int, index)),
        None if index is None else values[tuple(index)].item(),
    )


def _on_host(array: Any) -> Any:
    """An array of NumPy's with the same elements."""
    return np.asarray(array.get() if hasattr(array, "get") else array)

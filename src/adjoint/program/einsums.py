"""Einstein sums of tracers: each pair of operands as one matrix product of permuted, reshaped arrays."""

from __future__ import annotations

import math
from typing import Any

from adjoint.program.arithmetic import result_dtype
from adjoint.program.elementwise import ones, where
from adjoint.program.products import matmul
from adjoint.program.reductions import cumulative_sum
from adjoint.program.shapes import broadcast_to, permute_dims, reshape
from adjoint.program.trace import trace_of

__all__ = ["einsum"]


def einsum(subscripts: str, *operands: Any) -> Any:
    """The sum that `subscripts` says, "ab,bc->ac": explicit, one letter an axis."""
    trace = trace_of(*operands)
    dtype = result_dtype(*operands)
    return _sum_of_products(subscripts, [trace.wrap(trace.read(x, dtype)) for x in operands])


def _sum_of_products(subscripts: str, operands: list[Any]) -> Any:
    left, result = subscripts.split("->")
    terms = left.split(",")
    if len(terms) != len(operands) or any(len(term) != len(x.shape) for term, x in zip(terms, operands, strict=True)):
        raise ValueError(f"einsum {subscripts!r} for {len(operands)} operands")
    singles = [_diagonals(term, x) for term, x in zip(terms, operands, strict=True)]
    term, x = singles[0]
    for i, (other_term, other) in enumerate(singles[1:], 1):
        needed = set(result).union(*(rest for rest, _ in singles[i + 1 :]))
        term, x = _product(term, x, other_term, other, needed)
    dropped = tuple(i for i, letter in enumerate(term) if letter not in result)
    if dropped:
        x = x.sum(axis=dropped)
        term = "".join(letter for letter in term if letter in result)
    return _ordered(term, x, result)


def _diagonals(term: str, x: Any) -> tuple[str, Any]:
    """The term and array with each letter once: x[i, i] instead of x."""
    while len(set(term)) < len(term):
        letter = next(letter for letter in term if term.count(letter) > 1)
        first = term.index(letter)
        second = term.index(letter, first + 1)
        length = x.shape[first]
        if x.shape[second] != length:
            raise ValueError(f"einsum: the letter {letter!r} has lengths {length} and {x.shape[second]}")
        numbers = cumulative_sum(ones(length, dtype=int), axis=0) - 1
        rows = reshape(numbers, tuple(-1 if i == first else 1 for i in range(len(term))))
        columns = reshape(numbers, tuple(-1 if i == second else 1 for i in range(len(term))))
        x = where(rows == columns, x, 0).sum(axis=second)
        term = term[:second] + term[second + 1 :]
    return term, x


def _product(term: str, x: Any, other_term: str, other: Any, needed: set[str]) -> tuple[str, Any]:
    """The product of two operands, summed over the letters that nothing needs any more."""
    term, x = _without(term, x, needed | set(other_term))
    other_term, other = _without(other_term, other, needed | set(term))
    common = [letter for letter in term if letter in other_term]
    stack = "".join(letter for letter in common if letter in needed)
    summed = "".join(letter for letter in common if letter not in needed)
    rows = "".join(letter for letter in term if letter not in other_term)
    columns = "".join(letter for letter in other_term if letter not in term)
    if any(
        x.shape[term.index(c)] != other.shape[other_term.index(c)]
        and 1 not in (x.shape[term.index(c)], other.shape[other_term.index(c)])
        for c in common
    ):
        raise ValueError("einsum: a letter has two lengths")
    sizes: dict[str, int] = {}
    for t, array in ((term, x), (other_term, other)):
        for letter, n in zip(t, array.shape, strict=True):
            sizes[letter] = n if sizes.get(letter, 1) == 1 else sizes[letter]
    x = broadcast_to(x, tuple(sizes[c] for c in term))
    other = broadcast_to(other, tuple(sizes[c] for c in other_term))
    length = {part: math.prod(sizes[letter] for letter in part) for part in (stack, summed, rows, columns)}
    a = reshape(_ordered(term, x, stack + rows + summed), (length[stack], length[rows], length[summed]))
    b = reshape(_ordered(other_term, other, stack + summed + columns), (length[stack], length[summed], length[columns]))
    letters = stack + rows + columns
    return letters, reshape(matmul(a, b), tuple(sizes[c] for c in letters))


def _without(term: str, x: Any, needed: set[str]) -> tuple[str, Any]:
    """The array summed over the letters that stand nowhere else."""
    axes = tuple(i for i, letter in enumerate(term) if letter not in needed)
    if not axes:
        return term, x
    return "".join(letter for letter in term if letter in needed), x.sum(axis=axes)


def _ordered(term: str, x: Any, wanted: str) -> Any:
    """The array with its axes in the order of `wanted`."""
    return x if term == wanted else permute_dims(x, tuple(term.index(letter) for letter in wanted))

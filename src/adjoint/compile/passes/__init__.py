"""The passes: each makes a program that computes the same of another. Their order, with its reasons."""

from __future__ import annotations

from collections.abc import Callable

from adjoint.compile.passes.products import accumulate_products, copy_shared_operands, join_chains, thin_products
from adjoint.compile.passes.simplifying import simplify
from adjoint.compile.passes.slicing import move_joins, move_slices
from adjoint.program import Program
from adjoint.program.verifying import verify

__all__ = ["PASSES", "optimized"]

PASSES: tuple[Callable[[Program], Program], ...] = (
    simplify,
    thin_products,  # makes elementwise work, which the next passes move
    join_chains,  # while the terms of sums are as they were written
    move_joins,  # before slices: what is joined and used in parts is then not needed as a whole
    move_slices,
    accumulate_products,  # once no pass makes products any more
    copy_shared_operands,
)


def optimized(program: Program) -> Program:
    """The program after all passes; it is verified then, in the tests after each."""
    for one in PASSES:
        program = one(program)
    verify(program)
    return program

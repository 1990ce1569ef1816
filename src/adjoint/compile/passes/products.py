"""Matrix products that are better done otherwise, and products that are added up in place."""

from __future__ import annotations

from typing import Any

from adjoint.compile.passes.rewriting import Builder, Rule, is_elementwise, rewrite, users
from adjoint.compile.passes.simplifying import RULES
from adjoint.program import Instruction, Program

__all__ = ["accumulate_products", "copy_shared_operands", "thin_products"]

Inputs = tuple[Instruction, ...]


def thin_products(program: Program) -> Program:
    """Products with a side of length 1 become elementwise products and sums, which are fused with what is around."""
    return rewrite(program, {**RULES, "matmul": [_outer, _by_rows, _by_columns]})


def _turned(builder: Builder, x: Instruction) -> Instruction:
    ndim = len(x.shape)
    return builder.make("permute", x, params=((*range(ndim - 2), ndim - 1, ndim - 2),))


def _is_turned(x: Instruction) -> bool:
    ndim = len(x.shape)
    return x.op == "permute" and x.params[0][-2:] == (ndim - 1, ndim - 2)


def _outer(builder: Builder, new: Instruction) -> Instruction | None:
    """(M, 1) · (1, N): all pairs"""
    return builder.make("mul", *new.inputs) if new.inputs[0].shape[-1] == 1 else None


def _by_rows(builder: Builder, new: Instruction) -> Instruction | None:
    """(M, K) · (K, 1): a sum for each row"""
    a, b = new.inputs
    if new.shape[-1] != 1 or a.shape[-1] == 0:
        return None
    last = len(new.shape) - 1
    if _is_turned(a) and new.shape[-2] > 1:  # a lies by columns: add multiples of them up
        products = builder.make("mul", _turned(builder, a), b)  # (K, M) · (K, 1)
        return builder.reshape(builder.make("sum", products, params=((last - 1,),)), new.shape)
    products = builder.make("mul", a, _turned(builder, b))  # (M, K) · (1, K)
    return builder.reshape(builder.make("sum", products, params=((last,),)), new.shape)


def _by_columns(builder: Builder, new: Instruction) -> Instruction | None:
    """(1, K) · (K, N): multiples of rows added up"""
    a, b = new.inputs
    if new.shape[-2] != 1 or a.shape[-1] == 0:
        return None
    last = len(new.shape) - 1
    if _is_turned(b):
        products = builder.make("mul", a, _turned(builder, b))  # (1, K) · (N, K)
        return builder.reshape(builder.make("sum", products, params=((last,),)), new.shape)
    products = builder.make("mul", _turned(builder, a), b)  # (K, 1) · (K, N)
    return builder.reshape(builder.make("sum", products, params=((last - 1,),)), new.shape)


def accumulate_products(program: Program) -> Program:
    """a + x·y, where nothing else reads a and the product, is done in the memory of a."""
    instructions = program.instructions()
    readers = users(instructions)
    kept = {*program.outputs, *program.keep}

    def is_free(x: Instruction) -> bool:
        return len(readers.get(x, ())) == 1 and x not in kept

    new: dict[Instruction, Instruction] = {x: x for x in program.inputs}
    builder = Builder({})
    for instruction in instructions:
        inputs = [new[read] for read in instruction.inputs]
        made = None
        if instruction.op == "add":
            for total, product in (instruction.inputs, instruction.inputs[::-1]):
                if (
                    product.op == "matmul"
                    and is_free(product)
                    and is_free(total)
                    and total.shape == product.shape
                    and new[total].op in ("matmul", "matmul_add")
                    and total is not product
                ):
                    made = builder.make("matmul_add", new[total], *(new[read] for read in product.inputs))
                    break
        new[instruction] = made or builder.make(instruction.op, *inputs, params=instruction.params)
    return program.with_results([new[x] for x in program.outputs], [new[x] for x in program.keep])


def copy_shared_operands(program: Program) -> Program:
    """A transposed right operand that several products read is laid out for them once."""
    instructions = program.instructions()
    shared: dict[Instruction, set[Instruction]] = {}
    for instruction in instructions:
        if instruction.op in ("matmul", "matmul_add") and _is_turned(instruction.inputs[-1]):
            shared.setdefault(instruction.inputs[-1], set()).add(instruction)
    wanted = {x for x, products in shared.items() if len(products) > 1 and not is_elementwise(x.inputs[0])}
    if not wanted:
        return program
    builder = Builder({})
    new: dict[Instruction, Instruction] = {x: x for x in program.inputs}
    copies: dict[Instruction, Instruction] = {}
    for instruction in instructions:
        inputs = [new[read] for read in instruction.inputs]
        if instruction.op in ("matmul", "matmul_add") and instruction.inputs[-1] in wanted:
            turned = instruction.inputs[-1]
            if turned not in copies:
                copies[turned] = builder.make("copy", new[turned])
            inputs[-1] = copies[turned]
        new[instruction] = builder.make(instruction.op, *inputs, params=instruction.params)
    return program.with_results([new[x] for x in program.outputs], [new[x] for x in program.keep])


__all__ += ["Rule"]

"""Matrix products that are better done otherwise, and products that are added up in place."""

from __future__ import annotations

from typing import Any

from adjoint.compile.passes.rewriting import Builder, New, is_elementwise, rewrite, users
from adjoint.compile.passes.simplifying import RULES
from adjoint.program import Instruction, Program

__all__ = ["accumulate_products", "copy_shared_operands", "join_chains", "thin_products"]


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


_FEWEST_TERMS = 4
_MOST_ROWS = 512  # of a term: longer ones fill the machine by themselves


def join_chains(program: Program) -> Program:
    """Σ xₜᵀ gₜ over the steps of an unrolled recurrence becomes one product of all xₜ and all gₜ, one below another.

    The weight is then read and written once, not once a step. Sums of rows of gₜ (a bias's gradient), and of rows of
    gₜ times a column, go along.
    """
    instructions = program.instructions()
    readers = users(instructions)
    results = {*program.outputs, *program.keep}

    def terms(x: Instruction) -> list[Instruction]:
        """The terms of a sum, in their order; what others read as well is a term."""
        found = []
        stack = [x]
        while stack:
            y = stack.pop()
            if y.op == "add" and (y is x or (len(readers[y]) == 1 and y not in results)) and y.shape == x.shape:
                stack += y.inputs[::-1]
            else:
                found.append(y)
        return found

    inner = {y for x in instructions if x.op == "add" for y in x.inputs if y.op == "add"}

    def replace(builder: Builder, x: Instruction, new: New) -> Instruction | None:
        if x.op == "add" and (x not in inner or x in results or len(readers.get(x, ())) != 1):
            return _joined(builder, [new[term] for term in terms(x)], x)
        return None

    return rewrite(program, RULES, replace)


def _joined(builder: Builder, terms: list[Instruction], x: Instruction) -> Instruction | None:
    """The sum of terms, with those that are alike joined; None where there are few."""
    groups: dict[Any, list[Instruction]] = {}
    for term in terms:
        groups.setdefault(_likeness(term), []).append(term)
    if not any(key is not None and len(group) >= _FEWEST_TERMS for key, group in groups.items()):
        return None
    total: Instruction | None = None
    for key, group in groups.items():
        joined = [_join(builder, key, group)] if key is not None and len(group) >= _FEWEST_TERMS else group
        for term in joined:
            total = term if total is None else builder.make("add", total, term)
    assert total is not None
    assert total.shape == x.shape
    return total


def _likeness(term: Instruction) -> Any:
    """What terms that can be joined have in common; None for others."""
    if term.op == "matmul" and len(term.shape) == 2:
        a, b = term.inputs
        if a.op == "permute" and a.inputs[0].shape[0] == b.shape[0] <= _MOST_ROWS:
            return ("matmul", a.shape[0], b.shape[1])
    if term.op == "sum" and term.params == ((0,),) and len(term.inputs[0].shape) == 2:
        (x,) = term.inputs
        if x.shape[0] <= _MOST_ROWS and x.op == "concat":
            return ("sum", x.shape[1])
        if (
            x.shape[0] <= _MOST_ROWS
            and x.op == "mul"
            and any(y.op == "concat" and y.shape == x.shape for y in x.inputs)
        ):
            shapes = tuple(y.shape[1] if len(y.shape) == 2 and y.shape[0] == x.shape[0] else 0 for y in x.inputs)
            return ("mul", shapes) if 0 not in shapes else None
    return None


def _join(builder: Builder, key: Any, group: list[Instruction]) -> Instruction:
    if key[0] == "matmul":
        a = builder.make("concat", *(term.inputs[0].inputs[0] for term in group), params=(0,))
        b = builder.make("concat", *(term.inputs[1] for term in group), params=(0,))
        return builder.make("matmul", _turned(builder, a), b)
    if key[0] == "sum":
        return builder.make("sum", builder.make("concat", *(t.inputs[0] for t in group), params=(0,)), params=((0,),))
    factors = zip(*(term.inputs[0].inputs for term in group), strict=True)
    product = builder.make("mul", *(builder.make("concat", *parts, params=(0,)) for parts in factors))
    return builder.make("sum", product, params=((0,),))


def accumulate_products(program: Program) -> Program:
    """a + x·y, where nothing else reads a and the product, is done in the memory of a."""
    instructions = program.instructions()
    readers = users(instructions)
    kept = {*program.outputs, *program.keep}

    def is_free(x: Instruction) -> bool:
        return len(readers.get(x, ())) == 1 and x not in kept

    def replace(builder: Builder, x: Instruction, new: New) -> Instruction | None:
        for total, product in (x.inputs, x.inputs[::-1]) if x.op == "add" else ():
            if (
                product.op == "matmul"
                and is_free(product)
                and is_free(total)
                and total.shape == product.shape
                and new[total].op in ("matmul", "matmul_add")
                and total is not product
            ):
                return builder.make("matmul_add", new[total], *(new[read] for read in product.inputs))
        return None

    return rewrite(program, {}, replace)


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

    def replace(builder: Builder, x: Instruction, new: New) -> Instruction | None:
        if x.op not in ("matmul", "matmul_add") or x.inputs[-1] not in wanted:
            return None
        *others, turned = (new[read] for read in x.inputs)
        return builder.make(x.op, *others, builder.make("copy", turned), params=x.params)

    return rewrite(program, {}, replace)

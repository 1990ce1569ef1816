"""Elementwise operations of programs on vectors of every dtype, as instructions of a function.

Booleans are i1 in vectors, bytes in memory. Integers are signed or not by their dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compile.codegen.mathematics import FUNCTIONS
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["constant_text", "emit", "is_supported", "memory_scalar", "vector_scalar"]

_FLOATS = {"float32": "float", "float64": "double"}
_ORDERED = {"eq": "oeq", "ne": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge"}
_ARITHMETIC = {"add": "add", "sub": "sub", "mul": "mul", "div": "div"}
_BITWISE = {"and": "and", "or": "or", "xor": "xor"}
_ANY_FLOAT = {*FUNCTIONS, *_ARITHMETIC, *_ORDERED, "maximum", "minimum", "isnan", "isfinite", "where", "cast", "copy"}
_ANY_INTEGER = {"add", "sub", "mul", "neg", "abs", "sign", *_ORDERED, *_BITWISE, "invert", "maximum", "minimum"}
_ANY_INTEGER |= {"where", "cast", "copy"}
_ANY_BOOLEAN = {"and", "or", "xor", "invert", "eq", "ne", "add", "mul", "maximum", "minimum", "where", "cast", "copy"}


def vector_scalar(dtype: Any) -> str:
    """The scalar type in vectors."""
    if dtype.kind == "b":
        return "i1"
    return _FLOATS.get(dtype.name) or f"i{8 * dtype.itemsize}"


def memory_scalar(dtype: Any) -> str:
    """The scalar type in memory."""
    return "i8" if dtype.kind == "b" else vector_scalar(dtype)


def _has_code(dtype: Any) -> bool:
    return dtype.kind in "biu" or dtype.name in _FLOATS


def is_supported(op: str, dtypes: tuple[Any, ...], result: Any) -> bool:
    """Whether there is code for an operation on inputs of these dtypes; NumPy runs what has none."""
    if not all(_has_code(dtype) for dtype in (*dtypes, result)):
        return False
    kind = dtypes[-1].kind if dtypes else result.kind
    return op in {"f": _ANY_FLOAT, "b": _ANY_BOOLEAN}.get(kind, _ANY_INTEGER)


def constant_text(dtype: Any, value: Any) -> str:
    """A number as LLVM writes it."""
    if dtype.kind == "f" and dtype.name not in _FLOATS:  # is only moved
        return str(int.from_bytes(np.asarray(value, dtype).tobytes(), "little"))
    if dtype.kind == "f":
        bits = np.float64(np.float32(value) if dtype.itemsize == 4 else value).view(np.uint64)
        return f"0x{int(bits):016X}"
    return str(int(value))


def emit(f: Function, op: str, dtypes: tuple[Any, ...], result: Any, lanes: int, fma: bool, *values: str) -> str:
    """The result of `op` on vectors of `lanes` values of `dtypes`."""
    kind = Vector(vector_scalar(dtypes[-1]), lanes)
    if op == "where":
        return f.let(f"select {kind.of('i1')} {values[0]}, {kind} {values[1]}, {kind} {values[2]}")
    if op == "copy":
        return values[0]
    if op == "cast":
        return _cast(f, dtypes[0], result, lanes, values[0])
    letter = dtypes[-1].kind
    if letter == "f":
        return _of_floats(f, op, kind, fma, *values)
    if letter == "b":
        return _of_booleans(f, op, kind, *values)
    return _of_integers(f, op, kind, letter == "i", *values)


def _of_floats(f: Function, op: str, kind: Vector, fma: bool, *values: str) -> str:
    if op in _ARITHMETIC:
        return f.let(f"f{op} {kind} {values[0]}, {values[1]}")
    if op in _ORDERED:
        return f.let(f"fcmp {_ORDERED[op]} {kind} {values[0]}, {values[1]}")
    if op in ("maximum", "minimum"):
        return _extreme(f, op, kind, *values)
    if op == "isnan":
        return f.let(f"fcmp uno {kind} {values[0]}, {values[0]}")
    if op == "isfinite":
        difference = f.let(f"fsub {kind} {values[0]}, {values[0]}")
        return f.let(f"fcmp ord {kind} {difference}, {difference}")
    return FUNCTIONS[op](f, kind, *values, fma=fma)


def _extreme(f: Function, op: str, kind: Vector, a: str, b: str) -> str:
    """The larger or smaller; NaN if either is."""
    wanted = f.let(f"fcmp {'oge' if op == 'maximum' else 'ole'} {kind} {a}, {b}")
    missing = f.let(f"fcmp uno {kind} {a}, {a}")
    first = f.let(f"or {kind.of('i1')} {wanted}, {missing}")
    return f.let(f"select {kind.of('i1')} {first}, {kind} {a}, {kind} {b}")


def _of_booleans(f: Function, op: str, kind: Vector, *values: str) -> str:
    if op == "invert":
        return f.let(f"xor {kind} {values[0]}, splat (i1 true)")
    if op == "eq":
        return f.let(f"xor {kind} {f.let(f'xor {kind} {values[0]}, {values[1]}')}, splat (i1 true)")
    same = {"ne": "xor", "add": "or", "mul": "and", "maximum": "or", "minimum": "and"}
    return f.let(f"{same.get(op, op)} {kind} {values[0]}, {values[1]}")


def _of_integers(f: Function, op: str, kind: Vector, signed: bool, *values: str) -> str:
    a = values[0]
    zero = "zeroinitializer"
    if op in ("add", "sub", "mul") or op in _BITWISE:
        return f.let(f"{op} {kind} {a}, {values[1]}")
    if op == "neg":
        return f.let(f"sub {kind} {zero}, {a}")
    if op == "invert":
        return f.let(f"xor {kind} {a}, splat ({kind.scalar} -1)")
    if op in _ORDERED:
        return f.let(f"icmp {_predicate(op, signed)} {kind} {a}, {values[1]}")
    if op in ("maximum", "minimum"):
        chosen = f.let(f"icmp {_predicate('gt' if op == 'maximum' else 'lt', signed)} {kind} {a}, {values[1]}")
        return f.let(f"select {kind.of('i1')} {chosen}, {kind} {a}, {kind} {values[1]}")
    if op == "abs":
        if not signed:
            return a
        negative = f.let(f"icmp slt {kind} {a}, {zero}")
        return f.let(f"select {kind.of('i1')} {negative}, {kind} {f.let(f'sub {kind} {zero}, {a}')}, {kind} {a}")
    assert op == "sign"
    positive = f.let(f"icmp {_predicate('gt', signed)} {kind} {a}, {zero}")
    result = f.let(f"zext {kind.of('i1')} {positive} to {kind}")
    if not signed:
        return result
    negative = f.let(f"icmp slt {kind} {a}, {zero}")
    minus = f.let(f"sext {kind.of('i1')} {negative} to {kind}")
    return f.let(f"or {kind} {result}, {minus}")


def _predicate(op: str, signed: bool) -> str:
    return op if op in ("eq", "ne") else f"{'s' if signed else 'u'}{op}"


def _cast(f: Function, source: Any, target: Any, lanes: int, value: str) -> str:
    """A value in another dtype. Floats beyond the range of an integer give its ends, NaN gives 0."""
    a, b = Vector(vector_scalar(source), lanes), Vector(vector_scalar(target), lanes)
    if str(a) == str(b) and source.kind != "b":
        return value
    if target.kind == "b":
        compare = "fcmp une" if source.kind == "f" else "icmp ne"
        return value if source.kind == "b" else f.let(f"{compare} {a} {value}, zeroinitializer")
    if source.kind == "f" and target.kind == "f":
        return f.let(f"{'fpext' if b.bits > a.bits else 'fptrunc'} {a} {value} to {b}")
    if source.kind == "f":
        name = f"llvm.fpto{'s' if target.kind == 'i' else 'u'}i.sat.{b.suffix}.{a.suffix}"
        f.declarations.add(f"declare {b} @{name}({a})")
        return f.let(f"call {b} @{name}({a} {value})")
    if target.kind == "f":
        return f.let(f"{'sitofp' if source.kind == 'i' else 'uitofp'} {a} {value} to {b}")
    if b.bits == a.bits:
        return value
    if b.bits < a.bits:
        return f.let(f"trunc {a} {value} to {b}")
    return f.let(f"{'sext' if source.kind == 'i' else 'zext'} {a} {value} to {b}")

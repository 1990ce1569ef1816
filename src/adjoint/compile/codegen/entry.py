"""The callable of a program: a genuine builtin function on generated code, where NumPy's arrays are what they seem.

Passing sixteen arrays through ctypes takes 800 ns, and asking each for its address 1 µs. A builtin made by
`PyCFunction_NewEx` is called like len(): its native code looks at the arrays where they lie. Their layout is NumPy's
public binary interface, and is compared with known arrays before it is relied on; where it differs, or where the
interpreter is not CPython with its lock, a Python callable does the same by ctypes.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import NotImplementedType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjoint.compile.codegen import kernels, pool
from adjoint.compile.codegen.forkjoin import Pool, word
from adjoint.compile.codegen.native import Plan, native
from adjoint.compile.codegen.runtime import TAPE_WORDS, Words, address_of, is_parallel
from adjoint.compile.codegen.text import Function, written

__all__ = ["ArgumentSpec", "Entry", "is_native", "make_entry"]

Entry = Callable[..., NotImplementedType | bool | None]

# PyArrayObject, after the head of every object
_HEAD = object.__basicsize__
_DATA, _NDIM, _DIMENSIONS, _DTYPE, _FLAGS = (_HEAD + offset for offset in (0, 8, 16, 40, 48))
# PyArray_Descr: kind, type, byte order, flags (left out: they belong to the object), number of the type
_SCALAR = _HEAD + 8
_SCALAR_MASK = int.from_bytes(b"\xff\xff\xff\x00\xff\xff\xff\xff", sys.byteorder, signed=True)
_TYPE = _HEAD - 8  # ob_type ends the head
_C_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400
_SPEC_WORDS = 3  # flags, number of axes, scalar; then the sizes
_METH_FASTCALL = 0x80


@dataclass(frozen=True)
class ArgumentSpec:
    """What an argument has to be: a plain C-contiguous array of this dtype and shape, and not read-only if written."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    writeable: bool = False


class _Owner:
    """What an entry needs for its life. The entry's `self` is an array over the plan, of which this is the base."""

    def __init__(self, plan: Words, *others: object) -> None:
        self.plan = plan
        self.others = others

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self.plan.__array_interface__


class _Definition(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def make_entry(
    specs: Sequence[ArgumentSpec],
    table: Words,
    tape: Words,
    release_lock: bool,
    *,
    first_slot: int = 1,
    owners: object = None,
    by_ctypes: bool | None = None,
) -> Entry:
    """A callable that runs a tape over the arrays that it is called with: table[first_slot + i] is argument i.

    It returns None after the run; False if the status word was set, and is then zero again; NotImplemented if an
    argument is not what its spec says, and nothing was run. One run at a time: a second thread waits for its turn.

    Args:
        specs: one for each argument.
        table: addresses; table[0] is that of the arena, whose first word is the status.
        tape: rows of `TAPE_WORDS` words.
        release_lock: whether other threads of the interpreter run meanwhile: worth it from some 20 µs on.
        first_slot: the place of the first argument in the table.
        owners: what must live as long as the callable. It must not lead back to the callable: the garbage collector
            does not look into arrays.
        by_ctypes: the slow form even where the fast one is possible.
    """
    specs = tuple(specs)
    table, tape = np.ascontiguousarray(table), np.ascontiguousarray(tape)
    if not (table.dtype == tape.dtype == np.int64 and first_slot >= 1 and table.size >= first_slot + len(specs)):
        raise TypeError("the table and the tape are int64, and the table has a place for every argument")
    plan = np.zeros(Plan.WORDS, np.int64)
    plan[Plan.TABLE] = address_of(table)
    plan[Plan.FIRST_SLOT] = first_slot
    plan[Plan.ARGUMENTS] = len(specs)
    plan[Plan.TAPE] = address_of(tape)
    plan[Plan.COUNT] = tape.size // TAPE_WORDS
    plan[Plan.POOL] = pool.address()
    plan[Plan.RUN] = native().run
    plan[Plan.PARALLEL] = is_parallel(tape)
    if by_ctypes or not is_native():
        return _Fallback(specs, plan, release_lock, (table, tape, owners))
    plan[Plan.LAUNCH] = native().launch
    plan[Plan.RELEASE_LOCK] = release_lock
    plan[Plan.NDARRAY : Plan.FALSE + 1] = [id(what) for what in (np.ndarray, None, NotImplemented, False)]
    plan[Plan.INCREMENT : Plan.CALL + 1] = _functions()
    plan[Plan.START] = id(pool.start)
    words = [word for spec in specs for word in _spec_words(spec)]
    checks = np.array(words, np.int64)
    plan[Plan.SPECS] = address_of(checks)
    itself = np.asarray(_Owner(plan, checks, table, tape, owners, pool.start))
    return _new_builtin()(ctypes.byref(_definition()), itself, None)


def _spec_words(spec: ArgumentSpec) -> list[int]:
    flags = _C_CONTIGUOUS | _ALIGNED | (_WRITEABLE if spec.writeable else 0)
    return [flags, len(spec.shape), _scalar(spec.dtype), *spec.shape]


def _scalar(dtype: np.dtype[Any]) -> int:
    """What tells a dtype of numbers from all others; equal for equal dtypes that are not the same object."""
    return _at(ctypes.c_int64, id(dtype) + _SCALAR) & _SCALAR_MASK


def _at(kind: Any, address: int) -> int:
    return int(kind.from_address(address).value or 0)


@functools.cache
def is_native() -> bool:
    """Whether entries are builtins here: CPython with its lock, 64 bits, and arrays laid out as they should be."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED") or sys.maxsize < 2**63 - 1:
        return False
    try:
        return all(map(_lies_as_expected, _samples()))
    except (AttributeError, ValueError):
        return False


def _samples() -> list[NDArray[Any]]:
    still = np.ones((2, 3, 4), np.float32)
    still.flags.writeable = False
    misaligned = np.zeros(9, np.uint8)[1:].view(np.float64)
    dtypes = [np.dtype(code) for code in "?bhilqBHILQfd"]
    arrays = [np.zeros((2, 3)[: index % 3], dtype) for index, dtype in enumerate(dtypes)]
    return [*arrays, still, still.T, still[::2], misaligned, np.zeros((0, 3), ">f8"), np.zeros((1,) * 8)]


def _lies_as_expected(array: NDArray[Any]) -> bool:
    place, dtype = id(array), id(array.dtype)
    flags = _at(ctypes.c_int, place + _FLAGS)
    found = {
        "type": _at(ctypes.c_void_p, place + _TYPE),
        "data": _at(ctypes.c_void_p, place + _DATA),
        "ndim": _at(ctypes.c_int, place + _NDIM),
        "dtype": _at(ctypes.c_void_p, place + _DTYPE),
        "flags": tuple(bool(flags & bit) for bit in (_C_CONTIGUOUS, _ALIGNED, _WRITEABLE)),
    }
    expected = {
        "type": id(np.ndarray),
        "data": address_of(array),
        "ndim": array.ndim,
        "dtype": dtype,
        "flags": (array.flags.c_contiguous, array.flags.aligned, array.flags.writeable),
    }
    if found != expected:
        return False
    sizes = _at(ctypes.c_void_p, place + _DIMENSIONS)
    letters = (array.dtype.kind + array.dtype.char + array.dtype.byteorder).encode()
    return (
        [_at(ctypes.c_ssize_t, sizes + 8 * axis) for axis in range(array.ndim)] == list(array.shape)
        and ctypes.string_at(dtype + _SCALAR, 3) == letters
        and _at(ctypes.c_int, dtype + _SCALAR + 4) == array.dtype.num
    )


def _functions() -> list[int]:
    """The addresses that the plan holds from INCREMENT on."""
    names = "Py_IncRef", "Py_DecRef", "PyEval_SaveThread", "PyEval_RestoreThread", "PyObject_CallNoArgs"
    return [ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0 for name in names]


@functools.cache
def _new_builtin() -> Any:
    prototype = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Definition), ctypes.py_object, ctypes.c_void_p)
    return prototype(("PyCFunction_NewEx", ctypes.pythonapi))


@functools.cache
def _definition() -> _Definition:
    """One for all entries, as the code is. It outlives them all, also those that the interpreter's end frees."""
    (address,) = kernels.addresses([_entry()])
    definition = _Definition(b"step", address, _METH_FASTCALL, None)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(definition))
    return definition


def _entry() -> Function:
    loads = "".join(
        f"""
      {word("%plan", place, f"%{name}_at")}
      %{name} = load {kind}, ptr %{name}_at, align 8"""
        for place, kind, name in [
            (Plan.ARGUMENTS, "i64", "arguments"),
            (Plan.SPECS, "ptr", "specs"),
            (Plan.NDARRAY, "ptr", "ndarray"),
            (Plan.PARALLEL, "i64", "parallel"),
            (Plan.POOL, "ptr", "pool"),
            (Plan.LAUNCH, "ptr", "launch"),
            (Plan.RELEASE_LOCK, "i64", "release"),
            (Plan.INCREMENT, "ptr", "increment"),
            (Plan.DECREMENT, "ptr", "decrement"),
            (Plan.SAVE, "ptr", "save"),
            (Plan.RESTORE, "ptr", "restore"),
            (Plan.CALL, "ptr", "call"),
            (Plan.START, "ptr", "start"),
            (Plan.NONE, "ptr", "none"),
            (Plan.NOT_IMPLEMENTED, "ptr", "not_implemented"),
            (Plan.FALSE, "ptr", "false"),
        ]
    )

    def field(kind: str, base: str, offset: int, name: str) -> str:
        return f"""
      {name}_at = getelementptr i8, ptr {base}, i64 {offset}
      {name} = load {kind}, ptr {name}_at, align {4 if kind == "i32" else 8}"""

    body = f"""
    entry:
      {field("ptr", "%self", _DATA, "%plan")}
      {loads}
      %as_many = icmp eq i64 %count, %arguments
      br i1 %as_many, label %next, label %refuse
    next:
      %index = phi i64 [ 0, %entry ], [ %index_next, %fits ]
      %spec = phi ptr [ %specs, %entry ], [ %spec_next, %fits ]
      %checked = icmp eq i64 %index, %arguments
      br i1 %checked, label %ready, label %type
    type:
      %item_at = getelementptr ptr, ptr %items, i64 %index
      %item = load ptr, ptr %item_at, align 8
      {field("ptr", "%item", _TYPE, "%item_type")}
      %is_array = icmp eq ptr %item_type, %ndarray
      br i1 %is_array, label %flags, label %refuse
    flags:
      {field("i32", "%item", _FLAGS, "%item_flags")}
      %flags_given = zext i32 %item_flags to i64
      %flags_wanted = load i64, ptr %spec, align 8
      %flags_both = and i64 %flags_given, %flags_wanted
      %flags_fit = icmp eq i64 %flags_both, %flags_wanted
      {field("i32", "%item", _NDIM, "%item_ndim")}
      %ndim = zext i32 %item_ndim to i64
      {word("%spec", 1, "%ndim_at")}
      %ndim_wanted = load i64, ptr %ndim_at, align 8
      %ndim_fits = icmp eq i64 %ndim, %ndim_wanted
      {field("ptr", "%item", _DTYPE, "%item_dtype")}
      {field("i64", "%item_dtype", _SCALAR, "%item_scalar")}
      %scalar = and i64 %item_scalar, {_SCALAR_MASK}
      {word("%spec", 2, "%scalar_at")}
      %scalar_wanted = load i64, ptr %scalar_at, align 8
      %scalar_fits = icmp eq i64 %scalar, %scalar_wanted
      %so_far = and i1 %flags_fit, %ndim_fits
      %all_three = and i1 %so_far, %scalar_fits
      br i1 %all_three, label %shape, label %refuse
    shape:
      {field("ptr", "%item", _DIMENSIONS, "%sizes")}
      {word("%spec", _SPEC_WORDS, "%sizes_wanted")}
      br label %axes
    axes:
      %axis = phi i64 [ 0, %shape ], [ %axis_next, %axis_fits ]
      %whole = icmp eq i64 %axis, %ndim
      br i1 %whole, label %fits, label %size
    size:
      %size_at = getelementptr i64, ptr %sizes, i64 %axis
      %size_given = load i64, ptr %size_at, align 8
      %wanted_at = getelementptr i64, ptr %sizes_wanted, i64 %axis
      %size_wanted = load i64, ptr %wanted_at, align 8
      %equal = icmp eq i64 %size_given, %size_wanted
      br i1 %equal, label %axis_fits, label %refuse
    axis_fits:
      %axis_next = add i64 %axis, 1
      br label %axes
    fits:
      %spec_next = getelementptr i64, ptr %sizes_wanted, i64 %ndim
      %index_next = add i64 %index, 1
      br label %next

    ready:
      {word("%pool", Pool.READY, "%is_ready_at")}
      %is_ready = load i64, ptr %is_ready_at, align 8
      %alone = icmp eq i64 %parallel, 0
      %started = icmp ne i64 %is_ready, 0
      %go_on = or i1 %alone, %started
      br i1 %go_on, label %go, label %begin
    begin:
      %begun = call ptr %call(ptr %start)
      %failed = icmp eq ptr %begun, null
      br i1 %failed, label %fail, label %drop
    drop:
      call void %decrement(ptr %begun)
      br label %go
    go:
      %keep = icmp eq i64 %release, 0
      br i1 %keep, label %inside, label %outside
    inside:
      %status_inside = call i64 %launch(ptr %plan, ptr %items, i64 {_DATA})
      br label %end
    outside:
      %state = call ptr %save()
      %status_outside = call i64 %launch(ptr %plan, ptr %items, i64 {_DATA})
      call void %restore(ptr %state)
      br label %end
    end:
      %status = phi i64 [ %status_inside, %inside ], [ %status_outside, %outside ]
      %fine = icmp eq i64 %status, 0
      %result = select i1 %fine, ptr %none, ptr %false
      br label %answer
    refuse:
      br label %answer
    answer:
      %given_back = phi ptr [ %result, %end ], [ %not_implemented, %refuse ]
      call void %increment(ptr %given_back)
      ret ptr %given_back
    fail:
      ret ptr null
    """
    return written("ptr %self, ptr %items, i64 %count", body, returns="ptr")


class _Fallback:
    """The same in Python: every check by NumPy's attributes, and one call by ctypes."""

    def __init__(self, specs: tuple[ArgumentSpec, ...], plan: Words, release_lock: bool, owners: object) -> None:
        self._specs = [(spec.dtype, spec.shape, spec.writeable) for spec in specs]
        self._plan = address_of(plan)
        self._owners = (plan, owners)
        self._count = len(specs)
        self._parallel = bool(plan[Plan.PARALLEL])
        prototype = ctypes.CFUNCTYPE if release_lock else ctypes.PYFUNCTYPE
        kinds = ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64
        self._launch = prototype(*kinds)(native().launch)

    def __call__(self, *arguments: Any) -> NotImplementedType | bool | None:
        if len(arguments) != self._count:
            return NotImplemented
        for argument, (dtype, shape, writeable) in zip(arguments, self._specs, strict=True):
            if type(argument) is not np.ndarray or argument.dtype != dtype or argument.shape != shape:
                return NotImplemented
            flags = argument.flags
            if not (flags.c_contiguous and flags.aligned and (flags.writeable or not writeable)):
                return NotImplemented
        if self._parallel and not pool.is_ready():
            pool.start()
        addresses = (ctypes.c_void_p * self._count)(*map(address_of, arguments))
        first = ctypes.addressof(addresses)
        items = (ctypes.c_void_p * self._count)(*itertools.islice(itertools.count(first, 8), self._count))
        status = self._launch(self._plan, ctypes.addressof(items), 0)
        return None if status == 0 else False

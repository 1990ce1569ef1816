"""Who reads a Variable: the function that asks it for an array or for a number.

NumPy, `math` and SciPy are written in C, or ask from within; that a value loses its graph there is seen by the call in
the user's code alone. It is found by the instruction that is running: the names that stand where the call begins.
"""

from __future__ import annotations

import dis
import opcode
import sys
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from adjoint.core.numpy_protocol import FUNCTIONS
from adjoint.lifted.numpy_calls import CONSTANT

__all__ = ["computes_on", "library_function", "stores", "takes_lists"]

_STORE_SUBSCR = opcode.opmap["STORE_SUBSCR"]
_BINARY_OP = opcode.opmap["BINARY_OP"]
_LIBRARIES = frozenset({"numpy", "scipy"})
_MATH = frozenset({"math", "cmath"})
# What is found out by reading a number, and has no derivative.
_TESTS = frozenset("isclose isfinite isinf isnan floor ceil trunc".split())

# For an instruction, the names of what it calls.
_names: dict[tuple[Any, int], tuple[str, ...]] = {}


def stores(frame: FrameType) -> bool:
    """Whether a frame assigns to an element, as in ``array[0] = x``."""
    return frame.f_code.co_code[frame.f_lasti] == _STORE_SUBSCR


def computes_on(frame: FrameType, *, with_math: bool) -> str | None:
    """The function that asks for a number to compute with it, as `ndarray.fill`; None for `float` and others.

    `with_math` counts the functions of `math` and `cmath` among them.
    """
    function = _called(_outside(frame))
    if function is None or isinstance(function, type) or getattr(function, "__name__", "") in _TESTS:
        return None
    library = _library(function)
    return _full_name(function) if library in _LIBRARIES or (with_math and library in _MATH) else None


def takes_lists(frame: FrameType) -> str | None:
    """The function of NumPy that reads a Variable within a list; given the Variable itself it would be recorded."""
    user = _outside(frame)
    if user is frame and frame.f_code.co_code[frame.f_lasti] == _BINARY_OP:
        return "an operator"
    function = _called(user)
    of_ufunc = isinstance(function, np.ufunc) or isinstance(getattr(function, "__self__", None), np.ufunc)
    if of_ufunc or (_is_hashable(function) and function in FUNCTIONS and function not in CONSTANT):
        return _full_name(function)
    return None


def library_function(frame: FrameType) -> str | None:
    """The function of SciPy in which a Variable is read."""
    user = _outside(frame)
    if user is frame:
        return None
    function = _called(user)
    return _full_name(function) if function is not None and _library(function) == "scipy" else None


def _is_hashable(x: Any) -> bool:
    return type(x).__hash__ is not None


def _outside(frame: FrameType) -> FrameType:
    """The innermost frame that is not within NumPy or SciPy."""
    found: FrameType | None = frame
    while found is not None and str(found.f_globals.get("__name__")).partition(".")[0] in _LIBRARIES:
        found = found.f_back
    return frame if found is None else found


def _library(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__module__", None)
    if not isinstance(name, str):
        name = owner.__name__ if isinstance(owner, ModuleType) else type(owner).__module__
    return name.partition(".")[0]


def _full_name(function: Any) -> str:
    """As ``scipy.special.logsumexp``: without the modules in between."""
    name = getattr(function, "__name__", str(function))
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, ModuleType):
        kind = owner.__name__ if isinstance(owner, np.ufunc) else type(owner).__name__
        return f"numpy.{kind}.{name}"
    modules = str(getattr(function, "__module__", None) or "numpy").split(".")
    return ".".join([part for part in modules[:2] if not part.startswith("_")] + [name])


def _called(frame: FrameType) -> Any:
    """What the running instruction of a frame calls, if it is a name or an attribute of a module or an array."""
    key = (frame.f_code, frame.f_lasti)
    names = _names.get(key)
    if names is None:
        names = _names[key] = _names_called(frame)
    if not names:
        return None
    first, *attributes = names
    found: Any = frame.f_locals.get(first, frame.f_globals.get(first, vars(sys.modules["builtins"]).get(first)))
    for attribute in attributes:
        if not isinstance(found, (ModuleType, np.ndarray, np.ufunc)):
            return None
        found = getattr(found, attribute, None)
    return found


def _names_called(frame: FrameType) -> tuple[str, ...]:
    """The names, ``("math", "sin")``, that are loaded where the call begins: from the last that stands alone."""
    # While a function in Python runs, the frame that called it stands behind the call, in its cache.
    before = [x for x in dis.get_instructions(frame.f_code) if x.offset <= frame.f_lasti]
    call = before.pop()
    place = _begin(call)
    if None in place or not call.opname.startswith(("CALL", "PRECALL")):
        return ()
    names: list[str] = []
    for loaded in reversed(before):
        if _begin(loaded) != place or not loaded.opname.startswith("LOAD_") or not isinstance(loaded.argval, str):
            continue
        names.insert(0, loaded.argval)
        if loaded.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
            return tuple(names)
    return ()


def _begin(instruction: dis.Instruction) -> tuple[int | None, int | None]:
    positions = instruction.positions
    return (None, None) if positions is None else (positions.lineno, positions.col_offset)

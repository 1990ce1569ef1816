"""What a function reads besides its arguments: found by a walk from them, its closure, its globals and `state`.

Each thing found has a *path*, an expression of Python that finds it again at a call, such as ``k3._data`` or
``d2['_hidden']._data``, in which ``k3`` and ``d2`` are names of `adjoint.compile.places.Names`. The code that a
compiled function runs at each call is made of these paths (see `adjoint.compile.calls`).
"""

from __future__ import annotations

import builtins
import copy
import functools
import sys
from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from adjoint.arrays import NUMERIC_KINDS
from adjoint.compile.places import Attribute, Guard, State, VariablePlace
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError, TraceError
from adjoint.tree import KeptArrays

__all__ = ["find_state"]

_STATIC = (bool, int, str, bytes, type(None), complex)
_OPAQUE = (ModuleType, type, BuiltinFunctionType, CodeType, property, staticmethod, classmethod)
_NAMESPACES = ("SimpleNamespace", "Namespace")  # of types and argparse: attributes and nothing else
_MOST_ITEMS = 10_000  # of a list that is looked into
_MOST_ELEMENTS = 65_536  # of an array that is compared with a copy after the trace
_FEW_ITEMS = 32  # all of which are guarded


def find_state(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], extra: Any) -> State:
    """Everything that `function` can reach, called with `args` and `kwargs`."""
    state = State()
    walk = _Walk(state)
    for i, value in enumerate(args):
        walk.argument(value, f"a[{i}]", f"argument {i + 1}")
    for name, value in kwargs.items():
        walk.argument(value, f"b[{name!r}]", f"argument {name!r}")
    walk.function(function)
    for i, value in enumerate(extra):
        walk.visit(value, state.names.of(value), f"state[{i}]")
    walk.finish()
    return state


class _Walk:
    def __init__(self, state: State) -> None:
        self.state = state
        self.seen: dict[int, str] = {}
        self.held: list[Any] = []  # so that no id is given twice
        self.functions: list[Any] = []  # that were looked into
        self.called: set[str] = {"forward", "__call__"}  # the names that the functions' code uses
        self.methods: list[tuple[str, FunctionType]] = []  # of the classes of objects

    def finish(self) -> None:
        """Looks into the methods that may be called, by their names."""
        while True:
            ready = [method for name, method in self.methods if name in self.called and id(method) not in self.seen]
            if not ready:
                return
            for method in ready:
                self.function(method)

    # Arguments: dynamic by place

    def argument(self, value: Any, path: str, label: str) -> None:
        """Arrays, Variables and numbers are inputs; the structure around them is guarded."""
        guards = self.state.guards
        kind = type(value)
        if isinstance(value, Variable):
            if self._is_alias(value, path, label):
                return
            guards.append(Guard(f"type({path}) is {self._name(kind)}", f"the type of {label}"))
            place = VariablePlace(path, label, value)
            self.state.variables[id(value)] = place
            self.state.arguments.append(place)
        elif isinstance(value, (np.ndarray, np.generic)):
            _check_array(value, label)
            guards.append(Guard(f"type({path}) is {self._name(kind)}", f"the type of {label}"))
            self.state.attributes.append(Attribute(path, label, None, "", value))
        elif kind is float:
            guards.append(Guard(f"type({path}) is float", f"the type of {label}"))
            self.state.attributes.append(Attribute(path, label, None, "", value))
        elif isinstance(value, (list, tuple, dict)):
            self._argument_container(value, path, label)
        elif isinstance(value, (np.random.Generator, np.random.RandomState, Random)) or self._has_parts(value):
            guards.append(Guard(f"{path} is {self._name(value)}", f"{label} is another object"))
            self.visit(value, self._name(value), label)
        else:
            self._static(value, path, label)
            if isinstance(value, (FunctionType, MethodType, functools.partial)) or hasattr(value, "__wrapped__"):
                self.function(value)

    def _argument_container(self, value: Any, path: str, label: str) -> None:
        guards = self.state.guards
        guards.append(Guard(f"type({path}) is {self._name(type(value))}", f"the type of {label}"))
        if isinstance(value, dict):
            guards.append(Guard(f"list({path}) == {self._name(list(value))}", f"the keys of {label}"))
            items = [(f"{path}[{self._key(key)}]", f"{label}[{key!r}]", item) for key, item in value.items()]
        else:
            guards.append(Guard(f"len({path}) == {len(value)}", f"the length of {label}"))
            items = [(f"{path}[{i}]", f"{label}[{i}]", item) for i, item in enumerate(value)]
        for item_path, item_label, item in items:
            self.argument(item, item_path, item_label)

    def _key(self, key: Any) -> str:
        return repr(key) if type(key) in (str, int) else self._name(key)

    def _static(self, value: Any, path: str, label: str) -> None:
        """A value that the program is made for."""
        if type(value) in _STATIC and value is not None:
            kind = self._name(type(value))
            condition = f"type({path}) is {kind} and {path} == {self._name(value)}"
            self.state.guards.append(Guard(condition, f"{label}, {value!r} before, has another value"))
        elif isinstance(value, (slice, range, set, frozenset, np.dtype)):
            same = self._name(copy.copy(value))
            condition = f"type({path}) is {self._name(type(value))} and {path} == {same}"
            self.state.guards.append(Guard(condition, f"{label}, {value!r} before, has another value"))
            if isinstance(value, set):
                self.state.containers.append((value, set(value), label))
        else:
            self.state.guards.append(Guard(f"{path} is {self._name(value)}", f"{label} is another object"))

    def _is_alias(self, value: Any, path: str, label: str) -> bool:
        first = self.seen.get(id(value))
        if first is None:
            self.seen[id(value)] = path
            self.held.append(value)
            return False
        if first != path:
            self.state.guards.append(Guard(f"{path} is {first}", f"{label} is another object"))
        return True

    # Everything else: found again by the path, and guarded to be the same object

    def function(self, function: Any) -> None:
        """What a function's closure, globals and defaults hold, by the names that its code uses."""
        function = getattr(function, "__wrapped__", function)
        if isinstance(function, MethodType):
            self.visit(function.__self__, self._name(function.__self__), "self")
            function = function.__func__
        if isinstance(function, functools.partial):
            for value in (*function.args, *function.keywords.values()):
                self.visit(value, self._name(value), "an argument of the partial function")
            self.function(function.func)
        elif self._has_parts(function):
            self.visit(function, self._name(function), type(function).__name__)
        if not isinstance(function, FunctionType) or id(function) in self.seen:
            return
        self.seen[id(function)] = ""
        self.held.append(function)
        self.functions.append(function)
        used = _names_used(function.__code__)
        self.called |= used
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self._cell(cell, name, used)
        space = function.__globals__
        self.state.spaces[id(space)] = (space, set(space))
        path = self._name(space, "m")
        for name in sorted(used):
            if isinstance(space.get(name), ModuleType):
                self._module(space[name], used)
            if name in space and not hasattr(builtins, name):
                self.state.globals.append((space, name, space[name]))
                self._reached(space[name], f"{path}.get({name!r})", name)
        for name, value in (function.__kwdefaults__ or {}).items():
            self._reached(value, self._name(value), name)
        for value in function.__defaults__ or ():
            self._reached(value, self._name(value), "a default")

    def _module(self, module: ModuleType, used: set[str]) -> None:
        """What a function may read of a module of the user's."""
        if _is_library(module.__name__):
            return
        space = vars(module)
        for name in sorted(used & space.keys()):
            if type(space[name]) in (*_STATIC, float) or self._matters(space[name]):
                self._reached(space[name], f"{self._name(space, 'm')}.get({name!r})", f"{module.__name__}.{name}")

    def _cell(self, cell: CellType, name: str, used: set[str]) -> None:
        try:
            value = cell.cell_contents
        except ValueError:  # not assigned yet
            return
        self.state.cells.append((cell, value, name))
        if isinstance(value, ModuleType):
            self._module(value, used)
        self._reached(value, f"{self._name(cell, 'c')}.cell_contents", name)

    def _reached(self, value: Any, path: str, label: str, owner: Any = None, attribute: str = "") -> None:
        """A value that is to be the same at each call."""
        if isinstance(value, _OPAQUE):  # modules and classes: who exchanges one expects no effect
            self.visit(value, "", label)
            return
        if owner is None and isinstance(value, Iterator) and len(self.functions) == 1:
            raise TraceError(
                f"{label} is an iterator, of which a compiled call would repeat the first items; pass them as arguments"
            )
        name = self._name(value)
        if path != name:
            if type(value) in (*_STATIC, float) and type(value) not in (bool, type(None)):
                condition = f"{path} == {name} and type({path}) is {self._name(type(value))}"
                if value != value:
                    condition = f"{path} is {name}"
                cause = f"{label}, {value!r} before, has another value"
            else:
                condition, cause = f"{path} is {name}", f"{label} is another object"
            self.state.guards.append(Guard(condition, cause, owner, attribute))
        self.visit(value, name, label, owner, attribute)

    def visit(self, value: Any, path: str, label: str, owner: Any = None, attribute: str = "") -> None:
        """Looks into an object that stays the same from call to call; `owner` holds it as `attribute`."""
        if isinstance(value, Variable):
            if not self._is_alias(value, path, label):
                self.state.variables[id(value)] = VariablePlace(path, label, value)
        elif isinstance(value, (FunctionType, MethodType)):
            if not _is_library(getattr(value, "__module__", None)):
                self.function(value)
        elif isinstance(value, (np.random.Generator, np.random.RandomState, Random)):
            self.state.generators[id(value)] = (path, value)
        elif isinstance(value, np.ndarray):
            if value.size <= _MOST_ELEMENTS:
                self.state.arrays.append((value, value.copy(), label))
        elif id(value) in self.seen:
            return
        elif isinstance(value, tuple):
            self._note(value)
            for i, item in enumerate(value):
                if self._matters(item):
                    self.visit(item, self._name(item), f"{label}[{i}]", owner, attribute)
        elif isinstance(value, (list, dict, set, deque)):
            self._container(value, path, label, owner, attribute)
        elif hasattr(value, "__wrapped__") and callable(value):
            self._note(value)
            self.function(value)
        elif self._has_parts(value):
            self._object(value, path, label)
        elif isinstance(value, type) and not _is_library(value.__module__):
            self._class(value, label)

    def _class(self, value: type, label: str) -> None:
        """The attributes of a class of the user's."""
        if id(value) in self.seen:
            return
        self._note(value)
        self.state.classes.append((value, dict(vars(value)), label))
        for name, item in vars(value).items():
            if isinstance(item, FunctionType):
                self.methods.append((name, item))
            elif not name.startswith("__") and (type(item) in (*_STATIC, float) or self._matters(item)):
                self._reached(item, f"vars({self._name(value)}).get({name!r})", f"{value.__name__}.{name}")

    def _note(self, value: Any) -> None:
        self.seen[id(value)] = ""
        self.held.append(value)

    def _container(self, value: Any, path: str, label: str, owner: Any, attribute: str) -> None:
        """A list, dictionary, set or deque: its length is guarded, and its items where they matter or are few."""
        self._note(value)
        self.state.containers.append((value, copy.copy(value), label))
        guards = self.state.guards
        guards.append(Guard(f"len({path}) == {len(value)}", f"the length of {label}", owner, attribute))
        if isinstance(value, set):
            if len(value) <= _FEW_ITEMS:
                guards.append(Guard(f"{path} == {self._name(set(value))}", f"the items of {label}", owner, attribute))
            return
        if len(value) > _MOST_ITEMS:
            return
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in list(items):
            if len(value) <= _FEW_ITEMS or self._matters(item):
                place = f"{path}.get({self._key(key)})" if isinstance(value, dict) else f"{path}[{key}]"
                self._reached(item, place, f"{label}[{key!r}]", owner, attribute)

    def _object(self, value: Any, path: str, label: str) -> None:
        """The attributes of an object. Floats and arrays are inputs, also private Variables, which are replaced."""
        self._note(value)
        self.state.owners[id(value)] = (value, label)
        for kind in type(value).__mro__:
            if not _is_library(kind.__module__):
                self._class(kind, label)
        attributes = vars(value)
        space = self._name(attributes, "d")
        caches = getattr(type(value), "_caches", ())
        for name, item in list(attributes.items()):
            if name in caches:
                continue
            place, what = f"{space}.get({name!r})", f"{label}.{name}"
            kind = type(item)
            if isinstance(item, KeptArrays):
                self.state.kept.append((self._name(item), value, item))
            elif kind is float or kind is np.ndarray or (name == "updates" and kind is int):
                type_name = self._name(kind)
                self.state.guards.append(Guard(f"type({place}) is {type_name}", f"the type of {what}", value, name))
                self.state.attributes.append(Attribute(f"{space}[{name!r}]", what, value, name, item))
            elif kind in (tuple, list) and item and all(isinstance(part, Variable) for part in item):
                self._variables_in(item, value, name, f"{space}[{name!r}]", what)
            elif name[0] == "_" and isinstance(item, Variable):
                self.state.guards.append(
                    Guard(f"type({place}) is {self._name(kind)}", f"the type of {what}", value, name)
                )
                if id(item) not in self.seen:
                    self.seen[id(item)] = place
                    self.held.append(item)
                    self.state.variables[id(item)] = VariablePlace(f"{space}[{name!r}]", what, item, value, name)
            else:
                self._reached(item, place, what, value, name)

    def _variables_in(self, items: Any, owner: Any, name: str, path: str, label: str) -> None:
        """A state of several Variables, (h, c) say, which each call may replace."""
        condition = f"type({path}) is {self._name(type(items))} and len({path}) == {len(items)}"
        self.state.guards.append(Guard(condition, f"the form of {label}", owner, name))
        if type(items) is list:
            self.state.containers.append((items, list(items), label))
        for i, item in enumerate(items):
            place = f"{path}[{i}]"
            condition = f"type({place}) is {self._name(type(item))}"
            self.state.guards.append(Guard(condition, f"the type of {label}[{i}]", owner, name))
            if id(item) not in self.seen:
                self.seen[id(item)] = place
                self.held.append(item)
                self.state.variables[id(item)] = VariablePlace(place, f"{label}[{i}]", item, owner, name)

    def _has_parts(self, value: Any) -> bool:
        """Whether an object's attributes are looked into."""
        if isinstance(value, (*_OPAQUE, FunctionType, MethodType)) or (
            callable(value) and hasattr(value, "__wrapped__")
        ):
            return False
        kind = type(value)
        return hasattr(value, "__dict__") and (not _is_foreign(kind.__module__) or kind.__name__ in _NAMESPACES)

    def _matters(self, item: Any) -> bool:
        return (
            isinstance(item, (Variable, list, tuple, dict, set, np.random.Generator, FunctionType, MethodType))
            or self._has_parts(item)
            or hasattr(item, "__wrapped__")
        )

    def _name(self, value: Any, stem: str = "k") -> str:
        return self.state.names.of(value, stem)


def _check_array(array: Any, label: str) -> None:
    if array.dtype.kind not in NUMERIC_KINDS:
        raise DTypeError(
            f"{label} has dtype {array.dtype}, which is not supported; use real or complex floating point numbers, "
            "integers or booleans"
        )
    if isinstance(array, np.ndarray) and type(array) not in (np.ndarray, np.memmap):
        raise DTypeError(
            f"{label} is a {type(array).__name__}, whose operators mean something else; pass numpy.asarray(…)"
        )


def _names_used(code: CodeType) -> set[str]:
    """The global names that a function's code, and the functions defined in it, may read."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names_used(constant)
    return names


def _is_foreign(module: str | None) -> bool:
    """Whether a class comes with Python or NumPy: its objects hold nothing of ours."""
    top = (module or "").partition(".")[0]
    return (top in sys.stdlib_module_names and top != "__main__") or top in ("numpy", "builtins")


def _is_library(module: str | None) -> bool:
    """Whether a function is of this package, or of one that knows nothing of it."""
    return (module or "").partition(".")[0] == "adjoint" or _is_foreign(module)

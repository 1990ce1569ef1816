"""The code of a call: guards, inputs, outputs and effects of one program, written out as a Python function.

    def attempt(a, b):                             # positional and keyword arguments
        if b or len(a) != 2 or …: return MISS      # another program is needed
        x0 = k3._data                              # inputs
        o0 = x0 if refs(x0) == 3 else empty(…)     # outputs: in place where nobody else holds the array
        if run(x0, …, o0, …) is not None: …
        k3._data = o0                              # effects
        return wrap(o4)

Written out, a call of a small step takes a microsecond or two; a loop over descriptions takes ten.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import ref

import numpy as np

from adjoint.compile.outcome import MISS, CallFailed
from adjoint.compile.traced import Effect, InputSource, Result, Returned, Traced
from adjoint.config import RECORDING, STRICT, TRACE, TRAINING
from adjoint.core.graph import Link, Node
from adjoint.core.variable import Variable
from adjoint.errors import GradientError
from adjoint.ops import Op

__all__ = ["Call", "Executable", "make_call"]


@dataclass
class Executable:
    """A program ready to run.

    run: called with the array inputs, the numbers, and the outputs; None if all went well, NotImplemented where an
        array does not fit, False where a check failed
    in_place: for an output, the input whose array it may be written to
    can_fail: whether a call may end in a failed check
    native: the NativeProgram behind it, if there is one
    """

    run: Callable[..., Any]
    in_place: dict[int, int]
    can_fail: bool
    native: Any = None


def _count_references() -> int:
    """What sys.getrefcount says of an array that one attribute and one local name hold."""

    class Holder:
        __slots__ = ("array",)

        def __init__(self) -> None:
            self.array = np.empty(1)

    holder = Holder()

    def count(held: Any) -> int:
        x = held.array
        return sys.getrefcount(x)

    return count(holder)


_REFERENCES = _count_references()


def _wrap(data: Any) -> Variable:
    variable = _new(Variable)
    variable._data = data
    variable._grad = variable._link = variable.name = None
    return variable


_new = Variable.__new__


@dataclass
class Call:
    """The functions of one specialisation.

    attempt: makes the call, or gives MISS
    inputs: the arrays of the call, or MISS; `finish` makes the call with arrays in their place
    conditions: the guards, for naming what has changed
    names: what the code refers to
    source: the code
    """

    attempt: Callable[[Any, Any], Any]
    inputs: Callable[[Any, Any], Any]
    finish: Callable[[Any, Any, Any], Any]
    conditions: list[tuple[str, str]]
    names: dict[str, Any]
    source: str


class _Writer:
    def __init__(self, traced: Traced, executable: Executable, args: int, keywords: list[str]) -> None:
        self.traced = traced
        self.executable = executable
        self.names = traced.state.names
        self.count = args
        self.keywords = keywords
        self.arrays = [s for s in traced.sources if not s.is_number]
        self.floats = [s for s in traced.sources if s.kind == "float"]
        self.ints = [s for s in traced.sources if s.kind == "int"]

    def text(self) -> str:
        conditions = self._conditions()
        lines = ["def attempt(a, b):", *conditions, *self._numbers(), *self._saved_generators()]
        lines += [*self._inputs(), *self._outputs(reuse=True), *self._run(), *self._effects()]
        lines += ["def inputs(a, b):", *conditions, *self._saved_generators(), *self._inputs_of_list()]
        lines += ["def finish(xs, a, b):", *self._numbers(), *self._unpacked(), *self._outputs(reuse=False)]
        lines += [*self._run(), *self._effects()]
        return "\n".join(lines)

    def _conditions(self) -> list[str]:
        known = f"list(b) == {self.names.of(self.keywords)}" if self.keywords else "not b"
        modes = f"tracing() is None and recording() is {RECORDING.get()} and training() is {TRAINING.get()}"
        modes += f" and strict() is {STRICT.get()}"
        tests: dict[str, None] = dict.fromkeys(
            [known, f"len(a) == {self.count}", modes, *(c for c, _ in self.traced.conditions)]
        )
        tests.update(dict.fromkeys(self._kept_are_there()))
        for array, copy in self.traced.frozen:
            tests[f"same({self.names.of(array)}, {self.names.of(copy)})"] = None
        joined = "\n            and ".join(tests)
        return [
            "    try:",
            f"        if not ({joined}):",
            "            return MISS",
            "    except (KeyError, IndexError, AttributeError, TypeError):",
            "        return MISS",
        ]

    def _kept_are_there(self) -> list[str]:
        """Arrays that an optimizer keeps are made, as zeros, the first time."""
        tests: dict[str, None] = {}
        for source in self.arrays:
            if source.kind == "kept":
                table, key = source.detail
                tests[f"kept({self.names.of(table)}, {self.names.of(key)})"] = None
        return list(tests)

    def _numbers(self) -> list[str]:
        lines = []
        for sources, code in ((self.floats, "floats"), (self.ints, "ints")):
            if sources:
                given = ", ".join(source.path for source in sources)
                if any(source.path[0] in "ab" for source in sources):  # other threads have arguments of their own
                    lines.append(f"    {code} = frombuffer(pack_{code}({given}), {code}_dtype)")
                else:
                    lines.append(f"    pack_{code}_into(buffer_{code}, 0, {given})")
        return lines

    def _drawn(self) -> list[str]:
        return list(dict.fromkeys(source.detail for source in self.arrays if source.kind == "draw"))

    def _saved_generators(self) -> list[str]:
        """The states of generators, for a call that fails after it has drawn."""
        return [f"    saved[{name!r}] = {name}.bit_generator.state" for name in self._drawn()]

    def _path(self, source: InputSource) -> str:
        if source.kind == "data":
            return f"{source.path}._data"
        if source.kind == "grad":
            return f"{source.path}._grad._data"
        return source.path

    def _inputs(self) -> list[str]:
        return [f"    x{i} = {self._path(source)}" for i, source in enumerate(self.arrays)]

    def _inputs_of_list(self) -> list[str]:
        return [f"    return [{', '.join(self._path(source) for source in self.arrays)}]"]

    def _unpacked(self) -> list[str]:
        if not self.arrays:
            return []
        return [f"    {', '.join(f'x{i}' for i in range(len(self.arrays)))}, = xs"]

    def _outputs(self, *, reuse: bool) -> list[str]:
        """An array for each output: the one in its place, if it is held nowhere else, or a new one."""
        lines = []
        given = [i for i, source in enumerate(self.traced.sources) if not source.is_number]
        position = {program_input: i for i, program_input in enumerate(given)}
        old_grads = {e.output: e.path for e in self.traced.effects if e.kind == "grad"}
        read_grads = {s.path for s in self.traced.sources if s.kind == "grad"}
        for i, output in enumerate(self.traced.program.outputs):
            new = f"empty({self.names.of(output.shape)}, {self.names.of(output.dtype)})"
            source = self.executable.in_place.get(i)
            if reuse and source is not None:
                x = f"x{position[source]}"
                lines.append(f"    o{i} = {x} if refs({x}) == {_REFERENCES} and {x}.base is None else {new}")
            elif reuse and i in old_grads and old_grads[i] not in read_grads and not self.executable.can_fail:
                lines += self._old_gradient(i, old_grads[i], output, new)
            else:
                lines.append(f"    o{i} = {new}")
        return lines

    def _old_gradient(self, i: int, path: str, output: Any, new: str) -> list[str]:
        """Last call's gradient, which this call replaces, lends its array if nobody else holds it."""
        shape, dtype = self.names.of(output.shape), self.names.of(output.dtype)
        return [
            f"    g{i} = {path}._grad",
            f"    if g{i} is not None and refs(g{i}) == {_REFERENCES}:",
            f"        o{i} = g{i}._data",
            f"        if refs(o{i}) != {_REFERENCES} or o{i}.base is not None or o{i}.shape != {shape}"
            f" or o{i}.dtype is not {dtype} or not o{i}.flags.carray:",
            f"            o{i} = {new}",
            "    else:",
            f"        o{i} = {new}",
        ]

    def _run(self) -> list[str]:
        given = [f"x{i}" for i in range(len(self.arrays))]
        given += ["floats"] if self.floats else []
        given += ["ints"] if self.ints else []
        given += [f"o{i}" for i in range(len(self.traced.program.outputs))]
        return [
            f"    r = run({', '.join(given)})",
            "    if r is not None:",
            *(f"        {name}.bit_generator.state = saved[{name!r}]" for name in self._drawn()),
            "        if r is NotImplemented:",
            "            return MISS",
            "        raise CallFailed",
        ]

    def _effects(self) -> list[str]:
        ends = any(e.kind == "grad" for e in self.traced.effects)  # the function has called backward itself
        wrapped = {e.output: e.detail for e in self.traced.effects if e.kind in ("grad", "variable")}
        given = [self.traced.result, *(e.detail for e in self.traced.effects if e.kind == "structure")]
        wrapped.update((r.output, r.name) for r in _results(given) if r.kind == "variable")
        lines = [
            f"    w{i} = wrap(o{i})" if name is None else f"    w{i} = named(o{i}, {name!r})"
            for i, name in wrapped.items()
        ]
        if not ends:
            lines += [f"    w{r.output} = edge(w{r.output})" for r in _results(given) if r.attached]
        lines += [line for effect in self.traced.effects for line in self._effect(effect)]
        return [*lines, f"    return {self._result(self.traced.result)}"]

    def _effect(self, effect: Effect) -> list[str]:
        path, output = effect.path, effect.output
        if effect.kind == "data":
            return [f"    {path}._data = o{output}"]
        if effect.kind == "grad":
            return [f"    {path}._grad = w{output}"]
        if effect.kind == "no grad":
            return [f"    {path}._grad = None"]
        if effect.kind == "kept":
            return [f"    {path} = ({', '.join(f'o{i}' for i in output)},)"]
        if effect.kind == "variable":
            return [f"    {path} = w{output}"]
        if effect.kind == "array":
            return [f"    {path} = o{output}"]
        if effect.kind == "number":
            return [f"    {path} = o{output}.item()"]
        if effect.kind == "increment":
            return [f"    {path} += {output}"]
        if effect.kind == "alias":
            return [f"    {path} = {output}"]
        if effect.kind == "structure":
            return [f"    {path} = {self._result(effect.detail)}"]
        assert effect.kind == "constant"
        return [f"    {path} = {self.names.of(effect.detail)}"]

    def _result(self, value: Any) -> str:
        """An expression for what is returned."""
        if isinstance(value, Returned):
            return value.path
        if isinstance(value, Result):
            if value.kind == "variable":
                return f"w{value.output}"
            if value.kind == "number":
                return f"o{value.output}.item()"
            # a single number is a scalar, as from NumPy's functions
            return f"o{value.output}" if self.traced.program.outputs[value.output].shape else f"o{value.output}[()]"
        kind = type(value)
        if kind is tuple:
            return f"({''.join(f'{self._result(item)}, ' for item in value)})"
        if kind is list:
            return f"[{', '.join(self._result(item) for item in value)}]"
        if hasattr(kind, "_fields"):
            return f"{self.names.of(kind)}({', '.join(self._result(item) for item in value)})"
        if kind is dict:
            items = (f"{self.names.of(key)}: {self._result(item)}" for key, item in value.items())
            return f"{{{', '.join(items)}}}"
        return self.names.of(value)


def _no_rule(*_: Any) -> Any:
    raise GradientError(
        "a result of a compiled function is differentiated outside of it, where its graph is not known; call "
        "backward() inside of the function, or leave the function uncompiled"
    )


def _edge_node() -> Node:
    """Stands for any compiled function in a graph outside of it."""
    node = Node()
    node.op = Op("compiled", lambda _, x: x, vjp=_no_rule)
    node.params, node.inputs, node.saved, node.output, node.generation = {}, [], [], None, 0
    return node


_EDGE = _edge_node()


def _edge(variable: Variable) -> Variable:
    """The Variable with a graph behind it that has no derivative."""
    variable._link = Link(_EDGE, 0, 1, variable._data, ref(variable))
    return variable


def _results(value: Any) -> list[Result]:
    """What stands for outputs in a returned structure."""
    if isinstance(value, Result):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [found for item in value for found in _results(item)] if isinstance(value, (list, tuple)) else []


def _named(data: Any, name: str) -> Variable:
    variable = _wrap(data)
    variable.name = name
    return variable


def _same_number(a: Any, b: Any) -> bool:
    """Whether two numbers are the same to the sign of zero; NaN is NaN."""
    return type(a) is type(b) and (math.copysign(1.0, a) == math.copysign(1.0, b) if a == b else a != a and b != b)


def _kept(table: Any, key: Any) -> bool:
    """Makes what is kept for a Variable, as zeros, where it is missing or does not fit."""
    data = key()._data
    arrays = table.get(key)
    if arrays is None or arrays[0].shape != data.shape or arrays[0].dtype != data.dtype:
        table[key] = tuple(np.zeros(data.shape, data.dtype) for _ in range(table.count))
    return True


def make_call(traced: Traced, executable: Executable, args: int, keywords: list[str]) -> Call:
    """The call of a program on `args` positional arguments and those named `keywords`."""
    writer = _Writer(traced, executable, args, keywords)
    source = writer.text()
    floats, ints = len(writer.floats), len(writer.ints)
    names = dict(traced.state.names.objects)
    names.update(
        MISS=MISS,
        CallFailed=CallFailed,
        NotImplemented=NotImplemented,
        edge=_edge,
        empty=np.empty,
        frombuffer=np.frombuffer,
        kept=_kept,
        named=_named,
        recording=RECORDING.get,
        refs=sys.getrefcount,
        run=executable.run,
        same=np.array_equal,
        same_number=_same_number,
        tracing=TRACE.get,
        strict=STRICT.get,
        training=TRAINING.get,
        wrap=_wrap,
        saved={},
    )
    if floats:
        _add_buffer(names, "floats", floats, "d", np.dtype(np.float64))
    if ints:
        _add_buffer(names, "ints", ints, "q", np.dtype(np.int64))
    exec(compile(source, "<adjoint.compile>", "exec"), names)
    return Call(names["attempt"], names["inputs"], names["finish"], traced.conditions, names, source)


def _add_buffer(names: dict[str, Any], name: str, count: int, letter: str, dtype: Any) -> None:
    """What numbers are handed over in."""
    names[name] = np.zeros(count, dtype)
    names[f"{name}_dtype"] = dtype
    names[f"buffer_{name}"] = memoryview(names[name]).cast("B")
    packed = struct.Struct(f"{count}{letter}")
    names[f"pack_{name}"], names[f"pack_{name}_into"] = packed.pack, packed.pack_into

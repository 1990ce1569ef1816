"""Vector mathematics: each function compiled in a loop over an array, against mpmath and, for special values, NumPy."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from mpmath import mp, mpf, workprec

llvm = pytest.importorskip("llvmlite.binding")

from adjoint.compile.codegen.mathematics import FUNCTIONS, constant, power_integer  # noqa: E402
from adjoint.compile.codegen.text import Function, Vector, module_text  # noqa: E402

DTYPES = {"float": np.float32, "double": np.float64}
LANES = {"float": 16, "double": 8}
REFERENCES: dict[str, Callable[..., mpf]] = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "sin": mp.sin,
    "cos": mp.cos,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "atan": mp.atan,
    "erf": mp.erf,
    "sqrt": mp.sqrt,
    "pow": mp.power,
}
NUMPY: dict[str, Callable[..., np.ndarray]] = {
    "abs": np.abs,
    "neg": np.negative,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "atan": np.arctan,
    "erf": lambda x: np.array([math.erf(value) for value in x], x.dtype),
    "pow": np.power,
}
ALL = pytest.mark.parametrize("name", sorted(REFERENCES))
BOTH = pytest.mark.parametrize("scalar", sorted(DTYPES))

Kernel = Callable[..., np.ndarray]

_names = count()
_linked: list[object] = []  # code lives as long as these do


@functools.cache
def _machine(native: bool) -> tuple[object, object]:
    """A target, of this processor or of the oldest of its kind, and a linker."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    options = {"opt": 1, "reloc": "pic", "codemodel": "small"}
    if native:
        options |= {"cpu": llvm.get_host_cpu_name(), "features": llvm.get_host_cpu_features().flatten()}
    target = llvm.Target.from_default_triple().create_target_machine(**options)
    return target, llvm.create_lljit_compiler(llvm.Target.from_default_triple().create_target_machine())


@functools.cache
def kernel(name: str, scalar: str, lanes: int, fma: bool = True, power: int | None = None) -> Kernel:
    """A function of one array, or of two for pow; without `fma`, compiled for a processor that has none."""
    kind, align = Vector(scalar, lanes), np.dtype(DTYPES[scalar]).itemsize
    f = Function("run", "ptr %x, ptr %y, ptr %result, i64 %size")
    f.do("br label %loop")
    f.label("loop")
    index = f.placeholder()

    def at(array: str) -> str:
        return f.let(f"getelementptr {scalar}, ptr {array}, i64 %i")

    arguments = [f.let(f"load {kind}, ptr {at(array)}, align {align}") for array in ("%x", "%y")]
    if power is not None:
        result = power_integer(f, kind, arguments[0], power)
    else:
        result = FUNCTIONS[name](f, kind, *arguments[: 2 if name == "pow" else 1], fma=fma)
    f.do(f"store {kind} {result}, ptr {at('%result')}, align {align}")
    f.do("br label %latch")
    f.label("latch")
    following = f.let(f"add i64 %i, {lanes}")
    more = f.let(f"icmp ult i64 {following}, %size")
    f.do(f"br i1 {more}, label %loop, label %exit")
    f.fill(index, f"%i = phi i64 [ 0, %0 ], [ {following}, %latch ]")
    f.label("exit")
    f.do("ret void")

    target, linker = _machine(fma)
    module = llvm.parse_assembly(module_text([f]))
    module.verify()
    builder = llvm.JITLibraryBuilder().add_object_img(target.emit_object(module)).add_current_process()
    library = builder.export_symbol("run").link(linker, f"mathematics{next(_names)}")
    _linked.append(library)
    native = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)(library["run"])

    def call(x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        size = -(-len(x) // lanes) * lanes
        padded = [np.ones(size, x.dtype) for _ in range(3)]
        for array, values in zip(padded, (x, x if y is None else y), strict=False):
            array[: len(x)] = values
        native(*(array.ctypes.data for array in padded), size)
        return padded[2][: len(x)]

    return call


def neighbours(centres: np.ndarray, dtype: type) -> np.ndarray:
    centres = np.asarray(centres).astype(dtype)
    return np.concatenate([centres, np.nextafter(centres, dtype(-np.inf)), np.nextafter(centres, dtype(np.inf))])


@functools.cache
def points(name: str, scalar: str) -> tuple[np.ndarray, ...]:
    """Arguments over the whole range of the function, some at the edges of the intervals that it is computed on."""
    dtype, random = DTYPES[scalar], np.random.default_rng(7)
    least, most = (-149, 127) if scalar == "float" else (-1074, 1023)
    top = (most + 1) * math.log(2)

    def powers(low: float, high: float, size: int = 200) -> np.ndarray:
        return np.exp2(random.uniform(low, high, size))

    if name == "pow":
        x = np.concatenate([powers(least, most), powers(-2, 2), 1 + powers(-20, 0), 1 - powers(-20, -1)]).astype(dtype)
        logarithm = np.log(x.astype(np.float64))
        y = random.uniform(-1.06, 0.999, len(x)) * top / np.where(logarithm == 0, 1, logarithm)
        y[::3] = random.uniform(-3, 3, len(y[::3]))
        return x, np.clip(y, -1e30, 1e30).astype(dtype)
    signs = random.choice([-1, 1], 200)
    groups = [powers(-30, 3) * signs, random.uniform(-20, 20, 200), powers(least, 0) * signs]
    if name in ("exp", "expm1", "sigmoid", "sinh", "cosh", "tanh", "erf"):
        groups += [random.uniform(-1.06 * top, top, 300), neighbours(np.arange(-9, 9) * math.log(2) / 2, dtype)]
    if name in ("log", "log1p", "sqrt", "atan"):
        groups += [powers(least, most, 300), neighbours(np.sqrt(np.exp2(np.arange(-9, 9))), dtype)]
        groups += [1 + powers(-30, -1), neighbours(np.array([math.sqrt(2) - 1, math.sqrt(2) + 1]), dtype)]
    if name in ("sin", "cos"):
        groups += [powers(0, most, 300), np.arange(-100, 100) * math.pi / 2, random.uniform(-6000, 6000, 300)]
        groups += [random.uniform(-1, 1, 300) * (2**17 if scalar == "float" else 2**27)]
    x = np.concatenate(groups).astype(dtype)
    if name in ("log", "sqrt"):
        x = abs(x)
    return (x[x > -1] if name == "log1p" else x[x != 0],)


@functools.cache
def expected(name: str, scalar: str) -> tuple[np.ndarray, np.ndarray]:
    """The results in two parts: the nearest double and the rest."""
    with workprec(150):
        arguments = zip(*(array.tolist() for array in points(name, scalar)), strict=True)
        exact = [REFERENCES[name](*map(mpf, values)) for values in arguments]
        high = [float(value) for value in exact]
        low = [
            float(value - mpf(part)) if math.isfinite(part) else 0.0 for value, part in zip(exact, high, strict=True)
        ]
    return np.array(high), np.array(low)


def errors(result: np.ndarray, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """In units in the last place of the exact results."""
    limits = np.finfo(result.dtype)
    over = abs(high) > limits.max
    np.testing.assert_array_equal(result[over], np.copysign(np.inf, high[over]))
    exponents = np.maximum(np.frexp(high)[1] - 1, limits.minexp)
    difference = np.where(over, 0, result.astype(np.float64)) - np.where(over, 0, high)
    return abs(np.ldexp(difference, limits.nmant - exponents) - np.ldexp(low, limits.nmant - exponents))


@BOTH
@ALL
@pytest.mark.parametrize("variant", ["1 lane", "4 lanes", "8 lanes", "16 lanes", "no fma"])
def test_error(name: str, scalar: str, variant: str) -> None:
    lanes = 4 if variant == "no fma" else int(variant.split()[0])
    arguments = points(name, scalar)
    result = kernel(name, scalar, lanes, fma=variant != "no fma")(*arguments)
    found = errors(result, *expected(name, scalar))
    worst = int(np.argmax(found))
    assert found[worst] <= 4, [array[worst] for array in arguments]


def special_values(scalar: str) -> np.ndarray:
    limits = np.finfo(DTYPES[scalar])
    positive = [0, 0.5, 1 - limits.epsneg, 1, 1 + limits.eps, 2, 2.5, 3, 1000, 2**23 + 1, limits.max, math.inf]
    positive += [limits.tiny, limits.smallest_subnormal, 2.0 ** (limits.nmant + 1) - 1, 2.0 ** (limits.nmant + 2)]
    return np.array([*positive, *(-value for value in positive), math.nan], DTYPES[scalar])


@BOTH
@pytest.mark.parametrize("fma", [True, False])
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_special_values(name: str, scalar: str, fma: bool) -> None:
    values = special_values(scalar)
    arguments = [values]
    if name == "pow":
        arguments = [grid.ravel() for grid in np.meshgrid(values, values)]
    result = kernel(name, scalar, LANES[scalar], fma)(*arguments)
    with np.errstate(all="ignore"):
        wanted = NUMPY.get(name, getattr(np, name, None))(*arguments)
        np.testing.assert_array_max_ulp(result, wanted, maxulp=4)
    ordered = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(result)[ordered], np.signbit(wanted)[ordered])
    np.testing.assert_array_equal(result[~np.isfinite(wanted)], wanted[~np.isfinite(wanted)])


@BOTH
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_not_a_number_passes_whatever_its_bits(name: str, scalar: str) -> None:
    bits = {"float": (np.uint32, 0x7FC007A2, 0xFFC007FF), "double": (np.uint64, 0x7FF80000000007A2, 0xFFFFFFFFFFFFFFFF)}
    integer, *payloads = bits[scalar]
    values = np.array(payloads, integer).view(DTYPES[scalar])
    assert np.isnan(kernel(name, scalar, LANES[scalar])(values)).all()


@BOTH
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_large_argument_leaves_its_neighbours_alone(name: str, scalar: str) -> None:
    run, x = kernel(name, scalar, 4), np.linspace(-9, 9, 16).astype(DTYPES[scalar])
    mixed = x.copy()
    mixed[::3] = 1e20
    result = run(mixed)
    np.testing.assert_array_equal(np.delete(result, np.s_[::3]), np.delete(run(x), np.s_[::3]))
    np.testing.assert_allclose(result[::3], getattr(np, name)(mixed[::3]), rtol=1e-6 if scalar == "float" else 1e-15)


@BOTH
@pytest.mark.parametrize("name", ["sin", "cos", "tanh", "erf"])
@pytest.mark.parametrize("fma", [True, False])
def test_bounded_by_one(name: str, scalar: str, fma: bool) -> None:
    x = np.linspace(-20, 20, 100_001).astype(DTYPES[scalar])
    assert abs(kernel(name, scalar, LANES[scalar], fma)(x)).max() <= 1


@BOTH
@pytest.mark.parametrize("power", range(-8, 9))
def test_integer_power(scalar: str, power: int) -> None:
    top = (128 if scalar == "float" else 1024) / max(abs(power), 1)
    random = np.random.default_rng(3)
    x = (np.exp2(random.uniform(-top, top, 300)) * random.choice([-1, 1], 300)).astype(DTYPES[scalar])
    x = np.where(abs(x) < 1e-300 if scalar == "double" else abs(x) < 1e-37, 1, x).astype(x.dtype)
    result = kernel("", scalar, 4, power=power)(x)
    with workprec(600):
        exact = [mpf(value) ** power for value in x.tolist()]
        high = np.array([float(value) for value in exact])
        low = np.array(
            [float(v - mpf(part)) if math.isfinite(part) else 0.0 for v, part in zip(exact, high, strict=True)]
        )
    assert errors(result, high, low).max() <= max(0.8 * abs(power), 0.5)
    if power == 2:
        np.testing.assert_array_equal(result, x * x)
    values = special_values(scalar)
    with np.errstate(all="ignore"):
        wanted = np.power(values, DTYPES[scalar](power))
        plain = ~np.isfinite(values) | (values == 0) if power else np.isfinite(values)
        result = kernel("", scalar, 4, power=power)(values)
    np.testing.assert_array_equal(result[plain], wanted[plain])
    np.testing.assert_array_equal(np.signbit(result)[plain & (values == 0)], np.signbit(wanted)[plain & (values == 0)])


def test_constants() -> None:
    assert constant(Vector("double", 4), 1.0) == "splat (double 0x3FF0000000000000)"
    assert constant(Vector("float", 4), 0.1) == "splat (float 0x3FB99999A0000000)"
    assert constant(Vector("float", 1), -math.inf) == "splat (float 0xFFF0000000000000)"
    assert constant(Vector("i32", 4), -5) == "splat (i32 -5)"

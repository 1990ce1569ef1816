"""Matrix product kernels against NumPy, run by themselves: shapes, strides, types, parts of the extent, processors."""

import ctypes
import itertools
from functools import cache

import numpy as np
import pytest

llvm = pytest.importorskip("llvmlite.binding")

from adjoint.compile.codegen.matmul import Strides, plan_copy, plan_product  # noqa: E402
from adjoint.compile.codegen.target import Target  # noqa: E402
from adjoint.compile.codegen.text import module_text  # noqa: E402

HOST = Target.host()
TARGETS = {
    "host": HOST,
    "64 bytes": Target(64, 32, fma=HOST.fma, masks=True),
    "32 bytes": Target(32, 16, fma=HOST.fma, masks=False),
    "16 bytes": Target(16, 16, fma=False, masks=False),
}
SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


@cache
def jit():
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=HOST.cpu, features=HOST.features, opt=1)
    return machine, llvm.create_lljit_compiler(machine), itertools.count()


@cache
def compiled(name, text):
    machine, engine, numbers = jit()
    image = machine.emit_object(llvm.parse_assembly(text))
    builder = llvm.JITLibraryBuilder().add_object_img(image).add_current_process().export_symbol(name)
    library = builder.link(engine, f"library{next(numbers)}")
    return library, SIGNATURE(library[name])


def run(plan, arrays, cuts=1):
    """Runs the steps, each by `cuts` parts of its extent, the last part first."""
    scratch = np.full(plan.scratch, 255, np.uint8)
    arrays = {**arrays, "scratch": scratch}
    addresses = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data - 8 for array in arrays.values()))
    operands = {name: (slot, 8) for slot, name in enumerate(arrays)}
    for step in plan.steps:
        _, function = compiled(step.function.name, module_text([step.function]))
        record = step.record(operands)
        words = (ctypes.c_int64 * len(record))(*record)
        edges = np.linspace(0, step.extent, cuts + 1).astype(int)
        for begin, end in reversed(list(itertools.pairwise(edges.tolist()))):
            if begin < end:
                function(addresses, words, begin, end)


def strides_of(array):
    strides = [stride // array.itemsize for stride in array.strides]
    batch = [0, 0, *strides[:-2]][-2:]
    return Strides(*strides[-2:], *batch)


def random(shape, dtype="float32", transposed=False, seed=0):
    rng = np.random.default_rng([seed, *shape])
    if transposed:
        return random((*shape[:-2], shape[-1], shape[-2]), dtype, seed=seed).swapaxes(-1, -2)
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0, 256, shape).astype(dtype)


def check(a, b, c=None, *, target=HOST, accumulate=False, bias=None, cuts=1):
    """Runs a @ b into `c`, an array with a margin of which nothing may change, and compares with NumPy."""
    shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, shape + a.shape[-2:]), np.broadcast_to(b, shape + b.shape[-2:])
    if c is None:
        margin = random((*shape, a.shape[-2] + 2, b.shape[-1] + 3), a.dtype, seed=9)
        c = margin[..., 1:-1, 1:-2]
    whole = c if c.base is None else c.base
    before, start = whole.copy(), c.copy()
    plan = plan_product(
        target,
        a.dtype.name,
        a.shape[-2],
        b.shape[-1],
        a.shape[-1],
        strides_of(a),
        strides_of(b),
        strides_of(c),
        batch=(1, 1, *shape)[-2:],
        accumulate=accumulate,
        bias=None if bias is None else strides_of(bias),
    )
    run(plan, {"a": a, "b": b, "c": c} | ({} if bias is None else {"bias": bias}), cuts)
    want = np.matmul(a, b)
    if accumulate:
        want = start | want if a.dtype == bool else start + want
    if bias is not None:
        want = want + bias
    if a.dtype.kind == "f":
        single = a.dtype == np.float32
        size = np.matmul(abs(a), abs(b)) + 1
        assert np.all(abs(c - want) <= size * (2e-6 if single else 4e-15))
    else:
        np.testing.assert_array_equal(c, want)
    c[...] = start
    np.testing.assert_array_equal(whole, before)
    return plan


SHAPES = [
    *((1, 1, 1), (30, 400, 100), (1, 37, 30), (30, 1, 100), (100, 10, 10), (30, 40, 1), (3, 5, 7), (2, 3, 40)),
    *((17, 33, 65), (16, 16, 16), (5, 65, 130), (64, 31, 9), (13, 2, 16), (4, 100, 17), (300, 65, 20), (31, 127, 50)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
def test_shapes(target, dtype):
    for (m, n, k), accumulate in itertools.product(SHAPES, (False, True)):
        for turn_a, turn_b in itertools.product((False, True), repeat=2):
            a, b = random((m, k), dtype, turn_a), random((k, n), dtype, turn_b, seed=1)
            check(a, b, target=TARGETS[target], accumulate=accumulate)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "int16", "bool"])
@pytest.mark.parametrize("target", ["host", "16 bytes"])
def test_integers_wrap(target, dtype):
    for (m, n, k), accumulate in itertools.product(SHAPES[4:11], (False, True)):
        for turn in (False, True):
            a, b = random((m, k), dtype), random((k, n), dtype, turn, seed=1)
            check(a, b, target=TARGETS[target], accumulate=accumulate)


@pytest.mark.parametrize("shape", [(0, 3, 2), (3, 0, 2), (3, 20, 0), (0, 0, 0), (1, 1, 0)])
@pytest.mark.parametrize("accumulate", [False, True])
def test_nothing_to_sum(shape, accumulate):
    m, n, k = shape
    check(random((m, k)), random((k, n)), accumulate=accumulate)
    check(random((m, k)), random((k, n), transposed=True), accumulate=accumulate)


@pytest.mark.parametrize("shape", [(260, 70, 1100), (3, 70, 2100), (300, 513, 64), (70, 300, 300)])
@pytest.mark.parametrize("turn_b", [False, True])
def test_sizes_beyond_a_block(shape, turn_b):
    m, n, k = shape
    for target in TARGETS.values():
        check(random((m, k)), random((k, n), transposed=turn_b), target=target, accumulate=True)
    check(random((m, k), transposed=True), random((k, n), transposed=turn_b))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_transposed_and_packed(target, dtype):
    for (m, n, k), turn_b in itertools.product([(256, 100, 260), (96, 300, 1100), (104, 97, 256)], (False, True)):
        a, b = random((m, k), dtype, transposed=True), random((k, n), dtype, turn_b, seed=1)
        plan = check(a, b, target=TARGETS[target], accumulate=True, cuts=3)
        assert plan.steps[0].operands == ("a", "scratch")
        check(a, b, target=TARGETS[target], bias=random((m, n), dtype))
        assert len(check(a[:-1], b, target=TARGETS[target]).steps) <= 2  # no whole tiles


@pytest.mark.parametrize("turn_b", [False, True])
def test_batches_of_a_transposed_and_packed(turn_b):
    a, b = random((256, 260), transposed=True), random((260, 100), transposed=turn_b)
    check(np.broadcast_to(a, (2, 256, 260)), random((2, 260, 100), transposed=turn_b))
    check(random((2, 256, 260), transposed=True), b)
    check(b.T, a.T, np.zeros((256, 100), np.float32).T)


@pytest.mark.parametrize("turn_b", [False, True])
def test_batches(turn_b):
    a, b = random((3, 4, 9, 20)), random((3, 4, 20, 33), transposed=turn_b)
    check(a, b)
    check(a, b[:1], accumulate=True)
    check(a[:, :1], b)
    check(a[:1, :1], b[:, :1])
    check(a[0, 0], b, cuts=5)
    check(a[0], b[0], cuts=3)


def test_heads_that_are_interleaved():
    a = random((2, 16, 4 * 8)).reshape(2, 16, 4, 8).transpose(0, 2, 1, 3)
    b = random((2, 16, 4 * 8)).reshape(2, 16, 4, 8).transpose(0, 2, 3, 1)
    c = np.zeros((2, 16, 4, 16), np.float32).transpose(0, 2, 1, 3)
    check(a, b, c)
    check(random((2, 4, 16, 16)), a, np.zeros((2, 16, 4, 8), np.float32).transpose(0, 2, 1, 3))


def test_strides_of_any_kind():
    a, b = random((40, 90))[::2, ::-3], random((60, 80))[::2, ::2]
    for target in TARGETS.values():
        check(a, b, target=target)
        check(a[:2], b, target=target)
        check(a[:, ::-1], b[:, ::-1], target=target)
        check(a, np.broadcast_to(random((30, 1)), (30, 25)), target=target)
        check(np.broadcast_to(random((1, 30)), (7, 30)), b, target=target)


def test_c_may_be_transposed():
    for m, n, k in SHAPES:
        check(random((m, k)), random((k, n)), np.zeros((n, m), np.float32).T, accumulate=True)
    with pytest.raises(ValueError, match="contiguous"):
        check(random((4, 3)), random((3, 5)), np.zeros((8, 10), np.float32)[::2, ::2])


def test_bias():
    for m, n, k in [(30, 400, 100), (3, 7, 5), (300, 65, 20), (4, 1, 9), (2, 50, 2100)]:
        for turn_b in (False, True):
            a, b = random((m, k)), random((k, n), transposed=turn_b)
            check(a, b, bias=np.broadcast_to(random((n,)), (m, n)))
            check(a, b, bias=random((m, n)))
    with pytest.raises(ValueError, match="bias"):
        check(random((4, 3)), random((3, 5)), bias=random((4, 5), transposed=True))


@pytest.mark.parametrize("cuts", [2, 3, 7, 50])
def test_parts_of_the_extent(cuts):
    check(random((50, 20)), random((20, 70)), cuts=cuts, accumulate=True)
    check(random((300, 20)), random((20, 70), transposed=True), cuts=cuts)
    check(random((2, 20)), random((20, 70), transposed=True), cuts=cuts)
    check(random((2, 3, 50, 20)), random((2, 3, 20, 70), transposed=True), cuts=cuts)


@pytest.mark.parametrize(("m", "n", "k"), [(30, 400, 100), (100, 400, 30), (256, 100, 260), (40, 200, 1100)])
@pytest.mark.parametrize("turn_a", [False, True])
def test_results_do_not_depend_on_the_parts(m, n, k, turn_a):
    a, b = random((m, k), transposed=turn_a), random((k, n))
    plan = plan_product(HOST, "float32", m, n, k, strides_of(a), strides_of(b), Strides(n, 1), accumulate=True)
    assert min(step.extent for step in plan.steps) >= 8
    results = []
    for cuts in (1, 2, 3, 8, 1000):
        results.append(np.ones((m, n), np.float32))
        run(plan, {"a": a, "b": b, "c": results[-1]}, cuts)
        np.testing.assert_array_equal(results[-1], results[0])


def test_values_that_are_not_finite_stay_where_they_are():
    a, b = random((20, 37)), random((37, 50), transposed=True)
    b[36, 49], a[3, 0] = np.inf, np.nan
    for rows in (20, 2):
        c = np.zeros((rows, 50), np.float32)
        run(plan_product(HOST, "float32", rows, 50, 37, *map(strides_of, (a, b, c))), {"a": a, "b": b, "c": c})
        np.testing.assert_array_equal(np.isfinite(c), np.isfinite(a[:rows] @ b))
        assert not np.isnan(c[0]).any()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint8"])
def test_copies(dtype):
    for target in TARGETS.values():
        for rows, columns in [(1, 1), (3, 50), (100, 400), (16, 17), (33, 8), (2, 2)]:
            for source in (random((columns, rows), dtype).T, random((2 * rows, 3 * columns), dtype)[::2, ::3]):
                out = np.zeros((rows + 1, columns + 2), dtype)[1:, 2:]
                plan = plan_copy(target, dtype, rows, columns, strides_of(source), strides_of(out))
                run(plan, {"in": source, "out": out}, cuts=3)
                np.testing.assert_array_equal(out, source)
                assert not out.base[0].any()
                assert not out.base[:, :2].any()


def test_equal_tiles_share_a_kernel():
    texts = {module_text([check(random((m, 50)), random((50, 80))).steps[-1].function]) for m in (30, 60, 90, 120, 150)}
    assert len(texts) == 1

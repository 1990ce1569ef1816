"""Kernels that move by index, scan and check, against NumPy: all dtypes, all widths of vectors, parts of extents."""

from __future__ import annotations

import ctypes
import itertools

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from adjoint.compile.codegen import moves, scans
from adjoint.compile.codegen.kernels import addresses
from adjoint.compile.codegen.rows import SCALARS
from adjoint.compile.codegen.target import Target

TARGETS = [
    Target(64, 32, fma=True, masks=True),
    Target(32, 16, fma=True, masks=False),
    Target(16, 16, fma=False, masks=False),
]
DTYPES = list(SCALARS)
KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
GUARD = 64  # elements around every array that a kernel writes


@pytest.fixture(params=TARGETS, ids=lambda target: f"{target.vector_bytes}bytes", scope="module")
def target(request):
    return request.param


@pytest.fixture(scope="module")
def numbers():
    return np.random.default_rng(0)


def execute(step, cuts=1, parts=None, **arrays):
    """Runs a step over arrays of the names of its operands, its extent cut into pieces, and returns the status.

    An operand is an array, or (array, number of the element that it begins with).
    """
    arena = np.zeros(1, np.int64)
    table = np.array([arena.ctypes.data, *(array.ctypes.data for array, _ in map(whole, arrays.values()))], np.int64)
    places = {
        name: (slot, first * array.itemsize)
        for slot, (name, (array, first)) in enumerate(((n, whole(a)) for n, a in arrays.items()), 1)
    }
    record = np.array([*(number for name in step.operands for number in places[name]), *step.words], np.int64)
    kernel = KERNEL(addresses([step.function])[0])
    if parts is None:
        edges = [step.extent * cut // cuts for cut in range(cuts + 1)]
        parts = list(itertools.pairwise(edges))
    for begin, end in reversed(parts):  # in any order
        kernel(table.ctypes.data, record.ctypes.data, begin, end)
    return int(arena[0])


def whole(operand):
    return operand if isinstance(operand, tuple) else (operand, 0)


def guarded(array):
    """A copy within a longer array, as an operand and as a view, and a check that nothing around it has changed."""
    noise = np.full(array.size + 2 * GUARD, 1 if array.dtype == bool else 77, array.dtype)
    noise[GUARD : GUARD + array.size] = array.ravel()
    before = noise.copy()

    def untouched():
        return all(np.array_equal(noise[part], before[part]) for part in (slice(GUARD), slice(-GUARD, None)))

    return (noise, GUARD), noise[GUARD : GUARD + array.size].reshape(array.shape), untouched


def random(numbers, dtype, *shape):
    if dtype == "bool":
        return numbers.random(shape) < 0.3
    if dtype.startswith("float"):
        return numbers.standard_normal(shape).astype(dtype)
    limits = np.iinfo(dtype)
    return numbers.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def indices(numbers, dtype, size, count):
    lowest = 0 if dtype.startswith("u") else -size
    return numbers.integers(lowest, size, count).astype(dtype)


INDEXED = [  # outer, sizes, inner, count, index dtypes
    (1, (5,), 1, 7, ["int64"]),
    (3, (4,), 1, 5, ["uint8"]),
    (2, (9,), 37, 11, ["int32"]),
    (1, (3, 4), 5, 13, ["int64", "int8"]),
    (4, (2, 3, 2), 16, 6, ["int16", "uint32", "int64"]),
    (2, (2, 1, 2, 3, 1, 2), 130, 3, ["int64", "int32", "uint16", "int8", "uint8", "uint64"]),
    (2, (3,), 0, 4, ["int64"]),
    (2, (3,), 4, 0, ["int64"]),
    (0, (3,), 4, 2, ["int64"]),
]


def indexed(numbers, dtype, case):
    outer, sizes, inner, count, kinds = case
    x = random(numbers, dtype, outer, *sizes, inner)
    index = [indices(numbers, kind, size, count) for kind, size in zip(kinds, sizes, strict=True)]
    arguments = (dtype, kinds), {"outer": outer, "sizes": sizes, "inner": inner, "count": count}
    return x, index, arguments


def named(index):
    return {f"index{i}": array for i, array in enumerate(index)}


@pytest.mark.parametrize("case", INDEXED)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bool"])
def test_gather(target, numbers, dtype, case):
    x, index, (arguments, sizes) = indexed(numbers, dtype, case)
    expected = x[:, *index]
    step = moves.gather_step(target, *arguments, **sizes)
    for cuts in (1, 3):
        operand, out, untouched = guarded(np.zeros_like(expected))
        assert execute(step, cuts, x=x, out=operand, **named(index)) == 0
        assert np.array_equal(out, expected)
        assert untouched()


@pytest.mark.parametrize("dtype", DTYPES)
def test_gather_of_every_dtype(target, numbers, dtype):
    x, index, (arguments, sizes) = indexed(numbers, dtype, (2, (4,), 67, 5, ["int64"]))
    out = np.zeros((2, 5, 67), dtype)
    assert execute(moves.gather_step(target, *arguments, **sizes), x=x, out=out, **named(index)) == 0
    assert np.array_equal(out, x[:, index[0]])


def scattered(x, index, values):
    """The sums, added one after the other."""
    result = x.copy()
    for i in range(values.shape[1]):
        place = (slice(None), *(array[i] for array in index))
        result[place] = result[place] | values[:, i] if x.dtype == bool else result[place] + values[:, i]
    return result


@pytest.mark.parametrize("case", INDEXED)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bool"])
def test_scatter_add(target, numbers, dtype, case):
    x, index, (arguments, sizes) = indexed(numbers, dtype, case)
    values = random(numbers, dtype, x.shape[0], len(index[0]), x.shape[-1])
    step = moves.scatter_add_step(target, *arguments, **sizes)
    for cuts in (1, 3):
        operand, out, untouched = guarded(x)
        assert execute(step, cuts, values=values, out=operand, **named(index)) == 0
        assert np.array_equal(out, scattered(x, index, values))
        assert untouched()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.filterwarnings("ignore:overflow")
def test_scatter_add_repeats_and_wraps(target, numbers, dtype):
    index = [np.array([1, -2, 1, 1, 0, 1], np.int64)]
    x, values = random(numbers, dtype, 2, 3, 71), random(numbers, dtype, 2, 6, 71)
    out = x.copy()
    step = moves.scatter_add_step(target, dtype, ["int64"], outer=2, sizes=[3], inner=71, count=6)
    assert execute(step, 5, values=values, out=out, **named(index)) == 0
    assert np.array_equal(out, scattered(x, index, values))


BAD = [("int64", [0, 3, -3, -4, 2**62, -(2**63)]), ("uint8", [255, 1, 3]), ("int8", [-128, 127, -1]), ("int32", [2, 3])]


@pytest.mark.parametrize("inner", [0, 1, 21])
@pytest.mark.parametrize(("kind", "given"), BAD)
def test_indices_out_of_range(target, numbers, kind, given, inner):
    index, count = np.array(given, kind), len(given)
    good = (index < 3) & (index.astype(np.int64) >= -3)
    x, values = random(numbers, "float32", 2, 3, inner), random(numbers, "float32", 2, count, inner)
    sizes = {"outer": 2, "sizes": [3], "inner": inner, "count": count}

    operand, out, untouched = guarded(np.full((2, count, inner), 5, np.float32))
    assert execute(moves.gather_step(target, "float32", [kind], **sizes), x=x, out=operand, index0=index) == 1
    assert np.array_equal(out[:, good], x[:, index[good]])
    assert (out[:, ~good] == 5).all()
    assert untouched()

    operand, out, untouched = guarded(x)
    step = moves.scatter_add_step(target, "float32", [kind], **sizes)
    assert execute(step, 2, values=values, out=operand, index0=index) == 1
    assert np.array_equal(out, scattered(x, [index[good]], values[:, good]))
    assert untouched()


def test_any_index_array_may_be_out_of_range(target, numbers):
    x = random(numbers, "float64", 1, 2, 3, 4)
    for bad in ([[0, 2], [0, 0]], [[0, 0], [-4, 0]]):
        index = [np.array(array, np.int64) for array in bad]
        out = np.zeros((1, 2, 4))
        step = moves.gather_step(target, "float64", ["int64"] * 2, outer=1, sizes=(2, 3), inner=4, count=2)
        assert execute(step, x=x, out=out, **named(index)) == 1
    with pytest.raises(ValueError, match="1 index arrays for 2 axes"):
        moves.gather_step(target, "float64", ["int64"], outer=1, sizes=(2, 3), inner=4, count=2)


SCANNED = [(1, 1, 1), (3, 7, 1), (6, 131, 1), (3, 64, 1), (2, 9, 5), (1, 4, 16), (2, 3, 67), (0, 3, 4), (2, 3, 0)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_argmax(target, numbers, dtype):
    for outer, count, inner in SCANNED:
        x = random(numbers, dtype, outer, count, inner)
        if dtype.startswith("float"):
            x = np.round(x)  # equal ones
            x[numbers.random(x.shape) < 0.1] = -np.inf
            x[::2][numbers.random(x[::2].shape) < 0.05] = np.nan
        step = scans.argmax_step(target, dtype, outer=outer, count=count, inner=inner)
        for cuts in (1, 3):
            operand, out, untouched = guarded(np.full((outer, inner), -1))
            assert execute(step, cuts, x=x, out=operand) == 0
            assert np.array_equal(out, x.argmax(1))
            assert untouched()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.filterwarnings("ignore:overflow")
def test_cumulative_sum(target, numbers, dtype):
    for outer, count, inner in [*SCANNED, (2, 0, 3)]:
        x = random(numbers, dtype, outer, count, inner)
        if count:
            x[:, 0] = -x[:, 0] * 0 if dtype.startswith("float") else x[:, 0]  # zeros of either sign
        expected = np.add.accumulate(x, 1, dtype)
        step = scans.cumulative_sum_step(target, dtype, outer=outer, count=count, inner=inner)
        for cuts in (1, 3):
            operand, out, untouched = guarded(np.zeros_like(x))
            assert execute(step, cuts, x=x, out=operand) == 0
            assert out.tobytes() == expected.tobytes()
            assert untouched()
        operand, out, untouched = guarded(x)
        assert execute(step, x=operand, out=operand) == 0
        assert out.tobytes() == expected.tobytes()
        assert untouched()


@pytest.mark.parametrize("dtype", DTYPES)
def test_argmax_finds_the_first_maximum_anywhere(target, dtype):
    count = 37
    marks = [*((i,) for i in range(count)), *((i, j) for i in (0, 5, 30) for j in range(count))]
    highest = [np.array(1, dtype), *([np.array(np.nan, dtype)] if dtype.startswith("float") else [])]
    for value in highest:
        x = np.zeros((len(marks), count), dtype)
        for row, places in zip(x, marks, strict=True):
            row[list(places)] = value
        out = np.zeros(len(marks), np.int64)
        assert execute(scans.argmax_step(target, dtype, outer=len(marks), count=count, inner=1), x=x, out=out) == 0
        assert out.tolist() == list(map(min, marks))


def test_require(target):
    for count in (0, 1, 2, 63, 64, 65, 200):
        step = scans.require_step(target, count)
        noise = np.zeros(count + 2 * GUARD, bool)  # what is read beyond would be false
        flags = noise[GUARD : GUARD + count]
        flags[:] = True
        for cuts in (1, 3):
            assert execute(step, cuts, flags=(noise, GUARD)) == 0
        for bad in {0, count // 2, count - 1} if count else ():
            flags[bad] = False
            for cuts in (1, 3):
                assert execute(step, cuts, flags=(noise, GUARD)) == 1
            flags[bad] = True


@pytest.mark.parametrize("dtype", DTYPES)
def test_fill(target, dtype):
    for count in (0, 1, 15, 64, 131):
        for value in (0, 1, 100):
            step = moves.fill_step(target, dtype, count, value)
            for cuts in (1, 3):
                operand, out, untouched = guarded(np.full(count, 9, dtype))
                assert execute(step, cuts, out=operand) == 0
                assert (out == np.array(value, dtype)).all()
                assert untouched()
    if dtype.startswith("float"):
        out = np.zeros(3, dtype)
        execute(moves.fill_step(target, dtype, 3, -np.inf), out=out)
        assert (out == -np.inf).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_iota(target, dtype):
    for count in (0, 1, 15, 64, 131, 300):
        step = moves.iota_step(target, dtype, count)
        for cuts in (1, 3):
            operand, out, untouched = guarded(np.zeros(count, dtype))
            assert execute(step, cuts, out=operand) == 0
            assert np.array_equal(out, np.arange(count).astype(dtype))
            assert untouched()


VIEWS = [
    (lambda x: x, (3, 5, 7)),
    (lambda x: x[::2, ::-1, 1:6], (4, 5, 7)),
    (lambda x: x[:, :, ::-3], (2, 3, 67)),
    (lambda x: x, (3, 4000)),
    (lambda x: x.T, (3, 2, 5, 2)),
    (lambda x: x[:, None, :, None] + np.zeros((1, 2, 1, 3), x.dtype), (3, 4)),
    (lambda x: np.broadcast_to(x, (3, 4, 5)), (4, 1)),
    (lambda x: np.broadcast_to(x[:, None, :, None], (2, 3, 33, 70)), (2, 33)),
    (lambda x: x.transpose(5, 3, 1, 0, 2, 4), (2, 3, 2, 3, 2, 3)),
    (lambda x: x[::-1, ::2, :, 1:, ::-1, ::2], (2, 3, 2, 3, 4, 5)),
    (lambda x: x, ()),
    (lambda x: x, (1, 1)),
    (lambda x: x[:, :0], (3, 4)),
    (lambda x: x, (4, 0, 3)),
    (lambda x: x.transpose(1, 2, 0), (4, 0, 3)),
]


def strides(view):
    return [step // view.itemsize for step in view.strides]


def begins(view, base):
    """The number of an array's first element in the array that it views."""
    return (view.__array_interface__["data"][0] - base.ctypes.data) // view.itemsize


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize(("turn", "shape"), VIEWS)
def test_copy_strided(target, numbers, dtype, turn, shape):
    base = np.array(numbers.integers(0, 100, shape), dtype)
    view = turn(base)
    if not np.may_share_memory(view, base):
        base = view
    step = moves.copy_strided_step(
        target, view.itemsize, view.shape, strides(view), strides(np.empty(view.shape, dtype))
    )
    for cuts in (1, 3):
        operand, out, untouched = guarded(np.zeros(view.shape, dtype))
        assert execute(step, cuts, **{"in": (base, begins(view, base)), "out": operand}) == 0
        assert np.array_equal(out, view)
        assert untouched()


def test_copy_strided_into_a_view(target, numbers):
    x = numbers.standard_normal((3, 4, 9))
    for turn in (lambda y: y[:, 1:5, 2:11], lambda y: y[::-1, :4, 8::-1], lambda y: y[:, ::2, ::2][:, :, :9]):
        out = np.zeros((3, 8, 18))
        expected = out.copy()
        turn(expected)[...] = x
        view = turn(out)
        step = moves.copy_strided_step(target, 8, x.shape, strides(x), strides(view))
        assert execute(step, 2, **{"in": x, "out": (out, begins(view, out))}) == 0
        assert np.array_equal(out, expected)


def test_an_empty_part_does_nothing(target):
    steps = [
        moves.gather_step(target, "float32", ["int64"], outer=2, sizes=[3], inner=4, count=5),
        moves.scatter_add_step(target, "float32", ["int64"], outer=2, sizes=[3], inner=4, count=5),
        scans.argmax_step(target, "float32", outer=2, count=3, inner=4),
        scans.cumulative_sum_step(target, "float32", outer=2, count=3, inner=4),
        scans.require_step(target, 4),
        moves.fill_step(target, "float32", 4),
        moves.iota_step(target, "float32", 4),
        moves.copy_strided_step(target, 4, (2, 3, 2), (1, 2, 6), (6, 2, 1)),
    ]
    empty = np.zeros(0, np.float32)
    for step in steps:
        parts = [(0, 0), (1, 1), (step.extent, step.extent)]
        assert execute(step, parts=parts, **dict.fromkeys(step.operands, empty)) == 0

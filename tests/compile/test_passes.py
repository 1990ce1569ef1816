"""The passes, each alone on short programs: what it makes of them, what it leaves, and that results stay."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint.arrays import numpy_namespace
from adjoint.compile.passes import optimized
from adjoint.compile.passes.products import accumulate_products, copy_shared_operands, thin_products
from adjoint.compile.passes.simplifying import constant_value, simplify
from adjoint.compile.passes.slicing import move_joins, move_slices
from adjoint.program import Program, Trace, interpret, namespace as xp
from adjoint.program.operations import make

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.5, -2.25, 1e300, 5e-324]


def traced(function, *inputs):
    """The program of a function of arrays, given by shapes or arrays; of None: float64."""
    arrays = [np.empty(one) if isinstance(one, tuple) else one for one in inputs]
    with Trace() as trace:
        results = function(*(trace.tracer(None, array) for array in arrays))
        results = results if isinstance(results, tuple) else (results,)
        return Program(trace.inputs, [trace.read(result) for result in results], keep=trace.checks)


def lines(program):
    """What is printed of instructions and results."""
    text = [line.strip() for line in str(program).splitlines()[1:]]
    return [line.partition("  #")[0] for line in text if not line.startswith("input")]


def values_for(program, seed=0):
    """Arrays for a program's inputs, with every kind of number where they are large enough."""
    rng = np.random.default_rng(seed)
    arrays = []
    for x in program.inputs:
        if x.dtype.kind == "f":
            array = rng.normal(size=x.shape)
            flat = array.reshape(-1)
            if seed:
                flat[: len(SPECIAL)] = rng.permutation(SPECIAL)[: flat.size]
        else:
            array = rng.integers(0, 3, x.shape)
        with np.errstate(over="ignore"):
            arrays.append(array.astype(x.dtype))
    return arrays


def assert_same_results(before, after, exact):
    for seed in range(4 if exact else 1):
        arrays = values_for(before, seed)
        expected = interpret(before, numpy_namespace, arrays)
        found = interpret(after, numpy_namespace, arrays)
        for a, b in zip(found, expected, strict=True):
            a, b = np.asarray(a), np.asarray(b)
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            if exact:
                np.testing.assert_array_equal(a, b)
                if b.dtype.kind == "f":
                    np.testing.assert_array_equal(np.signbit(a) & ~np.isnan(a), np.signbit(b) & ~np.isnan(b))
            else:
                limit = 1e-6 if b.dtype == np.float32 else 1e-12
                np.testing.assert_allclose(a, b, rtol=limit, atol=limit)


def assert_becomes(one, program, expected, exact=True):
    """A pass makes these lines of a program, and its results stay; to the last bit, or but for roundings."""
    after = one(program)
    assert lines(after) == [line.strip() for line in expected.strip().splitlines()]
    assert_same_results(program, after, exact)


def assert_stays(one, program):
    after = one(program)
    assert lines(after) == lines(program)


def case(name, function, *inputs, becomes):
    return pytest.param(function, inputs, becomes, id=name)


F32 = np.empty(3, np.float32)
INT = np.empty(3, np.int64)


@pytest.mark.parametrize(
    ("function", "inputs", "expected"),
    [
        case("times one", lambda x: x * 1.0, (3,), becomes="return %0"),
        case("one times", lambda x: 1.0 * x, (3,), becomes="return %0"),
        case("by one", lambda x: x / 1.0, (3,), becomes="return %0"),
        case("less zero", lambda x: x - 0.0, (3,), becomes="return %0"),
        case("times ones", lambda x: np.ones_like(x) * x, (3,), becomes="return %0"),
        case(
            "times ones of a larger shape",
            lambda x: x * xp.ones((2, 3)),
            (3,),
            becomes="%1: float64[2, 3] = broadcast %0 ((2, 3))\nreturn %1",
        ),
        case("twice negated", lambda x: np.negative(-x), (3,), becomes="return %0"),
        case("plus negated", lambda x, y: x + -y, (3,), (3,), becomes="%2: float64[3] = sub %0 %1\nreturn %2"),
        case("negated plus", lambda x, y: -x + y, (3,), (3,), becomes="%2: float64[3] = sub %1 %0\nreturn %2"),
        case(
            "by a power of two",
            lambda x: x / 4.0,
            (3,),
            becomes="%1: float64[] = constant (0.25, float64)\n%2: float64[3] = mul %0 %1\nreturn %2",
        ),
        case(
            "by a negative power of two in single precision",
            lambda x: x / -0.5,
            F32,
            becomes="%1: float32[] = constant (-2.0, float32)\n%2: float32[3] = mul %0 %1\nreturn %2",
        ),
        case(
            "arithmetic on constants",
            lambda x: x * (np.ones_like(x) * 3.0 - 1.0),
            (3,),
            becomes="%1: float64[] = constant (2.0, float64)\n%2: float64[3] = mul %0 %1\nreturn %2",
        ),
        case(
            "a function of a constant",
            lambda x: x * np.exp(np.zeros_like(x)),
            (3,),
            becomes="return %0",
        ),
        case(
            "constants in their dtype",
            lambda x: np.full_like(x, 0.1) + np.full_like(x, 0.2),
            F32,
            becomes=f"%1: float32[] = constant ({float(np.float32(0.1) + np.float32(0.2))!r}, float32)\n"
            "%2: float32[3] = broadcast %1 ((3,))\nreturn %2",
        ),
        case(
            "a constant comparison",
            lambda x: np.where(np.ones_like(x) > 0, x, -x),
            (3,),
            becomes="%1: bool[] = constant (True, bool)\n%2: float64[3] = neg %0\n"
            "%3: float64[3] = where %1 %0 %2\nreturn %3",
        ),
        case("transposed twice", lambda x: x.T.T, (2, 3), becomes="return %0"),
        case(
            "permuted twice",
            lambda x: x.transpose(1, 2, 0).transpose(0, 2, 1),
            (2, 3, 4),
            becomes="%1: float64[3, 2, 4] = permute %0 ((1, 0, 2))\nreturn %1",
        ),
        case(
            "a permutation of axes of length one",
            lambda x: x.T,
            (1, 3),
            becomes="%1: float64[3, 1] = reshape %0 ((3, 1))\nreturn %1",
        ),
        case("reshaped twice", lambda x: x.reshape(6).reshape(3, 2).reshape(2, 3), (2, 3), becomes="return %0"),
        case(
            "reshapes in a row",
            lambda x: x.reshape(6).reshape(3, 2),
            (2, 3),
            becomes="%1: float64[3, 2] = reshape %0 ((3, 2))\nreturn %1",
        ),
        case("sliced whole", lambda x: x[:, ::1], (2, 3), becomes="return %0"),
        case("reversed twice", lambda x: x[::-1][::-1], (3,), becomes="return %0"),
        case(
            "a slice of a slice",
            lambda x: x[1:8:2][::-1][1:],
            (9,),
            becomes="%1: float64[3] = slice %0 (((5, 3, -2),))\nreturn %1",
        ),
        case(
            "repeated twice",
            lambda x: np.broadcast_to(np.broadcast_to(x, (2, 3)), (4, 2, 3)),
            (3,),
            becomes="%1: float64[4, 2, 3] = broadcast %0 ((4, 2, 3))\nreturn %1",
        ),
        case(
            "a repetition that arithmetic makes by itself",
            lambda x, y: np.broadcast_to(x, (2, 3)) + y,
            (3,),
            (2, 3),
            becomes="%2: float64[2, 3] = add %0 %1\nreturn %2",
        ),
        case(
            "one repetition of two that is needed",
            lambda x, y: np.broadcast_to(x, (2, 3)) + np.broadcast_to(y, (2, 3)),
            (3,),
            (3,),
            becomes="%2: float64[2, 3] = broadcast %1 ((2, 3))\n%3: float64[2, 3] = add %0 %2\nreturn %3",
        ),
        case("a sum over one", lambda x: x.sum(axis=0, keepdims=True), (1, 3), becomes="return %0"),
        case("the largest of one", lambda x: x.max(axis=0), (1,), becomes="%1: float64[] = reshape %0 (())\nreturn %1"),
        case(
            "the sum of a reshaped array",
            lambda x: x.reshape(3, 2).sum(),
            (2, 3),
            becomes="%1: float64[] = sum %0 ((0, 1))\nreturn %1",
        ),
        case(
            "the sum of a repeated number",
            lambda x: np.broadcast_to(x, (4, 8)).sum(),
            (),
            becomes="%1: float64[] = constant (32.0, float64)\n%2: float64[] = mul %0 %1\nreturn %2",
        ),
        case(
            "equal operations",
            lambda x: (x * 2.0) * 1.0 + x * 2.0,
            (3,),
            becomes="%1: float64[] = constant (2.0, float64)\n%2: float64[3] = mul %0 %1\n"
            "%3: float64[3] = add %2 %2\nreturn %3",
        ),
        case(
            "a common reshape",
            lambda x, y: np.tanh(x).reshape(6) * np.tanh(y).reshape(6),
            (2, 3),
            (2, 3),
            becomes="%2: float64[2, 3] = tanh %0\n%3: float64[2, 3] = tanh %1\n%4: float64[2, 3] = mul %2 %3\n"
            "%5: float64[6] = reshape %4 ((6,))\nreturn %5",
        ),
        case("a cast to the same", lambda x: x.astype(np.float64), (3,), becomes="return %0"),
        case(
            "a division of whole numbers by one",
            lambda x: x / 1,
            INT,
            becomes="%1: float64[3] = cast %0 (float64)\nreturn %1",
        ),
    ],
)
def test_simplify_writes_it_shorter(function, inputs, expected):
    assert_becomes(simplify, traced(function, *inputs), expected)


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: x * 0.0, (3,)),  # NaN, and the sign of 0
        (lambda x: x + 0.0, (3,)),  # -0.0 becomes 0.0
        (lambda x: x - x, (3,)),  # NaN for infinity
        (lambda x: x / x, (3,)),
        (lambda x: 0.0 - x, (3,)),  # 0.0 for 0.0
        (lambda x: x - -0.0, (3,)),
        (lambda x: x / 3.0, (3,)),
        (lambda x: x / 0.0, (3,)),
        (lambda x: x / np.inf, (3,)),
        (lambda x: x / 5e-324, (3,)),  # a power of two whose reciprocal is too large
        (lambda x: x / 2.0**1023, (3,)),
        (lambda x: 1.0 / x, (3,)),
        (lambda x: x == x, (3,)),  # False for NaN
        (lambda x: np.maximum(x, -np.inf), (3,)),
        (lambda x: (x + 1e300) - 1e300, (3,)),
        (lambda x: (x * 3.0) * 5.0, (3,)),
        (lambda x: np.where(x > 0, x, x), (3,)),
        (lambda x: x.sum(axis=0), (2, 3)),
        (lambda x: x.T.reshape(6), (2, 3)),
        (lambda x: x[::-1].reshape(2, 3), (6,)),
        (lambda x: np.broadcast_to(x, (2, 3)), (3,)),
        (lambda x: np.exp(np.log(x)), (3,)),
        (lambda x: np.broadcast_to(x, (2, 3)).sum(axis=1), (3,)),
    ],
)
def test_simplify_leaves_what_would_change_a_bit(function, shape):
    program = traced(function, shape)
    assert_stays(simplify, program)
    assert_same_results(program, simplify(program), exact=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x * 0.0) * -1.0,
        lambda x: -(x * 1.0) + -0.0,
        lambda x: (-x) + (-x),
        lambda x: x + (-0.0),
        lambda x: np.negative(-x) - 0.0,
        lambda x: 0.0 * (x / 2.0) / 4.0,
        lambda x: np.abs(-x) * -0.0,
        lambda x: x / 0.25 / 0.125,
        lambda x: x / 2.0**-100,
        lambda x: x / 2.0**99 / 2.0**99,
        lambda x: np.minimum(x, x * 1.0),
        lambda x: x - np.zeros_like(x) * -1.0,
        lambda x: x * (np.ones_like(x) * np.nan),
        lambda x: np.full_like(x, -0.0) + np.full_like(x, -0.0),
    ],
)
def test_simplify_keeps_every_bit(function):
    program = traced(function, (9,))
    assert_same_results(program, simplify(program), exact=True)


def test_simplify_tells_zeros_of_both_signs_apart():
    program = traced(lambda x: (np.full_like(x, 0.0), np.full_like(x, -0.0)), (2,))
    assert_becomes(
        simplify,
        program,
        """
        %1: float64[] = constant (0.0, float64)
        %2: float64[2] = broadcast %1 ((2,))
        %3: float64[] = constant (-0.0, float64)
        %4: float64[2] = broadcast %3 ((2,))
        return %2
        return %4
        """,
    )


def test_a_reciprocal_that_overflows_in_half_precision_is_not_taken():
    program = traced(lambda x: x / 2.0**-20, np.empty(3, np.float16))
    assert_stays(simplify, program)


@pytest.mark.parametrize("value", [np.inf, np.nan, 1.0])
def test_the_sum_of_a_number_repeated_no_times_is_zero(value):
    program = traced(lambda x: np.broadcast_to(x, (0, 3)).sum(), ())
    assert interpret(simplify(program), numpy_namespace, [np.asarray(value)])[0] == 0.0


def test_constant_value_looks_through_repetition():
    one = make("constant", params=(1.0, np.dtype(float)))
    assert constant_value(make("reshape", make("broadcast", one, params=((2, 3),)), params=((6,),))) == 1.0
    assert constant_value(make("neg", one)) is None


def test_checks_are_kept():
    def checked(x):
        xp.require(x * 1.0 > 0, ValueError)
        return x

    program = simplify(traced(checked, (3,)))
    assert lines(program) == [
        "%1: float64[] = constant (0.0, float64)",
        "%2: bool[3] = gt %0 %1",
        "%3: bool[3] = require %2",
        "return %0",
    ]


def test_a_program_of_thousands_of_steps_is_simplified():
    def deep(x):
        for _ in range(5000):
            x = x * 1.0 + 1.0
        return x

    program = simplify(traced(deep, (2,)))
    assert len(program.instructions()) == 5001


# Products


@pytest.mark.parametrize(
    ("function", "inputs", "expected"),
    [
        case("all pairs", lambda a, b: a @ b, (3, 1), (1, 4), becomes="%2: float64[3, 4] = mul %0 %1\nreturn %2"),
        case(
            "rows with one column",
            lambda a, b: a @ b,
            (3, 4),
            (4, 1),
            becomes="%2: float64[1, 4] = reshape %1 ((1, 4))\n%3: float64[3, 4] = mul %0 %2\n"
            "%4: float64[3] = sum %3 ((1,))\n%5: float64[3, 1] = reshape %4 ((3, 1))\nreturn %5",
        ),
        case(
            "one row with columns",
            lambda a, b: a @ b,
            (1, 3),
            (3, 4),
            becomes="%2: float64[3, 1] = reshape %0 ((3, 1))\n%3: float64[3, 4] = mul %2 %1\n"
            "%4: float64[4] = sum %3 ((0,))\n%5: float64[1, 4] = reshape %4 ((1, 4))\nreturn %5",
        ),
        case(
            "columns of a transposed matrix",
            lambda a, b: a.T @ b,
            (4, 3),
            (4, 1),
            becomes="%2: float64[4, 3] = mul %0 %1\n%3: float64[3] = sum %2 ((0,))\n"
            "%4: float64[3, 1] = reshape %3 ((3, 1))\nreturn %4",
        ),
        case(
            "a row with a transposed matrix",
            lambda a, b: a @ b.T,
            (1, 3),
            (4, 3),
            becomes="%2: float64[4, 3] = mul %0 %1\n%3: float64[4] = sum %2 ((1,))\n"
            "%4: float64[1, 4] = reshape %3 ((1, 4))\nreturn %4",
        ),
    ],
)
def test_thin_products_become_sums(function, inputs, expected):
    assert_becomes(thin_products, traced(function, *inputs), expected, exact=False)


@pytest.mark.parametrize("shapes", [((3, 4), (4, 2)), ((3, 0), (0, 1)), ((2, 3, 4), (2, 4, 5))])
def test_other_products_stay(shapes):
    assert_stays(thin_products, traced(lambda a, b: a @ b, *shapes))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize(
    ("a", "b"),
    [((1, 1), (1, 1)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((5, 2, 3), (3,)), ((5, 1, 3), (5, 3, 2))],
)
def test_thin_products_keep_shapes_and_dtypes(a, b, dtype):
    program = traced(lambda a, b: a @ b, np.empty(a, dtype), np.empty(b, dtype))
    assert_same_results(program, thin_products(program), exact=dtype not in ("float64", "float32") or a == (1, 1))


def test_products_that_are_added_up_share_memory():
    program = traced(lambda a, b: a @ b + b @ a + a @ a, (2, 2), (2, 2))
    assert_becomes(
        accumulate_products,
        program,
        """
        %2: float64[2, 2] = matmul %0 %1
        %3: float64[2, 2] = matmul_add %2 %1 %0
        %4: float64[2, 2] = matmul_add %3 %0 %0
        return %4
        """,
        exact=False,
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a @ b + b,  # no product to add to
        lambda a, b: (p := a @ b) + p,
        lambda a, b: ((p := a @ b) + b @ a, p),  # the first product is a result itself
        lambda a, b: ((p := a @ b) + b @ a) * p,  # … or read again
        lambda a, b: a @ b + (b @ a)[:1],  # shapes that differ
        lambda a, b: a @ b - b @ a,
    ],
)
def test_products_that_something_else_reads_are_not_added_in_place(function):
    assert_stays(accumulate_products, traced(function, (2, 2), (2, 2)))


def test_a_transposed_operand_of_two_products_is_copied_once():
    program = traced(lambda a, b, w: (a @ w.T, b @ w.T), (2, 3), (5, 3), (4, 3))
    assert_becomes(
        copy_shared_operands,
        program,
        """
        %3: float64[3, 4] = permute %2 ((1, 0))
        %4: float64[3, 4] = copy %3
        %5: float64[2, 4] = matmul %0 %4
        %6: float64[5, 4] = matmul %1 %4
        return %5
        return %6
        """,
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda a, w: a @ w.T,  # one product
        lambda a, w: (a @ w.T, w.T @ a),  # to the left it is read as it is
        lambda a, w: (a @ np.tanh(w).T, w @ np.tanh(w).T),
    ],
)
def test_operands_that_one_product_reads_are_not_copied(function):
    assert_stays(copy_shared_operands, traced(function, (3, 3), (3, 3)))


# Slices and joins


def test_a_slice_moves_before_the_function():
    assert_becomes(
        move_slices,
        traced(lambda x, y: np.tanh(x * y)[:, 1:3], (2, 4), (4,)),
        """
        %2: float64[2, 2] = slice %0 (((0, 2, 1), (1, 2, 1)))
        %3: float64[2] = slice %1 (((1, 2, 1),))
        %4: float64[2, 2] = mul %2 %3
        %5: float64[2, 2] = tanh %4
        return %5
        """,
    )


def test_slices_of_what_is_used_whole_stay():
    assert_stays(move_slices, traced(lambda x: ((y := np.tanh(x))[1:], y), (3,)))
    assert_stays(move_slices, traced(lambda x: ((y := np.tanh(x))[1:], y.sum()), (3,)))
    assert_stays(move_slices, traced(lambda x: (x @ x)[1:], (3, 3)))


def test_what_is_repeated_along_an_axis_is_not_sliced_there():
    assert_becomes(
        move_slices,
        traced(lambda x, y: (x * y)[1:], (3, 1), (1, 2)),
        """
        %2: float64[2, 1] = slice %0 (((1, 2, 1), (0, 1, 1)))
        %3: float64[2, 2] = mul %2 %1
        return %3
        """,
    )


def test_slices_move_through_several_functions_at_once():
    assert_becomes(
        move_slices,
        traced(lambda x: (y := np.tanh(np.exp(x)))[:1] * y[1:], (2,)),
        """
        %1: float64[1] = slice %0 (((0, 1, 1),))
        %2: float64[1] = exp %1
        %3: float64[1] = tanh %2
        %4: float64[1] = slice %0 (((1, 1, 1),))
        %5: float64[1] = exp %4
        %6: float64[1] = tanh %5
        %7: float64[1] = mul %3 %6
        return %7
        """,
    )


@pytest.mark.parametrize(
    "index", [np.s_[0:0], np.s_[::-1], np.s_[:, ::-2], np.s_[:, 1], np.s_[:, 3:1], np.s_[..., 0:0]]
)
@pytest.mark.parametrize(
    "shapes", [((2, 4), (4,)), ((2, 4), (2, 1)), ((1, 4), (4,)), ((1, 4), (1, 4)), ((1, 1), (2, 4))]
)
def test_moved_slices_give_the_same(shapes, index):
    program = traced(lambda x, y: np.where(x > y, x * 2.0, y)[index], *shapes)
    after = move_slices(program)
    assert_same_results(program, after, exact=True)
    assert after.instructions()[-1].op != "slice"


def test_a_function_of_a_join_becomes_a_join_of_functions():
    assert_becomes(
        move_joins,
        traced(lambda x, y: np.tanh(np.concatenate([np.exp(x), np.sin(y)])), (2,), (3,)),
        """
        %2: float64[2] = exp %0
        %3: float64[2] = tanh %2
        %4: float64[3] = sin %1
        %5: float64[3] = tanh %4
        %6: float64[5] = concat %3 %5 (0)
        return %6
        """,
    )


def test_an_operand_beside_a_join_is_cut():
    assert_becomes(
        move_joins,
        traced(lambda x, y, z: np.concatenate([-x, -y], axis=1) * z, (2, 2), (2, 3), (5,)),
        """
        %3: float64[2, 2] = neg %0
        %4: float64[2] = slice %2 (((0, 2, 1),))
        %5: float64[2, 2] = mul %3 %4
        %6: float64[2, 3] = neg %1
        %7: float64[3] = slice %2 (((2, 3, 1),))
        %8: float64[2, 3] = mul %6 %7
        %9: float64[2, 5] = concat %5 %8 (1)
        return %9
        """,
    )


def test_a_join_of_given_arrays_stays():
    assert_stays(move_joins, traced(lambda x, y: np.tanh(np.concatenate([x, y])), (2,), (3,)))


def test_joins_of_joins_are_one():
    assert_becomes(
        move_joins,
        traced(lambda x, y: np.concatenate([np.concatenate([x, y]), x]), (2,), (3,)),
        "%2: float64[7] = concat %0 %1 %0 (0)\nreturn %2",
    )


def test_joins_along_different_axes_stay():
    assert_stays(move_joins, traced(lambda x, y: np.concatenate([np.concatenate([x, x], axis=1), y]), (2, 2), (3, 4)))


def test_a_slice_within_one_part_of_a_join_is_of_that_part():
    assert_becomes(
        move_joins,
        traced(lambda x, y: np.concatenate([x, y])[4:1:-1], (2,), (3,)),
        "%2: float64[3] = slice %1 (((2, 3, -1),))\nreturn %2",
    )
    assert_stays(move_joins, traced(lambda x, y: np.concatenate([x, y])[1:3], (2,), (3,)))


def test_a_sum_of_a_join_along_another_axis_is_of_each_part():
    assert_becomes(
        move_joins,
        traced(lambda x, y: np.concatenate([x, y], axis=1).sum(axis=0), (2, 2), (2, 3)),
        """
        %2: float64[2] = sum %0 ((0,))
        %3: float64[3] = sum %1 ((0,))
        %4: float64[5] = concat %2 %3 (0)
        return %4
        """,
        exact=False,
    )
    assert_stays(move_joins, traced(lambda x, y: np.concatenate([x, y], axis=1).sum(axis=1), (2, 2), (2, 3)))


def test_parts_placed_side_by_side_become_a_join():
    def placed(x, y):
        return xp.unindex(y, np.s_[2:], (5,)) + xp.unindex(x, np.s_[:2], (5,))

    assert_becomes(move_joins, traced(placed, (2,), (3,)), "%2: float64[5] = concat %0 %1 (0)\nreturn %2", exact=False)


@pytest.mark.parametrize(
    "indices",
    [
        (np.s_[:2], np.s_[3:]),  # a gap
        (np.s_[:3], np.s_[2:]),  # an overlap
        (np.s_[:3], np.s_[:3]),
        (np.s_[::2], np.s_[1::2]),
        (np.s_[2::-1], np.s_[3:]),
    ],
)
def test_parts_that_do_not_fill_the_axis_one_after_the_other_are_added(indices):
    lengths = [len(range(6)[index]) for index in indices]

    def placed(x, y):
        return xp.unindex(x, indices[0], (6,)) + xp.unindex(y, indices[1], (6,))

    program = traced(placed, *((n,) for n in lengths))
    assert_stays(move_joins, program)


def test_all_passes_leave_a_recurrent_cell_without_slices_of_what_is_computed():
    def cell(z, c):
        gates = 0.5 * np.tanh(0.5 * z[:, :6]) + 0.5
        u = np.tanh(z[:, 6:])
        new = gates[:, :2] * c + gates[:, 2:4] * u
        return gates[:, 4:] * np.tanh(new), new

    program = traced(cell, (3, 8), (3, 2))
    after = optimized(program)
    assert all(x.inputs[0].op == "input" for x in after.instructions() if x.op == "slice")
    assert_same_results(program, after, exact=True)

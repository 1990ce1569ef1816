"""Programs: instructions and their types, printing, and running by NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint.arrays import numpy_namespace
from adjoint.errors import AdjointError, ProgramError
from adjoint.program import CheckFailed, Instruction, Program, Trace, interpret, namespace as xp
from adjoint.program.instruction import reachable, type_text
from adjoint.program.operations import OPERATIONS, make, slice_index, thawed

F64 = np.dtype(np.float64)
F32 = np.dtype(np.float32)
BOOL = np.dtype(np.bool_)


def given(*shape, dtype=F64):
    return Instruction("input", (), (0,), shape, dtype)


# Types


@pytest.mark.parametrize(
    ("op", "shapes", "params", "shape", "dtype"),
    [
        ("add", [(2, 3), (3,)], (), (2, 3), F64),
        ("add", [(2, 1), (1, 3)], (), (2, 3), F64),
        ("mul", [(), (0, 3)], (), (0, 3), F64),
        ("lt", [(2, 3), ()], (), (2, 3), BOOL),
        ("isnan", [(2,)], (), (2,), BOOL),
        ("tanh", [(2, 3)], (), (2, 3), F64),
        ("cast", [(2, 3)], (F32,), (2, 3), F32),
        ("reshape", [(2, 3)], ((6,),), (6,), F64),
        ("permute", [(2, 3, 4)], ((2, 0, 1),), (4, 2, 3), F64),
        ("broadcast", [(3,)], ((2, 3),), (2, 3), F64),
        ("slice", [(5, 4)], (((4, 3, -2), (1, 2, 1)),), (3, 2), F64),
        ("slice", [(5,)], (((0, 0, 1),),), (0,), F64),
        ("sum", [(2, 3, 4)], ((0, 2),), (3,), F64),
        ("max", [(2, 3)], ((0, 1),), (), F64),
        ("argmax", [(2, 3)], (1,), (2,), np.dtype(np.intp)),
        ("cumsum", [(2, 3)], (1,), (2, 3), F64),
        ("place", [(2, 1)], (((0, 2, 1), (3, 1, 1)), (2, 4)), (2, 4), F64),
        ("matmul", [(2, 3), (3, 4)], (), (2, 4), F64),
        ("matmul", [(5, 1, 2, 3), (4, 3, 2)], (), (5, 4, 2, 2), F64),
        ("matmul_add", [(2, 4), (2, 3), (3, 4)], (), (2, 4), F64),
        ("concat", [(2, 3), (2, 1)], (1,), (2, 4), F64),
        ("copy", [(2, 3)], (), (2, 3), F64),
        ("argsort", [(2, 3)], (1,), (2, 3), np.dtype(np.intp)),
        ("solve", [(2, 1, 0, 0), (4, 0, 3)], (), (2, 4, 0, 3), F64),
        ("slogdet", [(4, 3, 3)], (), (4, 2), F64),
        ("eig", [(4, 3, 3)], (), (4, 4, 3), np.dtype(complex)),
        ("eigh", [(4, 3, 3)], (), (4, 4, 3), F64),
        ("svd", [(4, 3, 2)], (), (4, 6, 2), F64),
        ("qr", [(4, 2, 3)], (), (4, 5, 2), F64),
    ],
)
def test_the_type_of_a_result_is_that_of_numpys(op, shapes, params, shape, dtype):
    inputs = [given(*one) for one in shapes]
    result = make(op, *inputs, params=params)
    assert (result.shape, result.dtype) == (shape, dtype)
    computed = OPERATIONS[op].evaluate(numpy_namespace, *(np.ones(one) for one in shapes), *params)
    assert (computed.shape, computed.dtype) == (shape, dtype)


@pytest.mark.parametrize(
    ("op", "inputs", "params"),
    [
        ("add", [given(2), given(2, dtype=F32)], ()),
        ("eq", [given(2), given(2, dtype=F32)], ()),
        ("where", [given(2, dtype=BOOL), given(2), given(2, dtype=F32)], ()),
        ("reshape", [given(2, 3)], ((5,),)),
        ("permute", [given(2, 3)], ((0, 0),)),
        ("permute", [given(2, 3)], ((0,),)),
        ("broadcast", [given(2, 3)], ((3,),)),
        ("slice", [given(3)], (((2, 2, 1),),)),
        ("slice", [given(3)], (((0, 2, -1),),)),
        ("sum", [given(2, 3)], ((2,),)),
        ("sum", [given(2, 3)], ((-1,),)),
        ("argmax", [given(2)], (1,)),
        ("matmul", [given(2, 3), given(2, 3)], ()),
        ("matmul", [given(3), given(3, 2)], ()),
        ("concat", [given(2), given(2, dtype=F32)], (0,)),
        ("argsort", [given(2)], (1,)),
        ("cholesky", [given(2, 3)], ()),
        ("eigh", [given(3)], ()),
        ("svd", [given(3)], ()),
        ("solve", [given(2, 2), given(3, 1)], ()),
        ("solve", [given(2, 2), given(2, 1, dtype=F32)], ()),
        ("input", [], (0,)),
    ],
)
def test_an_instruction_that_does_not_hold_together_is_an_error_of_the_program(op, inputs, params):
    with pytest.raises(ProgramError):
        make(op, *inputs, params=params)


def test_shapes_that_cannot_be_broadcast_are_a_value_error():
    with pytest.raises(ValueError, match="broadcast"):
        make("add", given(2), given(3))


def test_an_error_of_a_program_is_one_of_the_package():
    assert issubclass(ProgramError, AdjointError)


def test_an_instruction_says_its_type():
    x = make("tanh", given(2, 3, dtype=F32))
    assert type_text(x) == "float32[2, 3]"
    assert repr(x) == "<tanh: float32[2, 3]>"
    assert x.size == 6
    assert make("sum", x, params=((0, 1),)).size == 1


@pytest.mark.parametrize(
    "ranges", [((0, 3, 1),), ((2, 3, -1),), ((4, 3, -2),), ((1, 2, 3),), ((0, 0, 1),), ((0, 1, -1),), ((4, 5, -1),)]
)
def test_ranges_are_slices_of_python(ranges):
    start, length, step = ranges[0]
    np.testing.assert_array_equal(np.arange(5)[slice_index(ranges)], start + step * np.arange(length))


def test_slices_in_an_index_are_held_as_tuples():
    index = ((1, None, 2), 0, None, Ellipsis)
    hash(index)
    assert thawed(index) == (slice(1, None, 2), 0, None, Ellipsis)


# Programs


def step(x, w):
    return np.tanh(x @ w) + 1.0


def traced(function, *arrays, names=()):
    with Trace() as trace:
        result = function(*(trace.tracer(None, array) for array in arrays))
        return Program(trace.inputs, [result.instruction], names, ["y"], "step", trace.checks)


def test_a_program_prints_as_text():
    program = traced(step, np.ones((2, 3), np.float32), np.ones((3, 4), np.float32), names=["x", "w"])
    assert str(program) == "\n".join(
        [
            "program step",
            "  input %0: float32[2, 3]  # x",
            "  input %1: float32[3, 4]  # w",
            "  %2: float32[2, 4] = matmul %0 %1",
            "  %3: float32[2, 4] = tanh %2",
            "  %4: float32[] = constant (1.0, float32)",
            "  %5: float32[2, 4] = add %3 %4",
            "  return %5  # y",
        ]
    )
    assert repr(program) == "<program step: 2 inputs, 4 instructions>"


def test_inputs_and_results_have_names_of_their_own():
    x = given(2)
    text = str(Program([x], [x, make("neg", x)]))
    assert text.splitlines() == [
        "program program",
        "  input %0: float64[2]  # in0",
        "  %1: float64[2] = neg %0",
        "  return %0  # out0",
        "  return %1  # out1",
    ]


def test_only_what_results_need_is_printed_and_run():
    x = given(2)
    make("tanh", x)
    y = make("neg", x)
    assert Program([x], [y]).instructions() == [y]


def test_each_instruction_comes_after_what_it_reads():
    x = given(2)
    a, b = make("sin", x), make("cos", x)
    c = make("mul", a, b)
    d = make("add", c, a)
    order = reachable([d])
    assert order == [a, b, c, d]


def test_programs_may_be_thousands_of_instructions_deep():
    x = y = given(2)
    for _ in range(20_000):
        y = make("neg", y)
    program = Program([x], [y])
    assert len(program.instructions()) == 20_000
    np.testing.assert_array_equal(interpret(program, numpy_namespace, [np.ones(2)])[0], np.ones(2))


def test_a_slice_in_an_index_is_printed():
    program = traced(lambda x: x[:, [0, 1]], np.ones((2, 3)), names=["x", "places"])
    assert "gather %0 %1 (((None, None, None), Place(0)))" in str(program)


# Running


def test_interpret_gives_each_result():
    x = given(2)
    y = make("neg", x)
    a, b, c = interpret(Program([x], [y, x, y]), numpy_namespace, [np.array([1.0, 2.0])])
    assert a is c
    np.testing.assert_array_equal(a, [-1.0, -2.0])
    np.testing.assert_array_equal(b, [1.0, 2.0])


def test_interpret_takes_as_many_arrays_as_there_are_inputs():
    x = given(2)
    with pytest.raises(ValueError, match="zip"):
        interpret(Program([x], [x]), numpy_namespace, [])


def test_interpret_does_not_warn_of_what_native_code_does_silently():
    program = traced(lambda x: 1.0 / x + np.log(x), np.zeros(2), names=["x"])
    assert np.isnan(interpret(program, numpy_namespace, [np.zeros(2)])[0]).all()


def test_a_check_that_fails_ends_the_program():
    def checked(x):
        xp.require(x > 0, ValueError)
        return x + 1.0

    program = traced(checked, np.ones(2), names=["x"])
    np.testing.assert_array_equal(interpret(program, numpy_namespace, [np.ones(2)])[0], [2.0, 2.0])
    with pytest.raises(CheckFailed):
        interpret(program, numpy_namespace, [np.array([1.0, -1.0])])


def test_a_check_of_no_flags_holds():
    def checked(x):
        xp.require(x > 0, ValueError)
        return x

    interpret(traced(checked, np.ones(0), names=["x"]), numpy_namespace, [np.ones(0)])


def test_arrays_are_let_go_after_their_last_use():
    """What the peak of memory is while a long chain runs."""
    import tracemalloc

    x = y = given(100_000)
    for _ in range(30):
        y = make("neg", y)
    program = Program([x], [y])
    array = np.ones(100_000)
    tracemalloc.start()
    interpret(program, numpy_namespace, [array])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * array.nbytes


@pytest.mark.parametrize("length", [0, 1, 5])
@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_iota_counts_from_zero(length, dtype):
    x = make("iota", params=(length, np.dtype(dtype)))
    found = interpret(Program([], [x]), numpy_namespace, [])[0]
    np.testing.assert_array_equal(found, np.arange(length, dtype=dtype), strict=True)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_sums_of_small_integers_are_of_their_type(dtype):
    x = given(3, dtype=np.dtype(dtype))
    total = make("sum", x, params=((0,),))
    found = interpret(Program([x], [total]), numpy_namespace, [np.ones(3, dtype)])[0]
    assert found.dtype == total.dtype


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_has_a_kind(name):
    operation = OPERATIONS[name]
    assert operation.name == name
    assert operation.kind in ("elementwise", "view", "reduction", "other")

"""What the tests of compiled functions share: one function run in every way there is, and the results compared."""

from __future__ import annotations

import numpy as np

import adjoint as ad
from adjoint import Variable
from adjoint.arrays import numpy_namespace
from adjoint.compile.passes import optimized
from adjoint.compile.tracing import Result, Returned
from adjoint.program import interpret

TOLERANCE = {"float16": 5e-3, "float32": 2e-5, "float64": 1e-11}


def variables(arrays):
    """Arrays of floats as Variables, others as constants."""
    return [Variable(array) if array.dtype.kind in "fc" else array for array in arrays]


def plain(value):
    """What a function returned, with arrays in the place of Variables, as a flat list."""
    if isinstance(value, (list, tuple)):
        return [part for item in value for part in plain(item)]
    return [value.data if isinstance(value, Variable) else value]


def flat(value):
    return [part for item in value for part in flat(item)] if isinstance(value, (list, tuple)) else [value]


def assert_agree(found, expected, tolerance=None, what=""):
    """Equal shapes and dtypes, equal NaNs and infinities; numbers that differ by roundings, of the largest at most."""
    assert len(found) == len(expected)
    for number, (a, b) in enumerate(zip(found, expected, strict=True)):
        where = f"{what} result {number}"
        if b is None or type(b) in (bool, int, float, str):
            assert type(a) is type(b), where
            assert a == b or (a != a and b != b), where
            continue
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype), where
        if b.dtype.kind == "c":
            assert_agree([a.real, a.imag], [b.real, b.imag], tolerance, where)
            continue
        if b.dtype.kind != "f":
            np.testing.assert_array_equal(a, b, err_msg=where)
            continue
        limit = tolerance or TOLERANCE[b.dtype.name]
        finite = np.isfinite(b)
        np.testing.assert_array_equal(np.where(np.isfinite(a), 0, a), np.where(finite, 0, b), err_msg=where)
        scale = np.max(np.abs(b), where=finite, initial=1.0)
        np.testing.assert_allclose(a, b, rtol=limit, atol=limit * scale, err_msg=where)


def program_results(compiled, given, program):
    """The results of a compiled function's program, run by NumPy, in the place of those of a call."""
    specialisation = compiled._latest()
    given = [np.asarray(array) for array in specialisation.call.inputs(given, {})]
    outputs = interpret(program, numpy_namespace, given)
    parts = flat(specialisation.traced.result)
    return [
        outputs[part.output] if isinstance(part, Result) else part for part in parts if not isinstance(part, Returned)
    ]


def assert_compiled_as_eager(function, arrays, tolerance=None, *, as_variables=True):
    """Runs a function eagerly, natively, and by its programs before and after the passes; gives it compiled."""
    wrapped = variables if as_variables else list
    with np.errstate(all="ignore"):
        expected = plain(function(*wrapped(arrays)))
    compiled = ad.compile(function)
    copies = [array.copy() for array in arrays]
    for when in ("first", "second"):
        assert_agree(plain(compiled(*wrapped(arrays))), expected, tolerance, f"native, {when} call:")
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy, err_msg="an argument was written to")
    program = compiled.program
    returned = flat(compiled._latest().traced.result)
    computed = [b for part, b in zip(returned, expected, strict=True) if not isinstance(part, Returned)]
    for what, one in (("traced program:", program), ("program after the passes:", optimized(program))):
        assert_agree(program_results(compiled, wrapped(arrays), one), computed, tolerance, what)
    return compiled

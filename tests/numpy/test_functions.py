"""NumPy's functions on Variables: NumPy's values, derivatives of two orders, and a place for every public name."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
import adjoint.numpy as anp
from adjoint import Variable, special
from adjoint.core.numpy_protocol import FUNCTIONS, UFUNCS
from adjoint.errors import AdjointError, AxisError, DTypeError
from adjoint.numpy.constants import CONSTANT, UNSUPPORTED
from adjoint.numpy.ufuncs import CONSTANT_UFUNCS, UNSUPPORTED_UFUNCS
from adjoint.testing import check_grads
from tests.numpy.table import HOLES, TABLE

CASES = [pytest.param(f, args, id=f"{name}-{number}") for number, (name, f, args) in enumerate(TABLE)]


def leaves(value):
    return [x for part in value for x in leaves(part)] if isinstance(value, (list, tuple)) else [value]


@pytest.mark.parametrize(("function", "arguments"), CASES)
@pytest.mark.filterwarnings("ignore:numpy.fix:DeprecationWarning")  # of NumPy 2.5
def test_value_is_numpys_and_is_recorded(function, arguments):
    given = [argument.copy() for argument in arguments]
    results = leaves(function(*map(Variable, given)))
    expected = leaves(function(*arguments))
    assert len(results) == len(expected)
    for result, plain in zip(results, expected, strict=True):
        assert isinstance(result, Variable)
        assert (result.shape, result.dtype) == (np.shape(plain), np.asarray(plain).dtype)
        assert_allclose(result.data, plain, rtol=1e-13, atol=1e-13)
    # As NumPy does, some return what they are given where nothing is to be done.
    assert any(result.creator is not None or result.data is given[0] for result in results)
    for before, after in zip(arguments, given, strict=True):
        assert_allclose(before, after, rtol=0)


@pytest.mark.parametrize(("function", "arguments"), CASES)
def test_derivatives_agree_with_differences(function, arguments):
    check_grads(function, arguments)


# What depends on values: how many elements there are, or in which form they come.
UNTRACED = "frexp partition trim_zeros unique unwrap".split()


@pytest.mark.parametrize(("name", "function", "arguments"), [
    pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(TABLE) if row[0] not in UNTRACED
])  # fmt: skip
def test_compiled_as_eager(name, function, arguments):
    def step(*arrays):
        return leaves(function(*map(Variable, arrays)))

    for compiled, eager in zip(ad.compile(step)(*arguments), step(*arguments), strict=True):
        assert_allclose(compiled.data, eager.data, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", UNTRACED)
def test_what_cannot_be_traced_says_so(name):
    _, function, arguments = next(row for row in TABLE if row[0] == name)
    with pytest.raises(ad.errors.TraceError):
        ad.compile(lambda *arrays: function(*map(Variable, arrays)))(*arguments)


def test_nan_and_infinities_become_numbers():
    x = Variable([np.nan, np.inf, -np.inf, 2.0])
    assert np.nan_to_num(x).data.tolist() == np.nan_to_num(x.data).tolist()
    y = np.nan_to_num(x, nan=3.0, posinf=4.0, neginf=5.0)
    np.sum(y * y).backward()
    assert y.data.tolist() == [3.0, 4.0, 5.0, 2.0]
    assert x.grad.data.tolist() == [0.0, 0.0, 0.0, 4.0]


def test_statistics_of_the_numbers_among_nan():
    for function in (np.nansum, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanmedian, np.nanprod):
        for axis in (None, 0, 1):
            x = Variable(HOLES)
            y = function(x, axis=axis)
            assert_allclose(y.data, function(HOLES, axis=axis), rtol=1e-14)
            np.sum(y).backward()
            assert np.isfinite(x.grad.data).all()
            assert x.grad.data[0, 1] == 0.0


# Every public name


def public_functions():
    return {name: value for name in np.__all__ if callable(value := getattr(np, name)) and not isinstance(value, type)}


HANDED_OVER = {name: f for name, f in public_functions().items() if hasattr(f, "_implementation")}
ALL_UFUNCS = {name: f for name, f in public_functions().items() if isinstance(f, np.ufunc)}


@pytest.mark.parametrize("name", sorted({*HANDED_OVER, *ALL_UFUNCS}))
def test_function_has_its_place(name):
    """Differentiable, constant or unsupported: one of them; and what is differentiable is in the table above."""
    function = getattr(np, name)
    is_ufunc = isinstance(function, np.ufunc)
    kinds = [
        function in (CONSTANT_UFUNCS if is_ufunc else CONSTANT),
        function in (UNSUPPORTED_UFUNCS if is_ufunc else UNSUPPORTED),
        any(getattr(np, known, None) is function for known, _, _ in TABLE) or name in ASSIGNING,
    ]
    assert sum(kinds) == 1
    assert (function in (UFUNCS if is_ufunc else FUNCTIONS)) == (not (is_ufunc and kinds[1]))


ASSIGNING = {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"}  # see test_assignment


@pytest.mark.parametrize("name", sorted(set(public_functions()) - {*HANDED_OVER, *ALL_UFUNCS}))
def test_what_numpy_does_not_hand_over_takes_no_array_of_floats_or_is_replaced(name):
    assert name in PLAIN or name in ("array", "asarray", "asanyarray", "ascontiguousarray", "full")


# Creation from shapes and ranges, texts, files, settings, windows.
PLAIN = """
    arange asarray_chkfinite asfortranarray asmatrix bartlett base_repr binary_repr blackman bmat broadcast_shapes
    datetime_data diag_indices empty eye format_float_positional format_float_scientific from_dlpack frombuffer
    fromfile fromfunction fromiter frompyfunc fromregex fromstring genfromtxt get_include get_printoptions getbufsize
    geterr geterrcall hamming hanning identity indices info isdtype isfortran isscalar issubdtype iterable kaiser load
    loadtxt mask_indices mintypecode nested_iters ones printoptions promote_types require row_stack set_printoptions
    setbufsize seterr seterrcall show_config show_runtime test tri tril_indices triu_indices typename zeros
""".split()


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f not in CONSTANT and f not in UNSUPPORTED])
def test_parameters_have_numpys_names(function):
    """In NumPy's order; what is left out would be an error."""
    try:
        numpys = inspect.signature(function)
    except ValueError:
        return  # written in C without a signature
    ours = inspect.signature(FUNCTIONS[function])
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in ours.parameters.values()):
        return
    newer = {"descending"} - set(numpys.parameters)  # of NumPy 2.5
    assert [name for name in ours.parameters if name not in newer] == [
        name for name in numpys.parameters if name not in ("subok",) or name in ours.parameters
    ]


def test_sorting_from_the_greatest():
    x = Variable([2.0, 5.0, 3.0])
    result = FUNCTIONS[np.sort](x, descending=True)  # NumPy itself has it from 2.5 on
    assert result.data.tolist() == [5.0, 3.0, 2.0]
    (result * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.data.tolist() == [100.0, 1.0, 10.0]


OF_TWO = (
    np.intersect1d, np.setdiff1d, np.setxor1d, np.union1d, np.polydiv, np.nextafter, np.busday_offset, np.busday_count,
    np.histogram2d,
)  # fmt: skip


@pytest.mark.parametrize("function", [*UNSUPPORTED, *UNSUPPORTED_UFUNCS])
def test_unsupported_function_says_what_to_do(function):
    x = Variable([1.0, 2.0])
    arguments = (x, x, 1) if function is np.polyfit else (x, x) if function in OF_TWO else (x,)
    with pytest.raises(DTypeError, match=rf"{function.__name__}.*x\.data"):
        function(*arguments)


# Constants

X = np.array([[1.0, 5.0, 3.0], [4.0, 2.0, 6.0]])


@pytest.mark.parametrize("function", [
    np.argmax, np.argmin, np.argsort, np.isnan, np.isfinite, np.signbit, np.shape, np.ndim, np.size, np.any, np.all,
    np.nonzero, np.count_nonzero, np.flatnonzero, np.array_repr, np.array_str, np.isrealobj, np.result_type,
    lambda x: np.allclose(x, X), lambda x: np.array_equal(x, X), lambda x: np.argmax(x, axis=1),
    lambda x: np.less(2.0, x), lambda x: np.add(X, 0.0) < x, lambda x: np.searchsorted(X[0], x),
    lambda x: np.digitize(x, [2.0, 4.0]),
    lambda x: np.logical_and.reduce(x, axis=1), lambda x: np.isclose(x, X), lambda x: np.where(x > 2.0),
    lambda x: np.lexsort((x[0], x[1])), lambda x: x.argmax(), lambda x: x.all(axis=0), lambda x: x.nonzero(),
    lambda x: x.tolist(),
])  # fmt: skip
def test_what_has_no_derivative_gives_numpys_own_result(function):
    plain, found = function(X), function(Variable(X) * 1.0)
    assert type(found) is type(plain)
    for a, b in zip(leaves(plain), leaves(found), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.filterwarnings("ignore:numpy.fix:DeprecationWarning")  # of NumPy 2.5
@pytest.mark.parametrize("function", [np.floor, np.ceil, np.trunc, np.rint, np.sign, np.round, np.fix])
def test_steps_give_variables_without_a_graph(function):
    y = function(Variable([1.3, -0.2]))
    assert y.creator is None
    assert y.data.tolist() == function(np.array([1.3, -0.2])).tolist()


# Options


def store(array, index, value):
    array[index] = value


def test_out_is_rebound_to_the_result():
    x, out = Variable([1.0, 2.0]), ad.zeros(2)
    assert np.multiply(x, x, out=out) is out
    np.sum(out).backward()
    assert out.data.tolist() == [1.0, 4.0]
    assert x.grad.data.tolist() == [2.0, 4.0]


def test_out_of_a_reduction_is_rebound_too():
    x, out = Variable([1.0, 2.0]), ad.zeros(())
    assert np.sum(x * x, out=out) is out
    out.backward()
    assert x.grad.data.tolist() == [2.0, 4.0]


def test_where_leaves_the_others_as_they_were_and_without_gradient():
    x, out = Variable([4.0, -1.0]), 0.5 * ad.ones(2)
    np.sqrt(x, where=[True, False], out=out)
    np.sum(out).backward()
    assert out.data.tolist() == [2.0, 0.5]
    assert x.grad.data.tolist() == [0.25, 0.0]


@pytest.mark.parametrize("write", [
    lambda a, x: np.add(a, x, out=a), lambda a, x: a.__iadd__(x),
    lambda a, x: np.sum(x * 1.0, keepdims=True, out=a[:1]),
    lambda a, x: np.copyto(a, x * 1.0), lambda a, x: store(a, ..., x * 1.0),
    lambda a, x: store(a, slice(1), x[:1] * 1.0), lambda a, x: np.array([1.0, x[0]]), lambda a, x: np.full(2, x[0]),
])  # fmt: skip
def test_arrays_do_not_take_results_silently(write):
    array = np.zeros(2)
    with pytest.raises(ad.errors.GradientError, match=r"ad\.zeros"):
        write(array, Variable([1.0, 2.0]))
    assert array.tolist() == [0.0, 0.0]


def test_an_element_of_an_array_does_not_take_a_result_silently():
    """There NumPy asks for a float, and puts an error of its own in front of ours."""
    array, x = np.zeros(2), Variable([1.0, 2.0])
    with pytest.raises(ValueError, match="setting an array element") as caught:
        array[0] = x[0]
    assert isinstance(caught.value.__cause__, ad.errors.GradientError)
    assert float(x[0] * 2.0) == 2.0
    array[1] = float(x[0] * 3.0)
    assert array.tolist() == [0.0, 3.0]


def test_arrays_take_results_that_are_not_recorded():
    array = np.zeros(2)
    with ad.no_grad():
        np.add(array, Variable([1.0, 2.0]), out=array)
        array[0] = Variable(3.0) * 2.0
    assert array.tolist() == [6.0, 2.0]


def test_methods_of_ufuncs_that_are_not_there():
    x = Variable(X)
    for call, text in (
        (lambda: np.power.reduce(x, axis=(0, 1)), "order"),
        (lambda: np.hypot.reduce(x, where=X > 2.0), "where"),
        (lambda: np.add.at(np.zeros(2), [0, 1], x[0, :2]), r"ad\.zeros"),
        (lambda: np.multiply.at(x * 1.0, [0, 0], 2.0), "twice"),
    ):
        with pytest.raises(AdjointError, match=text):
            call()


def test_at_adds_each_time_that_an_element_is_named():
    x, out = Variable([1.0, 2.0, 3.0]), ad.zeros(3)
    np.add.at(out, [0, 2, 2], x * x)
    np.subtract.at(out, ([1, 1],), x[:2])
    np.multiply.at(out, [0, 1], [2.0, 3.0])
    expected = np.zeros(3)
    np.add.at(expected, [0, 2, 2], x.data**2)
    np.subtract.at(expected, [1, 1], x.data[:2])
    np.multiply.at(expected, [0, 1], [2.0, 3.0])
    assert out.data.tolist() == expected.tolist()
    np.sum(out).backward()
    assert x.grad.data.tolist() == [1.0, 1.0, 6.0]


def test_numbers_take_the_dtype_of_the_array_beside_them():
    x = Variable(np.ones((2, 3), np.float32))
    results = [f(x, 2.5) for f in (np.fmax, np.fmin, np.fmod, np.logaddexp2)]
    results += [np.where(x > 0.0, x, 0.5), np.linspace(x, 1, 3), *np.gradient(x, 0.5)]
    assert {y.dtype for y in results} == {np.dtype(np.float32)}


def test_reductions_of_a_number_along_its_last_axis():
    for f in (np.sum, np.max, np.mean, special.logsumexp):
        x = Variable(1.5)
        y = f(x, axis=-1)
        y.backward()
        assert y.shape == ()
        assert x.grad.item() == 1.0
    with pytest.raises(AxisError):
        np.mean(Variable(1.5), axis=1)


def test_order_of_elements_follows_the_array():
    array = np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])
    for order in "CFAK":
        assert np.ravel(Variable(array), order).data.tolist() == np.ravel(array, order).tolist()
        assert Variable(array).reshape((4,), order=order if order != "K" else "A").shape == (4,)


def test_extremes_of_complex_numbers_and_their_order():
    z = Variable([[1.0 + 2.0j, 1.0 - 1.0j], [3.0 + 0.0j, 0.5j]])
    for f in (
        np.max, np.min, np.sort, lambda x: np.max(x, axis=0), lambda x: np.min(x, axis=(0, 1), keepdims=True),
        lambda x: np.sort(x, axis=None),
    ):  # fmt: skip
        assert np.array_equal(f(z).data, f(z.data))
    check_grads(lambda z: np.max(z, axis=1) ** 2, z.data[:, ::-1] * np.array([1.0, 2.0]))


def test_eigenvalues_are_those_of_the_triangle_that_numpy_reads():
    a = np.array([[2.0, 5.0], [1.0, 3.0]])
    for uplo in ("L", "U"):
        assert_allclose(np.linalg.eigh(Variable(a), uplo)[0].data, np.linalg.eigh(a, uplo)[0])
        check_grads(lambda a, uplo=uplo: np.linalg.eigvalsh(a, uplo), a)
    assert_allclose(np.linalg.eigvalsh(Variable(a)).data, np.linalg.eigvalsh(a))
    check_grads(lambda a: np.linalg.eigh(a).eigenvalues, a)


def test_unknown_ufunc_is_refused():
    f = np.frompyfunc(lambda a: a, 1, 1)
    with pytest.raises(DTypeError, match=r"ad\.op"):
        f(Variable([1.0]))


def test_scipys_ufuncs_are_found_by_name():
    special = pytest.importorskip("scipy.special")
    x = Variable([0.5, 1.5])
    y = special.expit(x)
    np.sum(y).backward()
    assert_allclose(y.data, special.expit(x.data))
    assert_allclose(x.grad.data, y.data * (1.0 - y.data))
    check_grads(special.gammaln, np.array([0.5, 2.5]))


# Operators and methods


def test_integers_have_their_operators():
    n = Variable([5, 6])
    for f in (lambda n: n // 2, lambda n: n % 4, lambda n: n & 3, lambda n: 8 | n, lambda n: n ^ 1, lambda n: n << 2,
              lambda n: 64 >> n, lambda n: ~n, lambda n: divmod(n, 4)[1], lambda n: 7 % n):  # fmt: skip
        found = f(n)
        assert found.dtype == np.int64
        assert found.data.tolist() == f(np.array([5, 6])).tolist()
    with pytest.raises(DTypeError, match="float64"):
        Variable([1.0]) & 1


METHODS = [
    lambda x: x.ravel(), lambda x: x.flatten(), lambda x: x[None].squeeze(), lambda x: x.swapaxes(0, 1),
    lambda x: x.std(axis=1), lambda x: x.var(ddof=1), lambda x: x.prod(axis=0), lambda x: x.cumsum(axis=1),
    lambda x: x.cumprod(), lambda x: x.clip(2.2, 4.5), lambda x: x.dot(x.T), lambda x: x.diagonal(),
    lambda x: x.trace(), lambda x: x.take([0, 2], axis=1), lambda x: x.copy(), lambda x: x.repeat(2, axis=0),
    lambda x: x.real, lambda x: x.conj(), lambda x: x.mT, lambda x: x % 0.7, lambda x: divmod(x, 0.7)[1],
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_methods_are_numpys(method):
    y = method(Variable(X))
    assert_allclose(y.data, method(X), rtol=1e-14)
    assert y.creator is not None
    check_grads(method, X)


def test_properties_and_what_methods_refuse():
    x = Variable(X)
    assert (x.itemsize, x.nbytes) == (8, 48)
    assert x.imag.data.tolist() == np.zeros((2, 3)).tolist()
    assert x.round().data.tolist() == X.tolist()
    with pytest.raises(DTypeError, match=r"F\.sort"):
        x.sort()


# adjoint.numpy


def test_lists_that_hold_variables_are_stacked():
    x = Variable(2.0)
    for f in (lambda: anp.array([x, 1.0, x * x]), lambda: anp.asarray((x, x * x)), lambda: anp.array([[x], [x * x]]),
              lambda: anp.cumsum([x, x * x]), lambda: anp.reshape([x, x * x], (2, 1))):  # fmt: skip
        x.cleargrad()
        total = anp.sum(f())
        total.backward()
        assert x.grad.item() in (5.0, 6.0)


@pytest.mark.parametrize("join", [
    lambda np, x, y: np.r_[x, 1.0, y], lambda np, x, y: np.r_[x[0], 0:3, y], lambda np, x, y: np.c_[x, y, x],
    lambda np, x, y: np.c_[np.stack([x, y], axis=1), x], lambda np, x, y: np.r_[np.stack([x, y]), np.stack([y, x])],
    lambda np, x, y: np.r_[[x[0], 1.0], x],
])  # fmt: skip
def test_joining_by_indices(join):
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    assert_allclose(join(anp, Variable(x), Variable(y)).data, join(np, x, y))
    check_grads(lambda a, b: join(anp, a, b) ** 2, (x, y))


def test_whole_numbers_are_read_from_what_was_computed():
    places = np.asarray(Variable([1.0, 0.0]) * 1.0, int)
    assert places.tolist() == [1, 0]


def test_without_variables_it_is_numpy():
    assert type(anp.sum([1.0, 2.0])) is np.float64
    assert type(anp.array([1.0])) is np.ndarray
    assert type(anp.full(2, 3.0)) is np.ndarray
    assert anp.sin is np.sin
    assert anp.float32 is np.float32
    assert anp.r_[1.0, 2.0].tolist() == np.r_[1.0, 2.0].tolist()
    assert {name for name in np.__all__ if not hasattr(anp, name)} <= set(anp._MODULES)


def test_random_is_numpys():
    assert anp.random is np.random


# numpy.linalg and numpy.fft

S = np.array([[2.0, 0.3, 0.1], [0.2, 1.5, 0.4], [0.1, 0.3, 1.2]])
SYMMETRIC = S + S.T


@pytest.mark.parametrize(("name", "arguments"), [
    ("inv", (S,)), ("solve", (S, X.T)), ("det", (S,)), ("slogdet", (S,)), ("cholesky", (SYMMETRIC,)), ("qr", (S,)),
    ("svd", (X, False)), ("svdvals", (X,)), ("eigh", (SYMMETRIC,)), ("eigvalsh", (SYMMETRIC,)), ("norm", (X,)),
    ("norm", (X, 1)), ("norm", (X, 2, 1)), ("vector_norm", (X,)), ("matrix_norm", (X,)), ("pinv", (X,)),
    ("matrix_power", (S, 3)), ("multi_dot", ([S, X.T, X],)), ("trace", (S,)), ("diagonal", (S,)),
    ("outer", (S[0], S[1])), ("cross", (S, SYMMETRIC)), ("cond", (S,)), ("tensordot", (S, SYMMETRIC)),
    ("vecdot", (S, SYMMETRIC)), ("matmul", (S, S)), ("matrix_transpose", (X,)), ("eigvals", (S,)),
    ("tensorinv", (S.reshape(3, 1, 3), 2)), ("lstsq", (X.T, S[0])), ("matrix_rank", (S,)),
])  # fmt: skip
def test_linear_algebra_is_recorded(name, arguments):
    given = [[Variable(x) for x in a] if isinstance(a, list) else Variable(a) if isinstance(a, np.ndarray) else a
             for a in arguments]  # fmt: skip
    for found, plain in zip(leaves(getattr(anp.linalg, name)(*given)), leaves(getattr(np.linalg, name)(*arguments)),
                            strict=True):  # fmt: skip
        if name == "matrix_rank" or (name == "lstsq" and np.asarray(plain).dtype.kind == "i"):
            assert np.array_equal(found, plain)
        else:
            assert isinstance(found, Variable)
            assert_allclose(found.data, plain, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in np.fft.__all__ if "freq" not in name])
def test_fourier_transforms_are_recorded(name):
    x = S + 0.5j * SYMMETRIC if name in ("ifft", "irfft", "hfft", "irfftn", "irfft2", "ifftn", "ifft2") else S
    found = getattr(anp.fft, name)(Variable(x))
    assert found.creator is not None
    assert_allclose(found.data, getattr(np.fft, name)(x), rtol=1e-12, atol=1e-12)


def test_every_function_of_linear_algebra_has_its_place():
    for module in (np.linalg, np.fft):
        handed_over = [f for name in module.__all__ if hasattr(f := getattr(module, name), "_implementation")]
        assert set(handed_over) <= set(FUNCTIONS)


def test_the_cholesky_factor_is_that_of_one_triangle():
    a = np.array([[4.0, 9.0], [1.0, 3.0]])
    for upper in (False, True):
        matrix = a.T if upper else a
        found = np.linalg.cholesky(Variable(matrix), upper=upper)
        assert_allclose(found.data, np.linalg.cholesky(matrix, upper=upper))
        check_grads(lambda a, upper=upper: np.linalg.cholesky(a, upper=upper), matrix)
    assert_allclose(ad.vmap(np.linalg.cholesky)(a[None])[0], np.linalg.cholesky(a))


def test_the_sign_of_complex_numbers_has_a_derivative():
    assert_allclose(ad.grad(lambda t: np.sign(np.exp(1j * t)).real)(0.7), -np.sin(0.7))


def test_the_rank_within_a_transform():
    x = np.array([0.3, 0.6])
    assert_allclose(ad.hessian(lambda x: np.sum(x**2) * np.linalg.matrix_rank(np.outer(x, x)))(x), 2 * np.eye(2))


def test_float32_stays_float32():
    x = Variable(np.float32([1.0, 2.0, 4.0]))
    for y in (np.gradient(x, np.array([0.0, 1.0, 3.0])), np.ediff1d(x, to_end=1.0), np.poly(x)):
        assert y.dtype == np.float32

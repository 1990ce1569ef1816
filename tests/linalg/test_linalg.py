"""Linear algebra against numpy.linalg: values, gradients by differences, stacks of matrices, complex numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F, linalg
from adjoint.ops import complex_numbers
from adjoint.testing import check_grads
from tests.compile.agreement import assert_compiled_as_eager
from tests.support import nodes_behind

RNG = np.random.default_rng(0)


def drawn(*shape):
    return RNG.standard_normal(shape)


def regular(*stack, n=3):
    """Square matrices with singular values from about 1 to 4."""
    return 0.4 * drawn(*stack, n, n) + np.diag(np.arange(1.0, n + 1.0))


def positive(*stack, n=3):
    x = 0.3 * drawn(*stack, n, n)
    return x @ np.swapaxes(x, -1, -2) + np.diag(np.arange(1.0, n + 1.0))


def as_complex(x):
    return x + 0.3j * RNG.standard_normal(x.shape)


def tall(*stack):
    return drawn(*stack, 4, 2) + np.eye(4, 2) * [2.0, 4.0]


INF = np.inf
# The function, the arrays that are differentiated, and the arguments after them
CASES = [
    ("solve", (regular(), drawn(3)), {}),
    ("solve", (regular(2), drawn(3)), {}),
    ("solve", (regular(2), drawn(2, 3, 2)), {}),
    ("solve", (regular(2, 1), drawn(4, 3, 1)), {}),
    ("inv", (regular(),), {}),
    ("inv", (regular(2),), {}),
    ("det", (regular(),), {}),
    ("det", (regular(2, n=4),), {}),
    ("pinv", (tall(),), {}),
    ("pinv", (np.swapaxes(tall(2), -1, -2),), {"rcond": 1e-8}),
    ("pinv", (tall(2),), {"rtol": 1e-8}),
    ("cholesky", (positive(2),), {}),
    ("cholesky", (positive(),), {"upper": True}),
    ("eigvalsh", (positive(2),), {}),
    ("svdvals", (tall(2),), {}),
    ("matrix_power", (regular(2), 5), {}),
    ("matrix_power", (regular(), 1), {}),
    ("matrix_power", (regular(), 0), {}),
    ("matrix_power", (regular(), -3), {}),
    ("multi_dot", ([drawn(2, 3), drawn(3, 4), drawn(4, 2), drawn(2, 5)],), {}),
    ("multi_dot", ([drawn(3), drawn(3, 4), drawn(4)],), {}),
    ("tensorinv", (drawn(4, 2, 2) + np.eye(4).reshape(4, 2, 2) * 3.0,), {"ind": 1}),
    ("tensorsolve", (drawn(4, 2, 2) + np.eye(4).reshape(4, 2, 2) * 3.0, drawn(4)), {}),
    ("tensorsolve", (drawn(2, 4, 2) + np.eye(4).reshape(2, 4, 2) * 3.0, drawn(4)), {"axes": (0,)}),
    ("cond", (regular(2),), {}),
    ("cond", (tall(),), {"p": -2}),
    *(("cond", (regular(),), {"p": p}) for p in ("fro", "nuc", 1, -1, INF, -INF)),
    *(("matrix_norm", (tall(2),), {"ord": p}) for p in ("fro", "nuc", 1, -1, 2, -2, INF, -INF)),
    ("matrix_norm", (tall(2),), {"keepdims": True}),
    *(("vector_norm", (drawn(2, 3) + 3.0,), {"ord": p, "axis": 1}) for p in (1, 2, 3, 2.5, 0.5, -1, INF, -INF)),
    ("vector_norm", (drawn(2, 3, 2),), {"axis": (0, 2), "keepdims": True}),
    ("vector_norm", (drawn(2, 3),), {"ord": 3}),
    ("norm", (drawn(2, 3, 2),), {}),
    ("norm", (drawn(3),), {"ord": 3}),
    ("norm", (tall(),), {"ord": "nuc"}),
    ("norm", (tall(3),), {"ord": 2, "axis": (-2, -1)}),
    ("norm", (tall(3),), {"ord": 1, "axis": (2, 1), "keepdims": True}),
    ("norm", (tall(3),), {"axis": (0, 2), "keepdims": True}),
    ("norm", (tall(3),), {"ord": 1, "axis": 1, "keepdims": True}),
    ("matmul", (drawn(2, 3), drawn(3, 2)), {}),
    ("matrix_transpose", (drawn(2, 3, 4),), {}),
    ("diagonal", (drawn(2, 3, 4),), {"offset": 1}),
    ("trace", (drawn(2, 3, 4),), {"offset": -1}),
    ("outer", (drawn(2), drawn(3)), {}),
    ("cross", (drawn(2, 3), drawn(3)), {}),
    ("cross", (drawn(3, 2), drawn(3, 2)), {"axis": 0}),
    ("vecdot", (drawn(2, 3), drawn(3)), {}),
    ("vecdot", (drawn(3, 2), drawn(3, 2)), {"axis": 0}),
    ("tensordot", (drawn(2, 3), drawn(3, 2)), {"axes": 1}),
]
ids = [f"{name}-{number}" for number, (name, _, _) in enumerate(CASES)]
cases = pytest.mark.parametrize(("name", "given", "options"), CASES, ids=ids)


def differentiable(name, given, options):
    """The function of its arrays alone, and these."""
    function = getattr(linalg, name)
    if isinstance(given[0], list):
        return lambda *xs: function(list(xs), **options), tuple(given[0])
    arrays = tuple(x for x in given if isinstance(x, np.ndarray))
    rest = given[len(arrays) :]
    return lambda *xs: function(*xs, *rest, **options), arrays


@cases
def test_values_are_numpys(name, given, options):
    expected = getattr(np.linalg, name)(*given, **options)
    found = getattr(linalg, name)(*given, **options)
    assert isinstance(found, Variable)
    assert_allclose(found.data, expected, rtol=1e-10, atol=1e-12)
    assert (found.shape, found.dtype) == (np.shape(expected), expected.dtype)


@cases
def test_gradients_agree_with_differences(name, given, options):
    function, arrays = differentiable(name, given, options)
    check_grads(function, arrays, order=2)


COMPLEX = [case for case in CASES if case[2].get("ord") not in (0.5, -1)]


@pytest.mark.parametrize(("name", "given", "options"), COMPLEX, ids=[case[0] for case in COMPLEX])
def test_functions_of_complex_numbers_agree_with_numpys_and_with_differences(name, given, options):
    def turned(x):
        x = as_complex(x)
        return 0.5 * (x + np.swapaxes(x.conj(), -1, -2)) if name in ("cholesky", "eigvalsh") else x

    given = tuple(
        [turned(y) for y in x] if isinstance(x, list) else turned(x) if isinstance(x, np.ndarray) else x for x in given
    )
    assert_allclose(
        getattr(linalg, name)(*given, **options).data,
        getattr(np.linalg, name)(*given, **options),
        rtol=1e-10,
        atol=1e-12,
    )
    function, arrays = differentiable(name, given, options)
    check_grads(function, arrays, order=1)


@cases
def test_compiled_functions_give_what_eager_ones_do(name, given, options):
    function, arrays = differentiable(name, given, options)

    def step(*xs):
        y = function(*xs)
        F.sum(y * y).backward()
        return [y, *[x.grad for x in xs]]

    assert_compiled_as_eager(step, list(arrays), 1e-9)


@cases
def test_float32_stays_float32(name, given, options):
    function, arrays = differentiable(name, given, options)
    xs = [Variable(x.astype(np.float32)) for x in arrays]
    y = function(*xs)
    F.sum(y).backward()
    assert {y.dtype, *(x.grad.dtype for x in xs if x.grad is not None)} == {np.dtype(np.float32)}


def test_whole_numbers_are_taken_as_floats():
    x = np.array([[2, 1], [1, 3]])
    for name in "inv det cholesky eigvalsh svdvals pinv".split():
        found = getattr(linalg, name)(x)
        assert_allclose(found.data, getattr(np.linalg, name)(x), rtol=1e-12)
        assert found.dtype == np.float64
    found = ad.compile(lambda x: linalg.solve(x, x) + linalg.inv(x) + linalg.cholesky(x))(x)
    assert_allclose(found.data, np.eye(2) + np.linalg.inv(x) + np.linalg.cholesky(x), atol=1e-12)


# Functions with several results


def symmetric(*stack):
    x = positive(*stack)
    return 0.5 * (x + np.swapaxes(x, -1, -2))


@pytest.mark.parametrize(
    ("name", "given", "options", "fields"),
    [
        ("eigh", symmetric(2), {}, ("eigenvalues", "eigenvectors")),
        ("svd", tall(2), {"full_matrices": False}, ("U", "S", "Vh")),
        ("svd", regular(2), {}, ("U", "S", "Vh")),
        ("qr", tall(2), {}, ("Q", "R")),
        ("qr", np.swapaxes(tall(2), -1, -2), {"mode": "complete"}, ("Q", "R")),
        ("slogdet", regular(2), {}, ("sign", "logabsdet")),
    ],
)
def test_results_have_numpys_names_and_values(name, given, options, fields):
    expected = getattr(np.linalg, name)(given, **options)
    found = getattr(linalg, name)(given, **options)
    assert found._fields == fields == type(expected)._fields
    for field in fields:
        assert_allclose(getattr(found, field).data, getattr(expected, field), rtol=1e-12, atol=1e-14)
    check_grads(lambda x: list(getattr(linalg, name)(x, **options)), given, order=2)


@pytest.mark.parametrize("triangle", ["L", "U"])
def test_eigh_of_one_triangle_is_numpys(triangle):
    x = regular()  # not symmetric
    expected = np.linalg.eigh(x, triangle)
    found = linalg.eigh(x, triangle)
    assert_allclose(found.eigenvalues.data, expected.eigenvalues, rtol=1e-12)
    # whichever sign it gives them
    assert_allclose(abs(found.eigenvectors.data), abs(expected.eigenvectors), rtol=1e-12)
    check_grads(lambda x: [part**2 for part in linalg.eigh(x, triangle)], x, order=2)


@pytest.mark.parametrize("x", [np.array([[0.3, 2.0], [-1.0, 0.5]]), np.diag([1.0, 3.0]) + 0.1, as_complex(regular(2))])
def test_eig_is_numpys_in_complex_numbers(x):
    w, v = linalg.eig(x)
    expected = np.linalg.eig(x)
    assert (w.dtype, v.dtype) == (np.dtype(complex), np.dtype(complex))
    assert_allclose(w.data, expected.eigenvalues, rtol=1e-12)
    assert_allclose(v.data, expected.eigenvectors, rtol=1e-12)
    assert_allclose(linalg.eigvals(x).data, expected.eigenvalues, rtol=1e-12)
    check_grads(lambda x: list(linalg.eig(x)), x, order=2)


def test_parts_alone():
    x = regular()
    assert_allclose(linalg.qr(x, "r").data, np.linalg.qr(x, "r"), rtol=1e-12, atol=1e-14)
    assert_allclose(linalg.svd(x, compute_uv=False).data, np.linalg.svd(x, compute_uv=False), rtol=1e-12)
    check_grads(lambda x: linalg.qr(x, "r"), x, order=2)
    check_grads(lambda x: linalg.svd(x)[0], x, order=2)
    check_grads(lambda x: linalg.svd(x)[2], x, order=2)
    check_grads(lambda x: linalg.svd(x.T[:, :2], full_matrices=False)[0], x, order=2)
    check_grads(lambda x: linalg.svd(x[:2], full_matrices=False)[2], x, order=2)
    check_grads(lambda x: linalg.eigh(x)[1], symmetric(), order=2)


@pytest.mark.parametrize("name", ["eigh", "svd"])
def test_what_does_not_depend_on_phases_of_complex_vectors_has_its_gradient(name):
    def first_projections(x):
        """The projection on the first vector, on either side."""
        parts = getattr(linalg, name)(x, *((False,) if name == "svd" else ()))
        left = parts[0] if name == "svd" else parts[1]
        return [_projection(left[:, :1]), *([left[:, :1] @ parts[2][:1]] if name == "svd" else [])]

    x = as_complex(symmetric())
    for given in [x, tall() + 0.5j * tall(), (tall() + 0.5j * tall()).T] if name == "svd" else [x + x.conj().T]:
        check_grads(first_projections, given, order=2)


def _projection(v):
    return v @ ad.apply(complex_numbers.conj, v).T


@pytest.mark.parametrize("b", [drawn(4), drawn(4, 2)], ids=["vector", "matrix"])
@pytest.mark.parametrize("a", [drawn(4, 2), drawn(4, 6), drawn(4, 4), np.outer([1.0, 2.0, 3.0, 4.0], [1.0, 2.0])])
def test_lstsq_is_numpys(a, b):
    expected = np.linalg.lstsq(a, b)
    found = linalg.lstsq(a, b)
    assert found.rank == expected[2]
    for ours, theirs in zip((found.x, found.residuals, found.s), (expected[0], expected[1], expected[3]), strict=True):
        assert ours.shape == theirs.shape
        assert_allclose(ours.data, theirs, rtol=1e-9, atol=1e-12)
    if found.rank == min(a.shape):  # else any change is one of the rank too
        check_grads(lambda a, b: linalg.lstsq(a, b).x, (a, b), order=2)
    if found.residuals.size:
        check_grads(lambda a, b: linalg.lstsq(a, b).residuals, (a, b), order=2)


def test_rank_is_a_plain_number():
    x = np.outer([1.0, 2.0], [1.0, 2.0])
    assert linalg.matrix_rank(Variable(x)) == 1
    assert linalg.matrix_rank(Variable(x + np.eye(2)), tol=100.0) == 0
    assert linalg.matrix_rank(np.stack([x, np.eye(2)])).tolist() == [1, 2]


def test_products_of_several_are_taken_in_the_cheapest_order():
    shapes = [(2, 50), (50, 3), (3, 40), (40, 1)]
    arrays = [drawn(*shape) for shape in shapes]
    y = linalg.multi_dot([Variable(x) for x in arrays])
    made = sorted(tuple(read.shape for read in node.inputs) for node in nodes_behind(y) if node.name == "matmul")
    assert made == [((2, 50), (50, 1)), ((3, 40), (40, 1)), ((50, 3), (3, 1))]


def test_kron_and_others_are_those_of_functions():
    a, b = drawn(2, 3), drawn(2, 2)
    assert_allclose(linalg.kron(a, b).data, np.kron(a, b))

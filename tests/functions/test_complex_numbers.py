"""Complex numbers: values, gradients by differences in both directions, and what refuses them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import DTypeError
from adjoint.testing import check_grads
from tests.compile.agreement import assert_compiled_as_eager
from tests.support import gradients

rng = np.random.default_rng(0)


def drawn(*shape):
    return rng.uniform(-1.0, 1.0, shape) + 1j * rng.uniform(-1.0, 1.0, shape)


Z, W, M = drawn(2, 3), drawn(2, 3), drawn(3, 2)
R = rng.uniform(0.5, 1.5, (2, 3))
LEFT = -Z.real - 2.0  # negative numbers, which have complex powers
CHOICE = np.array([[True, False, True], [False, True, True]])

HOLOMORPHIC = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "arcsinh": np.arcsinh, "arccosh": np.arccosh,
    "arctanh": np.arctanh, "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt,
    "square": np.square, "neg": np.negative, "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}  # fmt: skip
OF_PARTS = {"sign": np.sign, "real": np.real, "imag": np.imag, "conj": np.conj, "abs": np.abs, "angle": np.angle}
FUNCTIONS = {
    "a + b": (lambda a, b: a + b, (Z, R)),
    "a - b": (lambda a, b: a - b, (R, Z)),
    "a b": (lambda a, b: a * b, (Z, R)),
    "a / b": (lambda a, b: a / b, (Z, W)),
    "a / b, real a": (lambda a, b: a / b, (R, W)),
    "a / b, real b": (lambda a, b: a / b, (Z, R)),
    "z²": (lambda z: z**2, (Z,)),
    "z⁻³": (lambda z: z**-3, (Z,)),
    "z^1.5": (lambda z: z**1.5, (Z,)),
    "z^(1+2i)": (lambda z: z ** (1.0 + 2.0j), (Z,)),
    "x^(1+2i)": (lambda x: x ** (1.0 + 2.0j), (R,)),
    "2^z": (lambda z: 2.0**z, (Z,)),
    "i^z": (lambda z: 1j**z, (Z,)),
    "a^b": (lambda a, b: a**b, (Z, W)),
    "a^b, real a": (lambda a, b: a**b, (R, W)),
    "a^b, negative a": (lambda a, b: a**b, (LEFT, W)),
    "a^b, real b": (lambda a, b: a**b, (Z, R)),
    "numbers": (lambda x: 1j + (2.0 - 1j) * x - 1j / x, (R,)),
    "where": (lambda a, b: F.where(CHOICE, a, b), (Z, R)),
    "matmul": (lambda a, b: a @ b, (Z, M)),
    "matmul of real ones": (lambda a, b: a @ b, (R, M)),
    "linear": (lambda x, w, b: F.linear(x, w, b), (Z, M, W[0, :2])),
    "einsum": (lambda a, b, c: F.einsum("ij,ij,jk->ik", a, b, c), (Z, R, M)),
    "sum": (lambda z: F.sum(z, axis=1), (Z,)),
    "mean": (lambda z: F.mean(z, axis=0), (Z,)),
    "variance": (lambda z: F.variance(z, axis=1), (Z,)),
    "std": (lambda z: F.std(z), (Z,)),
    "norm": (lambda z: F.norm(z, axis=1), (Z,)),
    "norm 1": (lambda z: F.norm(z, 1), (Z,)),
    "norm inf": (lambda z: F.norm(z, np.inf, axis=0), (Z,)),
    "prod": (lambda z: F.prod(z, axis=1), (Z,)),
    "cumsum": (lambda z: F.cumsum(z, axis=1), (Z,)),
    "cumprod": (lambda z: F.cumprod(z, axis=1), (Z,)),
    "getitem": (lambda z: z[:, [0, 2, 2]], (Z,)),
    "concat": (lambda a, b: F.concat([a, b], axis=1), (Z, R)),
    "stack": (lambda a, b: F.stack([a, b]), (R, Z)),
    "flip": (lambda z: F.flip(z, axis=1), (Z,)),
    "scatter_add": (lambda a, b: F.scatter_add(a, (slice(None), [0, 0]), b), (Z, M.T[:, :2])),
    "broadcast": (lambda z: F.broadcast_to(z, (4, 2, 3)), (Z,)),
    "|z|²": (lambda z: F.real(z * F.conj(z)), (Z,)),
    "astype": (lambda x: x.astype(complex) ** 2, (R,)),
    "real part by astype": (lambda z: (z * z).astype(float), (Z,)),
}  # fmt: skip
CASES = pytest.mark.parametrize(("function", "arrays"), FUNCTIONS.values(), ids=FUNCTIONS)


@pytest.mark.parametrize("name", [*HOLOMORPHIC, *OF_PARTS])
def test_values_and_derivatives_of_functions_of_one_number(name):
    function = getattr(F, name)
    assert_allclose(function(Z).data, {**HOLOMORPHIC, **OF_PARTS}[name](Z), rtol=1e-14)
    assert function(Z.astype(np.complex64)).data.real.dtype == np.float32
    check_grads(function, Z, order=2)


@CASES
def test_derivatives(function, arrays):
    check_grads(function, arrays, order=2)


@CASES
def test_single_precision_stays(function, arrays):
    xs = [Variable(x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)) for x in arrays]
    y = function(*xs)
    if y.dtype.kind == "c":
        y = F.real(y)
    F.sum(y).backward()
    assert [x.grad.dtype for x in xs] == [x.dtype for x in xs]


@CASES
def test_compiled_as_eager(function, arrays):
    def with_gradients(*xs):
        y = function(*xs)
        total = F.sum(y * F.conj(y))
        total = F.real(total)
        total.backward()
        return [y, *(x.grad for x in xs)]

    assert_compiled_as_eager(with_gradients, list(arrays))


# The convention


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_gradient_of_a_holomorphic_function_is_its_derivative(name):
    step = 1e-6
    slope = (HOLOMORPHIC[name](Z + step) - HOLOMORPHIC[name](Z - step)) / (2 * step)
    (found,) = gradients(getattr(F, name), Z)
    assert_allclose(found, slope, rtol=1e-7)


def test_gradient_of_a_real_value_is_that_in_x_less_i_times_that_in_y():
    x, y = Variable(Z.real), Variable(Z.imag)
    (x**3 * y + F.sin(y)).backward()
    (found,) = gradients(lambda z: F.real(z) ** 3 * F.imag(z) + F.sin(F.imag(z)), Z)
    assert_allclose(found, x.grad.data - 1j * y.grad.data, rtol=1e-14)


def test_gradient_of_a_real_argument_is_real():
    x = Variable(R)
    F.sum(F.real(x * Z)).backward()
    assert x.grad.dtype == np.float64
    assert_array_equal(x.grad.data, Z.real)


def test_gradient_step_goes_along_the_conjugate():
    z = 1.0 + 1.0j
    for _ in range(100):
        (g,) = gradients(lambda z: F.abs(z - (3.0 - 2.0j)) ** 2, np.asarray(z))
        z = z - 0.1 * g.conj()
    assert_allclose(z, 3.0 - 2.0j, rtol=1e-8)


@pytest.mark.parametrize(
    "function", [F.abs, F.angle, F.norm, F.sqrt, F.log, lambda z: z**1.5, lambda z: z ** (1.0 + 1.0j)]
)
def test_derivatives_at_zero_are_zero(function):
    z = Variable(np.zeros(2, complex))
    with np.errstate(all="ignore"):
        F.sum(F.real(function(z))).backward(create_graph=True)
        first, z.grad = z.grad, None
        F.sum(F.real(first * (1.0 + 2.0j))).backward()
    assert_array_equal(first.data, np.zeros(2))
    assert z.grad is None or np.isfinite(z.grad.data).all()


@pytest.mark.parametrize("x", [np.float64(2.0), np.ones((), np.float32), np.ones(2, np.float32), np.arange(2)])
def test_python_numbers_take_the_precision_of_what_is_beside_them(x):
    for function in (lambda x: 1j * x, lambda x: x - 1j, lambda x: 1j / (x + 1.0), lambda x: (x + 1.0) ** 1j):
        expected = np.asarray(function(np.asarray(x)))
        found = function(Variable(x)).data
        assert found.dtype == expected.dtype
        assert_allclose(found, expected, rtol=1e-6)


# What complex numbers are not for


@pytest.mark.parametrize(
    "function",
    [
        F.max, F.min, F.relu, F.leaky_relu, F.elu, F.softplus, F.softmax, F.log_softmax, F.logsumexp, F.erf,
        lambda z: F.maximum(z, 0.0), lambda z: F.minimum(z, R), lambda z: F.clip(z, 0.0, 1.0),
        lambda z: F.mean_squared_error(z, R), lambda z: F.sigmoid_cross_entropy(z, R),
        lambda z: F.softmax_cross_entropy(z, [0, 1]), lambda z: F.binary_cross_entropy(z, R), ad.fft.rfft,
        F.sort, F.argsort, F.round, F.floor, F.cbrt, lambda z: F.arctan2(z, R), lambda z: F.fmod(z, R),
        lambda z: z // R, lambda z: z % R, lambda z: F.hypot(z, R), lambda z: F.logaddexp(z, R),
        lambda z: F.copysign(R, z),
    ],
)  # fmt: skip
def test_what_needs_an_order_refuses_complex_numbers(function):
    with pytest.raises(DTypeError, match="complex"):
        function(Variable(Z))
    with pytest.raises(DTypeError, match="complex"):
        ad.compile(function)(Variable(Z))


def test_printing():
    assert str(Variable(1.0 + 2.0j)) == "variable((1+2j))"
    assert str(Variable([1.0j])) == "variable(1j)"
    assert f"{Variable(1.0 + 2.0j):.1f}" == "1.0+2.0j"
    assert complex(Variable([1.0 + 2.0j])) == 1.0 + 2.0j
    assert str(Variable([1.0 + 2.0j, -1.0j], "z")) == "z[2]([ 1.+2.j -0.-1.j])"


@pytest.mark.parametrize(
    "name", ["erfc", "gammaln", "digamma", "logit", "log_expit", "entr", "xlogy", "xlog1py", "rel_entr"]
)
def test_special_functions_are_of_real_numbers(name):
    pytest.importorskip("scipy")
    function = getattr(ad.special, name)
    arguments = (Z, R) if name in ("xlogy", "xlog1py", "rel_entr") else (Z,)
    with pytest.raises(DTypeError, match="complex"):
        function(*arguments)
    with pytest.raises(DTypeError, match="complex"):
        ad.compile(function)(*arguments)

"""Fourier transforms: NumPy's values, the plain sum, derivatives by differences, and compiled programs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import ArgumentError, AxisError, DTypeError
from adjoint.testing import check_grads
from tests.compile.agreement import assert_compiled_as_eager

rng = np.random.default_rng(0)
Z = rng.normal(size=(3, 4, 5)) + 1j * rng.normal(size=(3, 4, 5))
SMALL = Z[0, :2, :4]

ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = ["fftn", "ifftn", "rfftn", "irfftn"]
TWO = ["fft2", "ifft2", "rfft2", "irfft2"]
OF_REAL = {"rfft", "ihfft", "rfftn", "rfft2"}
NORMS = [None, "backward", "ortho", "forward"]


def argument(name, z=Z):
    return z.real.copy() if name in OF_REAL else z


def assert_as_numpy(name, *args, **kwargs):
    """The function gives what NumPy's gives, in double and in single precision."""
    z = argument(name)
    for x, rtol in ((z, 1e-12), (z.astype(np.complex64 if z.dtype.kind == "c" else np.float32), 2e-5)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            expected = getattr(np.fft, name)(x, *args, **kwargs)
        found = getattr(ad.fft, name)(x, *args, **kwargs).data
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ONE)
def test_one_axis(name, norm):
    for n in (None, 1, 2, 3, 4, 7):
        for axis in (0, 1, -1):
            assert_as_numpy(name, n, axis, norm)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", MANY)
def test_many_axes(name, norm):
    for s, axes in [(None, None), ((2, 6), (0, 1)), ((4, 3), (-1, 0)), (None, (1,)), ((4, -1), None), (None, (2, 2))]:
        assert_as_numpy(name, s, axes, norm)


@pytest.mark.parametrize("name", TWO)
def test_two_axes(name):
    assert_as_numpy(name)
    assert_as_numpy(name, (2, 6), (0, 1), "ortho")


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_transform_is_a_product_with_its_matrix(n):
    numbers = np.arange(n)
    matrix = np.exp(-2j * np.pi * np.outer(numbers, numbers) / n)
    z, weights = rng.normal(size=(2, n)) + 1j * rng.normal(size=(2, n))
    for transform, product in [
        (ad.fft.fft, lambda z: z @ matrix),
        (ad.fft.ifft, lambda z: z @ (matrix.conj() / n)),
        (lambda z: ad.fft.rfft(F.real(z), n), lambda z: (F.real(z) @ matrix)[: n // 2 + 1]),
    ]:
        x, y = Variable(z), Variable(z)
        found, expected = transform(x), product(y)
        assert_allclose(found.data, expected.data, atol=1e-12)
        for result in (found, expected):
            F.sum(F.real(result * weights[: result.size])).backward()
        assert_allclose(x.grad.data, y.grad.data, atol=1e-12)


@pytest.mark.parametrize("name", ["irfft", "hfft"])
@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_halves_are_the_whole_transform(name, n):
    half = Z[0, 0, : n // 2 + 1]
    whole = np.zeros(n, complex)
    whole[: n // 2 + 1] = half
    whole[0] = half[0].real
    for k in range(1, (n + 1) // 2):
        whole[-k] = half[k].conj()
    if n % 2 == 0:
        whole[n // 2] = half[-1].real
    expected = np.fft.ifft(whole) if name == "irfft" else np.fft.fft(whole)
    assert_allclose(getattr(ad.fft, name)(half, n).data, expected.real, atol=1e-12)
    assert_allclose(expected.imag, 0.0, atol=1e-12)


@pytest.mark.parametrize("name", [*ONE, *MANY, *TWO])
def test_derivatives(name):
    check_grads(getattr(ad.fft, name), argument(name, SMALL), order=2)


@pytest.mark.parametrize("name", ONE)
def test_derivatives_with_another_length(name):
    for n in (1, 2, 3, 6):
        check_grads(lambda x, n=n: getattr(ad.fft, name)(x, n, 1, "ortho"), argument(name, SMALL), order=2)


def test_second_derivatives_of_a_power_spectrum():
    check_grads(lambda x: F.abs(ad.fft.rfft(x)) ** 2, SMALL.real, order=3)
    check_grads(lambda z: F.real(ad.fft.ifft(ad.fft.fft(z) ** 2)), SMALL, order=3)


@pytest.mark.parametrize("name", [*ONE, *MANY])
def test_compiled_as_eager(name):
    def function(x):
        y = getattr(ad.fft, name)(x)
        F.sum(F.real(y * F.conj(y)) ** 2).backward()
        return y, x.grad

    for dtype in (np.complex128, np.complex64):
        z = SMALL.astype(dtype)
        assert_compiled_as_eager(function, [argument(name, z)], 1e-10 if dtype == np.complex128 else 1e-4)


def test_convolution_by_transforms():
    def convolve(a, b):
        n = a.size + b.size - 1
        return ad.fft.irfft(ad.fft.rfft(a, n) * ad.fft.rfft(b, n), n)

    a, b = rng.normal(size=5), rng.normal(size=3)
    assert_allclose(convolve(Variable(a), Variable(b)).data, np.convolve(a, b), atol=1e-12)
    check_grads(convolve, (a, b))


@pytest.mark.parametrize("axes", [None, 0, -1, (0, 2), [1], ()])
@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name, axes):
    assert_array_equal(getattr(ad.fft, name)(Z, axes).data, getattr(np.fft, name)(Z, axes))
    check_grads(lambda x: getattr(ad.fft, name)(x, axes) ** 2, Z[:2, :2, :3])


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies(n):
    for name in ("fftfreq", "rfftfreq"):
        assert_array_equal(getattr(ad.fft, name)(n, 0.5), getattr(np.fft, name)(n, 0.5))
        with pytest.raises(ArgumentError, match="at least one"):
            getattr(ad.fft, name)(0)


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (lambda: ad.fft.fft(Z, axis=3), AxisError, "axis 3"),
        (lambda: ad.fft.fftn(Z, axes=(0, 3)), AxisError, "axis 3"),
        (lambda: ad.fft.fft(Z, 0), ArgumentError, "fft of 0 elements"),
        (lambda: ad.fft.fft(np.zeros((0, 2)), axis=0), ArgumentError, "fft of 0 elements"),
        (lambda: ad.fft.irfft(np.ones(1)), ArgumentError, "irfft of 0 elements"),
        (lambda: ad.fft.fft(Z, norm="unit"), ArgumentError, "not 'unit'"),
        (lambda: ad.fft.hfft(Z, norm="unit"), ArgumentError, "not 'unit'"),
        (lambda: ad.fft.fftn(Z, (2, 3), (0,)), ArgumentError, "2 lengths for 1 axes"),
        (lambda: ad.fft.rfftn(Z.real, axes=()), ArgumentError, "at least one axis"),
        (lambda: ad.fft.irfftn(Z, axes=()), ArgumentError, "at least one axis"),
        (lambda: ad.fft.rfft(Z), DTypeError, "complex128"),
    ],
)
def test_errors(function, error, text):
    with pytest.raises(error, match=text):
        function()


@pytest.mark.parametrize("name", ["rfft", "rfftn", "ihfft"])
def test_transforms_of_real_numbers_refuse_complex_ones(name):
    with pytest.raises(DTypeError, match=rf"^{name} takes real numbers"):
        getattr(ad.fft, name)(Variable([1.0 + 1.0j, 2.0]))


def test_lengths_are_whole_numbers():
    with pytest.raises(DTypeError, match=r"n is a whole number, not 2\.5"):
        ad.fft.fft(Variable([1.0, 2.0]), n=2.5)

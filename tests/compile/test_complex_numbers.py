"""Complex numbers in compiled functions: NumPy computes and moves them, between kernels for the rest."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.compile import executable
from adjoint.compile.passes import optimized
from adjoint.compile.schedule import make_schedule
from adjoint.compile.scheduled import LoopKernel
from tests.compile.agreement import assert_agree, assert_compiled_as_eager

rng = np.random.default_rng(0)


def drawn(*shape):
    return rng.uniform(-1.0, 1.0, shape) + 1j * rng.uniform(-1.0, 1.0, shape)


A, B = drawn(3, 5), drawn(3, 5)
R = rng.uniform(-1.0, 1.0, (3, 5))
PLACES = np.array([2, 0, 2])

FUNCTIONS = {
    "arithmetic beside real arithmetic": lambda a, b, r: (F.sin(r) * a + b * r - a / (r + 3.0), F.exp(r) + 1.0),
    "constants": lambda a, b, r: (a * 1j + (2.0 - 1j), r * 1j, F.where(r > 0.0, a, 1j), 0.0 * a + 1j),
    "parts": lambda a, b, r: (F.real(a) + r, F.imag(a), F.conj(a), F.abs(b), F.angle(b), F.real(r), F.imag(r)),
    "sums": lambda a, b, r: (F.sum(a), F.sum(a * b, axis=0), F.mean(a, axis=1, keepdims=True) - b, F.cumsum(a, axis=1)),
    "sums of one value": lambda a, b, r: (F.sum(F.broadcast_to(F.sum(a), (2, 3))), F.sum(0.0 * a + 1j, axis=1)),
    "joins": lambda a, b, r: (F.concat([a, r, b * 2.0], axis=1), F.stack([a, b], axis=1), F.concat([r + 1.0, r])),
    "joins of joins": lambda a, b, r: F.concat([F.concat([a, b], axis=1) * 1j, F.concat([r, a], axis=1)]),
    "slices": lambda a, b, r: (a[::-1, 1:3] * 2.0, F.concat([a, b])[2:4], (a + b)[:, ::2] + r[:, ::2]),
    "places": lambda a, b, r: (F.scatter_add(a, (slice(None), slice(0, 2)), b[:, :2]), F.scatter_add(a, 0, b[0])),
    "indices": lambda a, b, r: (a[PLACES], F.scatter_add(a, PLACES, b), F.take(a, PLACES, axis=1)),
    "products": lambda a, b, r: (a @ b.T, (a @ r.T) @ b + (r @ b.T) @ a, a[0] @ b[0], F.einsum("ij,ij->i", a, b)),
    "products with one row or column": lambda a, b, r: (a[:, :1] @ b[:1], a[:1] @ b.T, a @ b[:1].T),
    "views": lambda a, b, r: (F.reshape(a.T, (5, 3)), F.broadcast_to(a[:1], (4, 5)) * b[0], F.flip(a, axis=1)),
    "powers": lambda a, b, r: (a**2, a**-1, a**3, a**0.5, a**1.5, a ** (1 + 1j), (r + 2.0) ** 1j, 2.0**a, a**b),
    "comparisons": lambda a, b, r: (a.data == b.data, a.data != a.data[::-1], np.isfinite(a.data)),
    "casts": lambda a, b, r: (a.astype(np.complex64), r.astype(complex), a.astype(float), a.astype("complex64") * 1j),
    "functions": lambda a, b, r: (F.tan(a), F.arcsin(a), F.arccos(a), F.arctanh(a), F.arcsinh(a), F.arccosh(a)),
    "nothing": lambda a, b, r: (a[:0] * 1j, F.sum(a[:0]), F.concat([a[:0], b])),
}


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_as_eager(name, dtype):
    arrays = [A.astype(dtype), np.asfortranarray(B.astype(dtype)), R.astype(dtype(0).real.dtype)]
    compiled = assert_compiled_as_eager(FUNCTIONS[name], arrays, 1e-12 if dtype == np.complex128 else 1e-4)
    for kernel in make_schedule(optimized(compiled.program)).kernels:
        if isinstance(kernel, LoopKernel):
            touched = [*kernel.members, *kernel.reads()]
            assert all(x.dtype.kind != "c" for x in touched), "no loop knows complex numbers"


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("comparisons", "nothing")])
def test_gradients_are_the_eager_ones(name):
    def with_gradients(*xs):
        results = FUNCTIONS[name](*xs)
        total = Variable(0.0)
        for y in results if isinstance(results, tuple) else (results,):
            total = total + F.sum(F.real(y * F.conj(y)))
        total.backward(create_graph=True)
        first = [x.grad for x in xs]
        squares = [F.sum(F.real(g * F.conj(g))) for g in first if g is not None]
        for x in xs:
            x.cleargrad()
        sum(squares[1:], squares[0]).backward()
        return [*first, *(x.grad for x in xs)]

    assert_compiled_as_eager(with_gradients, [A, B, R], 1e-9)


def test_signs_of_zero_in_constants():
    def function(z):
        return [z.data * 0.0 + number for number in (complex(0.0, -0.0), complex(-0.0, 0.0), 0j)] + [
            np.full_like(z.data, complex(0.0, -0.0)) * 1.0
        ]

    z = np.zeros(2, complex)
    expected = function(Variable(z))
    for found, wanted in zip(ad.compile(function)(Variable(z)), expected, strict=True):
        np.testing.assert_array_equal(np.signbit(found.imag), np.signbit(wanted.imag))
        np.testing.assert_array_equal(np.signbit(found.real), np.signbit(wanted.real))


def test_infinite_parts():
    function = lambda z: (z * 1.0, 1.0 * z, z / 1.0, z - 0.0, -F.neg(z), z + F.neg(z), z * (1.0 + 0.0j))  # noqa: E731
    z = np.array([complex(np.inf, 1.0), complex(1.0, -np.inf), complex(np.nan, 0.0), complex(-0.0, 2.0)])
    assert_compiled_as_eager(function, [z])


def test_complex_numbers_as_arguments():
    @ad.compile
    def function(x, factor):
        return x * factor

    x = np.ones(2)
    np.testing.assert_array_equal(function(x, 1.0 + 2.0j), x * (1.0 + 2.0j))
    np.testing.assert_array_equal(function(x, 2.0j), x * 2.0j)
    assert function(x.astype(np.float32), 2.0j).dtype == np.complex64


def test_numbers_that_are_given_become_complex():
    @ad.compile
    def function(x, angle, count):
        return x * (angle * 1j), x + 1j**count, x * (angle == 1j), x * complex(angle, 1.0)

    x = np.ones(2)
    for angle, count in ((0.5, 3), (0.25, 2)):
        found = function(x, angle, count)
        assert_agree(list(found), [x * (angle * 1j), x + 1j**count, x * 0.0, x * complex(angle, 1.0)])


class Phases:
    """A model of one complex parameter."""

    def __init__(self):
        self.z = Variable(drawn(4))

    def params(self):
        return {"z": self.z}


@pytest.mark.parametrize("llvm", [True, False])
def test_training_steps(llvm, monkeypatch):
    if not llvm:
        monkeypatch.setattr(executable.llvm, "is_available", lambda: False)
        monkeypatch.setattr(executable, "_said", True)
    target = drawn(4)
    start = drawn(4)

    def train(compiled):
        model = Phases()
        model.z.data = start.copy()
        optimizer = ad.optimizers.Adam(0.05)

        def step(t):
            loss = F.mean(F.abs(ad.fft.fft(model.z) - t) ** 2)
            model.z.cleargrad()
            loss.backward()
            optimizer.update(model)
            return loss

        run = ad.compile(step, state=[model, optimizer]) if compiled else step
        return [run(target).item() for _ in range(30)], model.z

    losses, z = train(compiled=False)
    assert losses[-1] < 0.1 * losses[0]
    compiled_losses, compiled_z = train(compiled=True)
    np.testing.assert_allclose(compiled_losses, losses, rtol=1e-9)
    np.testing.assert_allclose(compiled_z.data, z.data, rtol=1e-9)
    np.testing.assert_allclose(compiled_z.grad.data, z.grad.data, rtol=1e-8)

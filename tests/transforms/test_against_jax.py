"""Functions of many ops: every transform gives the numbers that JAX gives, in float64."""

from __future__ import annotations

import types

import numpy as np
import pytest

import adjoint as ad
import adjoint.numpy as anp
from adjoint import functions as F, linalg, special

jax = pytest.importorskip("jax", reason="JAX is not installed")

TOLERANCE = 1e-10


@pytest.fixture(autouse=True, scope="module")
def in_double():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


# What the functions are written with: NumPy's names, and a few beside them.
OURS = types.SimpleNamespace(
    np=anp,
    linalg=linalg,
    softmax=F.softmax,
    log_softmax=F.log_softmax,
    logsumexp=F.logsumexp,
    sigmoid=F.sigmoid,
    softplus=F.softplus,
    gelu=lambda x: F.gelu(x, approximate="tanh"),
    gammaln=special.gammaln,
    digamma=special.digamma,
    erf=F.erf,
    ndtri=special.ndtri,
    i0e=special.i0e,
    xlogy=special.xlogy,
    added=lambda x, index, values: F.scatter_add(x, index, values),
)
THEIRS = types.SimpleNamespace(
    np=jax.numpy,
    linalg=jax.numpy.linalg,
    softmax=jax.nn.softmax,
    log_softmax=jax.nn.log_softmax,
    logsumexp=jax.nn.logsumexp,
    sigmoid=jax.nn.sigmoid,
    softplus=jax.nn.softplus,
    gelu=jax.nn.gelu,
    gammaln=jax.scipy.special.gammaln,
    digamma=jax.scipy.special.digamma,
    erf=jax.scipy.special.erf,
    ndtri=jax.scipy.special.ndtri,
    i0e=jax.scipy.special.i0e,
    xlogy=jax.scipy.special.xlogy,
    added=lambda x, index, values: x.at[index].add(values),
)

RNG = np.random.default_rng(11)
W1, W2 = RNG.normal(size=(6, 5)), RNG.normal(size=(5, 3))
KERNEL = RNG.normal(size=(2, 2))
GATES = RNG.normal(size=(4, 8))
INDEX = np.array([0, 2, 2, 5, 1])
FLAGS = np.array([True, False, True, True, False, True])
POSITIVE = np.eye(3) * 4.0


def square(m, x):
    return m.np.reshape(m.np.concatenate([x, m.np.cos(3.0 * x[:3])]), (3, 3))


def symmetric(m, x):
    a = square(m, x)
    return a + m.np.transpose(a) + np.diag([1.0, 4.0, 8.0])


def lstm(m, x):
    h = c = x[:2] * 0.0
    for t in range(3):
        z = m.np.concatenate([x[2 * t : 2 * t + 2], h]) @ GATES
        f, i, o = m.sigmoid(z[:2]), m.sigmoid(z[2:4]), m.sigmoid(z[4:6])
        c = f * c + i * m.np.tanh(z[6:])
        h = o * m.np.tanh(c)
    return m.np.concatenate([h, c])


def convolved(m, x):
    """Products of a kernel with each 2 by 2 part of a 2 by 3 image."""
    image = m.np.reshape(x, (2, 3))
    parts = [m.np.sum(image[:, j : j + 2] * KERNEL) for j in range(2)]
    return m.np.stack(parts)


# Functions of a vector of six numbers.
FUNCTIONS = {
    "einsum": lambda m, x: m.np.einsum("i,ij,jk,i->k", x, W1, W2, m.np.sin(x)),
    "matmul": lambda m, x: m.np.tanh(x @ W1) @ W2,
    "softmax": lambda m, x: m.softmax(m.np.reshape(x * x, (2, 3)), axis=-1)[0],
    "log_softmax": lambda m, x: m.log_softmax(m.np.sin(3.0 * x)),
    "logsumexp": lambda m, x: m.logsumexp(m.np.reshape(x * m.np.cos(x), (3, 2)), axis=1),
    "norm": lambda m, x: m.linalg.norm(m.np.reshape(x * x, (2, 3)), axis=1),
    "cumsum": lambda m, x: m.np.cumsum(x * x) * m.np.exp(-x),
    "getitem": lambda m, x: x[INDEX] * m.np.sin(x[1:]) * m.np.reshape(x, (2, 3))[INDEX % 2, INDEX % 3],
    "where": lambda m, x: m.np.where(FLAGS, m.np.sin(x), x**3) * m.np.where(x > 0.5, x, 2.0),
    "max": lambda m, x: m.np.max(m.np.reshape(m.np.sin(5.0 * x), (2, 3)), axis=0) * m.np.min(x),
    "sort": lambda m, x: m.np.sort(m.np.sin(7.0 * x)) * m.np.exp(x),
    "convolution": convolved,
    "solve": lambda m, x: m.linalg.solve(symmetric(m, x), x[:3] * x[3:]),
    "inv and det": lambda m, x: m.linalg.inv(symmetric(m, x))[0] * m.linalg.det(square(m, x)),
    "slogdet": lambda m, x: m.linalg.slogdet(symmetric(m, x))[1] * x,
    "cholesky": lambda m, x: m.linalg.cholesky(symmetric(m, x) @ m.np.transpose(symmetric(m, x)) + POSITIVE)[2],
    "eigh": lambda m, x: m.linalg.eigh(symmetric(m, x))[0] * m.linalg.eigh(symmetric(m, x))[1][:, 0] ** 2,
    "svd": lambda m, x: m.linalg.svd(m.np.reshape(x, (3, 2)) + np.eye(3, 2), full_matrices=False)[1],
    "qr": lambda m, x: m.linalg.qr(m.np.reshape(x, (3, 2)) + np.eye(3, 2))[1][0] ** 2,
    "pinv": lambda m, x: m.linalg.pinv(m.np.reshape(x, (3, 2)) + np.eye(3, 2))[0],
    "lstm": lstm,
    "fft": lambda m, x: m.np.abs(m.np.fft.fft(x * x)) ** 2,
    "rfft": lambda m, x: m.np.real(m.np.fft.irfft(m.np.fft.rfft(m.np.sin(x)) ** 2, 6)),
    "scatter_add": lambda m, x: m.added(x * x, INDEX, m.np.sin(x[:5])) * x,
    "of two": lambda m, x: m.np.arctan2(x[:3], x[3:]) * m.np.hypot(x[:3], x[3:]) + m.np.logaddexp(x[:3], x[3:]),
    "gamma": lambda m, x: m.gammaln(x + 0.5) * m.digamma(x + 1.0),
    "special": lambda m, x: m.erf(x) * m.i0e(x) + m.xlogy(x, 1.0 + x) + m.ndtri(0.4 + 0.2 * m.np.sin(x)),
    "activations": lambda m, x: m.gelu(x) * m.softplus(3.0 * x) + m.sigmoid(x) * m.np.maximum(x, 0.4),
    "powers": lambda m, x: x**2.5 + 1.3**x + x ** m.np.flip(x) + m.np.cbrt(x) + m.np.expm1(x) / m.np.log1p(x),
    "statistics": lambda m, x: m.np.var(m.np.reshape(x * x, (2, 3)), axis=0) + m.np.mean(x) * m.np.std(m.np.sin(x)),
    "inverses": lambda m, x: m.np.arcsin(0.8 * x) * m.np.arctan(x) + m.np.arcsinh(x) * m.np.tan(x) + m.np.sinc(x),
    "shapes": lambda m, x: m.np.stack([m.np.flip(x), x * x], axis=1).reshape(3, 4).T[1:, ::2].sum(0) * m.np.prod(x),
}
POINT = np.array([0.31, 0.83, 0.55, 0.92, 0.17, 0.68])
EXAMPLES = np.stack([POINT, POINT[::-1], 0.9 * POINT + 0.05])
DIRECTION = np.array([0.7, -0.4, 0.3, 1.1, -0.8, 0.5])
OTHER = np.array([-0.2, 0.9, 0.6, -0.5, 0.4, 1.0])


def total(f):
    """One number: the outputs squared, with weights."""

    def summed(x):
        y = f(x)
        return (y * y * np.linspace(0.5, 1.5, y.shape[0])).sum()

    return summed


def third(a, f):
    """∇³f along two directions."""
    along = lambda x, t: (a.grad(f)(x) * t).sum()  # noqa: E731
    twice = lambda x: (a.grad(lambda z: along(z, DIRECTION))(x) * OTHER).sum()  # noqa: E731
    return a.grad(twice)(POINT)


# Each gets the library, and a function that it differentiates.
TRANSFORMS = {
    "jvp": lambda a, f: a.jvp(f, (POINT,), (DIRECTION,)),
    "vjp": lambda a, f: a.vjp(total(f), POINT)[1](np.float64(2.0))[0],
    "grad": lambda a, f: a.grad(total(f))(POINT),
    "hessian": lambda a, f: a.hessian(total(f))(POINT),
    "hvp": lambda a, f: a.jvp(a.grad(total(f)), (POINT,), (DIRECTION,))[1],
    "vmap of f": lambda a, f: a.vmap(f)(EXAMPLES),
    "vmap of grad": lambda a, f: a.vmap(a.grad(total(f)))(EXAMPLES),
    "grad of vmap": lambda a, f: a.grad(lambda xs: (a.vmap(total(f))(xs) ** 2).sum())(EXAMPLES),
    "vmap of hvp": lambda a, f: a.vmap(lambda x: a.jvp(a.grad(total(f)), (x,), (DIRECTION,))[1])(EXAMPLES),
    "jvp of vmap": lambda a, f: a.jvp(a.vmap(f), (EXAMPLES,), (EXAMPLES * EXAMPLES,))[1],
    "jacobian forward": lambda a, f: a.jacfwd(f)(POINT),
    "jacobian reverse": lambda a, f: a.jacrev(f)(POINT),
    "third derivative": lambda a, f: third(a, total(f)),
    "third along a line": lambda a, f: a.third_along(lambda e: total(f)(POINT + e * DIRECTION)),
}


def nested_three_times(f):
    for _ in range(3):
        f = (lambda g: lambda e: jax.jvp(g, (e,), (1.0,))[1])(f)
    return f(0.0)


A_OURS = types.SimpleNamespace(
    jvp=ad.jvp,
    vjp=ad.vjp,
    grad=ad.grad,
    hessian=ad.hessian,
    vmap=ad.vmap,
    jacfwd=lambda f: ad.jacobian(f, mode="forward"),
    jacrev=lambda f: ad.jacobian(f, mode="reverse"),
    third_along=lambda f: ad.nth_derivative(f, 3)(0.0),
)
A_THEIRS = types.SimpleNamespace(
    jvp=jax.jvp,
    vjp=jax.vjp,
    grad=jax.grad,
    hessian=jax.hessian,
    # JAX's rule of xlogy takes no constants of NumPy.
    vmap=lambda f: lambda *xs: jax.vmap(f)(*map(jax.numpy.asarray, xs)),
    jacfwd=jax.jacfwd,
    jacrev=jax.jacrev,
    third_along=nested_three_times,
)


def arrays(value):
    parts = value if isinstance(value, tuple) else (value,)
    return [np.asarray(part.data if isinstance(part, ad.Variable) else part) for part in parts]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_transforms_give_what_jax_gives(name, transform):
    f = FUNCTIONS[name]
    found = arrays(TRANSFORMS[transform](A_OURS, lambda x: f(OURS, x)))
    theirs = jax.jit(lambda: TRANSFORMS[transform](A_THEIRS, lambda x: f(THEIRS, x)))
    for one, other in zip(found, arrays(theirs()), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE * (1.0 + np.max(np.abs(other))))

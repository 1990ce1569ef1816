"""Every function of the standard that has a derivative has it through this namespace, to the second order."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
import adjoint.array_api as xp
from adjoint import Variable
from adjoint.testing import check_grads

from . import standard
from .test_functions import CONSTANTS, WHOLE

rng = np.random.default_rng(0)
V, W = rng.uniform(0.5, 1.5, (2, 4))
M, N = rng.uniform(0.5, 1.5, (2, 2, 3))
S = rng.uniform(0.5, 1.5, (3, 3)) + 2.0 * np.eye(3)
T = rng.uniform(0.5, 1.5, (2, 4, 3))
U = rng.uniform(-0.8, 0.8, (2, 3))


def total(x):
    """A real number of an array, or of several, that depends on all elements."""
    if isinstance(x, tuple):
        return sum(map(total, x))
    if x.dtype.kind == "c":
        return total(xp.real(x)) + total(xp.imag(x) * 0.7)
    return xp.sum(x * np.arange(1.0, x.size + 1.0).reshape(x.shape)) if x.dtype.kind == "f" else 0.0


OF_ONE = """
    abs acos asin atan atanh cos cosh exp expm1 log1p negative positive reciprocal sin sinh square tan tanh asinh conj
    real
""".split()
OF_TWO = "add atan2 copysign divide hypot logaddexp maximum minimum multiply pow remainder subtract".split()
ELEMENTWISE = {
    **{name: (getattr(xp, name), (U,)) for name in OF_ONE},
    **{name: (getattr(xp, name), (M,)) for name in "log log2 log10 sqrt".split()},
    **{name: (getattr(xp, name), (M, V[:3])) for name in OF_TWO},
    "acosh": (xp.acosh, (M + 1.0,)),
    "clip": (lambda x, low: xp.clip(x, low, 1.2), (M, np.full(3, 0.8))),
    "imag": (lambda x: xp.imag(x * (1.0 + 2.0j)), (M,)),
    "where": (lambda x, y: xp.where(x > 1.0, x, y * y), (M, N)),
}
SHAPES = {
    "broadcast_arrays": (lambda x, y: xp.broadcast_arrays(x, y), (M, V[:3])),
    "broadcast_to": (lambda x: xp.broadcast_to(x, (2, 2, 3)), (M,)),
    "concat": (lambda x, y: xp.concat([x, y, N], axis=1), (M, U)),
    "expand_dims": (lambda x: xp.expand_dims(x, (0, -1)), (M,)),
    "flip": (lambda x: xp.flip(x, axis=1), (M,)),
    "moveaxis": (lambda x: xp.moveaxis(x, 0, -1), (T,)),
    "permute_dims": (lambda x: xp.permute_dims(x, (2, 0, 1)), (T,)),
    "repeat": (lambda x: xp.repeat(x, xp.asarray([1, 2, 0]), axis=1), (M,)),
    "reshape": (lambda x: xp.reshape(x, (3, -1), copy=True), (M,)),
    "roll": (lambda x: xp.roll(x, (1, 2), axis=(0, 1)), (M,)),
    "squeeze": (lambda x: xp.squeeze(x[:, None], 1), (M,)),
    "stack": (lambda x, y: xp.stack([x, y], axis=-1), (M, N)),
    "take": (lambda x: xp.take(x, xp.asarray([2, 0, 2]), axis=1), (M,)),
    "take_along_axis": (lambda x: xp.take_along_axis(x, xp.argsort(x)), (M,)),
    "tile": (lambda x: xp.tile(x, (2, 1, 2)), (M,)),
    "tril": (lambda x: xp.tril(x, k=1), (T,)),
    "triu": (xp.triu, (T,)),
    "unstack": (lambda x: xp.unstack(x, axis=1), (M,)),
    "meshgrid": (lambda x, y: xp.meshgrid(x, y), (V, W)),
    "asarray": (lambda x: xp.asarray(x, copy=True), (M,)),
    "astype": (lambda x: xp.astype(x, xp.complex128), (M,)),
    "from_dlpack": (lambda x: xp.from_dlpack(x, copy=True), (M,)),
    "full": (lambda x: xp.full((2, 3), x[0]), (V,)),
    "full_like": (lambda x: xp.full_like(x, x[0]), (V,)),
    "linspace": (lambda x: xp.linspace(x[0], x[1], 5), (V,)),
    "sort": (lambda x: xp.sort(x, descending=True), (M,)),
    "unique_all": (lambda x: xp.unique_all(x)[0], (M,)),
    "unique_counts": (lambda x: xp.unique_counts(x)[0], (M,)),
    "unique_inverse": (lambda x: xp.unique_inverse(x)[0], (M,)),
    "unique_values": (xp.unique_values, (M,)),
}
STATISTICS = {
    **{name: (getattr(xp, name), (M,)) for name in "max mean min prod sum diff".split()},
    "std": (lambda x: xp.std(x, axis=1, correction=1.0), (M,)),
    "var": (lambda x: xp.var(x, axis=0, keepdims=True), (M,)),
    "cumulative_sum": (lambda x: xp.cumulative_sum(x, axis=1, include_initial=True), (M,)),
    "cumulative_prod": (lambda x: xp.cumulative_prod(x, axis=0), (M,)),
}


def projector(x):
    """What an orthonormal basis of a complement does not depend on: the projector on it."""
    others = x[..., 2:]
    return others @ xp.matrix_transpose(others)


LINALG = {
    "matmul": (xp.matmul, (M, S)),
    "matrix_transpose": (xp.matrix_transpose, (T,)),
    "tensordot": (lambda x, y: xp.tensordot(x, y, axes=1), (M, S)),
    "vecdot": (lambda x, y: xp.vecdot(x, y, axis=0), (M, N)),
    "cholesky": (lambda x: xp.linalg.cholesky(x @ x.mT), (S,)),
    "cross": (xp.linalg.cross, (M, N)),
    **{name: (getattr(xp.linalg, name), (S,)) for name in "det inv diagonal slogdet svdvals trace".split()},
    "eig": (lambda x: xp.linalg.eig(x).eigenvalues, (S,)),
    "eigvals": (lambda x: xp.linalg.eigvals(x), (S,)),
    "eigh": (lambda x: xp.abs(xp.linalg.eigh(x + x.mT).eigenvectors), (S,)),
    "eigvalsh": (lambda x: xp.linalg.eigvalsh(x + x.mT), (S,)),
    "matrix_norm": (lambda x: xp.linalg.matrix_norm(x, ord="nuc"), (M,)),
    "matrix_power": (lambda x: xp.linalg.matrix_power(x, 3), (S,)),
    "outer": (xp.linalg.outer, (V, W)),
    "pinv": (xp.linalg.pinv, (M,)),
    "qr": (lambda x: projector(xp.linalg.qr(x, mode="complete").Q), (T[0, :, :2],)),
    "qr of many": (lambda x: xp.linalg.qr(x).R, (T,)),
    "solve": (xp.linalg.solve, (S, V[:3])),
    "svd": (lambda x: projector(xp.linalg.svd(x).U), (T[0, :, :2],)),
    "svd of a wide one": (lambda x: projector(xp.linalg.svd(x).Vh.mT), (M,)),
    "vector_norm": (lambda x: xp.linalg.vector_norm(x, axis=1, ord=3), (M,)),
}
FFT = {
    **{
        name: (getattr(xp.fft, name), (M,))
        for name in "fft ifft fftn ifftn rfft rfftn ihfft fftshift ifftshift".split()
    },
    **{name: (getattr(xp.fft, name), (M,)) for name in "irfft irfftn hfft".split()},
}
CASES = {**ELEMENTWISE, **SHAPES, **STATISTICS, **LINALG, **FFT}
# What makes new arrays, or says something about shapes and dtypes
OTHERS = set(
    "arange empty empty_like eye ones ones_like zeros zeros_like broadcast_shapes can_cast finfo iinfo isdtype".split()
) | {"result_type", "fftfreq", "rfftfreq"}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name):
    function, arrays = CASES[name]
    check_grads(lambda *xs: total(function(*xs)), arrays, order=2)


@pytest.mark.parametrize("name", [*OF_ONE, *OF_TWO, *STATISTICS])
def test_single_precision_stays(name):
    function, arrays = CASES[name]
    xs = [Variable(array.astype(np.float32)) for array in arrays]
    y = function(*xs)
    assert y.dtype == np.float32
    total(y).backward()
    assert all(x.grad is None or x.grad.dtype == np.float32 for x in xs)


def test_every_function_of_the_standard_is_tried():
    text = standard.FUNCTIONS + standard.LINALG + standard.FFT
    names = {line.split("(")[0].strip() for line in text.split("\n") if line.strip()}
    assert names == {name for name in CASES if " " not in name} | set(CONSTANTS) | set(WHOLE) | OTHERS


def test_functions_of_the_namespace_are_compiled():
    def f(x):
        space = x.__array_namespace__()
        return space.sum(space.where(x > 1.0, space.exp(x), space.sqrt(x))) + space.vecdot(x, x)

    value, gradient = ad.compile(ad.value_and_grad(f))(V)
    expected, expected_gradient = ad.value_and_grad(f)(V)
    assert np.allclose(value, expected)
    assert np.allclose(gradient, expected_gradient)


def test_functions_of_the_namespace_take_batches_and_tangents():
    def f(x):
        return xp.sum(xp.where(x > 1.0, xp.log(x), x * x)) / xp.linalg.vector_norm(x)

    directions = np.ones_like(M)
    slopes = ad.vmap(lambda x, t: ad.jvp(f, (x,), (t,))[1])(M, directions)
    gradients = ad.vmap(ad.grad(f))(M)
    assert np.allclose(slopes, np.sum(gradients * directions, axis=1))


def test_clip_at_a_number_passes_and_at_an_array_shares():
    x = Variable([0.0, 1.0])
    for bound, expected in ((1.0, [1.0, 1.0]), (Variable([1.0, 1.0]), [1.0, 0.5])):
        x.cleargrad()
        xp.sum(xp.clip(x, None, bound)).backward()
        assert x.grad.data.tolist() == expected

"""Programs made for processors other than this one: narrower vectors, no masks, no fused multiply-add."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F

pytest.importorskip("llvmlite")

from adjoint.compile.codegen.target import Target

TARGETS = {
    "64 bytes": Target(64, 32, fma=True, masks=True),
    "32 bytes": Target(32, 16, fma=True, masks=False),
    "16 bytes": Target(16, 32, fma=True, masks=False),
    "16 bytes without fused multiply-add": Target(16, 16, fma=False, masks=False),
}


@pytest.fixture(params=TARGETS)
def target(request, monkeypatch):
    chosen = TARGETS[request.param]
    monkeypatch.setattr(Target, "host", staticmethod(lambda: chosen))
    return chosen


def softmax_gradient(x):
    loss = F.softmax_cross_entropy(x, np.arange(x.shape[0]) % x.shape[1])
    x.cleargrad()
    loss.backward()
    return loss, x.grad


def elementwise_gradient(x):
    y = F.sum(F.tanh(x) * F.sigmoid(x) + F.exp(-x * x) + F.sin(x))
    x.cleargrad()
    y.backward()
    return y, x.grad


def sums(x):
    return (
        F.sum(x),
        F.sum(x, axis=0),
        F.sum(x * x, axis=1),
        F.max(x, axis=0),
        F.min(x, axis=-1),
        F.sum(x.T[::-1], axis=0),
    )


def products(x):
    return x @ x.T, x.T @ x, (x * 2.0).T[::-1] @ x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (17, 33), (40, 64), (5, 1000)])
@pytest.mark.parametrize("function", [softmax_gradient, elementwise_gradient, sums, products])
def test_each_target_computes_the_same(target, function, shape, dtype):
    data = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    expected = function(ad.Variable(data.copy()))
    found = ad.compile(function)(ad.Variable(data.copy()))
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype == dtype
        scale = 1e-5 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(a.data, b.data, rtol=20 * scale, atol=scale * np.abs(b.data).max(initial=1.0))

"""Memory is exchanged with other libraries by DLPack, without a copy. CuPy has the protocol too; it is not tried."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
import adjoint.array_api as xp
from adjoint import Variable
from adjoint.errors import GradientError, TraceError


def address(x):
    return x.data.ctypes.data


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex128"])
def test_numpy_reads_the_memory_of_a_variable(dtype):
    x = Variable(np.array([1, 0, 2], dtype))
    array = np.from_dlpack(x)
    assert array.ctypes.data == address(x)
    assert array.dtype == dtype


def test_a_variable_shows_the_memory_of_an_array():
    array = np.arange(3.0)
    x = xp.from_dlpack(array)
    assert type(x) is Variable
    assert address(x) == array.ctypes.data
    assert address(xp.from_dlpack(array, copy=True)) != array.ctypes.data


def test_variables_are_passed_on_with_their_graph():
    x = Variable([1.0, 2.0])
    y = xp.from_dlpack(x * x)
    xp.sum(xp.from_dlpack(y, copy=True)).backward()
    assert x.grad.data.tolist() == [2.0, 4.0]


def test_a_graph_is_not_lost_silently():
    x = Variable([1.0])
    y = x * 2.0
    assert tuple(y.__dlpack_device__()) == (1, 0)
    with pytest.raises(GradientError, match="computed in a graph"):
        np.from_dlpack(y)
    assert np.from_dlpack(y.detach()).tolist() == [2.0]
    with ad.no_grad():
        assert np.from_dlpack(y).tolist() == [2.0]


def test_a_traced_value_has_no_memory():
    with pytest.raises(TraceError):
        ad.compile(lambda x: np.from_dlpack(x))(Variable([1.0]))


def test_torch_shares_the_memory_both_ways():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = Variable(np.arange(3.0))
    tensor = torch.from_dlpack(x)
    assert tensor.data_ptr() == address(x)
    assert address(xp.from_dlpack(tensor)) == tensor.data_ptr()


def test_jax_reads_and_is_read():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    x = Variable(np.arange(3, dtype=np.float32))
    array = jax.numpy.from_dlpack(x)
    assert array.tolist() == [0.0, 1.0, 2.0]
    back = xp.from_dlpack(array * 2.0)
    assert back.data.tolist() == [0.0, 2.0, 4.0]
    back[0] = 5.0  # what JAX made is read-only, so this is a copy
    assert back.data.tolist() == [5.0, 2.0, 4.0]

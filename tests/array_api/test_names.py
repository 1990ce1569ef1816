"""All names of the standard are there, and functions take what it says."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

import adjoint as ad
import adjoint.array_api as xp
from adjoint import Variable
from adjoint.errors import ArgumentError

from . import standard


def signatures(text, module):
    """What a list of functions says: the name, the signature, and the function of the module."""
    for line in text.split("\n"):
        if line := line.strip():
            name, arguments = line.split("(", 1)
            space = {}
            exec(f"def function({arguments}: ...", {}, space)
            yield pytest.param(getattr(module, name, None), inspect.signature(space["function"]), id=name)


FUNCTIONS = [
    *signatures(standard.FUNCTIONS, xp),
    *signatures(standard.LINALG, xp.linalg),
    *signatures(standard.FFT, xp.fft),
]


@pytest.mark.parametrize(("function", "expected"), FUNCTIONS)
def test_function_takes_what_the_standard_says(function, expected):
    found = list(inspect.signature(function).parameters.values())
    wanted = list(expected.parameters.values())
    positional = [p for p in wanted if p.kind is not p.KEYWORD_ONLY]
    for mine, theirs in zip(found, positional, strict=False):
        assert mine.kind is theirs.kind
        assert mine.name == theirs.name or theirs.kind in (theirs.POSITIONAL_ONLY, theirs.VAR_POSITIONAL)
        assert mine.default == theirs.default
    assert len(found) >= len(positional)
    by_keyword = {p.name: p for p in found if p.kind is p.KEYWORD_ONLY}
    assert {p.name: p.default for p in by_keyword.values()} == {
        p.name: p.default for p in wanted if p.kind is p.KEYWORD_ONLY
    }


def test_constants_and_dtypes_are_there():
    assert all(hasattr(xp, name) for name in standard.CONSTANTS)
    for name in standard.DTYPES:
        dtype = getattr(xp, name)
        assert dtype == np.dtype(name)
        assert xp.zeros(1, dtype=dtype).dtype == dtype


def test_variables_have_what_the_standard_says():
    x = Variable([[1.0]])
    assert all(hasattr(x, name) for name in standard.ATTRIBUTES)
    assert all(hasattr(x, f"__{name}__") for name in standard.METHODS)
    assert hasattr(x, "to_device")


def test_the_namespace_of_a_variable_is_this_one():
    x = Variable([1.0])
    assert x.__array_namespace__() is xp is ad.array_api
    assert (x > 0).__array_namespace__(api_version="2024.12") is xp
    assert xp.__array_api_version__ == "2025.12"
    with pytest.raises(ArgumentError, match=r"not in '2019\.12'"):
        x.__array_namespace__(api_version="2019.12")


def test_there_is_one_device():
    x = Variable([1.0])
    assert x.device == "cpu"
    assert x.to_device("cpu") is x
    for call in (lambda: x.to_device("gpu"), lambda: xp.zeros(2, device="gpu"), lambda: x.to_device("cpu", stream=1)):
        with pytest.raises(ArgumentError, match="'cpu'"):
            call()


def test_info_describes_the_namespace():
    info = xp.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert info.devices() == (info.default_device(),)
    assert info.default_dtypes()["real floating"] == xp.float64 == xp.asarray(1.0).dtype
    assert info.default_dtypes()["indexing"] == xp.argmax(xp.zeros(2)).dtype
    assert list(info.dtypes()) == standard.DTYPES
    assert list(info.dtypes(kind=("bool", "complex floating"))) == ["bool", "complex64", "complex128"]


def test_scalars_become_numbers_and_indices():
    whole = SimpleNamespace(index=xp.asarray(2), array=np.arange(5))
    assert whole.array[whole.index] == 2
    assert list(range(whole.index)) == [0, 1]
    assert complex(xp.asarray(1.0 + 2.0j)) == 1.0 + 2.0j
    for x in (xp.asarray(2.0), xp.asarray([2])):
        with pytest.raises(TypeError, match="an index is one whole number"):
            x.__index__()

"""Random generators: seeded, constant, and the process's own."""

import os
import subprocess
import sys

import numpy as np
import pytest

import adjoint as ad
from adjoint import random
from adjoint.errors import ArgumentError, DTypeError


def test_const_gives_the_same_numbers_every_time():
    np.testing.assert_array_equal(ad.random.const().random(5), ad.random.const().random(5))
    np.testing.assert_array_equal(ad.random.const(3).random(5), ad.random.source(3).random(5))
    assert not np.array_equal(ad.random.const().random(5), ad.random.const(1).random(5))


def test_source_is_numpys_generator():
    assert isinstance(ad.random.source(3), np.random.Generator)
    np.testing.assert_array_equal(ad.random.source(3).random(5), np.random.default_rng(3).random(5))


@pytest.mark.parametrize("seed", [0, np.int64(3), np.uint8(3), 2**200])
def test_seeds(seed):
    ad.random.source(seed)


@pytest.mark.parametrize(
    ("seed", "error"),
    [
        (-1, ArgumentError),
        (np.int8(-5), ArgumentError),
        (1.0, DTypeError),
        ("1", DTypeError),
        (None, DTypeError),
        (True, DTypeError),
        ([1, 2], DTypeError),
    ],
)
def test_bad_seeds(seed, error):
    with pytest.raises(error, match="a seed is"):
        ad.random.source(seed)
    with pytest.raises(error, match="a seed is"):
        ad.random.const(seed)


def test_a_generator_is_passed_on():
    rng = ad.random.source(3)
    assert random.generator(rng) is rng


def test_none_is_the_processs_generator():
    assert random.generator() is random.generator(None)


@pytest.mark.parametrize("rng", [0, "seed", np.random.RandomState(0), np.random.PCG64(0)])
def test_other_things_are_no_generators(rng):
    with pytest.raises(DTypeError, match=r"rng takes a numpy\.random\.Generator.*adjoint\.random\.source"):
        random.generator(rng)


def run(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_entropy_is_fresh_in_every_process():
    code = "import adjoint as ad; print(ad.rand(rng=None).item(), ad.random.const().random())"
    one, other = run(code), run(code)
    assert one[0] != other[0]
    assert one[1] == other[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_draws_numbers_of_its_own():
    code = """
import os
import adjoint as ad
ad.rand()
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.write(write, str(ad.rand().item()).encode())
    os._exit(0)
os.waitpid(child, 0)
print(ad.rand().item(), os.read(read, 100).decode())
"""
    parent, child = run(code)
    assert parent != child


def test_numpys_global_state_is_left_alone():
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    ad.rand(3), ad.randn(3), ad.layers.Linear(2, in_size=3)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002

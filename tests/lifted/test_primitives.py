"""Every primitive and operator has a rule for batches and one for Taylor series."""

from __future__ import annotations

import pytest

from adjoint.arrays import PRIMITIVES
from adjoint.lifted import LIFTED, Batch, Series
from adjoint.lifted.lifted import OPERATORS

# They take a shape and no array, so that no lifted one can be among their arguments.
WITHOUT_ARRAYS = {"ones", "zeros"}
WANTED = (set(PRIMITIVES) - WITHOUT_ARRAYS) | set(OPERATORS)
# The rule of ops that have a `jvp`: no primitive.
BESIDE = {"with_tangent"}


@pytest.mark.parametrize("kind", [Batch, Series], ids=lambda kind: kind.__name__)
def test_every_primitive_has_a_rule(kind):
    assert set(kind.rules) == WANTED | BESIDE


@pytest.mark.parametrize("name", sorted(WITHOUT_ARRAYS))
def test_primitives_without_arrays_are_numpys(name):
    assert getattr(LIFTED, name)((2,)).shape == (2,)

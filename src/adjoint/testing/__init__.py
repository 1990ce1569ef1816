"""Derivatives checked against differences: for the tests of ops, your own included."""

from adjoint.ops import Sample as Sample
from adjoint.testing.gradients import (
    check_grads as check_grads,
    numerical_grad as numerical_grad,
)

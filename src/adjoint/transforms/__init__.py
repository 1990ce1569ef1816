"""Derivatives of functions: transforms that make functions of functions, and compose in any order."""

from adjoint.transforms.batching import vmap as vmap
from adjoint.transforms.custom import custom_vjp as custom_vjp
from adjoint.transforms.forward import jvp as jvp, linearize as linearize, nth_derivative as nth_derivative
from adjoint.transforms.matrices import hessian as hessian, hvp as hvp, jacobian as jacobian
from adjoint.transforms.raveling import ravel as ravel
from adjoint.transforms.recompute import checkpoint as checkpoint
from adjoint.transforms.reverse import grad as grad, value_and_grad as value_and_grad, vjp as vjp
from adjoint.transforms.stopping import stop_gradient as stop_gradient

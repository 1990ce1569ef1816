"""Automatic differentiation for Python: define-by-run Variables, exact derivatives of any order.

>>> import adjoint as ad
>>> from adjoint import functions as F
>>> x = ad.Variable(1.0)
>>> y = F.sin(x)
>>> y.backward()
>>> print(y, x.grad)
variable(0.8414709848078965) variable(0.5403023058681398)
"""

from adjoint import (
    array_api as array_api,
    data as data,
    errors as errors,
    fft as fft,
    functions as functions,
    hooks as hooks,
    layers as layers,
    linalg as linalg,
    models as models,
    numpy as numpy,
    optimize as optimize,
    optimizers as optimizers,
    random as random,
    special as special,
    testing as testing,
    viz as viz,
)
from adjoint.checking import check as check
from adjoint.compile.function import compile as compile
from adjoint.compile.threads import get_num_threads as get_num_threads, set_num_threads as set_num_threads
from adjoint.config import no_grad as no_grad, strict_ieee as strict_ieee, test_mode as test_mode
from adjoint.core.apply import apply as apply
from adjoint.core.creation import (
    normal as normal,
    ones as ones,
    ones_like as ones_like,
    rand as rand,
    randn as randn,
    zeros as zeros,
    zeros_like as zeros_like,
)
from adjoint.core.custom import op as op
from adjoint.core.variable import Variable as Variable
from adjoint.errors import AdjointError as AdjointError
from adjoint.provenance import detect_anomaly as detect_anomaly
from adjoint.transforms import (
    checkpoint as checkpoint,
    custom_vjp as custom_vjp,
    grad as grad,
    hessian as hessian,
    hvp as hvp,
    jacobian as jacobian,
    jvp as jvp,
    linearize as linearize,
    nth_derivative as nth_derivative,
    ravel as ravel,
    stop_gradient as stop_gradient,
    value_and_grad as value_and_grad,
    vjp as vjp,
    vmap as vmap,
)

__version__ = "0.1.0"

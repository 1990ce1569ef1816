"""Differentiable functions of Variables: ``from adjoint import functions as F``.

Arguments are Variables, arrays or numbers; arrays and numbers are constants. Each function can be
differentiated to any order. Dtypes follow NumPy's rules, and gradients have the dtype of what they belong to.
"""

from adjoint.functions.activations import (
    dropout as dropout,
    elu as elu,
    gelu as gelu,
    leaky_relu as leaky_relu,
    log_softmax as log_softmax,
    lstm_cell as lstm_cell,
    relu as relu,
    sigmoid as sigmoid,
    softmax as softmax,
    softplus as softplus,
    swish as swish,
)
from adjoint.functions.complex_numbers import (
    angle as angle,
    conj as conj,
    imag as imag,
    real as real,
)
from adjoint.functions.elementwise import (
    abs as abs,
    add as add,
    arctan as arctan,
    clip as clip,
    cos as cos,
    cosh as cosh,
    div as div,
    erf as erf,
    exp as exp,
    expm1 as expm1,
    log as log,
    log1p as log1p,
    masked_fill as masked_fill,
    maximum as maximum,
    minimum as minimum,
    mul as mul,
    neg as neg,
    pow as pow,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    square as square,
    sub as sub,
    tanh as tanh,
    where as where,
)
from adjoint.functions.exponential import (
    cbrt as cbrt,
    exp2 as exp2,
    hypot as hypot,
    log2 as log2,
    log10 as log10,
    logaddexp as logaddexp,
    reciprocal as reciprocal,
)
from adjoint.functions.losses import (
    accuracy as accuracy,
    binary_cross_entropy as binary_cross_entropy,
    mean_squared_error as mean_squared_error,
    sigmoid_cross_entropy as sigmoid_cross_entropy,
    softmax_cross_entropy as softmax_cross_entropy,
)
from adjoint.functions.matrices import (
    diag as diag,
    diagonal as diagonal,
    inner as inner,
    kron as kron,
    outer as outer,
    tensordot as tensordot,
    trace as trace,
    tril as tril,
    triu as triu,
)
from adjoint.functions.products import (
    einsum as einsum,
    linear as linear,
    matmul as matmul,
    recurrent_linear as recurrent_linear,
)
from adjoint.functions.reductions import (
    cumprod as cumprod,
    cumsum as cumsum,
    logsumexp as logsumexp,
    max as max,
    mean as mean,
    min as min,
    norm as norm,
    prod as prod,
    std as std,
    sum as sum,
    variance as variance,
)
from adjoint.functions.rounding import (
    ceil as ceil,
    copysign as copysign,
    floor as floor,
    floor_divide as floor_divide,
    fmod as fmod,
    remainder as remainder,
    round as round,
    sign as sign,
    trunc as trunc,
)
from adjoint.functions.sequences import (
    diff as diff,
    roll as roll,
)
from adjoint.functions.shapes import (
    broadcast_to as broadcast_to,
    concat as concat,
    flip as flip,
    getitem as getitem,
    reshape as reshape,
    scatter_add as scatter_add,
    split as split,
    squeeze as squeeze,
    stack as stack,
    sum_to as sum_to,
    take as take,
    transpose as transpose,
    unsqueeze as unsqueeze,
)
from adjoint.functions.sorting import (
    argsort as argsort,
    median as median,
    percentile as percentile,
    quantile as quantile,
    sort as sort,
    take_along_axis as take_along_axis,
)
from adjoint.functions.trigonometric import (
    arccos as arccos,
    arccosh as arccosh,
    arcsin as arcsin,
    arcsinh as arcsinh,
    arctan2 as arctan2,
    arctanh as arctanh,
    deg2rad as deg2rad,
    rad2deg as rad2deg,
    sinc as sinc,
    tan as tan,
)

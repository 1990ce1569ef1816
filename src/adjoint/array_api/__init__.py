"""The Python array API standard, version 2025.12, for Variables: ``import adjoint.array_api as xp``.

Its functions take Variables, arrays and, beside one of these, numbers. They return Variables, which are recorded where
there is a derivative. Indices, counts, comparisons and whole numbers are constants. `x.__array_namespace__()` of a
Variable is this namespace, so programs that are written for the standard can be differentiated.

>>> import adjoint as ad
>>> def power(x):
...     xp = x.__array_namespace__()
...     return xp.sum(xp.where(x > 0, xp.exp(x), x) ** 2)
>>> x = ad.Variable([1.0, -2.0])
>>> power(x).backward()
>>> print(x.grad)
variable[2]([14.7781122 -4.       ])
"""

from __future__ import annotations

import sys

from adjoint.array_api import fft as fft, linalg as linalg, special as special
from adjoint.array_api.creation import (
    arange as arange,
    asarray as asarray,
    empty as empty,
    empty_like as empty_like,
    eye as eye,
    from_dlpack as from_dlpack,
    full as full,
    full_like as full_like,
    linspace as linspace,
    meshgrid as meshgrid,
    ones as ones,
    ones_like as ones_like,
    zeros as zeros,
    zeros_like as zeros_like,
)
from adjoint.array_api.dtypes import (
    DTYPES,
    astype as astype,
    can_cast as can_cast,
    e as e,
    finfo as finfo,
    iinfo as iinfo,
    inf as inf,
    isdtype as isdtype,
    nan as nan,
    newaxis as newaxis,
    pi as pi,
    result_type as result_type,
)
from adjoint.array_api.elementwise import (
    abs as abs,
    acos as acos,
    acosh as acosh,
    add as add,
    asin as asin,
    asinh as asinh,
    atan as atan,
    atan2 as atan2,
    atanh as atanh,
    bitwise_and as bitwise_and,
    bitwise_invert as bitwise_invert,
    bitwise_left_shift as bitwise_left_shift,
    bitwise_or as bitwise_or,
    bitwise_right_shift as bitwise_right_shift,
    bitwise_xor as bitwise_xor,
    ceil as ceil,
    clip as clip,
    conj as conj,
    copysign as copysign,
    cos as cos,
    cosh as cosh,
    divide as divide,
    equal as equal,
    exp as exp,
    expm1 as expm1,
    floor as floor,
    floor_divide as floor_divide,
    greater as greater,
    greater_equal as greater_equal,
    hypot as hypot,
    imag as imag,
    isfinite as isfinite,
    isinf as isinf,
    isnan as isnan,
    less as less,
    less_equal as less_equal,
    log as log,
    log1p as log1p,
    log2 as log2,
    log10 as log10,
    logaddexp as logaddexp,
    logical_and as logical_and,
    logical_not as logical_not,
    logical_or as logical_or,
    logical_xor as logical_xor,
    maximum as maximum,
    minimum as minimum,
    multiply as multiply,
    negative as negative,
    nextafter as nextafter,
    not_equal as not_equal,
    positive as positive,
    pow as pow,
    real as real,
    reciprocal as reciprocal,
    remainder as remainder,
    round as round,
    sign as sign,
    signbit as signbit,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    square as square,
    subtract as subtract,
    tan as tan,
    tanh as tanh,
    trunc as trunc,
)
from adjoint.array_api.info import NamespaceInfo
from adjoint.array_api.linalg import (
    matmul as matmul,
    matrix_transpose as matrix_transpose,
    tensordot as tensordot,
    vecdot as vecdot,
)
from adjoint.array_api.manipulation import (
    broadcast_arrays as broadcast_arrays,
    broadcast_shapes as broadcast_shapes,
    broadcast_to as broadcast_to,
    concat as concat,
    expand_dims as expand_dims,
    flip as flip,
    moveaxis as moveaxis,
    permute_dims as permute_dims,
    repeat as repeat,
    reshape as reshape,
    roll as roll,
    squeeze as squeeze,
    stack as stack,
    take as take,
    take_along_axis as take_along_axis,
    tile as tile,
    tril as tril,
    triu as triu,
    unstack as unstack,
)
from adjoint.array_api.searching import (
    argmax as argmax,
    argmin as argmin,
    argsort as argsort,
    count_nonzero as count_nonzero,
    isin as isin,
    nonzero as nonzero,
    searchsorted as searchsorted,
    sort as sort,
    unique_all as unique_all,
    unique_counts as unique_counts,
    unique_inverse as unique_inverse,
    unique_values as unique_values,
    where as where,
)
from adjoint.array_api.statistics import (
    all as all,
    any as any,
    cumulative_prod as cumulative_prod,
    cumulative_sum as cumulative_sum,
    diff as diff,
    max as max,
    mean as mean,
    min as min,
    prod as prod,
    std as std,
    sum as sum,
    var as var,
)
from adjoint.core.standard import VERSIONS, set_namespace

__array_api_version__ = VERSIONS[-1]

bool = DTYPES["bool"].type
int8 = DTYPES["int8"].type
int16 = DTYPES["int16"].type
int32 = DTYPES["int32"].type
int64 = DTYPES["int64"].type
uint8 = DTYPES["uint8"].type
uint16 = DTYPES["uint16"].type
uint32 = DTYPES["uint32"].type
uint64 = DTYPES["uint64"].type
float32 = DTYPES["float32"].type
float64 = DTYPES["float64"].type
complex64 = DTYPES["complex64"].type
complex128 = DTYPES["complex128"].type


def __array_namespace_info__() -> NamespaceInfo:
    """What the namespace can do: its devices, dtypes, and capabilities."""
    return NamespaceInfo()


set_namespace(sys.modules[__name__])

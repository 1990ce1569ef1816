"""NumPy, for programs that are differentiated: ``import adjoint.numpy as np``.

The functions are NumPy's own. Called with Variables they are recorded and return Variables; on plain arrays they are
what they always were. So ``import numpy as np`` does as well, but for what NumPy does not hand over: lists that hold
Variables, which `array` and its like stack here.

>>> import adjoint as ad
>>> import adjoint.numpy as np
>>> x = ad.Variable([1.0, 2.0])
>>> y = np.sum(np.array([x[0], 3.0 * x[1]]) ** 2)
>>> y.backward()
>>> print(y, x.grad)
variable(37.0) variable[2]([ 2. 36.])

`linalg`, `fft` and `random` are there too, the last as it is in NumPy.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

import numpy as _numpy

from adjoint.numpy import (
    constants as _constants,
    elementwise as _elementwise,
    fft as fft,
    indexing as _indexing,
    joining as _joining,
    linalg as linalg,
    polynomials as _polynomials,
    products as _products,
    reductions as _reductions,
    scans as _scans,
    shapes as _shapes,
    statistics as _statistics,
    surroundings as _surroundings,
    ufunc_methods as _ufunc_methods,
    ufuncs as _ufuncs,
)
from adjoint.numpy.creation import (
    array as array,
    asanyarray as asanyarray,
    asarray as asarray,
    ascontiguousarray as ascontiguousarray,
    c_ as c_,
    full as full,
    full_like as full_like,
    r_ as r_,
    taking_lists as _taking_lists,
)

if TYPE_CHECKING:
    # All names with their types; those that are defined here take the place of NumPy's.
    from numpy import *  # type: ignore[assignment,no-redef]  # noqa: F403

# The modules that fill the tables of `adjoint.core.numpy_protocol`.
_FILLING = (
    _constants,
    _elementwise,
    _indexing,
    _joining,
    _polynomials,
    _products,
    _reductions,
    _scans,
    _shapes,
    _statistics,
    _surroundings,
    _ufunc_methods,
    _ufuncs,
)

# NumPy's modules: `linalg` and `fft` are above, `random` is below, imported when it is used.
_MODULES = frozenset(
    "char core ctypeslib dtypes emath exceptions f2py fft lib linalg ma matlib polynomial random rec strings test "
    "testing typing".split()
)


def _namespace() -> dict[str, Any]:
    """NumPy's names, but for its modules and what is defined here."""
    names: dict[str, Any] = {}
    for name in _numpy.__all__:
        if name in _MODULES or name in globals():
            continue
        value = getattr(_numpy, name)
        is_function = callable(value) and not isinstance(value, (type, types.ModuleType, _numpy.ufunc))
        names[name] = _taking_lists(value) if is_function else value
    return names


globals().update(_namespace())


def __getattr__(name: str) -> Any:
    if name == "random":
        import numpy.random

        return numpy.random
    raise AttributeError(f"module 'adjoint.numpy' has no attribute {name!r}")

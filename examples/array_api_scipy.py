"""Derivatives through SciPy itself: its functions that support the Python array API standard take Variables.

They ask an array for its namespace and compute with that. For Variables this is `adjoint.array_api`, whose functions
are recorded. So nothing is declared for the functions below: each is run as SciPy wrote it, differentiated by
`backward`, and compared with differences along a random direction.
"""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # SciPy reads it when it is imported

import numpy as np
import scipy.differentiate
import scipy.fft
import scipy.integrate
import scipy.signal
import scipy.special
import scipy.stats
from scipy.cluster.vq import whiten
from scipy.optimize.elementwise import find_root
from scipy.spatial.transform import Rotation

import adjoint as ad
import adjoint.array_api as xp

rng = np.random.default_rng(0)
ROW, OTHER = rng.uniform(0.5, 1.5, (2, 9))
TABLE = rng.uniform(0.5, 1.5, (4, 9))
MANY = xp.asarray(OTHER)  # a constant, in the same namespace


def roots(c):
    """t = √c, found by bracketing."""
    bracket = (xp.zeros(c.shape), xp.full(c.shape, 3.0))
    return find_root(lambda t, c: t * t - c, bracket, args=(c,)).x


FUNCTIONS = {
    "special.logsumexp": (lambda x: scipy.special.logsumexp(x, axis=1), TABLE),
    "special.xlogy": (lambda x: scipy.special.xlogy(x, MANY), ROW),
    "special.gammaln": (scipy.special.gammaln, ROW),
    "stats.zscore": (scipy.stats.zscore, ROW),
    "stats.kurtosis": (scipy.stats.kurtosis, ROW),
    "stats.entropy": (lambda x: scipy.stats.entropy(x, MANY), ROW),
    "stats.pearsonr": (lambda x: scipy.stats.pearsonr(x, MANY).statistic, ROW),
    "stats.ttest_ind": (lambda x: scipy.stats.ttest_ind(x, MANY).statistic, ROW),
    "stats.circmean": (scipy.stats.circmean, ROW),
    "signal.fftconvolve": (lambda x: scipy.signal.fftconvolve(x, MANY, mode="same"), ROW),
    "signal.hilbert": (lambda x: xp.abs(scipy.signal.hilbert(x)), ROW),
    "signal.resample": (lambda x: scipy.signal.resample(x, 12), ROW),
    "fft.rfft, irfft": (lambda x: scipy.fft.irfft(scipy.fft.rfft(x) ** 2), ROW),
    "integrate.trapezoid": (lambda x: scipy.integrate.trapezoid(x, xp.cumulative_sum(MANY)), ROW),
    "integrate.cumulative_simpson": (lambda x: scipy.integrate.cumulative_simpson(x, dx=0.1), ROW),
    "integrate.cubature": (
        lambda x: (
            scipy.integrate.cubature(lambda t: xp.exp(-t[:, 0] * x[0]), xp.asarray([0.0]), xp.asarray([1.0])).estimate
        ),
        ROW,
    ),
    "optimize.elementwise.find_root": (roots, ROW),
    "differentiate.derivative": (lambda x: scipy.differentiate.derivative(lambda t: t * xp.exp(t), x).df, ROW),
    "cluster.vq.whiten": (whiten, TABLE),
    "spatial.transform.Rotation": (lambda x: Rotation.from_rotvec(x[:3]).as_matrix(), ROW),
}


def error(function, value):
    """How far the derivative in a random direction is off that by differences, as a share of its size."""
    x = ad.Variable(value)
    y = function(x)
    weights = rng.uniform(0.5, 1.5, y.shape)
    y.backward(weights)
    direction, step = rng.normal(size=value.shape), 1e-6
    with ad.no_grad():
        above, below = (np.sum(weights * function(ad.Variable(value + s * step * direction)).data) for s in (1, -1))
    difference = (above - below) / (2.0 * step)
    return abs(np.sum(x.grad.data * direction) - difference) / max(abs(difference), 0.1)


errors = {name: error(*case) for name, case in FUNCTIONS.items()}
for name, size in errors.items():
    print(f"{name:32} {size:.0e}")
print(f"{len(errors)} functions, off by at most {max(errors.values()):.0e}")

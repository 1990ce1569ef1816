"""The names that every array namespace offers.

Array API names where the standard has one. The others: `cbrt`, `einsum`, `erf`, `exp2` and `sigmoid` (which the
standard lacks), `special` (any of SciPy's special functions, by its name), `getitem` (indexing in every NumPy form, as
a function), `index_update` (assignment at an index, as a function), `unindex` and `scatter_add` (the adjoint of
`getitem` and its sum with an array), `sum_to` (the adjoint of `broadcast_to`), `pick` (one element of each row),
`flush_tiny` (which keeps decaying averages from ever becoming subnormal), and `require` (which raises an error unless
flags are true). Arithmetic, comparison and `@` are the arrays' own operators.
"""

from __future__ import annotations

__all__ = ["PRIMITIVES"]

ELEMENTWISE = (
    "abs acos acosh asin asinh atan atan2 atanh cbrt ceil conj copysign cos cosh erf exp exp2 expm1 floor flush_tiny "
    "hypot imag isfinite isnan log log10 log1p log2 logaddexp logical_not maximum minimum real round sigmoid sign sin "
    "sinh special sqrt square tan tanh trunc where"
).split()
REDUCTIONS = "argmax max min sum".split()
ORDERS = ["argsort"]
SCANS = ["cumulative_sum"]
SHAPES = "broadcast_to concat flip permute_dims reshape stack sum_to".split()
INDEXING = "getitem index_update pick require scatter_add take unindex".split()
LINEAR_ALGEBRA = "cholesky eig eigh einsum matmul qr slogdet solve svd".split()
FOURIER = "fft ifft irfft rfft".split()
CREATION = "asarray astype copy full_like ones ones_like zeros zeros_like".split()

PRIMITIVES: tuple[str, ...] = tuple(
    sorted([*ELEMENTWISE, *REDUCTIONS, *ORDERS, *SCANS, *SHAPES, *INDEXING, *LINEAR_ALGEBRA, *FOURIER, *CREATION])
)

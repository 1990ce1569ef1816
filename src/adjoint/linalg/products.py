"""Products of vectors and matrices, their diagonals, and matrices turned over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, ShapeError
from adjoint.functions import matrices, products, reductions, sequences, shapes
from adjoint.linalg.arguments import as_matrices, conjugate, transposed

__all__ = [
    "cross",
    "diagonal",
    "kron",
    "matmul",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]


def matmul(x1: Any, x2: Any, /) -> Variable:
    """The matrix product; see `adjoint.functions.matmul`.

    >>> print(matmul(Variable([[1.0, 2.0]]), Variable([[3.0], [4.0]])))
    variable(11.0)
    """
    return products.matmul(x1, x2)


def matrix_transpose(x: Any, /) -> Variable:
    """The last two axes exchanged.

    >>> print(matrix_transpose(Variable([[[1.0, 2.0, 3.0]]])).shape)
    (1, 3, 1)
    """
    return transposed(as_matrices(x, "matrix_transpose"))


def diagonal(x: Any, /, *, offset: int = 0) -> Variable:
    """The elements x[..., i, i + offset] of the matrices in the last two axes.

    >>> print(diagonal(Variable([[1.0, 2.0], [3.0, 4.0]]), offset=1))
    variable(2.0)
    """
    return matrices.diagonal(as_matrices(x, "diagonal"), offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0) -> Variable:
    """The sum of the diagonal of the matrices in the last two axes.

    >>> print(trace(Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable(5.0)
    """
    return reductions.sum(diagonal(x, offset=offset), -1)


def outer(x1: Any, x2: Any, /) -> Variable:
    """x1_i x2_j of two vectors.

    Raises:
        ShapeError: for arrays that are no vectors.

    >>> print(outer(Variable([1.0, 2.0]), Variable([3.0, 4.0])))
    variable[2, 2]([[3. 4.]
     [6. 8.]])
    """
    a, b = as_variable(x1), as_variable(x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"outer of shapes {a.shape} and {b.shape}; it takes two vectors")
    return matrices.outer(a, b)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Variable:
    """The cross product of vectors of three elements along `axis`, which are broadcast.

    Raises:
        ShapeError: for vectors of another length.

    >>> print(cross(Variable([1.0, 0.0, 0.0]), Variable([0.0, 1.0, 0.0])))
    variable[3]([0. 0. 1.])
    """
    a, b = as_variable(x1), as_variable(x2)
    of_a, of_b = (axis_from_zero(axis, x.ndim, "cross") for x in (a, b))
    if a.shape[of_a] != 3 or b.shape[of_b] != 3:
        raise ShapeError(f"cross of shapes {a.shape} and {b.shape} along axis {axis}; its vectors have three elements")
    # a_{i+1} b_{i+2} − a_{i+2} b_{i+1}
    left = sequences.roll(a, -1, of_a) * sequences.roll(b, -2, of_b)
    return left - sequences.roll(a, -2, of_a) * sequences.roll(b, -1, of_b)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Variable:
    """Σ x̄1 x2 along `axis`, for vectors that are broadcast.

    >>> print(vecdot(Variable([1.0, 2.0]), Variable([3.0, 4.0])))
    variable(11.0)
    """
    a, b = as_variable(x1), as_variable(x2)
    lengths = [x.shape[axis_from_zero(axis, x.ndim, "vecdot")] for x in (a, b)]
    if lengths[0] != lengths[1]:
        raise ShapeError(f"vecdot of shapes {a.shape} and {b.shape}: the vectors have unequal lengths")
    if axis >= 0 and a.ndim != b.ndim:
        raise ShapeError(
            f"vecdot of shapes {a.shape} and {b.shape}: count the axis from the last, by a negative number"
        )
    return reductions.sum(conjugate(a) * b, axis)


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Variable:
    """The sum of products over some axes of both; see `adjoint.functions.tensordot`.

    >>> print(tensordot(Variable([[1.0, 2.0]]), Variable([[3.0], [4.0]]), axes=1))
    variable(11.0)
    """
    return matrices.tensordot(x1, x2, axes)


def kron(a: Any, b: Any) -> Variable:
    """The Kronecker product; see `adjoint.functions.kron`.

    >>> print(kron(Variable([1.0, 10.0]), Variable([1.0, 2.0])))
    variable[4]([ 1.  2. 10. 20.])
    """
    return matrices.kron(a, b)


def multi_dot(arrays: Sequence[Any]) -> Variable:
    """The product of several matrices, in the order of multiplication that takes the fewest operations.

    Args:
        arrays: two or more; the first and the last may be vectors.

    Raises:
        ShapeError: for arrays with more axes, and for matrices that do not go together.

    >>> print(multi_dot([Variable([1.0, 2.0]), Variable([[1.0], [1.0]]), Variable([[2.0]])]))
    variable(6.0)
    """
    factors = [as_variable(x) for x in arrays]
    if len(factors) < 2:
        raise ArgumentError("multi_dot takes two arrays or more")
    is_row, is_column = factors[0].ndim == 1, factors[-1].ndim == 1
    if is_row:
        factors[0] = shapes.reshape(factors[0], (1, -1))
    if is_column:
        factors[-1] = shapes.reshape(factors[-1], (-1, 1))
    if any(x.ndim != 2 for x in factors):
        raise ShapeError(f"multi_dot of shapes {[x.shape for x in factors]}; it takes matrices")
    lengths = [factors[0].shape[0], *(x.shape[1] for x in factors)]
    product = _product(factors, _best_cuts(lengths), 0, len(factors) - 1)
    kept = (*(() if is_row else product.shape[:1]), *(() if is_column else product.shape[1:]))
    return shapes.reshape(product, kept)


def _best_cuts(lengths: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut each run of factors i to j, the i-th of which is a matrix (lengths[i], lengths[i + 1])."""
    count = len(lengths) - 1
    costs = {(i, i): 0 for i in range(count)}
    cuts = {}
    for span in range(1, count):
        for i in range(count - span):
            j = i + span

            def cost(k: int, i: int = i, j: int = j) -> int:
                return costs[i, k] + costs[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1]

            cuts[i, j] = min(range(i, j), key=cost)
            costs[i, j] = cost(cuts[i, j])
    return cuts


def _product(factors: list[Variable], cuts: dict[tuple[int, int], int], i: int, j: int) -> Variable:
    if i == j:
        return factors[i]
    cut = cuts[i, j]
    return products.matmul(_product(factors, cuts, i, cut), _product(factors, cuts, cut + 1, j))

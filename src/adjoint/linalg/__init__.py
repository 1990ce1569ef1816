"""Linear algebra that can be differentiated: the functions of `numpy.linalg`, on matrices in the last two axes.

All other axes are stacks of matrices. Arguments are Variables or arrays; arrays are constants.
"""

from adjoint.linalg.decompositions import (
    cholesky as cholesky,
    eig as eig,
    eigh as eigh,
    eigvals as eigvals,
    eigvalsh as eigvalsh,
    pinv as pinv,
    qr as qr,
    svd as svd,
    svdvals as svdvals,
)
from adjoint.linalg.equations import (
    det as det,
    inv as inv,
    lstsq as lstsq,
    matrix_power as matrix_power,
    matrix_rank as matrix_rank,
    slogdet as slogdet,
    solve as solve,
    tensorinv as tensorinv,
    tensorsolve as tensorsolve,
)
from adjoint.linalg.norms import (
    cond as cond,
    matrix_norm as matrix_norm,
    norm as norm,
    vector_norm as vector_norm,
)
from adjoint.linalg.products import (
    cross as cross,
    diagonal as diagonal,
    kron as kron,
    matmul as matmul,
    matrix_transpose as matrix_transpose,
    multi_dot as multi_dot,
    outer as outer,
    tensordot as tensordot,
    trace as trace,
    vecdot as vecdot,
)

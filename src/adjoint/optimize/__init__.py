"""SciPy's optimizers and solvers with exact derivatives, for functions of arrays, structures of arrays, and models.

They need the SciPy library, which is imported when one is called: ``pip install 'adjoint[scipy]'``.
"""

from adjoint.optimize.minimizing import minimize as minimize
from adjoint.optimize.solving import least_squares as least_squares, root as root

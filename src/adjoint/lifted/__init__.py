"""Arrays that carry more than their values: a batch of them, or a Taylor series (see `adjoint.lifted.lifted`)."""

from adjoint.arrays import register_namespace
from adjoint.lifted import batch_linear_algebra, numpy_calls, series_linear_algebra
from adjoint.lifted.batch import Batch as Batch
from adjoint.lifted.lifted import LIFTED as LIFTED, Lifted as Lifted, LiftedHolder as LiftedHolder
from adjoint.lifted.nesting import (
    beneath as beneath,
    levels_in as levels_in,
    lowered as lowered,
    without_series as without_series,
)
from adjoint.lifted.numpy_calls import on_data as on_data
from adjoint.lifted.series import Series as Series
from adjoint.lifted.series_elementwise import ELEMENTWISE_RULES
from adjoint.lifted.series_inverses import INVERSE_RULES
from adjoint.lifted.series_special import special_rule
from adjoint.lifted.tangents import with_tangent

Batch.rules.update(batch_linear_algebra.LINEAR_ALGEBRA_RULES)
Series.rules.update(ELEMENTWISE_RULES | INVERSE_RULES | series_linear_algebra.LINEAR_ALGEBRA_RULES)
Series.rules.update(special=special_rule, with_tangent=with_tangent)
Lifted.by_numpy.update(ufunc=numpy_calls.apply_ufunc, function=numpy_calls.apply_function)
register_namespace(Batch, LIFTED)
register_namespace(Series, LIFTED)

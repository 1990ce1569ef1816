"""Arrays that carry more than their values: a batch of them, or a Taylor series (see `adjoint.lifted.lifted`)."""

from adjoint.arrays import register_namespace
from adjoint.lifted.batch import Batch as Batch
from adjoint.lifted.lifted import LIFTED as LIFTED, Lifted as Lifted
from adjoint.lifted.series import Series as Series
from adjoint.lifted.series_elementwise import ELEMENTWISE_RULES

Series.rules.update(ELEMENTWISE_RULES)
register_namespace(Batch, LIFTED)
register_namespace(Series, LIFTED)

"""What `adjoint.functions` has as well, as functions that give arrays for arrays."""

from __future__ import annotations

from adjoint import functions
from adjoint.core.arguments import plain_of_plain

__all__ = ["erf", "log_softmax", "logsumexp", "softmax"]

erf = plain_of_plain(functions.erf)
log_softmax = plain_of_plain(functions.log_softmax)
logsumexp = plain_of_plain(functions.logsumexp)
softmax = plain_of_plain(functions.softmax)

"""What a call of a compiled function may come to."""

from __future__ import annotations

__all__ = ["MISS", "CallFailed"]

# The program does not fit the arguments or the state: another is needed.
MISS = object()


class CallFailed(Exception):
    """A check failed while the program ran; nothing was changed."""

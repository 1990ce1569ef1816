"""How many threads kernels run in. The pool itself is imported with the first use."""

from __future__ import annotations

__all__ = ["get_num_threads", "set_num_threads"]


def get_num_threads() -> int:
    """How many threads share a large kernel of a compiled function.

    What `set_num_threads` was given, else the environment variable ``ADJOINT_NUM_THREADS``, else one for each
    processor that the process may use.

    >>> get_num_threads() >= 1
    True
    """
    from adjoint.compile.codegen import pool

    return pool.get_num_threads()


def set_num_threads(number: int) -> None:
    """Sets how many threads share a large kernel, the calling one included; never more than there are processors.

    Functions that are compiled already keep the parts into which their kernels are cut.

    Raises:
        DTypeError: for what is no whole number.
        ArgumentError: for a number below 1.

    >>> set_num_threads(get_num_threads())
    """
    from adjoint.compile.codegen import pool

    pool.set_num_threads(number)

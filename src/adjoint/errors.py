"""The exceptions of the package. Each is an `AdjointError` and the built-in that fits.

    AdjointError
    ├── ShapeError          (ValueError)   shapes that do not go together
    │   └── StateError                     a recurrent state of another batch size
    ├── ArgumentError       (ValueError)   a value out of its range
    │   ├── FormatError                    a file that cannot be read as what it should be
    │   └── DataError                      a data set that cannot be used
    ├── AxisError           (ValueError, IndexError)  an axis that the array does not have
    ├── OutOfRangeError     (IndexError)   an index or a label beyond the end
    ├── LinearAlgebraError  (ValueError)   a matrix that is singular or not positive definite; a NumPy LinAlgError too
    ├── DTypeError          (TypeError)    a type or a dtype that an op does not take
    ├── GradientError       (RuntimeError) a derivative that does not exist
    ├── AnomalyError        (FloatingPointError) a NaN or an infinity, within `detect_anomaly`
    ├── TransformError  (TypeError)    what cannot be done within a transform (`vmap`, `jvp`)
    ├── TraceError      (TypeError)    a value that is not known while a function is traced
    ├── ProgramError    (RuntimeError) a program that does not hold together: a fault of this package
    └── MissingDependencyError (ImportError)  an optional library that is not installed

and `RetraceWarning` (UserWarning).

The text of an error ends with the line of the user's program that led to it.
"""

from __future__ import annotations

from typing import Any

from numpy.linalg import LinAlgError

from adjoint.lines import line_at, user_position

__all__ = [
    "AdjointError",
    "AnomalyError",
    "ArgumentError",
    "AxisError",
    "DTypeError",
    "DataError",
    "FormatError",
    "GradientError",
    "LinearAlgebraError",
    "MissingDependencyError",
    "OutOfRangeError",
    "ProgramError",
    "RetraceWarning",
    "ShapeError",
    "StateError",
    "TraceError",
    "TransformError",
]


class AdjointError(Exception):
    """The base of every error that this package raises.

    `message` is the text alone, `layer` the path of the layer it came from (None outside of layers), and
    `location` the user's line (None where the program's stack holds none).
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.location = line_at(user_position())
        self.layer: str | None = None  # set by the layers that it passes through

    def __str__(self) -> str:
        lines = [self.message]
        if self.layer is not None:
            lines.append(f"  in layer {self.layer}")
        if self.location is not None:
            lines.append(f"  at {self.location}")
        return "\n".join(lines)


class ShapeError(AdjointError, ValueError):
    """Shapes that do not go together."""


class StateError(ShapeError):
    """A recurrent layer's kept state does not fit the input."""


class ArgumentError(AdjointError, ValueError):
    """A value out of its range."""


class FormatError(ArgumentError):
    """A file that cannot be read as what it should be."""


class DataError(ArgumentError):
    """A data set that cannot be used."""


class AxisError(AdjointError, ValueError, IndexError):
    """An axis that the array does not have."""


class OutOfRangeError(AdjointError, IndexError):
    """An index or a label beyond the end."""


class LinearAlgebraError(AdjointError, LinAlgError):
    """A matrix that is singular or not positive definite, or a decomposition that does not converge."""


class DTypeError(AdjointError, TypeError):
    """A type or a dtype that an operation does not take."""


class GradientError(AdjointError, RuntimeError):
    """A derivative that does not exist, or that can no longer be computed."""


class AnomalyError(AdjointError, FloatingPointError):
    """A NaN or an infinity that an operation made, within a block of `adjoint.detect_anomaly`.

    Attributes:
        op: the name of the op; None where it was none, as in the update of an optimizer.
        phase: "forward", "backward" or "update".
        operands: what the op computed with and what it made, the result last: for each its `name`, `dtype`, `shape`,
            `minimum`, `maximum`, the counts `nan`, `infinite` and `zeros`, and the `value` at `index`, where the
            first element is that is not finite.
        chain: the ops on the way to it, each with `op`, `location` and `depth`: those that made the operands; in the
            backward phase, those from the output to here.
    """

    op: str | None = None
    phase: str = "forward"
    operands: tuple[Any, ...] = ()
    chain: tuple[Any, ...] = ()


class MissingDependencyError(AdjointError, ImportError):
    """An optional library that is not installed."""


class TraceError(AdjointError, TypeError):
    """Something that a compiled function cannot do: read a value while it is traced, or leave one behind."""


class TransformError(AdjointError, TypeError):
    """Something that cannot be done within a transform, such as reading a value that is one for each example."""


class ProgramError(AdjointError, RuntimeError):
    """A program that does not hold together: a fault of a pass, not of a user."""


class RetraceWarning(UserWarning):
    """A function that is traced again and again."""

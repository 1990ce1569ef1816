"""Programs: what functions of arrays are traced to (see `adjoint.program.instruction`)."""

from adjoint.arrays import register_namespace
from adjoint.program import namespace
from adjoint.program.instruction import Instruction as Instruction, Program as Program
from adjoint.program.interpreter import CheckFailed as CheckFailed, interpret as interpret
from adjoint.program.trace import Trace as Trace
from adjoint.program.tracer import Number as Number, Tracer as Tracer

register_namespace(Tracer, namespace)
register_namespace(Number, namespace)

"""x"""
from adjoint.core.variable import Variable, apply
from adjoint.config import no_grad, test_mode

"""What is measured, and the figures that adjoint aims at."""

from __future__ import annotations

from dataclasses import dataclass

LIBRARIES = {  # by the name of the module in `benchmarks.workloads`: the column's title
    "adjoint_eager": "adjoint",
    "torch_eager": "PyTorch",
    "jax_jit": "JAX, jit",
    "numpy_by_hand": "NumPy by hand",
}
PACKAGES = {"adjoint_eager": "adjoint", "torch_eager": "torch", "jax_jit": "jax", "numpy_by_hand": "numpy"}


@dataclass(frozen=True)
class Case:
    """One row of a table.

    kind: "time" (of a step), "peak" (memory of steps), "growth" (of memory over many steps), "import" or
        "command"
    target: what adjoint aims at, at most: for times and peaks a multiple of PyTorch's figure, else seconds
    workload: the workload's name in the libraries' modules, if it is not the case's
    libraries: those that are compared
    """

    name: str
    title: str
    kind: str
    target: float | None = None
    workload: str = ""
    libraries: tuple[str, ...] = tuple(LIBRARIES)

    @property
    def runs(self) -> str:
        return self.workload or self.name


_NO_NUMPY = ("adjoint_eager", "torch_eager", "jax_jit")
_ADJOINT = ("adjoint_eager",)
CASES = (
    Case("mlp", "MLP step: 100×1 → 10 ReLU → 1, squared error, SGD, float32", "time", 0.25),
    Case("lstm", "LSTM segment: 30 steps, batch 30, 1 → 100 → 1, squared errors, SGD, float32", "time", 0.75),
    Case("rosenbrock", "Rosenbrock, an iteration of gradient descent, float64 scalars", "time", 0.5),
    Case("sine", "Six nested derivatives of sin at 1.0, float64", "time", 1.0, libraries=_NO_NUMPY),
    Case("digits", "MLP step: 128×784 → 256 → 128 → 10, ReLU, cross-entropy, Adam, float32", "time", 1.0),
    Case("elementwise", "Gradient of Σ tanh(x)·sigmoid(x) + exp(−x²), 1,000,000 elements, float32", "time", 0.8),
    Case("digits-memory", "The MLP step 128×784", "peak", 1.0, workload="digits"),
    Case("elementwise-memory", "The gradient of 1,000,000 elements", "peak", 1.0, workload="elementwise"),
    Case("double-backward", "Double backpropagation through a small MLP", "growth", libraries=_ADJOINT),
    Case("segments", "Segments of truncated backpropagation, a small LSTM", "growth", libraries=_ADJOINT),
    Case("import", "Import, beyond NumPy's", "import", 0.05, libraries=_NO_NUMPY),
    Case("adjoint-lstm", "`adjoint lstm` with its defaults", "command", 3.0, libraries=_ADJOINT),
)

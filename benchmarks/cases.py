"""What is measured, and the figures that adjoint aims at."""

from __future__ import annotations

from dataclasses import dataclass

EAGER = {  # by the name of the module in `benchmarks.workloads`: the column's title
    "adjoint_eager": "adjoint",
    "torch_eager": "PyTorch",
    "jax_jit": "JAX, jit",
    "numpy_by_hand": "NumPy by hand",
}
COMPILED = {
    "adjoint_compiled": "adjoint, compiled",
    "torch_eager": "PyTorch",
    "torch_compiled": "PyTorch, compile",
    "jax_jit": "JAX, jit",
}
DERIVATIVES = {
    "adjoint_eager": "adjoint",
    "adjoint_compiled": "adjoint, compiled",
    "torch_eager": "PyTorch",
    "jax_jit": "JAX, jit",
}
LIBRARIES = {**EAGER, **COMPILED}
PACKAGES = {
    "adjoint_eager": "adjoint",
    "adjoint_compiled": "adjoint",
    "torch_eager": "torch",
    "torch_compiled": "torch",
    "jax_jit": "jax",
    "numpy_by_hand": "numpy",
}


@dataclass(frozen=True)
class Case:
    """One row of a table.

    kind: of adjoint as it is: "time" (of a step), "peak" (memory of steps), "growth" (of memory over many steps),
        "import" or "command"; of compiled steps: "compiled" (time), "first" (call) or "compiled-peak"; of both:
        "derivative" (time), or "multiple" (of the time of another workload of the same library); "limit" is what the
        machine itself can do
    target: what adjoint aims at, at most: for times and peaks a multiple of PyTorch's figure, of the best of the
        others' for compiled times and of JAX's for compiled peaks; else seconds. For multiples, the multiple
    target_from_disk: seconds of a first call whose code a process before wrote to the disk
    target_compiled: for derivatives, that of compiled ones: a multiple of JAX's figure, or the multiple
    workload: the workload's name in the libraries' modules, if it is not the case's
    base: the workload that a multiple is of
    base_title: its row's
    libraries: those that are compared
    threads: how many, each on a core
    note: why a library is missing
    """

    name: str
    title: str
    kind: str
    target: float | None = None
    target_from_disk: float | None = None
    target_compiled: float | None = None
    workload: str = ""
    base: str = ""
    base_title: str = ""
    libraries: tuple[str, ...] = tuple(EAGER)
    threads: int = 1
    note: str = ""

    @property
    def runs(self) -> str:
        return self.workload or self.name

    @property
    def takes_threads(self) -> bool:
        """Whether it is measured with several threads, too."""
        return self.kind in ("compiled", "limit")


def _compiled(workload: str, title: str, target: float, without: str = "", note: str = "") -> Case:
    libraries = tuple(library for library in COMPILED if library != without)
    return Case(f"{workload}-compiled", title, "compiled", target, workload=workload, libraries=libraries, note=note)


def _first(workload: str, title: str, cold: float, from_disk: float | None, *others: str) -> Case:
    libraries = ("adjoint_compiled", *others)
    return Case(f"{workload}-first", title, "first", cold, from_disk, workload=workload, libraries=libraries)


def _compiled_peak(workload: str, title: str) -> Case:
    libraries = ("adjoint_compiled", "torch_eager", "jax_jit")
    return Case(f"{workload}-compiled-memory", title, "compiled-peak", 1.0, workload=workload, libraries=libraries)


def _derivative(name: str, title: str, target: float | None = None, compiled: float | None = None) -> Case:
    return Case(name, title, "derivative", target, target_compiled=compiled, libraries=tuple(DERIVATIVES))


def _multiple(
    name: str, title: str, base: str, base_title: str, target: float, compiled: float | None = None, note: str = ""
) -> Case:
    return Case(
        name,
        title,
        "multiple",
        target,
        target_compiled=compiled,
        base=base,
        base_title=base_title,
        libraries=tuple(DERIVATIVES),
        note=note,
    )


_NO_NUMPY = ("adjoint_eager", "torch_eager", "jax_jit")
_ADJOINT = ("adjoint_eager",)
_ADJOINTS = ("adjoint_eager", "adjoint_compiled")
_LIMITS = ("numpy_by_hand", "torch_eager")
CASES = (
    Case("mlp", "MLP step: 100×1 → 10 ReLU → 1, squared error, SGD, float32", "time", 0.25),
    Case("lstm", "LSTM segment: 30 steps, batch 30, 1 → 100 → 1, squared errors, SGD, float32", "time", 0.75),
    Case("rosenbrock", "Rosenbrock, an iteration of gradient descent, float64 scalars", "time", 0.5),
    Case("sine", "Six nested derivatives of sin at 1.0, float64", "time", 1.0, libraries=_NO_NUMPY),
    Case("digits", "MLP step: 128×784 → 256 → 128 → 10, ReLU, cross-entropy, Adam, float32", "time", 1.0),
    Case("elementwise", "Gradient of Σ tanh(x)·sigmoid(x) + exp(−x²), 1,000,000 elements, float32", "time", 0.8),
    Case("digits-memory", "The MLP step 128×784", "peak", 1.0, workload="digits"),
    Case("elementwise-memory", "The gradient of 1,000,000 elements", "peak", 1.0, workload="elementwise"),
    Case("double-backward", "Double backpropagation through a small MLP", "growth", libraries=_ADJOINTS),
    Case("segments", "Segments of truncated backpropagation, a small LSTM", "growth", libraries=_ADJOINTS),
    _multiple(
        "hvp",
        "Hessian-vector product of the MLP 100×10",
        "hvp-gradient",
        "Loss and gradient of an MLP 100×10 → 32 → 1, tanh, squared error, float32",
        5.0,
        2.5,
    ),
    _multiple(
        "hvp-large",
        "Hessian-vector product of the MLP 256×64",
        "hvp-large-gradient",
        "Loss and gradient of an MLP 256×64 → 256 → 10, tanh, cross-entropy, float32",
        5.0,
        2.5,
    ),
    _multiple(
        "eighth",
        "The eighth derivative, by Taylor series",
        "eighth-nested",
        "Eight nested gradients of a network 1 → 16 → 16 → 1, tanh, float64",
        0.1,
        note="PyTorch has no Taylor series.",
    ),
    _derivative(
        "physics",
        "Physics-informed step: u″ + u = 0 at 128 points, u of 1 → 32 → 32 → 1, tanh, Adam, float32",
        compiled=0.5,
    ),
    _derivative(
        "examples",
        "The gradient of each of 1,000 examples, MLP 10 → 32 → 1, tanh, squared error, float32",
        1.5,
        1.0,
    ),
    _derivative("hessian", "The Hessian of the Rosenbrock function of 20 numbers, float64"),
    Case("import", "Import, beyond NumPy's", "import", 0.05, libraries=_NO_NUMPY),
    Case("adjoint-lstm", "`adjoint lstm` with its defaults", "command", 3.0, libraries=_ADJOINT),
    Case("gemm", "matrix product 1024³, float32", "limit", libraries=_LIMITS),
    Case("copy", "copy of 4 MB", "limit", libraries=_LIMITS),
    Case("copy-large", "copy of 64 MiB", "limit", libraries=_LIMITS),
    Case("copy-cached", "copy of 512 KiB", "limit", libraries=_LIMITS),
    _compiled("mlp", "MLP step 100×1 → 10 → 1, SGD", 0.25),
    _compiled("rosenbrock", "Rosenbrock, descent step, float64", 0.3),
    _compiled("sine", "Six nested derivatives of sin, float64", 0.5),
    _compiled(
        "lstm-sequence",
        "LSTM segment 30 × 30 × 100, SGD",
        0.42,
        note="PyTorch, compile leaves the layer of the LSTM segment as it is.",
    ),
    _compiled(
        "lstm-loop",
        "The same as a loop over single steps",
        0.35,
        without="torch_compiled",
        note="PyTorch, compile is left out of the loop over single steps: it unrolls them, took longer than a minute "
        "for the first call, and its steps were slower than without.",
    ),
    _compiled("digits-fused", "MLP step 128×784 → 256 → 128 → 10, Adam", 0.8),
    _compiled("elementwise", "Gradient of Σ tanh·sigmoid + exp(−x²), 1M", 0.8),
    _compiled("gpt", "Small GPT: 4 blocks, width 128, 16 × 64 tokens, AdamW", 0.65),
    _first("lstm-sequence", "LSTM segment 30 × 30 × 100", 0.4, 0.1, "jax_jit"),
    _first("gpt", "Small GPT", 2.0, None, "torch_compiled", "jax_jit"),
    _compiled_peak("lstm-sequence", "LSTM segment 30 × 30 × 100"),
    _compiled_peak("digits-fused", "MLP step 128×784"),
    _compiled_peak("elementwise", "Gradient of 1,000,000 elements"),
    _compiled_peak("gpt", "Small GPT"),
)

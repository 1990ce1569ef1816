"""The limits of the machine, and how much of them a step must take: the work that no implementation can leave out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from benchmarks import data
from benchmarks.measure import Results

GEMM_SIZE = 1024


@dataclass(frozen=True)
class Limit:
    """A rate that the machine reached in a case of kind "limit"."""

    amount: float  # of a step: floating-point operations, or bytes read and written
    unit: str


LIMITS = {  # by the case's name
    "gemm": Limit(2.0 * GEMM_SIZE**3, "GF/s"),
    **{name: Limit(2.0 * size, "GB/s") for name, size in data.COPIED.items()},
}


def _product(rows: int, inner: int, columns: int) -> float:
    return 2.0 * rows * inner * columns


def _lstm(steps: int = 30, batch: int = 30, hidden: int = 100) -> float:
    """Each product comes three times: forward, and for the gradients of either factor, but not for the inputs'."""
    recurrent = 3 * (steps - 1) * _product(batch, hidden, 4 * hidden)
    inputs = 2 * steps * _product(batch, 1, 4 * hidden)
    return recurrent + inputs + 3 * steps * _product(batch, hidden, 1)


def _digits(batch: int = 128, sizes: tuple[int, ...] = (784, 256, 128, 10)) -> float:
    products = [_product(batch, rows, columns) for rows, columns in pairwise(sizes)]
    return 3 * sum(products) - products[0]


def _gpt() -> float:
    time, width = data.GPT["context"], data.GPT["width"]
    tokens = data.GPT_BATCH * time
    linear = (
        _product(tokens, width, 3 * width) + _product(tokens, width, width) + 2 * _product(tokens, width, 4 * width)
    )
    attention = 2 * data.GPT_BATCH * _product(time, width, time)  # all heads; no product is cut at the diagonal
    return 3 * (data.GPT["blocks"] * (linear + attention) + _product(tokens, width, data.GPT["vocabulary"]))


WORK = {  # by the workload's name: the limit that counts, and how much of it a step takes
    "lstm-sequence": ("gemm", _lstm()),
    "lstm-loop": ("gemm", _lstm()),
    "digits-fused": ("gemm", _digits()),
    "gpt": ("gemm", _gpt()),
    "elementwise": ("copy", 2.0 * 4 * data.ELEMENTS),  # the argument read, the gradient written
}


def rate(name: str, results: Results) -> float:
    """The best rate of any library in any round, per second."""
    return LIMITS[name].amount / min(min(result.rounds["step"]) for result in results.values())


def share(workload: str, seconds: float, rates: dict[str, float]) -> str:
    """What a step reached, and how much that is of the machine's limit."""
    if workload not in WORK:
        return "–"
    name, amount = WORK[workload]
    reached = f"{amount / seconds / 1e9:.1f} {LIMITS[name].unit}"
    return f"{reached}, {100 * amount / seconds / rates[name]:.0f} %" if name in rates else reached

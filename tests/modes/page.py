"""The page docs/reference/coverage.md: what tests/modes tries, as a table."""

from __future__ import annotations

from tests.modes.checks import MODES
from tests.modes.exceptions import EXCEPTIONS, NOTES, REFUSED_WITHIN_VMAP
from tests.support import package_ops

HEAD = """# What works in which mode

Every op of the package is tried in every mode, in float32 and in float64, each time the tests run. A mark says that
the numbers are right in both; a number refers to the reasons below. Names are those of ops, which rules use as
`F.name`; the functions of [`adjoint.functions`](functions.md), of `adjoint.numpy`, `adjoint.linalg`, `adjoint.fft` and
`adjoint.special` are made of them, and most of them are tried in forward mode and within `vmap` too.

| mode | what is computed | and compared with |
|---|---|---|
| reverse | `vjp` | central differences |
| forward | `jvp` | reverse, by ⟨g, J t⟩ = ⟨Jᵀ g, t⟩ |
| forward over reverse | `hvp` | reverse over reverse |
| reverse over reverse | the gradient of a gradient along a direction | central differences of the gradient |
| third order | three nested gradients | `nth_derivative`, one Taylor series; and three nested `jvp` |
| vmap | `vmap`, `vmap(grad)` and `grad(vmap)`, with all inputs mapped and with each alone | a loop over the examples |
| compiled | values, `jvp`, `vjp` and `vmap` within `ad.compile` | eager execution |

In float32 each mode is compared with itself in float64, and everything stays in float32.
"""
CONSTANTS = """## Constants

The results of these ops are piecewise constant, and have no derivative to propagate. Tangents and gradients stop at
them; `vmap` is tried for all.
"""


def page() -> str:
    ops = package_ops()
    reasons = list(dict.fromkeys(EXCEPTIONS.values()))
    parts = [HEAD]
    for title, members in sorted(groups([op for op in ops if op.differentiable]).items()):
        rows = ["| op | " + " | ".join(MODES) + " |", "|---|" + ":-:|" * len(MODES)]
        rows += [
            f"| `{op.name}` | " + " | ".join(cell(op.name, mode, reasons) for mode in MODES) + " |" for op in members
        ]
        parts.append(f"## {title}\n\n" + "\n".join(rows) + "\n")
    names = ", ".join(sorted(f"`{op.name}`" for op in ops if not op.differentiable))
    parts.append(f"{CONSTANTS}\n{names}.\n")
    if reasons:
        parts.append("## Reasons\n\n" + "\n".join(f"{i}. {reason}" for i, reason in enumerate(reasons, 1)) + "\n")
    parts.append(section("Notes", NOTES))
    parts.append(section("Functions that vmap refuses", REFUSED_WITHIN_VMAP))
    return "\n".join(parts)


def section(title, notes):
    return f"## {title}\n\n" + "\n".join(f"* `{name}`: {note}" for name, note in notes.items()) + "\n"


def groups(ops):
    """The ops by the module that declares them: "Linear algebra" for linear_algebra.py."""
    found = {}
    for op in ops:
        title = op.forward.__module__.rpartition(".")[2].replace("_", " ").capitalize()
        found.setdefault(title, []).append(op)
    return found


def cell(name, mode, reasons):
    reason = EXCEPTIONS.get((name, mode))
    return "✓" if reason is None else str(reasons.index(reason) + 1)

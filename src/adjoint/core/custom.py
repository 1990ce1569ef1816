"""Ops that users declare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint.core.apply import apply
from adjoint.errors import ArgumentError
from adjoint.ops import TABLE, Op
from adjoint.ops.declaration import Rule, Sample

__all__ = ["UserOp", "op"]


class UserOp(Op):
    """An `Op` that is called like a function."""

    __slots__ = ()

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        return apply(self, *inputs, **params)


def op(
    name: str,
    forward: Callable[..., Any],
    *,
    vjp: Rule | tuple[Rule | None, ...] | None = None,
    jvp: Rule | bool | None = None,
    elementwise: bool = False,
    by_matrix: bool = False,
    linear: bool = False,
    outputs: int | None = None,
    domain: tuple[float, float] = (-2.0, 2.0),
    samples: Sequence[Sample] = (),
    selects: Callable[..., tuple[Any, ...]] | None = None,
    requires: str = "",
) -> UserOp:
    """Declares an op, and returns the function that runs it.

    Args:
        name: its name in graphs and errors, and in rules as ``F.name``. A name of the package's own ops is
            taken; declaring one of your own again replaces it.
        forward: ``forward(xp, *arrays, **params)``, the computation on arrays with the namespace `xp`.
            Arrays are positional, parameters keyword-only.
        vjp: ``vjp(F, g, y, *xs, **params)``, the cotangents of the inputs as a tuple, given that of the
            output. `F` offers every op by name; written with `F` and operators, the rule has every order.
            Or a tuple with one such function an input. Without it, results are constants.
        jvp: ``jvp(F, ts, y, *xs, **params)``, the derivative of the output along the directions `ts` of the inputs,
            for forward mode; True takes it from the rule, and needs an op that acts element by element, for which it
            is the default. False differentiates the forward as it is written, the default otherwise.
        by_matrix: whether the op takes the matrices in the last two axes one by one; then an op with a `jvp` computes
            batches of them at once.
        elementwise, linear: whether the op acts element by element, and whether it is linear.
        outputs: how many of a tuple's arrays are returned; the others are residuals for the rule. None for all.
        domain: the interval from which tests draw values.
        samples: `adjoint.testing.Sample`s: the inputs that tests try.
        selects: ``selects(y, *xs, **params)``, for an op that leaves elements of its inputs out: for each input the
            mask of those, or None. Whatever is infinite there has no part in gradients then.
        requires: what inputs must be like; error texts end with it.

    Raises:
        ArgumentError: for a name that is taken.

    An argument of a rule that it does not read begins with an underscore; its values are then not kept.

    >>> import adjoint as ad
    >>> softsign = ad.op(
    ...     "softsign",
    ...     lambda xp, x: x / (1.0 + xp.abs(x)),
    ...     vjp=lambda F, g, _y, x: (g / (1.0 + F.abs(x)) ** 2,),
    ...     elementwise=True,
    ... )
    >>> x = ad.Variable(1.0)
    >>> softsign(x).backward()
    >>> print(x.grad)
    variable(0.25)
    """
    if name in TABLE and not isinstance(TABLE[name], UserOp):
        raise ArgumentError(f"an op named {name!r} is part of the package; choose another name")
    declared = UserOp(
        name,
        forward,
        vjp=vjp,
        jvp=elementwise and vjp is not None if jvp is None else jvp,
        elementwise=elementwise,
        by_matrix=by_matrix,
        linear=linear,
        outputs=outputs,
        domain=domain,
        samples=samples,
        selects=selects,
        requires=requires,
    )
    TABLE[name] = declared
    return declared

"""Functions with a derivative rule of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.arrays import NUMERIC_KINDS, namespace_of
from adjoint.config import LEVELS, RECORDING, no_grad, recording_mode
from adjoint.core.apply import apply, leaf
from adjoint.core.gradients import RECORDED
from adjoint.core.sweep import sweep
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError, GradientError
from adjoint.lifted import Batch, Lifted, Series, levels_in
from adjoint.lifted.nesting import part_of
from adjoint.ops import Op
from adjoint.structures import Structure, flatten
from adjoint.transforms.arguments import TOKEN, Results, given, is_array, name_of
from adjoint.transforms.forward import enter_series, leave_series
from adjoint.transforms.levels import Level, levels_with_sizes, lifted_to, repeated, without

__all__ = ["CustomFunction", "custom_vjp"]


class CustomFunction:
    """A function whose derivative is given; made by `custom_vjp`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._forward: Callable[..., Any] | None = None
        self._backward: Callable[..., Any] | None = None

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Sets the rule.

        Args:
            forward: takes the arguments, and returns the value and residuals: what `backward` needs, a structure of
                Variables or anything else.
            backward: ``backward(residuals, g)`` takes the cotangent of the value and returns a tuple with that of each
                argument, None where there is none.
        """
        self._forward = forward
        self._backward = backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise DTypeError(
                f"{name_of(self)} has a rule of its own, which gives a cotangent for each argument by position; give "
                f"{next(iter(kwargs))!r} by position too"
            )
        if self._forward is None or self._backward is None:
            raise GradientError(f"{self.__name__} has no rule yet: call its defvjp(forward, backward) first")  # type: ignore[attr-defined]
        leaves, structure = flatten(args)
        level = max((_series_level(x._data) for x in leaves if isinstance(x, Variable)), default=0)
        if level:
            return self._on_series(leaves, structure, level)
        if not RECORDING.get():  # also where its own `forward` calls it
            return self._function(*args)
        return self._run(leaves, structure)

    def run_forward(self, args: Sequence[Any]) -> tuple[Any, Any]:
        """The value and the residuals, by the rule."""
        found = self._forward(*args)  # type: ignore[misc]
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise GradientError(
                f"the forward function in the rule of {name_of(self)} should return a pair, the value and what the "
                f"backward function needs (None for nothing); it returned {type(found).__name__}"
                + (f" of {len(found)}" if isinstance(found, (tuple, list)) else "")
            )
        return found[0], found[1]

    def _run(self, leaves: Sequence[Any], structure: Structure) -> Any:
        """The value, with a node that knows the rule."""
        where = [i for i, x in enumerate(leaves) if isinstance(x, Variable) and x._data.dtype.kind in "fc"]
        run = _Run(self, leaves, structure, where)
        variables = [leaves[i] for i in where]
        with no_grad():
            value, residuals = self.run_forward(structure.build([_cut(x) for x in leaves]))
        run.out = Results(value)
        run.residuals = residuals
        run.repeat(leaves)
        op = Op(self.__name__, run.forward, vjp=run.rule)  # type: ignore[attr-defined]
        if not variables:
            return value
        # It may have found what an outer transform lifted elsewhere than in its arguments.
        tokens = [TOKEN] if any(isinstance(y._data, Lifted) for y in run.out.variables) else []
        made = apply(op, *variables, *tokens)
        return run.out.build(made if isinstance(made, tuple) else (made,))

    def _on_series(self, leaves: Sequence[Any], structure: Structure, level: int) -> Any:
        """The value with its tangent: the rule is linear in the cotangent, so it can be taken the other way."""
        lifted = [x._data if isinstance(x, Variable) and level in levels_in(x._data) else None for x in leaves]
        if any(part_of(x, level).order > 1 for x in lifted if x is not None):
            raise GradientError(
                f"{self.__name__} has a rule for first derivatives in reverse mode; nest grad or jvp for higher ones, "  # type: ignore[attr-defined]
                "in place of nth_derivative"
            )
        values = [leave_series(x, level, 0, 1) if isinstance(x, Variable) else x for x in leaves]
        tangents = [
            None if part is None else leave_series(x, level, 1, 1) for x, part in zip(leaves, lifted, strict=True)
        ]
        out = Results(self(*structure.build(values)))
        with recording_mode(True):
            starts = [given(namespace_of(y._data).zeros_like(y._data)) for y in out.variables]
            _, residuals = self.run_forward(structure.build(values))
            parts = _flat_cotangents(self._backward(residuals, out.build(starts)), structure, name_of(self))  # type: ignore[misc]
            roots = [
                (part._link, t)
                for part, t in zip(parts, tangents, strict=True)
                if t is not None and isinstance(part, Variable) and part._link is not None
            ]
            namespace = namespace_of(*(raw(t) for _, t in roots))
            found = sweep(roots, namespace, RECORDED, targets={g._link for g in starts if g._link is not None})
        pairs = []
        for y, g in zip(out.variables, starts, strict=True):
            t = found.get(g._link) if g._link is not None else None
            pairs.append(y if t is None else enter_series(y, [t], level))
        return out.build(pairs)


class _Run:
    """One call of a function with a rule of its own."""

    def __init__(self, function: CustomFunction, leaves: Sequence[Any], structure: Structure, where: list[int]) -> None:
        self._function = function
        self._leaves = [None if i in where else x for i, x in enumerate(leaves)]
        self._structure = structure
        self._where = where
        self.out: Results
        self.residuals: Any

    def forward(self, _xp: Any, *_arrays: Any) -> Any:
        """The value, which is computed already."""
        found = tuple(y._data for y in self.out.variables)
        return found[0] if len(found) == 1 else found

    def rule(self, _F: Any, g: Any, y: Any, *xs: Any) -> tuple[Any, ...]:
        """The cotangents by the function's own rule; recorded, with the residuals computed anew, on Variables."""
        cotangents = g if isinstance(g, tuple) else g if isinstance(g, list) else [g]
        tokens = (None,) * (len(xs) - len(self._where))
        xs = xs[: len(self._where)]
        recorded = any(isinstance(x, Variable) for x in (*cotangents, *xs))
        if recorded:
            leaves = list(self._leaves)
            for i, x in zip(self._where, xs, strict=True):
                leaves[i] = x
            _, residuals = self._function.run_forward(self._structure.build(leaves))
        else:
            residuals = self.residuals
        filled = [
            leaf(namespace_of(out._data).zeros_like(out._data)) if part is None else part if recorded else leaf(part)
            for part, out in zip(cotangents, self.out.variables, strict=True)
        ]
        with recording_mode(recorded and RECORDING.get()):
            found = self._function._backward(residuals, self.out.build(filled))  # type: ignore[misc]
        parts = _flat_cotangents(found, self._structure, name_of(self._function))
        levels = levels_with_sizes(*(raw(x) for x in (*xs, *self.out.variables, *filled)))
        chosen = [
            None if part is None else repeated(self._checked(part, levels), without(levels, raw(part)))
            for part in (parts[i] for i in self._where)
        ]
        if recorded:
            chosen = [
                None if part is None else part if isinstance(part, Variable) else Variable(part) for part in chosen
            ]
            return (*chosen, *tokens)
        return (*(part._data if isinstance(part, Variable) else part for part in chosen), *tokens)

    def repeat(self, arguments: Sequence[Any]) -> None:
        """Gives each result the levels of all that the rule computes with, also where its value lacks them.

        The rule may mix what belongs to one example with the cotangent of any result, which must not be a total over
        the examples then.
        """
        known = (*arguments, *self.out.variables, *flatten(self.residuals)[0])
        levels = levels_with_sizes(*(raw(x) for x in known))
        if levels:
            self.out.variables = [lifted_to(y, without(levels, y._data)) for y in self.out.variables]

    def _checked(self, part: Any, levels: dict[int, Level]) -> Any:
        """A cotangent by the rule, which has no levels but those that are known."""
        if levels_in(raw(part)) - set(levels) - LEVELS.get():
            raise GradientError(
                f"the rule of {name_of(self._function)} computes with something that a vmap or jvp around it lifted "
                "and that it found elsewhere; make it an argument, or return it among the residuals"
            )
        return part


def _series_level(x: Any) -> int:
    """The level of a series, also of one for each example; 0 for anything else."""
    while isinstance(x, Batch):
        x = x.value
    return x.level if isinstance(x, Series) else 0


def _cut(x: Any) -> Any:
    return leaf(x._data) if isinstance(x, Variable) else x


def _flat_cotangents(found: Any, structure: Structure, name: str) -> list[Any]:
    """What a rule returned, one for each leaf of the arguments."""
    parts = found if isinstance(found, (tuple, list)) else (found,)
    if len(parts) != len(structure.parts):
        raise ArgumentError(f"the rule of {name} returned {len(parts)} cotangents for {len(structure.parts)} arguments")
    what = f"the cotangent by the rule of {name}"
    leaves: list[Any] = []
    for part, below in zip(parts, structure.parts, strict=True):
        leaves += [None] * below.count if part is None else below.matched(part, what, none_is_zero=True)
    return [x if x is None or isinstance(x, Variable) else _cotangent(x, name) for x in leaves]


def _cotangent(x: Any, name: str) -> Variable:
    """An array, a number or a list that a rule returned."""
    if is_array(x):
        return leaf(namespace_of(x).asarray(x))
    if any(isinstance(part, Variable) for part in flatten(x)[0]):
        raise DTypeError(f"the rule of {name} returned a list of Variables for an array; use F.stack for one of them")
    array = np.asarray(x)
    if array.dtype.kind not in NUMERIC_KINDS:
        raise DTypeError(f"the rule of {name} returned {type(x).__name__} for an array: a cotangent is made of numbers")
    return leaf(array if array.dtype.kind in "fc" else array.astype(float))


def custom_vjp(f: Callable[..., Any]) -> CustomFunction:
    """A function whose derivative is given by a rule instead of by what it computes.

    For numerically better formulas, for gradients that are changed on purpose, and for code that cannot be recorded.
    The rule is written on Variables; it is differentiated in its turn for higher orders. Within `vmap`, every result
    counts as one for each example where an argument is.

    Args:
        f: a function of Variables, and of structures of them.

    Returns:
        A function with a method ``defvjp(forward, backward)``; see `CustomFunction.defvjp`.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> @ad.custom_vjp
    ... def log1pexp(x):
    ...     return F.log(1.0 + F.exp(x))
    >>> log1pexp.defvjp(lambda x: (log1pexp(x), x), lambda x, g: (g * (1.0 - 1.0 / (1.0 + F.exp(x))),))
    >>> print(ad.grad(log1pexp)(100.0))
    1.0
    """
    if not callable(f):
        raise DTypeError(f"custom_vjp takes a function, not {f!r}")
    return CustomFunction(f)

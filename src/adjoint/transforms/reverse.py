"""Reverse mode: vector-Jacobian products, and gradients."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from adjoint.arrays import namespace_of
from adjoint.config import RECORDING, recording_mode
from adjoint.core.apply import leaf
from adjoint.core.gradients import RECORDED
from adjoint.core.graph import Link
from adjoint.core.sweep import sweep
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import GradientError
from adjoint.transforms.arguments import Point, Results, all_shown, are_plain, constant_or, given, name_of, with_aux

__all__ = ["Pullback", "at_models", "grad", "value_and_grad", "vjp"]


class Pullback:
    """The graph of one run of a function: cotangents of its results give those of its arguments.

    links: the places in the graph of the arguments' leaves
    out: the results
    """

    def __init__(self, point: Point, *, has_aux: bool = False) -> None:
        self.point = point
        with recording_mode(True):
            self._inputs = [given(x) for x in point.leaves]  # while they are held, a derivative may be asked for
            self._values = [x._data for x in self._inputs]
            self.links = [x._link for x in self._inputs]  # f may write to elements, and they stand elsewhere then
            value = point.call(self._inputs)
        self.aux: Any = None
        if has_aux:
            value, self.aux = with_aux(point.function, value)
        self.out = Results(value)

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether results are given back as arrays."""
        return self.point.is_plain and self.is_detached

    @functools.cached_property
    def is_detached(self) -> bool:
        """Whether no derivative of what is computed here can be asked for later."""
        return are_plain(self.point.is_detached, self.out.variables, self.links)

    def end(self) -> None:
        """Nobody can ask for derivatives in the arguments any more, but in what Variables they were made of."""
        self._inputs.clear()

    def pull(self, cotangents: Sequence[Any], *, create_graph: bool | None = None) -> list[Variable]:
        """The cotangent of each input, given that of each result, an array or a Variable or None.

        create_graph: whether to record it; for None, unless nothing is there that a derivative could be asked for.
        """
        if create_graph is None:
            create_graph = RECORDING.get() and not self.is_detached
        roots = [
            (y._link, _as_variable(g) if create_graph else raw(g))
            for y, g in zip(self.out.variables, cotangents, strict=True)
            if g is not None and y._link is not None
        ]
        targets = {link for link in self.links if link is not None}
        namespace = namespace_of(*(raw(g) for _, g in roots))
        if create_graph:
            with recording_mode(True):
                found = sweep(roots, namespace, RECORDED, targets=targets)
        else:
            found = sweep(roots, namespace, None, targets=targets)
        return [
            self._cotangent(link, value, found, create_graph)
            for link, value in zip(self.links, self._values, strict=True)
        ]

    @staticmethod
    def _cotangent(link: Link | None, value: Any, found: dict[Any, Any], create_graph: bool) -> Variable:
        part = None if link is None else found.get(link)
        if part is None:
            return leaf(namespace_of(value).zeros_like(value))
        return part if create_graph else leaf(part)

    def value(self) -> Any:
        """The results as they are given back."""
        return self.out.build(
            all_shown(self.out.variables, is_plain=self.is_plain, given=self._values), is_plain=self.is_plain
        )


def _as_variable(g: Any) -> Variable:
    return g if isinstance(g, Variable) else leaf(g)


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """f's value, and the function that takes cotangents of it back: g ↦ gᵀ J, the vector-Jacobian product.

    Args:
        f: a function of Variables.
        primals: the point: arrays, Variables, numbers, models, or structures of them. Nothing that they hold is
            changed, gradients included.
        has_aux: f returns a pair, of which the second is passed on as it is.

    Returns:
        ``(value, pullback)``, or ``(value, pullback, aux)``. `pullback` takes cotangents in the structure of the value
        and returns a tuple with one for each primal; it may be called any number of times.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> value, pullback = ad.vjp(lambda x, y: F.sin(x) * y, 0.0, 2.0)
    >>> print(*pullback(1.0))
    2.0 0.0
    """
    point = Point(f, primals, {}, tuple(range(len(primals))))
    run = Pullback(point, has_aux=has_aux)

    def pullback(cotangents: Any, *, create_graph: bool | None = None) -> Any:
        parts = run.out.directions(cotangents, "the cotangent")
        is_plain = run.is_plain and not any(isinstance(g, Variable) for g in parts)
        parts = [constant_or(g) for g in parts]
        is_detached = run.is_detached and not any(isinstance(g, Variable) for g in parts)
        record = RECORDING.get() and not is_detached if create_graph is None else create_graph
        found = run.pull(parts, create_graph=record)
        return point.results(all_shown(found, is_plain=is_plain, given=parts))

    value = run.value()
    run.end()
    return (value, pullback, run.aux) if has_aux else (value, pullback)


def value_and_grad(
    f: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, create_graph: bool | None = None
) -> Any:
    """The function that gives f's value and its gradient; see `grad`.

    >>> import adjoint as ad
    >>> ad.value_and_grad(lambda x: x**3)(2.0)
    (np.float64(8.0), np.float64(12.0))
    """

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        point = Point(f, args, kwargs, argnums)
        run = Pullback(point, has_aux=has_aux)
        _check_scalar(f, run.out)
        y = run.out.variables[0]
        ones = leaf(namespace_of(y._data).ones_like(y._data))
        found = run.pull([ones], create_graph=create_graph)
        gradient = point.results(all_shown(found, is_plain=run.is_plain))
        value = run.value()
        return ((value, run.aux), gradient) if has_aux else (value, gradient)

    return value_and_gradient


def _check_scalar(f: Callable[..., Any], out: Results) -> None:
    name = name_of(f)
    if out.structure.keys is not None or len(out.variables) != 1:
        raise GradientError(
            f"grad of {name}, which returns no floating point number; return one, or use has_aux=True for a pair, "
            "or jacobian for structures"
        )
    y = out.variables[0]
    if y.size != 1:
        raise GradientError(
            f"grad of {name}, which returns an array of shape {y.shape}; a gradient is that of one number: sum the "
            "result up, or use jacobian, or vmap(grad(f)) for one gradient for each example"
        )
    if y.dtype.kind == "c":
        raise GradientError(
            f"grad of {name}, which returns a complex number; return a real one, such as its real part or its square's "
            "absolute value"
        )


def grad(f: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, create_graph: bool | None = None) -> Any:
    """The function that gives the gradient of f, ∂f/∂x.

    Args:
        f: a function of Variables that returns one number.
        argnums: the position of the argument to differentiate in, or a tuple of several. Or a model, at which the
            gradient is computed at once.
        has_aux: f returns a pair; its second part is returned beside the gradient, as it is.
        create_graph: whether the gradient can be differentiated by `backward`. For None, it can where an argument is a
            Variable, or where f depends on one otherwise.

    Returns:
        A function with f's arguments. Its result has the structure of the argument, for a model that of its `params()`.
        Plain arrays and numbers give plain arrays, unless f depends on a Variable.

    Raises:
        GradientError: f returns something else than one number, or the argument holds no floats.

    Nothing is changed: gradients go to the result, and not to `.grad`.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> print(ad.grad(F.sin)(0.0), ad.grad(ad.grad(F.sin))(0.0))
    1.0 -0.0
    >>> ad.grad(lambda p: p["w"] * p["b"])({"w": 2.0, "b": 3.0})
    {'w': np.float64(3.0), 'b': np.float64(2.0)}
    """
    model, argnums = at_models(argnums)
    both = value_and_grad(f, argnums, has_aux=has_aux, create_graph=create_graph)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient if model is None else gradient(model)


def at_models(argnums: Any) -> tuple[Any, Any]:
    """A model that was given in place of the positions, with position 0; or None and the positions."""
    return (argnums, 0) if callable(getattr(argnums, "params", None)) else (None, argnums)

"""`check`: whether a loss gives every parameter of a model a gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from adjoint import random, tree
from adjoint.arrays import is_differentiable_dtype, namespace_of
from adjoint.config import recording_mode
from adjoint.core.graph import Link, Node, nodes_behind
from adjoint.core.sweep import sweep
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError, GradientError
from adjoint.layers import Layer
from adjoint.provenance.connections import Connections, is_view_of
from adjoint.provenance.places import PLACES
from adjoint.provenance.watching import WatchBlock

__all__ = ["Report", "check"]


@dataclass(frozen=True)
class Report:
    """What `check` found. Parameters are named by their paths.

    Attributes:
        parameters: all that there are.
        unused: those that the loss does not depend on, as far as the graph tells.
        cut: where the graph ends before a parameter, and why, in words.
        zero: those whose gradient is exactly zero.
        not_finite: those whose gradient holds NaN or an infinity.
        pending: those that are not made yet, since their layer was not called.
        constant: whether the loss depends on no parameter, or no gradient is other than zero.
    """

    parameters: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    not_finite: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    constant: bool = False

    @property
    def ok(self) -> bool:
        """Whether there is nothing to tell."""
        found = (self.unused, self.cut, self.zero, self.not_finite, self.pending)
        return not (any(found) or self.constant)

    def __str__(self) -> str:
        if self.ok:
            return f"ok: the loss gives each of {len(self.parameters)} parameters a gradient, finite and not zero"
        lines = ["constant: no parameter changes the loss"] if self.constant else []
        for heading, names in (
            ("unused: the loss does not depend on", self.unused),
            ("zero: no element of the gradient is other than 0 of", self.zero),
            ("not finite: NaN or an infinity is in the gradient of", self.not_finite),
            ("pending: the layer was not called that makes", self.pending),
        ):
            if names:
                lines.append(f"{heading} {', '.join(names)}")
        return "\n".join([*lines, *(f"cut: {text}" for text in self.cut)])


def check(model: Any, loss: Any) -> Report:
    """Looks for parameters that a loss would not train, and for the reason.

    Nothing is changed: no gradient, no parameter, no state of a layer or of its random generator.

    What is cut is told with its line where `loss` is a function: values that were computed under `no_grad`, or whose
    graph `detach`, `unchain` or `.data` left behind. What NumPy computed of `.data`, or Python of `.item()`, cannot be
    followed; such a parameter is only found to be unused.

    Args:
        model: a layer or model, or anything else with ``params()``.
        loss: a function of the model, or of nothing, that computes the loss; or a loss that was computed already.

    Raises:
        DTypeError: `model` has no parameters to ask for, or `loss` is neither of the two.

    >>> import adjoint as ad
    >>> from adjoint import functions as F, models
    >>> model = models.MLP([4, 1])
    >>> def loss(model):
    ...     hidden = model.layers[0](ad.ones(2, 3)).data
    ...     return F.sum(model.layers[1](hidden))
    >>> report = check(model, loss)
    >>> report.ok, report.unused
    (False, ('layers.0.w', 'layers.0.b'))
    """
    if not callable(getattr(model, "params", None)):
        raise DTypeError(f"check takes a model, which has params(), not {type(model).__name__}")
    if isinstance(loss, Variable):
        return _report(model, loss, None)
    if not callable(loss):
        raise DTypeError(f"check takes a loss, or a function that computes it, not {type(loss).__name__}")
    with _unchanged(model):
        connections = Connections(lambda: model.params().items())
        with recording_mode(True), np.errstate(all="ignore"), WatchBlock(connections):
            value = loss(model) if _takes_model(loss) else loss()
        if value is None:
            raise DTypeError("check got None from the function that computes the loss: is a return missing in it?")
        return _report(model, value, connections)


def _takes_model(loss: Callable[..., Any]) -> bool:
    """Whether a function has an argument that must be given."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(loss).parameters.values()
    return any(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)


def _report(model: Any, loss: Any, connections: Connections | None) -> Report:
    params = model.params()
    cut = list(_ends(loss))
    nodes = [] if cut else _nodes(loss)
    links = {link for node in nodes for link in node.inputs if link is not None}
    if isinstance(loss, Variable) and loss._link is not None:
        links.add(loss._link)
    used = {path: p for path, p in params.items() if p._link is not None and p._link in links}
    unused = [path for path in params if path not in used]
    if connections is not None:
        cut += connections.lost(unused)
    else:
        cut += [*_unchained(nodes), *_read_apart(nodes, {path: params[path] for path in unused})]
    gradients: dict[str, Any] = {}
    try:
        gradients = _gradients(loss, used)
    except GradientError as error:
        cut.append(error.message)
    zero = [path for path, g in gradients.items() if g is None or not np.any(g)]
    wrong = [path for path, g in gradients.items() if g is not None and not np.all(np.isfinite(g))]
    return Report(
        tuple(params),
        tuple(unused),
        tuple(dict.fromkeys(cut)),
        tuple(zero),
        tuple(wrong),
        _pending(model),
        not used or (bool(gradients) and len(zero) == len(gradients)),
    )


def _nodes(loss: Any) -> list[Node]:
    link = loss._link
    return [] if link is None or link.creator is None else nodes_behind([link.creator])


def _ends(loss: Any) -> Iterator[str]:
    """Why a loss has no graph at all."""
    if not isinstance(loss, Variable):
        yield f"the loss is of type {type(loss).__name__}, and no Variable: it was read by .data, .item() or float()"
    elif not is_differentiable_dtype(loss.dtype):
        yield f"the loss is of dtype {loss.dtype}; derivatives exist for floating point numbers"
    elif loss.creator is None:
        yield "the loss has no graph behind it: no_grad, detach, unchain or .data, or no op that is recorded"


def _unchained(nodes: list[Node]) -> Iterator[str]:
    for node in nodes:
        if not node.inputs:
            yield "it was computed by a compiled function, whose graph is not known outside; give check that function"
        for position, link in enumerate(node.inputs):
            if link is not None and link.creator is None and link.generation > 0:
                yield f"operand {position} of {node.name} was unchained{_at(node)}"


def _read_apart(nodes: list[Node], unused: dict[str, Variable]) -> Iterator[str]:
    """Of arrays of parameters that ops have read beside the graph."""
    for node in nodes:
        for position, value in enumerate(node.saved):
            for path, parameter in unused.items():
                if not isinstance(value, Link) and is_view_of(value, parameter._data):
                    yield f"{path} is operand {position} of {node.name} by its array alone: .data or detach{_at(node)}"


def _at(node: Node) -> str:
    place = PLACES.get(node)
    return f", at {place.location}" if place is not None and place.location else ""


def _gradients(loss: Any, used: dict[str, Variable]) -> dict[str, Any]:
    """The gradient of each parameter that the loss depends on; None where there is none."""
    if not used or loss._link is None:
        return {}
    namespace = namespace_of(loss._data)
    targets = {p._link for p in used.values() if p._link is not None}
    with np.errstate(all="ignore"):
        found = sweep([(loss._link, namespace.ones_like(loss._data))], namespace, None, targets=targets)
    return {path: None if p._link is None else found.get(p._link) for path, p in used.items()}


def _pending(model: Any) -> tuple[str, ...]:
    return tuple(name for name, _ in model._pending_owners()) if isinstance(model, Layer) else ()


@contextmanager
def _unchanged(model: Any) -> Iterator[None]:
    """A block after which the model is what it was: attributes of layers, parameters, generators."""
    layers = [model, *(layer for _, layer in tree.walk(model, Layer, Layer).parts)]
    attributes = [(layer, dict(vars(layer))) for layer in layers]
    held = [value for _, space in attributes for value in space.values()]
    params = [(p, p._data, p._grad, p._link, p._data.copy()) for p in model.params().values()]
    arrays = [(x, x.copy()) for x in held if isinstance(x, np.ndarray) and x.flags.writeable]
    containers = [(x, x.copy()) for x in held if type(x) in (list, dict)]
    generators = [x for x in held if isinstance(x, np.random.Generator)]
    states = [(x, x.bit_generator.state) for x in (random.generator(), *generators)]
    try:
        yield
    finally:
        for generator, state in states:
            generator.bit_generator.state = state
        for container, items in containers:
            container.clear()
            container.extend(items) if isinstance(container, list) else container.update(items)
        for array, values in arrays:
            array[...] = values
        for layer, space in attributes:
            _restore(layer, space)
        for p, data, grad, link, values in params:
            p._data, p._grad, p._link = data, grad, link
            if isinstance(data, np.ndarray) and data.flags.writeable:
                data[...] = values


def _restore(owner: Any, space: dict[str, Any]) -> None:
    """Sets attributes back, by assignment, which a layer notices."""
    for name in [name for name in vars(owner) if name not in space]:
        delattr(owner, name)
    for name, value in space.items():
        if vars(owner).get(name, owner) is not value:
            setattr(owner, name, value)

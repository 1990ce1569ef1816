"""Variables, and `apply`, the one place where ops run and nodes are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from weakref import ref

import numpy as np

from adjoint.arrays import NAMESPACES, NUMBERS, as_array, complex_beside, namespace_of, numpy_namespace
from adjoint.config import LEVELS, RECORDING, recording_mode
from adjoint.core.array_methods import ArrayMethods
from adjoint.core.assignment import VIEWS, assign, is_container, noted_view
from adjoint.core.explain import raise_forward_error
from adjoint.core.graph import Link, ManyNode, Node, OtherManyNode, OtherNode, link_to, unchain_behind
from adjoint.core.indexing import split_index
from adjoint.core.sweep import Links, sweep
from adjoint.errors import GradientError, ShapeError, TransformError
from adjoint.lifted import levels_in, lowered
from adjoint.ops import TABLE, Op, arithmetic, elementary, forward_in, indexing, products, reductions, shaping
from adjoint.provenance.watching import BLOCKS, watcher_due

__all__ = ["RECORDED", "Variable", "VariableFunctions", "apply", "at_link", "leaf"]


class Variable(ArrayMethods):
    """A value in a computation that can be differentiated.

    Args:
        data: an array, which is wrapped without a copy, or a number or nested list of numbers. The dtype is
            kept: Python floats are float64.
        name: a name for printing and drawing.

    Attributes:
        data: the array.
        grad: the gradient, a Variable of the same shape and dtype, or None.
        name: the name or None.

    Raises:
        DTypeError: for objects and strings.

    >>> import adjoint as ad
    >>> x = ad.Variable(3.0)
    >>> y = x * x + 1.0
    >>> y.backward()
    >>> print(y, x.grad)
    variable(10.0) variable(6.0)
    """

    __slots__ = ("_grad",)

    _grad: Variable | None

    def __init__(self, data: Any, name: str | None = None) -> None:
        super().__init__(data, name)
        self._grad = None

    @property
    def grad(self) -> Variable | None:
        """The gradient that `backward` accumulated here, or that was assigned; None where there is none."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is None:
            self._grad = None
            return
        gradient = value if isinstance(value, Variable) else Variable(value)
        if gradient.shape != self.shape:
            raise ShapeError(f"a gradient of shape {gradient.shape} for {self._brief()}; they must be equal")
        self._grad = gradient

    @property
    def creator(self) -> Node | None:
        """The node that made this value; None for a leaf."""
        return None if self._link is None else self._link.creator

    @property
    def generation(self) -> int:
        """0 for a leaf, else one more than the highest of the inputs it was computed from."""
        return 0 if self.creator is None or self._link is None else self._link.generation

    # Gradients

    def backward(self, gradient: Any = None, *, retain_grad: bool = False, create_graph: bool = False) -> None:
        """Computes the gradient of this value in every leaf that it depends on (reverse mode).

        Gradients of leaves add up over calls until `cleargrad`. Those of intermediate values are dropped.

        Args:
            gradient: the cotangent to start from, an array or Variable of this shape; else a preset `grad`,
                else ones.
            retain_grad: keeps the gradients of intermediate values as well.
            create_graph: records the computation of the gradients, so that they can be differentiated again.

        Raises:
            GradientError: for integers and booleans, and where a rule fails. No gradient is changed then.
            ShapeError: where the cotangent has another shape.

        >>> import adjoint as ad
        >>> x = ad.Variable(2.0)
        >>> y = x**3
        >>> y.backward(create_graph=True)
        >>> first = x.grad
        >>> x.cleargrad()
        >>> first.backward()
        >>> print(first, x.grad)
        variable(12.0) variable(12.0)
        """
        cotangent = self._starting_cotangent(gradient)
        link = self._link
        if link is None or link.creator is None:
            if gradient is not None:
                own = (
                    apply(arithmetic.copy, cotangent)
                    if create_graph
                    else _wrap(NAMESPACES[type(cotangent._data)].copy(cotangent._data))
                )
                self._accumulate(own, created=create_graph)
            elif self._grad is None:
                self._grad = cotangent
            return
        retained: list[tuple[Link, Any]] | None = [] if retain_grad else None
        if not create_graph:
            leaves = sweep([(link, cotangent._data)], self._namespace_with(cotangent), None, retained)
            self._grad = None
            _deliver([*retained, *leaves.items()] if retained else leaves.items(), cotangent)
        elif RECORDING.get():
            self._backward_recorded(link, cotangent, retained)
        else:
            with recording_mode(True):
                self._backward_recorded(link, cotangent, retained)

    def _backward_recorded(self, link: Link, cotangent: Variable, retained: list[tuple[Link, Any]] | None) -> None:
        leaves = sweep([(link, cotangent)], self._namespace_with(cotangent), RECORDED, retained)
        self._grad = None
        _deliver([*(retained or ()), *leaves.items()], cotangent)

    def _namespace_with(self, cotangent: Variable) -> Any:
        data, other = self._data, cotangent._data
        namespace = NAMESPACES[type(data)]
        return namespace if NAMESPACES[type(other)] is namespace else namespace_of(data, other)

    def _starting_cotangent(self, gradient: Any) -> Variable:
        if self._data.dtype.kind not in "fc":
            raise GradientError(
                f"{self._brief()} has no gradient: it is not made of floating point numbers; "
                "start from floats, as in ad.Variable(2.0), or use x.astype('float64')"
            )
        if gradient is None:
            gradient = self._grad
        if gradient is None:
            return _wrap(NAMESPACES[type(self._data)].ones_like(self._data))
        cotangent = gradient if isinstance(gradient, Variable) else Variable(gradient)
        if cotangent.shape != self.shape:
            raise ShapeError(f"a cotangent of shape {cotangent.shape} for {self._brief()}; they must be equal")
        return cotangent if cotangent.dtype == self.dtype else cotangent.astype(self.dtype)

    def _accumulate(self, cotangent: Variable, *, created: bool) -> None:
        """Adds to the gradient of a leaf: a recorded sum if it is to be differentiated again."""
        if self._grad is None:
            self._grad = cotangent
        elif created:
            self._grad = self._grad + cotangent
        else:
            self._grad = _wrap(self._grad._data + cotangent._data)

    def cleargrad(self) -> None:
        """Drops the gradient."""
        self._grad = None

    def unchain(self) -> None:
        """Cuts the link to this value's creator: for the graph it becomes a leaf."""
        if self._link is not None:
            self._link.creator = None

    def unchain_backward(self) -> None:
        """Cuts everything behind this value's creator, which itself stays: truncates backpropagation.

        All values that were computed on the way are leaves after it, a recurrent layer's states included.
        """
        if self._link is not None and self._link.creator is not None:
            unchain_behind(self._link)

    def detach(self) -> Variable:
        """A new leaf on the same array, outside the graph."""
        return _wrap(self._data)

    # Operators: recorded

    def __neg__(self) -> Variable:
        return apply(arithmetic.neg, self)

    def __pos__(self) -> Variable:
        return self

    def __abs__(self) -> Variable:
        return apply(elementary.abs, self)

    def __add__(self, other: Any) -> Variable:
        return apply(arithmetic.add, self, other)

    def __radd__(self, other: Any) -> Variable:
        return apply(arithmetic.add, other, self)

    def __sub__(self, other: Any) -> Variable:
        return apply(arithmetic.sub, self, other)

    def __rsub__(self, other: Any) -> Variable:
        return apply(arithmetic.sub, other, self)

    def __mul__(self, other: Any) -> Variable:
        return apply(arithmetic.mul, self, other)

    def __rmul__(self, other: Any) -> Variable:
        return apply(arithmetic.mul, other, self)

    def __truediv__(self, other: Any) -> Variable:
        return apply(arithmetic.div, self, other)

    def __rtruediv__(self, other: Any) -> Variable:
        return apply(arithmetic.div, other, self)

    def __pow__(self, other: Any) -> Variable:
        if isinstance(other, (int, float)):
            return apply(arithmetic.power, self, power=other)
        return apply(arithmetic.pow, self, other)

    def __rpow__(self, other: Any) -> Variable:
        return apply(arithmetic.pow, other, self)

    def __matmul__(self, other: Any) -> Variable:
        return apply(products.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Variable:
        return apply(products.matmul, other, self)

    def __getitem__(self, index: Any) -> Variable:
        fixed, arrays = split_index(index)
        return apply(indexing.getitem, self, *arrays, index=fixed)

    def __setitem__(self, index: Any, value: Any) -> None:
        assign(apply, self, index, value)

    # Methods of arrays

    @property
    def T(self) -> Variable:
        """The Variable with its axes in reverse order."""
        return apply(shaping.transpose, self, axes=None)

    def sum(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Variable:
        """The sum along `axis`; see `adjoint.functions.sum`. `options` are those of `numpy.sum`."""
        if options:
            found: Variable = np.sum(self, axis=axis, keepdims=keepdims, **options)
            return found
        return apply(reductions.sum, self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Variable:
        """The mean along `axis`; see `adjoint.functions.mean`. `options` are those of `numpy.mean`."""
        if options:
            found: Variable = np.mean(self, axis=axis, keepdims=keepdims, **options)
            return found
        return apply(reductions.mean, self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Variable:
        """The largest along `axis`; see `adjoint.functions.max`. `options` are those of `numpy.max`."""
        if options:
            found: Variable = np.max(self, axis=axis, keepdims=keepdims, **options)
            return found
        return apply(reductions.max, self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Variable:
        """The smallest along `axis`; see `adjoint.functions.min`. `options` are those of `numpy.min`."""
        if options:
            found: Variable = np.min(self, axis=axis, keepdims=keepdims, **options)
            return found
        return apply(reductions.min, self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: Any, order: Any = "C") -> Variable:
        """The same elements in another shape, given as numbers or as one tuple; one length may be -1."""
        if order != "C":
            reshaped: Any = np.reshape(self, _shape_argument(shape), order=order)
            return reshaped
        return apply(shaping.reshape, self, shape=_shape_argument(shape))

    def transpose(self, *axes: Any) -> Variable:
        """The axes in the given order, as numbers or as one tuple; reversed without any."""
        return apply(shaping.transpose, self, axes=_shape_argument(axes) if axes and axes != (None,) else None)

    def astype(self, dtype: Any) -> Variable:
        """The values in another dtype; the cotangent comes back in this one's."""
        return apply(elementary.astype, self, dtype=np.dtype(dtype))

    def __iter__(self) -> Iterator[Variable]:
        return (self[i] for i in range(len(self)))

    def __reduce__(self) -> Any:
        # Copies and pickles hold the value, its name and its gradient's value, not the graph.
        gradient = None if self._grad is None else self._grad.data
        return _restore, (self.data, self.name, gradient)


def apply(op: Op, *inputs: Any, **params: Any) -> Any:
    """Runs `op` on `inputs` (Variables, arrays, numbers) and records it where an input is a Variable.

    Returns a Variable, or a tuple of them for an op with several outputs. Plain arrays and numbers are
    constants: they get no gradient.
    """
    if BLOCKS and (watcher := watcher_due()) is not None:
        return watcher.applied(apply, op, inputs, params)
    arrays: list[Any] = []
    links: list[Link | None] = []
    namespace = None
    generation = -1
    for value in inputs:
        link = None
        if isinstance(value, Variable):
            array = value._data
            link = value._link
            if link is None:
                if array.dtype.kind in "fc":
                    link = value._link = link_to(None, 0, 0, array, ref(value))
                    if generation < 0:
                        generation = 0
            elif link.generation > generation:
                generation = link.generation
        else:
            # Numbers take the dtype of the arrays beside them, where they are combined element by element.
            if op.elementwise and type(value) in NUMBERS:
                array = value if type(value) is not complex else complex_beside(value, inputs)
            else:
                array = as_array(value)
        found = NAMESPACES[type(array)]
        if found is not namespace and found is not None:
            namespace = found if namespace is None else namespace_of(*arrays, array)
        arrays.append(array)
        links.append(link)
    if namespace is None:  # numbers alone
        arrays = [as_array(array) for array in arrays]
        namespace = namespace_of(*arrays)
    count = len(arrays)
    on_numpy = namespace is numpy_namespace
    forward = op.forward if on_numpy else forward_in(namespace, op)
    try:
        # Spelled out for one and two inputs: unpacking takes longer than some of the forwards.
        if params:
            output = forward(namespace, *arrays, **params)
        elif count == 2:
            output = forward(namespace, arrays[0], arrays[1])
        elif count == 1:
            output = forward(namespace, arrays[0])
        else:
            output = forward(namespace, *arrays)
    except Exception as error:
        raise_forward_error(op, arrays, params, error)
        raise
    if generation < 0 or not op.differentiable or not RECORDING.get():
        if type(output) is tuple:
            return tuple(map(_wrap, output[: op.outputs]))
        return _wrap(output) if op not in VIEWS else noted_view(_wrap(output), inputs[0], op, params)
    try:
        drops = op.drops[count]
    except IndexError:
        drops = op.dropped(count)
    for position in drops:
        link = links[position]
        if link is not None:
            arrays[position] = link
    # No constructors, and no call of _output for one output: this runs for every op, and they were a tenth of it.
    several = type(output) is tuple
    if on_numpy:
        node: Any = _new_node(ManyNode if several else Node)
    else:
        node = _new_node(OtherManyNode if several else OtherNode)
        node.namespace = namespace
    node.op = op
    node.params = params
    node.inputs = links
    node.saved = arrays
    node.output = output if op.keeps_output else None
    node.generation = generation
    if several:
        return _outputs(output, node)
    if not on_numpy:
        return _output(output, node, 0)
    variable = _new(Variable)
    variable._data = output
    variable._grad = variable._link = variable.name = None
    dtype = output.dtype
    if dtype.kind in "fc":
        link = variable._link = _new_link(Link)
        link.creator = node
        link.index = 0
        link.generation = generation + 1
        link.shape = output.shape
        link.dtype = dtype
        link.variable = ref(variable)
    return variable


def _outputs(output: tuple[Any, ...], node: ManyNode) -> tuple[Variable, ...]:
    """The Variables that an op with several outputs returns."""
    variables = tuple([_output(part, node, i) for i, part in enumerate(output[: node.op.outputs])])
    siblings = [_no_link if variable._link is None else ref(variable._link) for variable in variables]
    node.siblings = siblings + [_no_link] * (len(output) - len(siblings))
    return variables


def _wrap(data: Any) -> Variable:
    """A leaf on an array that needs no check."""
    return at_link(data, None)


def _output(data: Any, creator: Node, index: int) -> Variable:
    """A Variable on one of the outputs of a node."""
    variable = _wrap(data)
    if data.dtype.kind in "fc":  # else a constant: nothing flows back through whole numbers
        variable._link = link_to(creator, index, creator.generation + 1, data, ref(variable))
    return variable


def _no_link() -> None:
    """Stands for the weak reference to the link of an output that has none."""


_new = Variable.__new__
_new_link = Link.__new__
_new_node = Node.__new__


def _restore(data: Any, name: str | None, gradient: Any) -> Variable:
    variable = Variable(data, name)
    variable.grad = gradient
    return variable


def _shape_argument(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from ``f(2, 3)`` and from ``f((2, 3))``."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        return tuple(shape[0])
    return shape


def _lift(node: Node, links: Links) -> tuple[Any, list[Any]]:
    """What a node kept, as Variables that stand at their old places in the graph."""
    xs: list[Any] = []
    for value, link in zip(node.saved, node.inputs):  # noqa: B905  strict costs as much as the rest
        if link is None or value is link:
            xs.append(value)
            continue
        x = _new(Variable)  # as in `at_link`
        x._data = value
        x._grad = x.name = None
        x._link = link
        xs.append(x)
    output = node.output
    if output is None:
        return None, xs
    if type(output) is not tuple:
        return at_link(output, links[node]), xs
    parts = enumerate(output)
    # An output that nothing was computed from, or that is a residual, gets a link now.
    return tuple(
        [at_link(part, links[node, i]) if (node, i) in links else _output(part, node, i) for i, part in parts]
    ), xs


def at_link(array: Any, link: Link | None) -> Variable:
    """A Variable on an array that stands at a link of the graph."""
    variable = _new(Variable)
    variable._data = array
    variable._grad = None
    variable._link = link
    variable.name = None
    return variable


def _deliver(cotangents: Iterable[tuple[Link, Any]], start: Variable) -> None:
    """Gives leaves, and intermediate values that are to retain theirs, their gradients.

    A rule may hand one array to several inputs, or a view of one. No two Variables show the same memory as
    their gradients, so that changing one in place leaves the other alone.
    """
    if LEVELS.get():
        cotangents = list(cotangents)
        _check_levels(cotangents)
    shown = {id(start._data)}
    for link, cotangent in cotangents:
        variable = link.variable()
        if variable is None:
            continue
        if variable._link is not link and (link.creator is not None or is_container(link)):
            continue  # its elements were assigned, and it is another value now
        if variable._link is not link and (variable.shape != link.shape or variable.dtype != link.dtype):
            continue  # its data was replaced by that of another shape or dtype
        array = cotangent._data if isinstance(cotangent, Variable) else cotangent
        shared = id(array) in shown or getattr(array, "base", None) is not None
        if isinstance(cotangent, Variable):
            own = apply(arithmetic.copy, cotangent) if shared else cotangent
        else:
            own = _wrap(NAMESPACES[type(array)].copy(array) if shared else array)
        shown.add(id(own._data))
        if variable._grad is None or link.creator is not None:
            variable._grad = own
        else:
            variable._accumulate(own, created=own._link is not None)


def _check_levels(cotangents: Iterable[tuple[Link, Any]]) -> None:
    """Raises TransformError for a gradient that a Variable from outside of a transform would get within it."""
    for link, cotangent in cotangents:
        array = cotangent._data if isinstance(cotangent, Variable) else cotangent
        variable = link.variable()
        if variable is not None and not levels_in(array) <= link.levels:
            raise TransformError(
                f"backward() within vmap, jvp or one made of them gives {variable._brief()}, which stands outside, "
                "a gradient for each example or direction; take it as a result of ad.grad or ad.vjp within instead"
            )


class _VariableFunctions:
    """The functions that rules use under ``create_graph``: every op, on Variables and recorded."""

    def __getattr__(self, name: str) -> Any:
        if name not in TABLE:
            raise AttributeError(f"no op is named {name!r}")
        function = partial(apply, TABLE[name])
        if type(TABLE[name]) is Op:  # a user may declare an op again
            setattr(self, name, function)
        return function


VariableFunctions: Any = _VariableFunctions()

# The cotangent of what enters a transform unlifted; its own cotangent enters every level again as it is.
_lowered = Op("lowered", lambda _xp, x, *, level: lowered(x, level), vjp=lambda _F, g, _y, _x, **_: (g,), linear=True)


class _Recorded:
    """A sweep that is recorded (see `adjoint.core.sweep.Recorded`)."""

    functions = VariableFunctions
    kept = staticmethod(_lift)

    @staticmethod
    def lowered(cotangent: Variable, level: int) -> Any:
        return apply(_lowered, cotangent, level=level)


RECORDED = _Recorded()


def leaf(array: Any) -> Variable:
    """A new Variable on an array that needs no check."""
    return _wrap(array)

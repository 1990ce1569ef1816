"""`apply`, the one place where ops run and nodes are made, and what makes Variables of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from adjoint.arrays import NAMESPACES, NUMBERS, as_array, complex_beside, namespace_of, numpy_namespace
from adjoint.config import RECORDING
from adjoint.core.assignment import VIEWS, noted_view
from adjoint.core.explain import raise_forward_error
from adjoint.core.graph import Link, ManyNode, Node, OtherManyNode, OtherNode, link_to
from adjoint.core.value import Value
from adjoint.ops import Op, forward_in
from adjoint.provenance.watching import BLOCKS, watcher_due

if TYPE_CHECKING:
    from adjoint.core.variable import Variable

__all__ = ["apply", "at_link", "leaf", "output_of", "set_variable_class"]

# What ops return: Variables. Their operators call `apply`, so that `adjoint.core.variable` sets the class.
_variable: Any = Value


def set_variable_class(variable: type[Variable]) -> None:
    """Says what ops return."""
    global _variable
    _variable = variable


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
        if isinstance(value, _variable):
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
            return tuple(map(leaf, output[: op.outputs]))
        return leaf(output) if op not in VIEWS else noted_view(leaf(output), inputs[0], op, params)
    try:
        drops = op.drops[count]
    except IndexError:
        drops = op.dropped(count)
    for position in drops:
        link = links[position]
        if link is not None:
            arrays[position] = link
    # No constructors, and no call of output_of for one output: this runs for every op, and they were a tenth of it.
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
        return output_of(output, node, 0)
    variable = _new(_variable)
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
    variables = tuple([output_of(part, node, i) for i, part in enumerate(output[: node.op.outputs])])
    siblings = [_no_link if variable._link is None else ref(variable._link) for variable in variables]
    node.siblings = siblings + [_no_link] * (len(output) - len(siblings))
    return variables


def leaf(data: Any) -> Variable:
    """A new leaf on an array that needs no check."""
    return at_link(data, None)


def at_link(array: Any, link: Link | None) -> Variable:
    """A Variable on an array that stands at a link of the graph."""
    variable: Variable = _new(_variable)
    variable._data = array
    variable._grad = None
    variable._link = link
    variable.name = None
    return variable


def output_of(data: Any, creator: Node, index: int) -> Variable:
    """A Variable on one of the outputs of a node."""
    variable = leaf(data)
    if data.dtype.kind in "fc":  # else a constant: nothing flows back through whole numbers
        variable._link = link_to(creator, index, creator.generation + 1, data, ref(variable))
    return variable


def _no_link() -> None:
    """Stands for the weak reference to the link of an output that has none."""


_new = Value.__new__
_new_link = Link.__new__
_new_node = Node.__new__

"""The graph behind a Variable as DOT text.

A value is known by its place in the graph: the node that made it and the position among its outputs, or, for a
leaf, its link. Several links may lead to one place (the backward pass under ``create_graph`` makes links of its
own); they are one ellipse.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from adjoint.core.graph import Link, Node
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError

__all__ = ["dot"]

_VARIABLE = "color=orange, style=filled"
_OP = "color=lightblue, style=filled, shape=box"
_CONSTANT = "color=lightgray, style=filled"
_LONGEST = 60  # characters of an op's parameters


def dot(v: Variable, verbose: bool = False) -> str:
    """The graph behind `v` in the DOT language of Graphviz.

    Variables are orange ellipses with their names, ops blue boxes; edges run from inputs to results. The graph of a
    gradient that was computed under ``create_graph=True`` is drawn likewise. A value that no Variable shows any
    more is an ellipse without a name. Nodes are numbered from `v` backwards: one graph gives the same text in
    every run.

    Args:
        v: the Variable; a leaf gives one ellipse.
        verbose: adds shape and dtype to each name, the value to those of one element, the parameters to each op,
            and draws constants, in grey.

    Raises:
        DTypeError: for something else than a Variable.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> x = ad.Variable(1.0, name="x")
    >>> print(dot(F.tanh(x)))
    digraph {
      0 [label="", color=orange, style=filled]
      1 [label="tanh", color=lightblue, style=filled, shape=box]
      2 [label="x", color=orange, style=filled]
      1 -> 0
      2 -> 1
    }
    """
    if not isinstance(v, Variable):
        raise DTypeError(f"a graph is drawn of a Variable, not of {type(v).__name__}")
    boxes, edges = _discover(v, verbose)
    lines = ["digraph {"]
    lines += [f'  {number} [label="{_escape(label)}", {style}]' for number, (label, style) in enumerate(boxes)]
    lines += [f"  {source} -> {target}" for source, target in edges]
    return "\n".join([*lines, "}"])


def _discover(v: Variable, verbose: bool) -> tuple[list[tuple[str, str]], list[tuple[int, int]]]:
    """Label and style of everything to draw, by number, and the edges between the numbers."""
    root = v._link
    if root is None:
        return [(_value_label(v, v.shape, v.dtype, verbose), _VARIABLE)], []
    boxes: list[tuple[str, str]] = []
    edges: list[tuple[int, int]] = []
    numbers: dict[Any, int] = {}  # of values, by place, and of nodes
    shown: dict[int, tuple[Variable | None, Link]] = {}  # by number of a value: who shows it
    waiting: deque[tuple[int, Link | Node]] = deque()

    def number_of(key: Any, item: Link | Node) -> int:
        """The number of what stands at `key`; a new one where it has none yet, and it waits for its turn."""
        number = numbers.get(key)
        if number is None:
            number = numbers[key] = len(boxes)
            boxes.append(("", ""))
            waiting.append((number, item))
        return number

    def number_of_value(link: Link) -> int:
        number = number_of(_place(link), link)
        known = shown.get(number)
        if known is None or known[0] is None or known[0].name is None:
            variable = v if link is root else _shown_by(link)
            if known is None or (variable is not None and (known[0] is None or variable.name is not None)):
                shown[number] = variable, link
        return number

    number_of_value(root)
    while waiting:
        number, item = waiting.popleft()
        if isinstance(item, Link):
            if item.creator is not None:
                edges.append((number_of(item.creator, item.creator), number))
            continue
        boxes[number] = _op_label(item, verbose), _OP
        for link, saved in zip(item.inputs, item.saved, strict=True):
            if link is not None:
                edges.append((number_of_value(link), number))
            elif verbose:
                edges.append((len(boxes), number))
                boxes.append((_constant_label(saved), _CONSTANT))
    for number, (variable, link) in shown.items():
        boxes[number] = _value_label(variable, link.shape, link.dtype, verbose), _VARIABLE
    return boxes, edges


def _place(link: Link) -> Any:
    return link if link.creator is None else (link.creator, link.index)


def _shown_by(link: Link) -> Variable | None:
    """The Variable that shows the link's value; None once it is gone, or shows something else."""
    variable = link.variable()
    return variable if variable is not None and variable._link is link else None


def _value_label(variable: Variable | None, shape: tuple[int, ...], dtype: Any, verbose: bool) -> str:
    name = "" if variable is None else variable.name or ""
    if not verbose:
        return name
    lines = [name] if name else []
    lines.append(f"{shape} {dtype}")
    if variable is not None and variable.size == 1:
        lines.append(_number(variable.data))
    return "\n".join(lines)


def _constant_label(value: Any) -> str:
    shape = getattr(value, "shape", ())
    size = getattr(value, "size", 1)
    return _number(value) if size == 1 else f"{shape} {value.dtype}"


def _number(value: Any) -> str:
    """The only element of an array, or a number, with all of its digits."""
    return str(value.reshape(())[()]) if hasattr(value, "reshape") else str(value)


def _op_label(node: Node, verbose: bool) -> str:
    if not verbose or not node.params:
        return node.name
    params = ", ".join(f"{name}={value!r}" for name, value in node.params.items())
    return f"{node.name}\n{params if len(params) <= _LONGEST else params[: _LONGEST - 1] + '…'}"


def _escape(label: str) -> str:
    """`label` for a quoted string: Graphviz reads backslashes and HTML entities in it, and XML takes no controls."""
    visible = "".join(c if c == "\n" or _is_printed(c) else "\N{REPLACEMENT CHARACTER}" for c in label)
    return visible.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _is_printed(character: str) -> bool:
    """False for control characters, lone surrogates and what Unicode declares to be no character."""
    code = ord(character)
    return code >= 0x20 and not 0x7F <= code < 0xA0 and not 0xD800 <= code < 0xE000 and code & 0xFFFE != 0xFFFE

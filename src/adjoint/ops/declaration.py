"""The declaration of an op: everything about it, at one place.

    sin = op("sin", lambda xp, x: xp.sin(x), vjp=lambda F, g, _y, x: (g * F.cos(x),), elementwise=True)

*Forward*: ``forward(xp, *arrays, **params)`` computes on plain arrays with the namespace `xp`. Arrays are
positional, parameters keyword-only. It returns an array, or a tuple of arrays; the rule of such an op gets
tuples `y` and `g`, with None in `g` for each output that nothing was computed from. `outputs` says how many of
them the op returns; the others are residuals, which only its rule reads.

*Derivative rule* (vector-Jacobian product): ``vjp(F, g, y, *xs, **params)`` gets the cotangent `g` of the
output and returns a tuple with the cotangent of each input, None where there is none. `F` offers every op by
name; the rule runs on plain arrays in a plain backward pass and on Variables under ``create_graph``, so one
rule gives every order. Alternatively `vjp` is a tuple with one rule an input, each returning one cotangent;
only those that are needed run. A rule with a keyword-only argument ``needs`` is told which inputs need one.

*What is kept*: an argument of a rule whose name begins with an underscore is not kept for the backward pass;
for an input, the rule gets a stand-in with its ``shape`` and ``dtype`` (for the output, None).

`selects(y, *xs, **params)`, for an op that gives some of its inputs' elements and leaves others out, returns for each
input the mask of those left out, or None. It may look at what the rule keeps.

*Forward mode* differentiates the forward as it is written. Where that has kinks which the function has not, or another
derivative at the edge of a domain than the rule gives, `jvp` says what it is: ``jvp(F, ts, y, *xs, **params)``, the
derivative of the output along the directions `ts` of the inputs, of which None is zero. True, for an op that acts
element by element, stands for the derivative that the rule gives. `by_matrix` says that the op takes the matrices in
the last two axes one by one: then batches of them are done at once. A `jvp` whose `y` begins with an underscore gives
all orders of a series in one run.

`requires` says in a few words what the inputs must be like: error texts end with it.

A rule returns fresh arrays, `g`, or views of `g`, never one of its `y` or `xs` as they are. The engine sums
a broadcast cotangent back to its input's shape, casts it to its input's dtype and adds contributions up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import Any

from adjoint.errors import ArgumentError

__all__ = ["TABLE", "Op", "Sample", "op"]

Rule = Callable[..., Any]
_HAS_VARARGS = 0x04  # inspect.CO_VARARGS
_BEFORE_INPUTS = 3  # F, g, y
_COUNTS = 6  # numbers of inputs for which the positions to drop are known beforehand


def _reads_output(rule: Any) -> bool:
    """Whether a rule's third argument has a name that does not begin with an underscore."""
    if not isinstance(rule, FunctionType) or rule.__code__.co_argcount < _BEFORE_INPUTS:
        return True
    return not rule.__code__.co_varnames[2].startswith("_")


def _nth_of(count: int, n: int) -> Callable[[Any], tuple[Any, ...]]:
    """Puts a cotangent at the place of one of several outputs."""
    return lambda g: (*(None,) * n, g, *(None,) * (count - n - 1))


class Sample:
    """One input of the generated tests: the shapes of the arrays, the parameters, and where values are drawn.

    `domain` is an interval, `arrays` maps positions to arrays that take the place of drawn ones (constants
    such as masks). `distinct` draws values that keep apart, for ops with kinks where values meet. `complex` draws
    complex numbers, whose real and imaginary parts are in the domain.
    """

    __slots__ = ("arrays", "complex", "distinct", "domain", "params", "shapes")

    def __init__(
        self,
        *shapes: tuple[int, ...],
        domain: tuple[float, float] | None = None,
        arrays: dict[int, Any] | None = None,
        distinct: bool = False,
        complex: bool = False,
        **params: Any,
    ) -> None:
        self.shapes = shapes
        self.domain = domain
        self.arrays = arrays or {}
        self.distinct = distinct
        self.complex = complex
        self.params = params


class Op:
    """A differentiable function of arrays; see the head of this module. Made by `op`."""

    __slots__ = (
        "__weakref__",
        "by_matrix",
        "differentiable",
        "domain",
        "drops",
        "elementwise",
        "forward",
        "jvp",
        "jvp_reads_output",
        "keeps",
        "keeps_output",
        "keeps_rest",
        "linear",
        "name",
        "outputs",
        "requires",
        "rules",
        "samples",
        "selects",
        "takes_needs",
        "vjp",
    )

    def __init__(
        self,
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
    ) -> None:
        self.name = name
        self.forward = forward
        self.elementwise = elementwise
        self.by_matrix = by_matrix
        self.linear = linear
        self.outputs = outputs
        self.domain = domain
        self.samples = tuple(samples)
        self.requires = requires
        self.selects = selects
        # One of the two is set: `vjp`, a rule for all inputs, or `rules`, one for each.
        self.vjp = None if isinstance(vjp, tuple) else vjp
        self.rules = vjp if isinstance(vjp, tuple) else None
        self.differentiable = vjp is not None
        self.jvp: Rule | None = self.jvp_by_rule if jvp is True else jvp or None
        self._read_signatures([rule for rule in (self.rules or (self.vjp,)) if rule is not None])
        self.jvp_reads_output = self.keeps_output if jvp is True else _reads_output(jvp)

    def _read_signatures(self, rules: list[Rule]) -> None:
        """Finds what the rules keep: `keeps` by position, `keeps_rest` for a ``*xs``, `keeps_output`."""
        self.keeps_output = self.keeps_rest = self.takes_needs = False
        inputs: list[tuple[list[bool], bool]] = []  # for each rule: which it reads by name, and whether the rest
        for rule in rules:
            code: CodeType | None = rule.__code__ if isinstance(rule, FunctionType) else None
            if code is None or code.co_argcount < _BEFORE_INPUTS:  # nothing is known of it, so all is kept
                self.keeps_output = self.keeps_rest = True
                inputs.append(([], True))
                continue
            names = code.co_varnames
            positional = names[: code.co_argcount]
            last = code.co_argcount + code.co_kwonlyargcount
            self.takes_needs |= "needs" in names[code.co_argcount : last]
            self.keeps_output |= not positional[2].startswith("_")
            rest = bool(code.co_flags & _HAS_VARARGS) and not names[last].startswith("_")
            self.keeps_rest |= rest
            inputs.append(([not argument.startswith("_") for argument in positional[_BEFORE_INPUTS:]], rest))
        count = max((len(named) for named, _ in inputs), default=0)
        self.keeps = tuple(
            any(named[position] if position < len(named) else rest for named, rest in inputs)
            for position in range(count)
        )
        self.drops = tuple(self.dropped(count) for count in range(_COUNTS))

    def jvp_by_rule(self, F: Any, ts: Sequence[Any], y: Any, *xs: Any, **params: Any) -> Any:
        """Each element of the output depends on one of each input: so the slope takes either direction."""
        if not isinstance(y, tuple):
            return self._slope_along(F, ts, lambda t: t, y, *xs, **params)
        return tuple(self._slope_along(F, ts, _nth_of(len(y), n), y, *xs, **params) for n in range(len(y)))

    def _slope_along(
        self, F: Any, ts: Sequence[Any], placed: Callable[[Any], Any], y: Any, *xs: Any, **params: Any
    ) -> Any:
        """The sum of what the rule makes of each direction; `placed` makes it a cotangent of the op."""
        total = None
        for position, t in enumerate(ts):
            if t is None:
                continue
            if self.rules is not None:
                rule = self.rules[position]
                part = None if rule is None else rule(F, placed(t), y, *xs, **params)
            else:
                needs = {"needs": [i == position for i in range(len(ts))]} if self.takes_needs else {}
                assert self.vjp is not None
                part = self.vjp(F, placed(t), y, *xs, **params, **needs)[position]
            if part is not None:
                total = part if total is None else total + part
        return total

    def dropped(self, count: int) -> tuple[int, ...]:
        """The positions, among `count` inputs, whose values no rule reads."""
        kept = (self.keeps + (self.keeps_rest,) * count)[:count]
        return tuple(position for position in range(count) if not kept[position])

    def __repr__(self) -> str:
        return f"<op {self.name}>"


# Every op by name, in order of declaration.
TABLE: dict[str, Op] = {}


def op(name: str, forward: Callable[..., Any], **declaration: Any) -> Op:
    """Declares an op of the package: an `Op` that stands in `TABLE`, once."""
    if name in TABLE:
        raise ArgumentError(f"an op named {name!r} is declared already")
    declared = TABLE[name] = Op(name, forward, **declaration)
    return declared

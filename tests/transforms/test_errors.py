"""What goes wrong in transforms is told by the name of the function, the shapes, and the user's own line."""

from __future__ import annotations

import re

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, models
from adjoint.errors import ArgumentError, AxisError, DTypeError, GradientError, ShapeError, TransformError

A = np.array([1.0, 2.0, 3.0])


def square(x):
    return x * x


def total(p):
    return p["w"].sum() * p["b"]


POINT = {"w": A, "b": 2.0}


def with_rule(forward, backward):
    @ad.custom_vjp
    def ruled(x):
        return x * x

    ruled.defvjp(forward, backward)
    return ruled


def pair(x):
    return x * x, x


CASES = {
    "array": (lambda: ad.grad(square)(A), GradientError, "grad of square, which returns an array of shape (3,)"),
    "complex": (lambda: ad.grad(lambda x: x * 1j)(2.0), GradientError, "returns a complex number"),
    "structure": (lambda: ad.grad(lambda x: {"a": x})(2.0), GradientError, "returns no floating point number"),
    "nothing": (lambda: ad.grad(lambda x: None)(2.0), GradientError, "returns no floating point number"),
    "ints": (
        lambda: ad.grad(square)(np.arange(3)),
        GradientError,
        "square is differentiated in arguments that hold int",
    ),
    "ints in a list": (lambda: ad.jvp(square, ([1, 2],), ([1.0, 1.0],)), GradientError, "that hold int"),
    "text": (lambda: ad.grad(square)("a"), GradientError, "that hold str"),
    "argnums": (
        lambda: ad.grad(square, 2)(A),
        ArgumentError,
        "square is differentiated in argument 2, but was called with 1",
    ),
    "argnums twice": (lambda: ad.grad(total, (0, -1))(POINT), ArgumentError, "names an argument twice"),
    "argnums of floats": (lambda: ad.grad(square, 1.0)(A), DTypeError, "argnums is a whole number"),
    "argument by name": (lambda: ad.grad(square)(x=2.0), ArgumentError, "called with 0 by position"),
    "aux of grad": (lambda: ad.grad(square, has_aux=True)(2.0), ArgumentError, "square should return a pair"),
    "aux of jvp": (lambda: ad.jvp(square, (A,), (A,), has_aux=True), ArgumentError, "square should return a pair"),
    "tangent shape": (
        lambda: ad.jvp(square, (A,), (1.0,)),
        ArgumentError,
        "the tangent[0] has shape () for an argument of shape (3,)",
    ),
    "tangent lacks a key": (
        lambda: ad.jvp(total, (POINT,), ({"w": A},)),
        ArgumentError,
        "the tangent[0], of type dict, has no part 'b'",
    ),
    "tangent has another key": (
        lambda: ad.jvp(total, (POINT,), ({**POINT, "c": A},)),
        ArgumentError,
        "the tangent[0] has a part 'c' that is not needed",
    ),
    "tangent is no structure": (lambda: ad.jvp(total, (POINT,), (A,)), ArgumentError, "has no part 'w'"),
    "tangents too many": (lambda: ad.jvp(square, (A,), (A, A)), ArgumentError, "1 arguments and 2 tangents"),
    "tangents without tuples": (lambda: ad.jvp(square, A, A), DTypeError, "as tuples, as in ad.jvp(f, (x,), (t,))"),
    "cotangent shape": (
        lambda: ad.vjp(square, A)[1](1.0),
        ArgumentError,
        "the cotangent has shape () for a result of shape (3,)",
    ),
    "cotangents too few": (
        lambda: ad.vjp(lambda x: (x, x), A)[1]((A,)),
        ArgumentError,
        "the cotangent has 1 parts where 2 are needed",
    ),
    "direction of linearize": (
        lambda: ad.linearize(square, A)[1](1.0),
        ArgumentError,
        "the tangent[0] has shape () for an argument of shape (3,)",
    ),
    "jacobian mode": (lambda: ad.jacobian(square, mode="both")(A), ArgumentError, "not 'both'"),
    "negative order": (lambda: ad.nth_derivative(square, -1), ArgumentError, "the order is 0 or more, not -1"),
    "order that is no number": (lambda: ad.nth_derivative(square, 1.5), DTypeError, "not 1.5"),
    "lengths": (
        lambda: ad.vmap(lambda x, y: x)(A, A[:2]),
        ArgumentError,
        "different numbers of examples (argument[0]: 3, argument[1]: 2)",
    ),
    "nothing mapped": (lambda: ad.vmap(square, in_axes=None)(A), ArgumentError, "no argument is mapped"),
    "axis out of range": (
        lambda: ad.vmap(square, in_axes=1)(A),
        AxisError,
        "argument[0] of shape (3,) has no axis 1",
    ),
    "axis of a part": (
        lambda: ad.vmap(total, in_axes=({"w": 0, "b": 0},))(POINT),
        ArgumentError,
        "argument[0]['b'] is 2.0, which has no axis to map",
    ),
    "axes as a list": (lambda: ad.vmap(square, in_axes=[0])(A), DTypeError, "not a list"),
    "axes for other arguments": (lambda: ad.vmap(square, in_axes=(0, 0))(A), ArgumentError, "2 parts for 1 arguments"),
    "axes lack a key": (lambda: ad.vmap(total, in_axes=({"w": 0},))(POINT), ArgumentError, "nothing for 'b'"),
    "shared result that differs": (
        lambda: ad.vmap(square, out_axes=None)(A),
        ArgumentError,
        "differs from example to example, but out_axes is None",
    ),
    "axis of a result": (
        lambda: ad.vmap(square, out_axes=2)(A),
        AxisError,
        "out_axes is 2 for a result that has 1 axes",
    ),
    "if": (lambda: ad.vmap(lambda x: x if x > 1 else -x)(A), TransformError, "use F.where instead of `if`"),
    "float": (lambda: ad.vmap(float)(A), TransformError, "read by Python"),
    "item": (lambda: ad.vmap(lambda x: x.item())(A), TransformError, "read by Python"),
    "if within jvp": (
        lambda: ad.jvp(ad.vmap(lambda x: x if x > 1 else -x), (A,), (A,)),
        TransformError,
        "use F.where instead of `if`",
    ),
    "asarray within vmap": (lambda: ad.vmap(np.asarray)(A), TransformError, "NumPy cannot read an array"),
    "asarray within jvp": (lambda: ad.jvp(np.asarray, (A,), (A,)), TransformError, "NumPy cannot read an array"),
    "mask": (lambda: ad.vmap(lambda x: x[x > 0])(np.eye(2)), TransformError, "a mask that differs from example"),
    "shapes within": (
        lambda: ad.vmap(ad.grad(lambda x: F.matmul(np.ones((2, 4)), x).sum()))(np.eye(3)),
        ShapeError,
        "matmul(float64 (2, 4), float64 (3,) for each of 3 examples)",
    ),
    "axis of floats": (lambda: ad.vmap(square, in_axes=0.0)(A), ArgumentError, "in_axes is a whole number, None, or"),
    "axis of booleans": (lambda: ad.vmap(square, in_axes=True)(A), ArgumentError, "a structure of them, not True"),
    "axes of another key": (
        lambda: ad.vmap(total, in_axes=({"w": 0, "b": None, "c": 0},))(POINT),
        ArgumentError,
        "in_axes has a part 'c' that is not there; there are ['w', 'b']",
    ),
    "axes of one array": (
        lambda: ad.vmap(square, in_axes=((0, 1),))(A),
        ArgumentError,
        "in_axes is (0, 1) for a single value",
    ),
    "axis of a result of floats": (
        lambda: ad.vmap(square, out_axes=0.5)(A),
        ArgumentError,
        "out_axes is a whole number, None, or a structure of them, not 0.5",
    ),
    "axis of a result by name": (lambda: ad.vmap(square, out_axes="a")(A), ArgumentError, "not 'a'"),
    "axes of one result": (
        lambda: ad.vmap(square, out_axes=(0, 1))(A),
        ArgumentError,
        "out_axes is (0, 1) for a single value",
    ),
    "vmap of a number": (lambda: ad.vmap(3), DTypeError, "vmap takes a function, not 3"),
    "checkpoint of a number": (lambda: ad.checkpoint(3), DTypeError, "checkpoint takes a function, not 3"),
    "custom_vjp of a number": (lambda: ad.custom_vjp(3), DTypeError, "custom_vjp takes a function, not 3"),
    "order too high": (lambda: ad.nth_derivative(np.exp, 171)(0.0), ArgumentError, "170 or less, not 171"),
    "jacobian of whole numbers": (
        lambda: ad.jacobian(lambda x: np.arange(2))(A),
        GradientError,
        "returns int64; derivatives exist for floating point numbers: return some, or use has_aux=True",
    ),
    "jacobian of booleans": (lambda: ad.jacobian(lambda x: x < 1)(A), GradientError, "which returns bool"),
    "forward jacobian of booleans": (
        lambda: ad.jacobian(lambda x: x < 1, mode="forward")(A),
        GradientError,
        "which returns bool",
    ),
    "jacobian of nothing": (lambda: ad.jacobian(lambda x: None)(A), GradientError, "which returns nothing"),
    "complex tangent": (
        lambda: ad.jvp(square, (A,), (1j * A,)),
        DTypeError,
        "the tangent[0] is complex for an argument of float64",
    ),
    "complex cotangent": (
        lambda: ad.vjp(square, A)[1](1j * A),
        DTypeError,
        "the cotangent is complex for a result of float64",
    ),
    "forward without residuals": (
        lambda: ad.grad(lambda x: with_rule(square, lambda r, g: (g,))(x).sum())(A[:2]),
        GradientError,
        "the rule of ruled should return a pair, the value and what the backward function needs (None for nothing); "
        "it returned Variable",
    ),
    "forward of three": (
        lambda: ad.jvp(with_rule(lambda x: (x, 1, 2), lambda r, g: (g,)), (A,), (A,)),
        GradientError,
        "it returned tuple of 3",
    ),
    "rule of text": (
        lambda: ad.grad(with_rule(pair, lambda r, g: ("a",)))(2.0),
        DTypeError,
        "the rule of ruled returned str for an array",
    ),
    "rule of a list of Variables": (
        lambda: ad.grad(lambda x: with_rule(pair, lambda r, g: ([g[0], g[1]],))(x).sum())(A[:2]),
        DTypeError,
        "use F.stack",
    ),
    "argument of a rule by name": (
        lambda: with_rule(pair, lambda r, g: (g,))(x=2.0),
        DTypeError,
        "a cotangent for each argument by position; give 'x' by position too",
    ),
    "model before its first call": (
        lambda: ad.hessian(lambda m: m(A).sum(), models.MLP([2, 1])),
        GradientError,
        "call a model once before",
    ),
}


@pytest.mark.parametrize(("call", "kind", "text"), CASES.values(), ids=CASES)
def test_text(call, kind, text):
    with pytest.raises(kind, match=re.escape(text)) as caught:
        call()
    assert "test_errors.py" in str(caught.value)


def test_the_users_line_is_that_within_the_function():
    def f(x):
        y = F.exp(x)
        return y.reshape(7)  # the line

    for transform in (ad.grad(f), ad.vmap(f), ad.jacobian(f), lambda x: ad.jvp(f, (x,), (x,))):
        with pytest.raises(ShapeError, match=r"return y\.reshape\(7\)  # the line"):
            transform(np.ones((2, 3)))


def test_backward_within_a_transform_gives_nothing_to_what_stands_outside():
    w = ad.Variable([1.0, 2.0])

    def f(x):
        F.sum(w * x).backward()
        return x

    with pytest.raises(TransformError, match=r"within vmap.*shape \(2,\).*ad\.grad"):
        ad.vmap(f)(np.ones((3, 2)))
    with pytest.raises(TransformError, match="within vmap"):
        ad.jvp(f, (np.ones(2),), (np.ones(2),))
    assert w.grad is None


def test_a_transform_takes_a_function():
    for transform in (ad.grad(3), ad.hessian(3)):
        with pytest.raises(DTypeError, match="takes a function, not 3"):
            transform(2.0)

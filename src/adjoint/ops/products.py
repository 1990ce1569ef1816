"""Matrix products: matmul, linear maps with their bias, and Einstein sums."""

from __future__ import annotations

import math

from adjoint.ops.declaration import Sample, op


def _swap(F, x):
    """x with its last two axes exchanged."""
    ndim = len(x.shape)
    if ndim == 2:
        return x.T
    return F.transpose(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2))


def _left_cotangent(F, g, w):
    """The cotangent of x in x @ w."""
    if len(w.shape) == 2:
        return F.matmul(g, w.T)
    return F.matmul(_rows(F, g, w), _swap(F, w))


def _right_cotangent(F, g, x, w):
    """The cotangent of w in x @ w: one product over all rows where w is a single matrix."""
    if len(w.shape) > 2:
        g = _rows(F, g, w)
        return F.matmul(_swap(F, F.reshape(x, shape=(1, -1)) if len(x.shape) == 1 else x), g)
    if len(x.shape) != 2:
        x, g = (F.reshape(rows, shape=(math.prod(rows.shape[:-1]), rows.shape[-1])) for rows in (x, g))
    return F.matmul(x.T, g)


def _rows(F, g, w):
    """The cotangent of x @ w for a stack w as rows: where x is a vector, its product has an axis less than w."""
    if len(g.shape) < len(w.shape):
        return F.reshape(g, shape=(*g.shape[:-1], 1, g.shape[-1]))
    return g


def _matmul_rule(F, g, _y, a, b, *, needs):
    # Vectors as matrices with one row or one column; the engine sums over broadcast stacks.
    a_shape, b_shape = a.shape, b.shape
    if len(a_shape) == 1:
        a = F.reshape(a, shape=(1, -1))
        g = F.reshape(g, shape=(*g.shape[: len(b_shape) - 2], 1, *g.shape[len(b_shape) - 2 :]))
    if len(b_shape) == 1:
        b = F.reshape(b, shape=(-1, 1))
        g = F.reshape(g, shape=(*g.shape, 1)) if len(a_shape) > 1 else F.reshape(g, shape=(1, 1))
    ga = gb = None
    if needs[0]:
        ga = F.sum_to(_left_cotangent(F, g, b), shape=a.shape)
        ga = F.reshape(ga, shape=a_shape) if len(a_shape) == 1 else ga
    if needs[1]:
        gb = F.sum_to(_right_cotangent(F, g, a, b), shape=b.shape)
        gb = F.reshape(gb, shape=b_shape) if len(b_shape) == 1 else gb
    return ga, gb


matmul = op(
    "matmul",
    lambda xp, a, b: xp.matmul(a, b),
    vjp=_matmul_rule,
    samples=(
        Sample((2, 3), (3, 4)),
        Sample((3,), (3,)),
        Sample((3,), (3, 2)),
        Sample((2, 3), (3,)),
        Sample((2, 2, 3), (3, 2)),
        Sample((2, 1, 2, 3), (3, 3, 2)),
        Sample((3,), (2, 3, 2)),
        Sample((2, 2, 3), (3,)),
        Sample((0, 3), (3, 2)),
        Sample((1, 0, 0), (0, 1)),
    ),
    requires="the last axis of the first to be as long as the second last of the second (its only one, if a vector)",
)


def _linear(xp, x, w, *b):
    """x w + b"""
    if len(w.shape) < 2:
        raise ValueError(f"a weight of shape {w.shape}")
    y = xp.matmul(x, w)
    return _add_bias(xp, y, b[0]) if b else y


def _add_bias(xp, y, bias):
    """y + bias, which must not make y larger."""
    if len(bias.shape) == 2 and bias.shape[0] == 1:
        bias = xp.reshape(bias, (-1,))
    total = y + bias
    if len(bias.shape) != 1 or total.shape != y.shape:
        raise ValueError(f"a bias of shape {bias.shape} for outputs of shape {y.shape}")
    return total


def _bias_cotangent(F, g, *bias):
    """g, which the engine sums to the bias's shape; that of a row (1, out) under a vector is made a row first."""
    return F.reshape(g, shape=(1, -1)) if bias and len(g.shape) < len(bias[0].shape) else g


LINEAR_SHAPES = "x (..., in), w (in, out) and b (out,), (1, out) or (1,)"
linear = op(
    "linear",
    _linear,
    vjp=(
        lambda F, g, _y, _x, w, *_b: _left_cotangent(F, g, w),
        lambda F, g, _y, x, w, *_b: _right_cotangent(F, g, x, w),
        lambda F, g, _y, _x, _w, *_b: _bias_cotangent(F, g, *_b),
    ),
    samples=(
        Sample((4, 3), (3, 2), (2,)),
        Sample((4, 3), (3, 2), (1, 2)),
        Sample((3,), (3, 2), (1, 2)),
        Sample((4, 3), (3, 2)),
        Sample((2, 4, 3), (3, 2), (1,)),
        Sample((2, 4, 3), (2, 3, 2), (2,)),
        Sample((0, 3), (3, 2), (2,)),
    ),
    requires=LINEAR_SHAPES,
)


def _recurrent_linear(xp, x, w, h, v, *b):
    """x w + h v + b"""
    if x.shape[:-1] != h.shape[:-1]:
        raise ValueError(f"inputs of shape {x.shape} and a state of shape {h.shape}")
    y = xp.matmul(x, w) + xp.matmul(h, v)
    return _add_bias(xp, y, b[0]) if b else y


recurrent_linear = op(
    "recurrent_linear",
    _recurrent_linear,
    vjp=(
        lambda F, g, _y, _x, w, _h, _v, *_b: _left_cotangent(F, g, w),
        lambda F, g, _y, x, w, _h, _v, *_b: _right_cotangent(F, g, x, w),
        lambda F, g, _y, _x, _w, _h, v, *_b: _left_cotangent(F, g, v),
        lambda F, g, _y, _x, _w, h, v, *_b: _right_cotangent(F, g, h, v),
        lambda F, g, _y, _x, _w, _h, _v, *_b: _bias_cotangent(F, g, *_b),
    ),
    samples=(
        Sample((4, 3), (3, 2), (4, 5), (5, 2), (2,)),
        Sample((2, 3, 1), (1, 4), (2, 3, 2), (2, 4), (4,)),
        Sample((4, 3), (3, 2), (4, 5), (5, 2)),
    ),
    requires="x (..., in), w (in, out), h (..., hidden), v (hidden, out) and b (out,), with equal leading axes",
)


def _einsum_rule(F, g, _y, *xs, subscripts, needs):
    terms, out = subscripts
    cotangents = []
    for position, term in enumerate(terms):
        if not needs[position]:
            cotangents.append(None)
            continue
        others = [x for i, x in enumerate(xs) if i != position]
        cotangents.append(_einsum_cotangent(F, g, out, others, _without(terms, position), xs[position], term))
    return tuple(cotangents)


def _without(items, position):
    return items[:position] + items[position + 1 :]


def _einsum_cotangent(F, g, out, others, other_terms, x, term):
    """The cotangent of `x` with subscripts `term`: g times the other operands, arranged as `x` is.

    Letters that only `x` has were summed away, so their cotangent is the same all along: it is broadcast. A
    letter that stands twice in `term` reads a diagonal: its cotangent lies there, and is zero elsewhere.
    """
    known = set(out).union(*other_terms)
    once = "".join(dict.fromkeys(term))
    length = dict(zip(term, x.shape, strict=True))
    present = "".join(letter for letter in once if letter in known)
    cotangent = F.einsum(g, *others, subscripts=((out, *other_terms), present))
    # Where an operand was broadcast along a letter (length 1 there), its cotangent is still longer; where all the
    # others were, and the result lacks the letter, it is still shorter.
    found = dict(zip(present, cotangent.shape, strict=True))
    shape = tuple(found.get(letter, 1) for letter in once)
    cotangent = F.broadcast_to(
        F.reshape(cotangent, shape=shape), shape=tuple(max(found.get(letter, 1), length[letter]) for letter in once)
    )
    if once == term:
        return cotangent
    # Repeated letters: x[i, i] is read through a diagonal index, and written back by its adjoint.
    return F.diagonal_unindex(F.sum_to(cotangent, shape=tuple(length[c] for c in once)), term=term, shape=x.shape)


def _diagonal_index(xp, term, shape):
    """Index arrays, one an axis, that read the diagonals of `term`: "iij" reads x[i, i, j] as (i, j)."""
    once = "".join(dict.fromkeys(term))
    length = dict(zip(term, shape, strict=True))
    grids = {
        letter: xp.reshape(
            xp.cumulative_sum(xp.ones(length[letter], dtype=int), axis=0) - 1,
            tuple(-1 if other == letter else 1 for other in once),
        )
        for letter in once
    }
    return tuple(grids[letter] for letter in term)


diagonal_unindex = op(
    "diagonal_unindex",
    lambda xp, x, *, term, shape: xp.unindex(x, _diagonal_index(xp, term, shape), shape),
    vjp=lambda F, g, _y, _x, *, term, shape: (F.einsum(g, subscripts=((term,), "".join(dict.fromkeys(term)))),),
    linear=True,
    samples=(Sample((3,), term="ii", shape=(3, 3)), Sample((2, 3), term="iji", shape=(2, 3, 2))),
)
einsum = op(
    "einsum",
    lambda xp, *xs, subscripts: xp.einsum(",".join(subscripts[0]) + "->" + subscripts[1], *xs),
    vjp=_einsum_rule,
    samples=(
        Sample((2, 3), (3, 4), subscripts=(("ij", "jk"), "ik")),
        Sample((3, 3), subscripts=(("ii",), "")),
        Sample((2, 3), subscripts=(("ij",), "j")),
        Sample((2, 3), (3,), (2,), subscripts=(("ij", "j", "i"), "i")),
        Sample((2, 2, 3), (2, 3, 2), subscripts=(("bij", "bjk"), "bik")),
    ),
    requires="subscripts with one letter an axis, and equal lengths for equal letters",
)

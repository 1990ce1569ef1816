"""What it means that an op works in a mode: numbers of two modes are compared, each in two precisions.

In float64 each mode is compared with another way to the same number. In float32 it is compared with itself in float64,
at the same point, and everything must stay in float32.
"""

from __future__ import annotations

import itertools

import numpy as np

import adjoint as ad
from adjoint import Variable, apply, functions as F
from tests.compile.agreement import assert_compiled_as_eager
from tests.support import draw, is_float, parts, precision, samples_of

STEP = 1e-5  # of the central differences
DIFFERENCES = 1e-6  # how far they may be from derivatives, as a share of the sum of absolute terms
TOLERANCE = 1e-10  # of two exact ways
SINGLE = 2e-3  # of float32, as a share of the largest element
WIDENS = {"astype"}  # the sample asks for float64


class Case:
    """An op at one of its samples: a function of those of its inputs that are made of floats."""

    def __init__(self, op, sample, dtype, arrays=None):
        self.op, self.sample, self.dtype = op, sample, dtype
        self.arrays = draw(op, sample, dtype) if arrays is None else arrays
        self.positions = [i for i, array in enumerate(self.arrays) if is_float(array)]
        self.point = tuple(self.arrays[i] for i in self.positions)
        self.argnums = tuple(range(len(self.point)))
        self.directions = self.drawn(2)
        self.others = self.drawn(3)
        self.weights = [like(y, 4 + i) for i, y in enumerate(map(raw, self.outputs(*self.point)))]

    def in_double(self):
        """The same point in float64."""
        wider = [a.astype(np.result_type(a, np.float64)) if is_float(a) else a for a in self.arrays]
        case = Case(self.op, self.sample, np.float64, wider)
        for name in ("directions", "others"):
            exact = tuple(t.astype(x.dtype) for t, x in zip(getattr(self, name), case.point, strict=True))
            setattr(case, name, exact)
        case.weights = [w.astype(raw(y).dtype) for w, y in zip(self.weights, case.outputs(*case.point), strict=True)]
        return case

    def drawn(self, seed):
        return tuple(like(x, seed + 10 * i) for i, x in enumerate(self.point))

    def with_constants(self, floats):
        values = list(self.arrays)
        for i, x in zip(self.positions, floats, strict=True):
            values[i] = x
        return values

    def outputs(self, *floats):
        """The outputs that derivatives are taken of."""
        return self.outputs_of(*self.with_constants(floats))

    def outputs_of(self, *arrays):
        return tuple(y for y in parts(apply(self.op, *arrays, **self.sample.params)) if is_float(y))

    def total(self, *floats):
        """One number that is no linear function of the outputs: Σ w y (1 + 0.3 y)."""
        return self.total_of(self.outputs(*floats))

    def total_of_all(self, *arrays):
        return self.total_of(self.outputs_of(*arrays))

    def total_of(self, outputs):
        return in_sum(real_sum(y * w * (1.0 + 0.3 * y)) for y, w in zip(outputs, self.weights, strict=True))

    def gradient(self, *floats):
        return ad.grad(self.total, self.argnums)(*floats)

    def slope(self, *floats):
        """The derivative along the directions, by a reverse sweep."""
        return in_sum(real_sum(g * t) for g, t in zip(self.gradient(*floats), self.directions, strict=True))

    def moved(self, step, directions):
        return tuple(x + step * t for x, t in zip(self.point, directions, strict=True))


def like(x, seed):
    rng = np.random.default_rng(seed)
    drawn = rng.uniform(-1.0, 1.0, x.shape)
    return np.asarray(drawn + 1j * rng.uniform(-1.0, 1.0, x.shape) if x.dtype.kind == "c" else drawn, x.dtype)


def raw(x):
    return np.asarray(x.data if isinstance(x, Variable) else x)


def in_sum(terms):
    total = None
    for term in terms:
        total = term if total is None else total + term
    return total


def real_sum(x):
    total = F.sum(x)
    return F.real(total) if total.dtype.kind == "c" else total


def pairing(cotangents, tangents):
    """Re Σ g t over all arrays, and the sum of the absolute values, which says how exact it is."""
    terms = [raw(g) * raw(t) for g, t in zip(cotangents, tangents, strict=True)]
    return sum(float(np.sum(t.real)) for t in terms), sum(float(np.sum(np.abs(t))) for t in terms)


def assert_pairing(cotangents, tangents, expected, tolerance, scale=0.0):
    found, own_scale = pairing(cotangents, tangents)
    assert_equal_numbers(found, expected, scale + own_scale, tolerance)


def assert_equal_numbers(found, expected, scale, tolerance):
    assert abs(found - expected) <= tolerance * (1.0 + scale), (found, expected)


# Each mode gives what it found, as a list of arrays; in float64 it is compared before.


def reverse(case, *, compare):
    _, pullback = ad.vjp(case.outputs, *case.point)
    found = pullback(tuple(case.weights))
    if compare:
        above, below = (case.outputs(*case.moved(step, case.directions)) for step in (STEP, -STEP))
        differences = [(raw(a) - raw(b)) / (2.0 * STEP) for a, b in zip(above, below, strict=True)]
        expected, _ = pairing(case.weights, differences)
        assert_pairing(found, case.directions, expected, DIFFERENCES)
    return found


def forward(case, *, compare):
    values, found = ad.jvp(case.outputs, case.point, case.directions)
    if compare:
        for y, direct in zip(values, case.outputs(*case.point), strict=True):
            np.testing.assert_allclose(raw(y), raw(direct), rtol=1e-13, atol=1e-13)
        expected, scale = pairing(reverse(case, compare=False), case.directions)
        assert_pairing(case.weights, found, expected, TOLERANCE, scale)
    return [*values, *found]


def forward_over_reverse(case, *, compare):
    found = ad.hvp(case.total, case.point, case.directions)
    if compare:
        expected, scale = pairing(reverse_over_reverse(case, compare=False), case.others)
        assert_pairing(found, case.others, expected, TOLERANCE, scale)
    return found


def reverse_over_reverse(case, *, compare):
    found = ad.grad(case.slope, case.argnums)(*case.point)
    if compare:
        above, below = (raw(case.slope(*case.moved(step, case.others))) for step in (STEP, -STEP))
        assert_pairing(found, case.others, float(above - below) / (2.0 * STEP), 10 * DIFFERENCES)
    return found


def third_order(case, *, compare):
    """Three sweeps, one over the other; three tangents at once, as a Taylor series; and three nested ones."""
    curvature = lambda *floats: in_sum(  # noqa: E731
        real_sum(h * t) for h, t in zip(ad.grad(case.slope, case.argnums)(*floats), case.directions, strict=True)
    )
    found = ad.grad(curvature, case.argnums)(*case.point)
    if compare:
        expected, scale = pairing(found, case.directions)
        along = lambda step: case.total(*case.moved(step, case.directions))  # noqa: E731
        series = ad.nth_derivative(along, 3)(np.zeros((), precision(case.point[0])))
        assert_equal_numbers(float(raw(series)), expected, scale, 10 * TOLERANCE)
        nested = along
        for _ in range(3):
            nested = tangent_of(nested)
        assert_equal_numbers(float(raw(nested(np.zeros(())))), expected, scale, 10 * TOLERANCE)
    return found


def tangent_of(function):
    return lambda x: ad.jvp(function, (x,), (np.ones(()),))[1]


EXAMPLES = 3


def batched(case, *, compare):
    """All examples at once are what they are one by one, whichever of the inputs differ; gradients too."""
    found = []
    for chosen in subsets(case):
        stacks = [
            np.stack([case.arrays[i], *(example[i] for example in other_examples(case))]) if i in chosen else array
            for i, array in enumerate(case.arrays)
        ]
        axes = tuple(0 if i in chosen else None for i in range(len(stacks)))
        rows = [[x[b] if i in chosen else x for i, x in enumerate(stacks)] for b in range(EXAMPLES)]
        outputs = [raw(y) for y in ad.vmap(case.outputs_of, in_axes=axes)(*stacks)]
        found += outputs
        inner, outer = batched_gradients(case, axes, stacks)
        found += [*inner, *outer]
        if compare:
            for number, y in enumerate(outputs):
                _assert_rows(y, [raw(case.outputs_of(*row)[number]) for row in rows])
            alone = [ad.grad(case.total_of_all, tuple(case.positions))(*row) for row in rows]
            for number, position in enumerate(case.positions):
                gradients = [raw(one[number]) for one in alone]
                _assert_rows(raw(inner[number]), gradients)
                whole = np.stack(gradients) if position in chosen else np.sum(gradients, axis=0)
                _assert_close(raw(outer[number]), whole)
    return found


def batched_gradients(case, axes, stacks):
    """A gradient for each example, and the gradient of the sum over the examples."""
    argnums = tuple(case.positions)
    inner = ad.vmap(ad.grad(case.total_of_all, argnums), in_axes=axes)(*stacks)
    outer = ad.grad(lambda *arrays: F.sum(ad.vmap(case.total_of_all, in_axes=axes)(*arrays)), argnums)(*stacks)
    return inner, outer


def _assert_rows(found, expected):
    for one, other in zip(found, expected, strict=True):
        _assert_close(one, other)


def _assert_close(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * (1.0 + np.max(np.abs(expected), initial=0.0)))


def subsets(case):
    """Which inputs differ from example to example: all, and each alone; never masks that are indices."""
    count = len(case.arrays)
    movable = [i for i in range(count) if case.arrays[i].dtype.kind != "b" or case.op.elementwise]
    return sorted({tuple(movable), *((i,) for i in movable)})


def other_examples(case):
    """Further points in the domain; constants, as indices, are given twice in the other order along the first axis."""
    for seed in itertools.islice(itertools.count(1), EXAMPLES - 1):
        drawn = draw(case.op, case.sample, case.dtype, seed=seed)
        # The factor keeps values apart that are drawn from one grid.
        yield [
            x * x.dtype.type(1.0 - 0.003 * seed) if i in case.positions else x[::-1] if x.ndim else x
            for i, x in enumerate(drawn)
        ]


def compiled(case, *, compare):
    """Values, tangents and gradients, and a batch of two equal examples, as one program."""

    def computed(*floats):
        values, tangents = ad.jvp(case.outputs, floats, case.directions)
        _, pullback = ad.vjp(case.outputs, *floats)
        pairs = ad.vmap(case.outputs)(*(F.stack([x, x]) for x in floats))
        return [*values, *tangents, *pullback(tuple(case.weights)), *pairs]

    if not compare:
        return []
    assert_compiled_as_eager(computed, list(case.point), 1e-4 if case.dtype is np.float32 else TOLERANCE)
    return []


MODES = {
    "reverse": reverse,
    "forward": forward,
    "forward over reverse": forward_over_reverse,
    "reverse over reverse": reverse_over_reverse,
    "third order": third_order,
    "vmap": batched,
    "compiled": compiled,
}


def check(op, mode, dtype):
    """Raises AssertionError where an op does not work in a mode, at one of its samples."""
    few = slice(None) if mode != "compiled" else slice(2 if dtype is np.float64 else 1)
    for number, sample in enumerate(samples_of(op)[few]):  # tests/compile has programs of all samples
        case = Case(op, sample, dtype)
        if not case.point:
            continue
        try:
            if dtype is np.float64 or mode == "compiled":
                MODES[mode](case, compare=True)
            else:
                _check_single(MODES[mode], case)
        except Exception as error:
            error.add_note(f"{op.name}, sample {number}: {sample.shapes} {sample.params}, {mode}, {dtype.__name__}")
            raise


def _check_single(mode, case):
    found = [raw(x) for x in mode(case, compare=False)]
    exact = [raw(x) for x in mode(case.in_double(), compare=False)]
    for one, other in zip(found, exact, strict=True):
        assert precision(one) == np.float32 or case.op.name in WIDENS
        limit = SINGLE * (1.0 + np.max(np.abs(other), initial=0.0))
        np.testing.assert_allclose(one, other, rtol=0.0, atol=limit)

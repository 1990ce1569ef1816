"""Assignment to elements: what is recorded, what views do, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import DTypeError, GradientError
from adjoint.testing import check_grads

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])

INDICES = {
    "number": (0, (3,)),
    "last": ((1, -1), ()),
    "slice": ((slice(None), slice(0, 2)), (2, 2)),
    "backwards": ((slice(None), slice(None, None, -2)), (2,)),
    "all": (..., (2, 3)),
    "new axis": ((None, 1), (1, 3)),
    "more axes": (0, (1, 1, 3)),
    "nothing": (slice(0, 0), (3,)),
    "numbers": (([1, 0], [2, 2]), (2,)),
    "twice": (([1, 1, 0], [2, 2, 0]), (3,)),
    "rows twice": ([0, 0], (2, 3)),
    "mask": (X > 2.5, (4,)),
    "row mask": (np.array([False, True]), (3,)),
    "number beside numbers": ((1, [0, 2]), (2,)),
}


@pytest.mark.parametrize("name", INDICES)
def test_value_is_numpys_and_derivatives_are_right(name):
    index, shape = INDICES[name]
    values = np.random.default_rng(0).uniform(1.0, 2.0, shape)

    def assigned(x, v):
        y = x * 2.0
        y[index] = v * v
        return y * y

    expected = X * 2.0
    expected[index] = values * values
    assert_allclose(assigned(Variable(X), Variable(values)).data, expected**2, rtol=1e-15)
    check_grads(assigned, (X, values))


@pytest.mark.parametrize("name", [name for name in INDICES if name not in ("mask", "row mask")])
def test_compiled_as_eager(name):
    index, shape = INDICES[name]
    values = np.random.default_rng(0).uniform(1.0, 2.0, shape)

    def step(x, v):
        x, v = Variable(x), Variable(v)
        y = x * 2.0
        y[index] = v * v
        out = ad.zeros(2, 3)
        out[1] = y[0]
        out[:, 0] += v.sum()
        F.sum(out * y).backward()
        return y, out, x.grad, v.grad

    for eager, compiled in zip(step(X, values), ad.compile(step)(X, values), strict=True):
        assert_allclose(compiled.data, eager.data, rtol=1e-14)


def test_a_container_is_filled_in_a_loop():
    x, out = Variable(np.array([1.0, 2.0, 3.0])), ad.zeros(3)
    total = 0.0
    for i in range(3):
        total = total + x[i]
        out[i] = total * total
    F.sum(out).backward()
    assert out.data.tolist() == [1.0, 9.0, 36.0]
    assert x.grad.data.tolist() == [20.0, 18.0, 12.0]
    assert out.grad is None


def test_a_container_may_be_read_before_it_is_filled():
    x, out = Variable([1.0, 2.0]), ad.ones(3)
    out[1:] += x
    out[0] = out[1] * out[2]
    F.sum(out).backward()
    assert out.data.tolist() == [6.0, 2.0, 3.0]
    assert x.grad.data.tolist() == [4.0, 3.0]
    assert out.grad is None


@pytest.mark.parametrize("make", [
    lambda x: np.zeros_like(x), lambda x: np.empty_like(x), lambda x: np.full_like(x, 0.0), lambda x: ad.zeros_like(x),
    lambda x: ad.ones(2), lambda x: x * 0.0, lambda x: Variable(np.zeros(2)).copy(),
])  # fmt: skip
def test_what_can_be_a_container(make):
    x = Variable([1.0, 2.0])
    out = make(x)
    out[0], out[1] = x[1] * x[1], x[0]
    F.sum(out).backward()
    assert out.data.tolist() == [4.0, 1.0]
    assert x.grad.data.tolist() == [1.0, 4.0]


def test_lists_that_hold_variables_are_assigned():
    x, out = Variable(2.0), ad.zeros(3)
    out[:2] = [x, x * x]
    F.sum(out).backward()
    assert x.grad.item() == 5.0


def test_earlier_results_keep_the_earlier_values():
    x = Variable([1.0, 2.0])
    y = x * x
    z = y * y
    y[0] = 10.0
    F.sum(z + y).backward()
    assert z.data.tolist() == [1.0, 16.0]
    assert y.data.tolist() == [10.0, 4.0]
    assert x.grad.data.tolist() == [4.0, 36.0]


def test_arrays_that_were_given_are_not_changed():
    array, values = np.zeros(2), np.ones(2)
    x = Variable(array)
    x[0] = 1.0
    y = x.copy()
    y[:] = Variable(values)
    y[1] = 3.0
    assert array.tolist() == [0.0, 0.0]
    assert values.tolist() == [1.0, 1.0]


def test_an_array_that_nobody_else_holds_is_changed_in_place():
    x, out = Variable(2.0), ad.zeros(1000)
    for i in range(3):
        out[i] = x
    address = out.data.ctypes.data
    for i in range(100):
        out[i] = x
    assert out.data.ctypes.data == address
    held = out.data
    out[0] = 5.0
    assert held[0] == 2.0


def test_saved_values_are_not_changed_in_place():
    x = Variable([3.0, 4.0])
    out = ad.zeros(2)
    out[0] = x[0]
    product = out * out  # keeps the array of out
    out[1] = x[1]
    F.sum(product * out).backward()
    assert x.grad.data.tolist() == [27.0, 0.0]


# Views


@pytest.mark.parametrize("view", [
    lambda x: x[1], lambda x: x[:, 1], lambda x: x.T[1], lambda x: x.reshape(-1), lambda x: x[None, :, 1:][0, 0],
    lambda x: x.transpose(1, 0), lambda x: x.ravel(), lambda x: x.swapaxes(0, 1)[2], lambda x: x.squeeze(),
])  # fmt: skip
def test_what_is_written_to_a_view_goes_to_what_it_is_a_view_of(view):
    def f(x, v):
        y = x * 2.0
        part = view(y)
        part[0] = v * v
        return y * y, part * part

    plain = X * 2.0
    shown = view(plain)
    shown[0] = 9.0
    whole, part = f(Variable(X), Variable(3.0))
    assert_allclose(whole.data, plain**2)
    assert_allclose(part.data, shown**2)
    check_grads(f, (X, np.array(3.0)))


@pytest.mark.parametrize("copied", [
    lambda x: x[[0, 1]], lambda x: x.copy(), lambda x: np.copy(x), lambda x: x.flatten(), lambda x: x * 1.0,
    lambda x: x.astype(float), lambda x: x.T.reshape(-1),
])  # fmt: skip
def test_what_is_written_to_a_copy_does_not(copied):
    y = Variable(X) * 1.0
    part = copied(y)
    part[0] = 9.0
    assert y.data.tolist() == X.tolist()


def test_rows_of_a_container_are_containers():
    x, out = Variable([1.0, 2.0]), ad.zeros(2, 2)
    out[0][1] = x[0]
    out[1][:] = x * x
    F.sum(out).backward()
    assert out.data.tolist() == [[0.0, 1.0], [1.0, 4.0]]
    assert x.grad.data.tolist() == [3.0, 4.0]


def test_a_view_of_a_value_that_has_changed_is_not_written_to():
    y = Variable(X) * 1.0
    first, second = y[0], y[1]
    first[0] = 9.0
    with pytest.raises(GradientError, match="take the view again"):
        second[0] = 9.0
    assert second.data.tolist() == [4.0, 5.0, 6.0]


def test_a_view_of_what_is_gone_is_a_value_of_its_own():
    x = Variable(X)
    row = (x * 2.0)[0]
    row[0] = 1.0
    F.sum(row).backward()
    assert x.grad.data.tolist() == [[0.0, 2.0, 2.0], [0.0, 0.0, 0.0]]


RESHAPED = {
    "reshape": lambda x: x.reshape(-1),
    "ravel": lambda x: x.ravel(),
    "transpose": lambda x: x.T,
    "mT": lambda x: x.mT,
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "squeeze": lambda x: np.squeeze(x[None], 0),
    "expand_dims": lambda x: np.expand_dims(x, 0)[0],
    "atleast_3d": lambda x: np.atleast_3d(x)[:, 0],
    "flip": lambda x: np.flip(x, 1),
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "rot90": np.rot90,
    "no turn": lambda x: np.rot90(x, 0),
    "half a turn": lambda x: np.rot90(x, 2),
    "real": lambda x: x.real,
    "conj": lambda x: x.conj(),
    "split": lambda x: np.split(x, [1], axis=1)[1],
    "array_split": lambda x: np.array_split(x, 2)[1],
    "hsplit": lambda x: np.hsplit(x, 3)[2],
    "vsplit": lambda x: np.vsplit(x, 2)[0],
    "overlapping split": lambda x: np.split(x, [2, 1], axis=1)[2],
    "meshgrid": lambda x: np.meshgrid(x, x[0], copy=False, sparse=True)[0],
    "order F": lambda x: np.transpose(x).reshape(-1, order="F"),
    "order K": lambda x: np.ravel(x.T, order="K"),
}


def _in_every_mode(f, x):
    """The values of f of x, plainly and by each mode; and what f's Jacobian is by each."""
    tangent = np.arange(1.0, x.size + 1).reshape(x.shape)
    value, derivative = ad.jvp(f, (x,), (tangent,))
    jacobian = ad.jacobian(f)(x)
    weights = np.arange(value.size, dtype=float).reshape(value.shape) + 1.0
    gradient = ad.grad(lambda x: (f(x) * weights).sum())(x)
    second = ad.hessian(lambda x: (f(x) ** 2 * weights).sum())(x).reshape(x.size, x.size)
    linear = jacobian.reshape(value.size, x.size)
    assert_allclose(derivative.ravel(), linear @ tangent.ravel())
    assert_allclose(gradient.ravel(), weights.ravel() @ linear)
    assert_allclose(second, 2 * linear.T @ np.diag(weights.ravel()) @ linear)  # f is linear
    plain = f(Variable(x)).data
    return linear, [plain, value, *ad.vmap(f)(np.stack([x, x])), ad.vmap(f, in_axes=-1)(np.stack([x, x], -1))[0]]


@pytest.mark.parametrize("name", RESHAPED)
def test_views_are_written_to_several_times_and_so_is_their_base(name):
    view = RESHAPED[name]

    def f(x):
        y = x * 3.0
        part = view(y)
        part[0] = 0.0
        part[-1] = part[-1] * 2.0
        y[0] = y[0] * 5.0
        again = view(y)
        again[-1] = again[-1] * 7.0
        return y

    linear, values = _in_every_mode(f, X)
    for value in values:
        assert_allclose(value, f(X))
    assert_allclose(linear, np.diag(f(np.ones_like(X)).ravel()))


@pytest.mark.parametrize("name", ["reshape", "transpose", "flip", "vsplit"])
def test_views_of_containers_are_filled(name):
    x, out = Variable(X), np.zeros_like(Variable(X))
    for part, values in ((RESHAPED[name](out), RESHAPED[name](x)),):
        for i in range(len(part)):
            part[i] = values[i] * values[i]
    F.sum(out).backward()
    expected = np.zeros_like(X)
    RESHAPED[name](expected)[...] = RESHAPED[name](X) ** 2
    assert_allclose(out.data, expected)
    assert_allclose(x.grad.data, 2 * np.sqrt(expected))


@pytest.mark.parametrize("name", RESHAPED)
def test_views_are_views_where_nothing_is_recorded(name):
    y, expected = Variable(X.copy()), X.copy()
    with ad.no_grad():
        part = RESHAPED[name](y)
        part[0], part[-1] = 0.0, 8.0
    shown = RESHAPED[name](expected)
    shown[0], shown[-1] = 0.0, 8.0
    assert_allclose(y.data, expected)


COPIES = {
    "transposed ravel": lambda x: x.T.ravel(),
    "transposed reshape": lambda x: x.T.reshape(-1),
    "sliced reshape": lambda x: x[:, 1:].reshape(-1),
    "part of a gone copy": lambda x: x.T.ravel()[:2],
    "order F": lambda x: x.reshape((3, 2), order="F"),
    "ravel in order F": lambda x: np.ravel(x, order="F"),
    "copy asked for": lambda x: np.reshape(x, (3, 2), copy=True),
    "plus": lambda x: +x,
    "prod": lambda x: np.prod(x[:1], axis=0),
    "prod along no axis": lambda x: np.prod(x, axis=()),
    "cumprod": lambda x: np.cumprod(x[:1], axis=0),
    "meshgrid": lambda x: np.meshgrid(x, x[0], sparse=True)[0],
    "meshgrid of one": lambda x: np.meshgrid(x)[0],
    "astype": lambda x: x.astype(float),
}


@pytest.mark.parametrize("name", COPIES)
def test_what_numpy_copies_is_no_view_in_any_mode(name):
    def f(x):
        y = x * 3.0
        part = COPIES[name](y)
        part[0] = part[0] * 0.0
        return y

    linear, values = _in_every_mode(f, X)
    for value in values:
        assert_allclose(value, 3.0 * X)
    assert_allclose(linear, 3.0 * np.eye(X.size))


@pytest.mark.parametrize("first", RESHAPED)
@pytest.mark.parametrize("second", ["reshape", "transpose", "flip"])
def test_a_base_keeps_its_layout_when_a_view_of_it_is_written_to(first, second):
    def f(x):
        y = x * 3.0
        RESHAPED[first](y)[0] = 0.0
        part = RESHAPED[second](y)
        part[-1] = part[-1] * 2.0
        return y

    linear, values = _in_every_mode(f, X)
    for value in values:
        assert_allclose(value, f(X))
    assert_allclose(linear, np.diag(f(np.ones_like(X)).ravel()))


def test_compiled_views_are_as_eager_and_what_may_be_a_copy_is_refused():
    def step(x):
        y = Variable(x) * 1.0
        row = y.reshape(-1)
        row[0], row[1] = 3.0, row[2]
        part = np.split(y, [1])[1]
        part[0] = 4.0
        np.flip(y)[0] = 5.0 * y[0, 0]
        return y

    assert_allclose(ad.compile(step)(X).data, step(X).data)

    def ambiguous(x):
        y = Variable(x) * 1.0
        row = y.T.reshape(-1)
        row[0] = 3.0
        return y

    with pytest.raises(GradientError, match="view or as a copy"):
        ad.compile(ambiguous)(X)


def test_reshape_without_a_copy_is_a_view_or_an_error():
    y = Variable(X) * 1.0
    np.reshape(y, (3, 2), copy=False)[0] = 0.0
    assert y.data.ravel().tolist() == [0.0, 0.0, 3.0, 4.0, 5.0, 6.0]
    with pytest.raises(ad.AdjointError, match="copy=None"):
        np.reshape(y.T, -1, copy=False)


def test_astype_without_a_copy_is_the_value_itself():
    y = Variable(X)
    assert y.astype(float, copy=False) is y
    assert y.astype(np.float32, copy=False).dtype == np.float32


def test_a_reshape_of_which_a_batch_does_not_tell_is_not_written_to():
    def written(x):
        y = x * 1.0
        row = y.reshape(-1)
        row[0] = 0.0
        return y

    def read(x):
        return (x * 1.0).reshape(-1)

    batch = np.ones((2, 4, 3))
    assert ad.vmap(read, in_axes=1)(batch).shape == (4, 6)
    with pytest.raises(GradientError, match=r"view or as a copy.*y\.copy\(\)"):
        ad.vmap(written, in_axes=1)(batch)


@pytest.mark.parametrize("view", [
    lambda y: y.real, lambda y: y.imag, np.real, np.imag, lambda y: np.einsum("ij->ji", y),
    lambda y: np.einsum("ii->i", y[:, :2]), lambda y: np.real(y)[0],
])  # fmt: skip
def test_what_would_be_lost_is_refused(view):
    y = Variable(X + 1j) * 1.0
    part = view(y)
    with pytest.raises(GradientError, match=r"view .*\.copy\(\)"):
        part[0] = 0.0
    other = view(y).copy()
    other[0] = 0.0
    assert_allclose(y.data, X + 1j)


def test_what_is_summed_by_einsum_is_written_to():
    y = Variable(X) * 1.0
    total = np.einsum("ij->i", y)
    total[0] = 0.0
    assert total.data.tolist() == [0.0, 15.0]


def test_parts_of_complex_numbers_are_not_assigned():
    y = Variable(X + 1j) * 1.0
    with pytest.raises(DTypeError, match=r"y\[\.\.\.\] = "):
        y.real = 0.0
    with pytest.raises(DTypeError, match=r"y\[\.\.\.\] = "):
        y.imag = 0.0


@pytest.mark.parametrize("method", [
    lambda x: x.partition(2), lambda x: x.resize((3, 2)), lambda x: x.view(), lambda x: x.view(np.int64),
    lambda x: x.byteswap(), lambda x: x.choose([1.0, 2.0]),
])  # fmt: skip
def test_methods_that_work_on_memory_name_the_way_out(method):
    with pytest.raises(DTypeError, match=r"use "):
        method(Variable(X))


# Leaves


def test_a_leaf_takes_constants_and_stays_one():
    w = Variable([1.0, 2.0])
    w[0] = 3.0
    assert w.creator is None
    F.sum(w * w).backward()
    assert w.grad.data.tolist() == [6.0, 4.0]


def test_a_leaf_that_others_were_computed_from_is_not_changed():
    w = Variable([1.0, 2.0], name="w")
    y = w * w
    for value in (3.0, Variable(3.0)):
        with pytest.raises(GradientError, match=r"^w of .*copy\(\).*no_grad.*zeros"):
            w[0] = value
    with ad.no_grad():
        w[0] = 3.0
    assert w.data.tolist() == [3.0, 2.0]
    F.sum(y).backward()
    assert w.grad.data.tolist() == [2.0, 4.0]


def test_it_is_changed_again_once_they_are_gone():
    w = Variable([1.0, 2.0])
    F.sum(w * w).backward()
    w[0] = 3.0
    assert w.data.tolist() == [3.0, 2.0]


def test_a_leaf_that_is_no_container_does_not_become_an_intermediate_value():
    w, x = Variable([1.0, 2.0], name="w"), Variable(3.0)
    with pytest.raises(GradientError, match=r"^w of .* is a leaf; .*copy\(\).*zeros_like"):
        w[0] = x
    assert w.creator is None


def test_nor_does_a_container_that_has_a_gradient():
    w, x = ad.ones(2), Variable(3.0)
    F.sum(w * w).backward()
    with pytest.raises(GradientError, match="is a leaf"):
        w[0] = x


def test_a_copy_of_a_leaf_leads_back_to_it():
    w = Variable([1.0, 2.0])
    y = w.copy()
    y[0] = y[1] * 3.0
    F.sum(y).backward()
    assert w.grad.data.tolist() == [0.0, 4.0]


def test_gradients_of_values_before_an_assignment_are_not_retained_as_those_after():
    x = Variable([1.0, 2.0])
    y = x * 1.0
    z = y * 10.0
    y[0] = 5.0
    F.sum(z + y).backward(retain_grad=True)
    assert y.grad.data.tolist() == [1.0, 1.0]
    assert x.grad.data.tolist() == [10.0, 11.0]


# Without recording, and dtypes


def test_without_recording_nothing_is_recorded():
    x, out = Variable([1.0, 2.0]), ad.zeros(2)
    with ad.no_grad():
        out[:] = x * 2.0
    assert out.creator is None
    assert out.data.tolist() == [2.0, 4.0]


def test_integers_are_assigned():
    n = Variable([1, 2, 3])
    n[1:] = [5, 6]
    assert n.data.tolist() == [1, 5, 6]
    assert n.dtype == np.int64


def test_floats_in_a_graph_are_not_rounded_to_integers():
    n = Variable([1, 2])
    with pytest.raises(DTypeError, match="astype"):
        n[0] = Variable(2.5)
    n[0] = 2.5
    assert n.data.tolist() == [2, 2]


def test_dtype_stays():
    x = ad.zeros(2, dtype=np.float32)
    v = Variable(1.5)
    x[0] = v
    F.sum(x).backward()
    assert x.dtype == np.float32
    assert v.grad.dtype == np.float64


@pytest.mark.parametrize(("index", "value"), [(2, 1.0), ((0, 0), 1.0), (slice(None), np.ones(3))])
def test_what_does_not_fit_is_an_error_that_changes_nothing(index, value):
    y = Variable([1.0, 2.0]) * 1.0
    creator = y.creator
    with pytest.raises(ad.AdjointError, match="index_update"):
        y[index] = value
    assert y.data.tolist() == [1.0, 2.0]
    assert y.creator is creator


# Transforms


def _filled(x):
    out = ad.zeros(3)
    out[0] = x[0] * x[1]
    out[1:] += x * x
    return F.sum(out * out)


def test_transforms_see_through_assignments():
    x = np.array([1.0, 2.0])
    gradient = np.array([2.0 * x[0] * x[1] ** 2 + 4.0 * x[0] ** 3, 2.0 * x[1] * x[0] ** 2 + 4.0 * x[1] ** 3])
    assert_allclose(ad.grad(_filled)(x), gradient)
    assert_allclose(ad.jvp(_filled, (x,), (np.array([1.0, 0.5]),))[1], gradient @ [1.0, 0.5])
    assert_allclose(ad.vmap(ad.grad(_filled))(np.stack([x, x])), np.stack([gradient, gradient]))


def test_places_may_differ_from_example_to_example():
    rng = np.random.default_rng(0)
    xs, vs = rng.normal(size=(3, 4)), rng.normal(size=(3, 5))
    places = np.array([[0, 1, 1, 3, 0], [2, 2, 2, 2, 2], [-1, 3, 0, 1, 2]])

    def f(x, v, i):
        y = x * 2.0
        y[i] = v
        return y * y

    x, v = Variable(xs), Variable(vs)
    batch = ad.vmap(f)(x, v, places)
    F.sum(batch).backward()
    for k in range(3):
        one, values = Variable(xs[k]), Variable(vs[k])
        y = f(one, values, places[k])
        F.sum(y).backward()
        assert_allclose(batch.data[k], y.data)
        assert_allclose(x.grad.data[k], one.grad.data)
        assert_allclose(v.grad.data[k], values.grad.data)

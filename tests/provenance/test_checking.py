"""`check` finds parameters that a loss does not train, and changes nothing."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, layers as L, models
from adjoint.errors import DTypeError

X = ad.rand(2, 3, rng=ad.random.const()).data
PATHS = ("layers.0.w", "layers.0.b", "layers.1.w", "layers.1.b")
FIRST = PATHS[:2]


@pytest.fixture
def model():
    made = models.MLP([4, 1], rng=ad.random.const())
    made(X)
    return made


def good(model):
    return F.sum(F.square(model(X) + 1.0))


def test_nothing_to_tell(model):
    report = ad.check(model, good)
    assert report.ok
    assert report.parameters == PATHS
    assert str(report) == "ok: the loss gives each of 4 parameters a gradient, finite and not zero"
    assert ad.check(model, lambda: good(model)).ok
    assert ad.check(model, good(model)).ok


def test_unused(model):
    report = ad.check(model, lambda model: F.sum(model.layers[0](X)))
    assert report.unused == PATHS[2:]
    assert (report.cut, report.constant, report.ok) == ((), False, False)
    assert str(report) == "unused: the loss does not depend on layers.1.w, layers.1.b"


def through(middle):
    """A loss in which something is done between the layers."""
    return lambda model: F.sum(F.square(model.layers[1](middle(model, model.layers[0](X)))))


def without_graph(model, _h):
    with ad.no_grad():
        return model.layers[0](X) * 2.0


def unchained(_model, h):
    h.unchain()
    return h


CUTS = [
    pytest.param(lambda _, h: h.data, "operand 0 of linear was given as a plain array (.data)", id="data"),
    pytest.param(lambda _, h: h.detach(), "operand 0 of linear is a new leaf (detach or .data)", id="detach"),
    pytest.param(lambda _, h: ad.Variable(h.data), "is a new leaf (detach or .data)", id="Variable of data"),
    pytest.param(lambda _, h: ad.stop_gradient(h), "", id="stop_gradient"),
    pytest.param(unchained, "operand 0 of linear was unchained", id="unchain"),
    pytest.param(without_graph, "linear ran under no_grad", id="no_grad"),
    pytest.param(lambda _, h: F.sign(h), "sign has no derivative", id="sign"),
    pytest.param(lambda _, h: h.data.T.T, "was given as a plain array (.data)", id="a view"),
]


@pytest.mark.parametrize(("middle", "text"), CUTS)
def test_cut(model, middle, text):
    report = ad.check(model, through(middle))
    assert report.unused == FIRST
    assert not report.constant
    assert any("layers.0.w" in line and text in line and f"{__file__}:" in line for line in report.cut) or not text


def test_what_numpy_computed_of_data_is_unused_only(model):
    report = ad.check(model, through(lambda _, h: h.data * 2.0))
    assert (report.unused, report.cut) == (FIRST, ())


def test_a_cut_beside_the_graph_is_none(model):
    report = ad.check(model, lambda model: good(model) + F.sum(model.layers[0].w.detach()) + model(X).data.sum())
    assert report.ok


def test_a_parameter_that_is_read_by_its_array(model):
    report = ad.check(model, lambda model: F.sum(F.linear(X, model.layers[0].w.data)))
    assert report.cut[0].startswith("layers.0.w: operand 1 of linear was given as a plain array (.data), at ")
    assert report.constant


def test_losses_without_a_graph(model):
    with ad.no_grad():
        loss = good(model)
    report = ad.check(model, loss)
    assert report.constant
    assert report.unused == PATHS
    assert "the loss has no graph behind it" in report.cut[0]
    assert "type float, and no Variable" in ad.check(model, lambda model: good(model).item()).cut[0]
    assert "dtype int64" in ad.check(model, lambda model: good(model).astype(int)).cut[0]


def test_a_loss_that_is_there_already(model):
    h = model.layers[0](X) * 1.0
    h.unchain()
    report = ad.check(model, F.sum(model.layers[1](h)))
    assert report.cut == ("operand 0 of linear was unchained",)
    report = ad.check(model, F.sum(F.linear(model(X), model.layers[0].w.data[:1])))
    assert report.ok


def test_compiled_functions(model):
    f = ad.compile(lambda x: F.sum(F.square(model(x))))
    assert ad.check(model, lambda: f(X)).ok
    report = ad.check(model, f(X))
    assert "compiled function" in report.cut[0]


def test_zero_and_constant(model):
    report = ad.check(model, lambda model: F.sum(model(X) * 0.0))
    assert report.zero == PATHS
    assert report.constant
    report = ad.check(model, lambda model: good(model) + F.sum(F.square(model.layers[0].w)) * 0.0)
    assert report.ok


def test_not_finite(model):
    report = ad.check(model, lambda model: F.sum(model(X) * np.inf))
    assert set(report.not_finite) == set(PATHS)
    assert not report.ok


def test_pending():
    model = models.MLP([4, 1])
    report = ad.check(model, lambda model: F.sum(model.layers[0](X)))
    assert report.pending == ("layers.1.w", "layers.1.b")
    assert report.parameters == FIRST
    assert model.params() == {}
    assert ad.check(model, good).ok


def test_nothing_is_changed():
    rng = ad.random.const()

    class Net(L.Layer):
        def __init__(self):
            self.cell = L.LSTM(3, rng=rng)
            self.out = L.Linear(1, rng=rng)
            self.calls = [0]
            self.seen = np.zeros(2)

        def forward(self, x):
            self.calls[0] += 1
            self.seen += 1.0
            self.extra = ad.Variable(1.0)
            return F.dropout(self.out(self.cell(x)), 0.5, rng=rng) * self.extra

    net = Net()
    net(X)
    F.sum(net(X)).backward()
    net.cell.reset_state()
    net(X)
    before = copy.deepcopy({name: value for name, value in vars(net).items() if name != "_walked"})
    grads = {path: p.grad.data.copy() for path, p in net.params().items() if p.grad is not None}
    hidden, state = net.cell._hidden, rng.bit_generator.state

    def loss(net):
        y = F.sum(net(X) + net(X))
        y.backward()
        net.out.w.data[...] = 5.0
        return F.sum(net(X))

    ad.check(net, loss)
    assert set(vars(net)) - {"_walked"} == set(before)
    assert net.calls == before["calls"]
    assert np.array_equal(net.seen, before["seen"])
    assert net.cell._hidden is hidden
    assert rng.bit_generator.state == state
    assert np.array_equal(net.out.w.data, before["out"].w.data)
    assert {path for path, p in net.params().items() if p.grad is not None} == set(grads)
    assert all(np.array_equal(net.params()[path].grad.data, g) for path, g in grads.items())


def test_put_back_where_the_loss_fails(model):
    model.cleargrads()

    def loss(model):
        good(model).backward()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        ad.check(model, loss)
    assert all(p.grad is None for p in model.params().values())


def test_arguments_that_are_none():
    with pytest.raises(DTypeError, match="takes a model"):
        ad.check(3, good)
    with pytest.raises(DTypeError, match="takes a loss"):
        ad.check(models.MLP([1]), 3.0)


def test_a_default_is_no_argument(model):
    assert ad.check(model, lambda other=model: good(other)).ok


def test_a_function_that_forgets_its_loss():
    model = models.MLP([1])
    with pytest.raises(DTypeError, match="is a return missing"):
        ad.check(model, lambda: None)

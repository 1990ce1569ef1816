"""What every layer has: paths of parameters, states below it, its table, copies, and errors that name it."""

import copy
import pickle

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, layers as L, models, optimizers
from adjoint.errors import AdjointError, ArgumentError, ShapeError


class Scale(L.Layer):
    def __init__(self, factor=2.0):
        self.factor = ad.Variable(factor)

    def forward(self, x):
        return x * self.factor


class Pair(L.Layer):
    """Two layers, called one after the other."""

    def __init__(self, first, second):
        self.first = first
        self.second = second

    def forward(self, x):
        return self.second(self.first(x))


class Holder(L.Layer):
    """A layer with the given attributes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


class TestParams:
    def test_paths_are_dotted_and_in_order(self):
        model = Holder(
            table={"one": Scale(), 2: [Scale(), Scale()]},
            direct=ad.Variable(1.0),
            chain=(Pair(Scale(), Holder(deep=Scale())), L.Linear(2, in_size=3)),
        )
        assert list(model.params()) == [
            "table.one.factor",
            "table.2.0.factor",
            "table.2.1.factor",
            "direct",
            "chain.0.first.factor",
            "chain.0.second.deep.factor",
            "chain.1.w",
            "chain.1.b",
        ]

    def test_equal_layers_at_several_places_never_collide(self):
        model = Pair(Pair(L.Linear(3), L.Linear(3)), Pair(L.Linear(3), L.Linear(1)))
        F.sum(model(np.ones((2, 3)))).backward()
        params = model.params()
        assert list(params) == [
            f"{a}.{b}.{p}" for a in ("first", "second") for b in ("first", "second") for p in ("w", "b")
        ]
        assert len({id(p) for p in params.values()}) == 8
        before = {name: p.data.copy() for name, p in params.items()}
        optimizers.SGD(0.1).update(model)
        assert all(not np.array_equal(p.data, before[name]) for name, p in model.params().items())

    def test_a_shared_layer_stands_once_at_its_first_path(self):
        shared = L.Linear(3)
        model = Pair(shared, shared)
        y = model(np.ones((1, 3)))
        assert list(model.params()) == ["first.w", "first.b"]
        F.sum(y).backward()
        optimizers.SGD(0.1).update(model)
        np.testing.assert_array_equal(model.first.w.data, model.second.w.data)

    def test_a_shared_parameter_stands_once(self):
        factor = ad.Variable(2.0)
        assert list(Holder(a=factor, b=[factor]).params()) == ["a"]

    def test_a_circle_ends(self):
        model = Pair(Scale(), Scale())
        model.first.outer = model
        assert list(model.params()) == ["first.factor", "second.factor"]

    def test_private_attributes_hold_no_parameters(self):
        assert Holder(_state=ad.Variable(1.0), _inner=Scale(), seen=ad.Variable(1.0)).params().keys() == {"seen"}

    def test_other_attributes_do_not_matter(self):
        assert Holder(name="x", size=3, array=np.ones(2), nothing=None, function=np.sin).params() == {}

    @pytest.mark.parametrize(
        "table",
        [
            {"a.b": ad.Variable(1.0), "a": {"b": ad.Variable(2.0)}},
            {1: ad.Variable(1.0), "1": ad.Variable(2.0)},
        ],
    )
    def test_paths_that_collide_are_an_error(self, table):
        with pytest.raises(ArgumentError, match=r"two parameters have the path 'table\.(a\.b|1)'"):
            Holder(table=table).params()

    def test_cleargrads(self):
        model = Pair(Scale(), L.Linear(1))
        F.sum(model(np.ones((2, 3)))).backward()
        assert all(p.grad is not None for p in model.params().values())
        model.cleargrads()
        assert all(p.grad is None for p in model.params().values())


class Counter(L.Layer):
    """A layer of a user's own that keeps a state."""

    def __init__(self, inner=None):
        self.inner = inner
        self._count = 0

    def forward(self, x):
        self._count += 1
        return x if self.inner is None else self.inner(x)

    def reset_state(self):
        super().reset_state()
        self._count = 0


class TestResetState:
    def test_reaches_every_layer_below(self):
        model = Holder(cells=[L.RNN(2), Pair(L.LSTM(3), L.GRU(2))])
        cells = [model.cells[0], model.cells[1].first, model.cells[1].second]
        for cell in cells:
            cell(np.ones((1, 2)))
        model.reset_state()
        assert [cell.hidden for cell in cells] == [None, None, None]

    def test_reaches_layers_of_a_users_own(self):
        model = Pair(Counter(Counter()), Counter())
        model(1.0)
        model.reset_state()
        assert [model.first._count, model.first.inner._count, model.second._count] == [0, 0, 0]

    def test_of_a_layer_without_state_does_nothing(self):
        Scale().reset_state()

    def test_ends_in_a_circle(self):
        model = Pair(Counter(), Scale())
        model.first.outer = model
        model.reset_state()


class TestErrorsNameTheLayer:
    def test_in_an_mlp(self):
        model = models.MLP([4, 2])
        model(np.ones((1, 3)))
        with pytest.raises(ShapeError) as caught:
            model(np.ones((1, 5)))
        assert caught.value.layer == "layers.0 of MLP"
        assert "\n  in layer layers.0 of MLP\n  at " in str(caught.value)
        assert "model(np.ones((1, 5)))" in str(caught.value)

    def test_the_path_goes_to_the_innermost(self):
        model = Pair(Scale(), Pair(L.LSTM(2), L.Linear(1, in_size=7)))
        with pytest.raises(AdjointError) as caught:
            model(np.ones((1, 3)))
        assert caught.value.layer == "second.second of Pair"

    def test_of_a_layer_alone(self):
        with pytest.raises(ShapeError, match="\n  in layer Linear\n"):
            L.Linear(1, in_size=2)(np.ones((1, 3)))

    def test_in_a_recurrent_layer(self):
        model = models.LSTM(2, 1)
        with pytest.raises(ArgumentError) as caught:
            model(1.0)
        assert caught.value.layer in ("lstm of LSTM", "lstm.x of LSTM")

    def test_of_layers_that_stand_in_private_attributes(self):
        class Private(L.Layer):
            def __init__(self):
                self._inner = L.Linear(1, in_size=2)

            def forward(self, x):
                return self._inner(x)

        with pytest.raises(ShapeError) as caught:
            Private()(np.ones((1, 3)))
        assert caught.value.layer == "Private"

    def test_errors_of_other_kinds_pass_as_they_are(self):
        class Broken(L.Layer):
            def forward(self, _x):
                raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            Broken()(1.0)

    def test_without_forward(self):
        with pytest.raises(NotImplementedError, match="Holder defines no forward"):
            Holder()(1.0)


class TestCopies:
    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
    def test_are_equal_and_independent(self, duplicate):
        model = models.LSTM(3, 1, rng=ad.random.const())
        xs = np.random.default_rng(0).standard_normal((3, 2, 1))
        model(xs[0])
        other = duplicate(model)
        np.testing.assert_array_equal(model(xs[1]).data, other(xs[1]).data)
        F.sum(other(xs[2])).backward()
        assert model.params()["linear.w"].grad is None
        before = model.params()["linear.w"].data.copy()
        optimizers.SGD(1.0).update(other)
        np.testing.assert_array_equal(model.params()["linear.w"].data, before)
        assert not np.array_equal(other.params()["linear.w"].data, before)

    def test_sharing_is_kept(self):
        shared = Scale()
        twin = copy.deepcopy(Pair(shared, shared))
        assert twin.first is twin.second


class TestSummary:
    def test_is_a_table(self):
        model = models.MLP([1000, 2], activation=F.relu)
        model(np.ones((1, 30), np.float32))
        assert model.summary().splitlines() == [
            "MLP([1000, 2], activation=relu)",
            "parameter   shape      dtype     count",
            "layers.0.w  30 × 1000  float32  30,000",
            "layers.0.b  1000       float32   1,000",
            "layers.1.w  1000 × 2   float32   2,000",
            "layers.1.b  2          float32       2",
            "total                           33,002",
        ]
        assert str(model) == model.summary()

    def test_says_what_the_first_call_makes(self):
        assert L.Linear(3).summary().splitlines() == [
            "Linear(3)",
            "parameter  shape                   dtype  count",
            "w          made at the first call",
            "b          made at the first call",
            "total                                         0",
        ]

    def test_of_scalars_and_of_nothing(self):
        assert "factor     scalar  float64      1" in Scale().summary()
        assert Holder().summary().splitlines()[0] == "Holder()"


def test_options_are_passed_on():
    class Scaled(L.Layer):
        def forward(self, x, *, factor=1.0):
            return x * factor

    assert Scaled()(ad.Variable(2.0), factor=3.0).item() == 6.0

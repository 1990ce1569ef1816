"""The figures that the system must give, to the last printed digit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adjoint import Variable, functions as F, models, optimizers

GUIDE = json.loads((Path(__file__).parent / "data" / "mlp_guide.json").read_text())


def test_six_derivatives_of_sine():
    x = Variable(1.0)
    y = F.sin(x)
    printed = [str(y)]
    for _ in range(6):
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
        printed.append(str(y))
    assert printed == [
        "variable(0.8414709848078965)",
        "variable(0.5403023058681398)",
        "variable(-0.8414709848078965)",
        "variable(-0.5403023058681398)",
        "variable(0.8414709848078965)",
        "variable(0.5403023058681398)",
        "variable(-0.8414709848078965)",
    ]


def test_gradient_of_the_matyas_function():
    x, y = Variable(1.0), Variable(1.0)
    z = 0.26 * (x**2 + y**2) - 0.48 * x * y
    z.backward()
    assert (str(x.grad), str(y.grad)) == ("variable(0.040000000000000036)",) * 2


def test_gradient_descent_on_the_rosenbrock_function():
    x, y = Variable(0.0), Variable(2.0)
    printed = []
    for step in range(1, 10_001):
        z = 100.0 * (y - x**2) ** 2 + (x - 1.0) ** 2
        x.cleargrad()
        y.cleargrad()
        z.backward()
        x.data = x.data - 0.001 * x.grad.data
        y.data = y.data - 0.001 * y.grad.data
        if step % 1000 == 0:
            printed.append(f"{x.item()} {y.item()}")
    assert printed[0] == "0.6837118569138317 0.4659526837427042"
    assert printed[1] == "0.8263177857050957 0.6820311873361097"
    assert printed[-1] == "0.9944984367782456 0.9890050527419593"


def test_newtons_method_by_double_backpropagation():
    x = Variable(2.0)
    printed = [str(x)]
    for _ in range(10):
        y = x**4 - 2.0 * x**2
        x.cleargrad()
        y.backward(create_graph=True)
        slope = x.grad
        x.cleargrad()
        slope.backward()
        x.data = x.data - slope.data / x.grad.data
        printed.append(str(x))
    assert printed[:4] == [
        "variable(2.0)",
        "variable(1.4545454545454546)",
        "variable(1.1510467893775467)",
        "variable(1.0253259289766978)",
    ]
    assert printed[10] == "variable(1.0)"


def guide_array(entry):
    return np.array(entry["data"]).reshape(entry["shape"])


def guide_parameters(which):
    """The guide's arrays by our paths: its "linear[0].b" (1, 10) is "layers.0.b" (10,)."""
    arrays = {}
    for name, entry in GUIDE[which].items():
        path = name.replace("linear[", "layers.").replace("]", "")
        arrays[path] = guide_array(entry).reshape(-1) if path.endswith(".b") else guide_array(entry)
    return arrays


def test_the_guides_network_learns_to_every_printed_digit():
    x, t = Variable(guide_array(GUIDE["x"])), Variable(guide_array(GUIDE["t"]))
    model = models.MLP([10, 1], activation=F.relu)
    model(x)
    for path, array in guide_parameters("initial_params").items():
        model.params()[path].data = array
    optimizer = optimizers.SGD(0.2)
    printed = []
    for step in range(100):
        loss = F.mean_squared_error(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update(model)
        if step % 10 == 0:
            printed.append(f"{loss:.8f}")
    assert printed == GUIDE["printed_losses"]
    for path, array in guide_parameters("final_params").items():
        assert model.params()[path].data == pytest.approx(array, rel=1e-9, abs=1e-12)

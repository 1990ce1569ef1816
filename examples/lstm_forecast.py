"""Forecasts the yearly number of sunspots with an LSTM, trained by truncated backpropagation through time.

The model sees the years up to 1959, and is asked for each year from 1960 on, given all years before it.
"""

from pathlib import Path

import numpy as np

import adjoint as ad
from adjoint import data, functions as F, hooks, models, optimizers

FILE = Path(__file__).parent / "data" / "sunspots.csv"
FIRST_YEAR, TESTED_FROM = 1700, 1960
SCALE = 100.0
EPOCHS, BATCH_SIZE, BPTT_LENGTH = 60, 8, 12


def train(model: models.LSTM, series: np.ndarray) -> float:
    """Trains on a series (T,), and returns the mean loss of the last epoch."""
    loader = data.SequenceLoader(series[:-1], series[1:], BATCH_SIZE)  # the target is the next year
    optimizer = optimizers.Adam(0.005, hooks=[hooks.ClipGrad(1.0)])
    for _ in range(EPOCHS):
        model.reset_state()
        loss, total = ad.Variable(0.0), 0.0
        for i, (x, t) in enumerate(loader, start=1):
            loss = loss + F.mean_squared_error(model(x), t)
            if i % BPTT_LENGTH == 0 or i == len(loader):
                model.cleargrads()
                loss.backward()
                loss.unchain_backward()  # the states stay, what led to them is dropped
                optimizer.update(model)
                total += loss.item()
                loss = ad.Variable(0.0)
    return total / len(loader)


@ad.no_grad()
def predict(model: models.LSTM, series: np.ndarray) -> np.ndarray:
    """The forecast of each next element of a series (T,)."""
    model.reset_state()
    return np.array([model(value.reshape(1, 1)).item() for value in series])


def main() -> None:
    sunspots = data.read_column(FILE, "SUNACTIVITY") / SCALE
    known = TESTED_FROM - FIRST_YEAR

    model = models.LSTM(24, 1, rng=ad.random.const())
    print(f"loss in the last epoch: {train(model, sunspots[:known]):.4f}")

    actual = sunspots[known:]
    forecast = predict(model, sunspots[:-1])[known - 1 :]

    def error(guess: np.ndarray) -> float:
        """Root mean square, in sunspots."""
        return SCALE * float(np.sqrt(np.mean((guess - actual) ** 2)))

    print(f"error from {TESTED_FROM} on: {error(forecast):.1f}")
    print(f"of repeating the year before:    {error(sunspots[known - 1 : -1]):.1f}")
    print(f"of repeating the 11th year back: {error(sunspots[known - 11 : -11]):.1f}")


if __name__ == "__main__":
    main()

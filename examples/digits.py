"""Handwritten digits, 8 × 8 pixels: a classifier with dropout, trained in batches, tested on images it never saw."""

from pathlib import Path

import numpy as np

import adjoint as ad
from adjoint import data, functions as F, layers as L, models, optimizers

FILE = Path(__file__).parent / "data" / "digits.csv.gz"
TRAINED_ON = 1_400
EPOCHS = 15


class Classifier(models.Model):
    """Two layers; half of the hidden units are dropped in each step of the training."""

    def __init__(self, hidden_size: int, rng: np.random.Generator) -> None:
        self.hidden = L.Linear(hidden_size, rng=rng)
        self.output = L.Linear(10, rng=rng)
        self._rng = rng  # private: neither a parameter nor a layer

    def forward(self, x: np.ndarray) -> ad.Variable:
        """x (N, 64) → logits (N, 10)"""
        return self.output(F.dropout(F.relu(self.hidden(x)), 0.5, self._rng))


def load(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 64) in [0, 1] and labels (N,), in random order."""
    table = np.loadtxt(FILE, delimiter=",", skiprows=1)
    table = table[rng.permutation(len(table))]
    return table[:, :64] / 16.0, table[:, 64].astype(int)


def main() -> None:
    rng = ad.random.const()
    x, t = load(rng)
    training = data.DataLoader(x[:TRAINED_ON], t[:TRAINED_ON], batch_size=50, shuffle=True, rng=rng)

    model = Classifier(100, rng)
    optimizer = optimizers.Adam(0.005)
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for batch, labels in training:
            loss = F.softmax_cross_entropy(model(batch), labels)
            model.cleargrads()
            loss.backward()
            optimizer.update(model)
            total += loss.item() * len(labels)

        if epoch % 5 == 0:
            with ad.test_mode(), ad.no_grad():  # without dropout, without a graph
                accuracy = F.accuracy(model(x[TRAINED_ON:]), t[TRAINED_ON:])
            print(f"epoch {epoch:2}: loss {total / TRAINED_ON:.4f}, accuracy on new images {accuracy:.3f}")


if __name__ == "__main__":
    main()

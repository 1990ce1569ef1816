"""Data: arrays in batches, and columns of CSV files. What comes out is plain arrays, constants for the engine."""

from adjoint.data.columns import read_column as read_column
from adjoint.data.loaders import (
    DataLoader as DataLoader,
    SequenceLoader as SequenceLoader,
)

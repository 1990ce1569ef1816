"""The engine: Variables, the graph behind them, and the reverse sweep. `apply` runs and records every op."""

from __future__ import annotations

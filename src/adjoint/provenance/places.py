"""Where an op was applied: the user's line and the layer."""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any
from weakref import WeakKeyDictionary, ref

from adjoint.lines import line_at, user_position

__all__ = ["LAYER_CALLS", "PLACES", "Place", "name_in_layers"]

# The code of the functions that call layers: the `self` of their frames is the layer.
LAYER_CALLS: set[CodeType] = set()


class Place:
    """Where an op was applied.

    within: the op in whose derivative rule it was, if it was in one
    operands: what the op read, as far as it is not large, for operands that its rule does not keep
    """

    __slots__ = ("_inner", "_outer", "_position", "operands", "within")

    def __init__(self, position: tuple[str, int] | None, layers: list[Any], within: str | None) -> None:
        self._position = position
        self._inner = ref(layers[0]) if layers else None
        self._outer = ref(layers[-1]) if layers else None
        self.within = within
        self.operands: list[Any] = []

    @classmethod
    def here(cls, within: str | None = None) -> Place:
        """The place of the innermost line of the user's."""
        return cls(user_position(), _layers_here(), within)

    @property
    def location(self) -> str | None:
        """The line, as errors have it."""
        return line_at(self._position)

    @property
    def layer(self) -> str | None:
        """The path of the layer, such as "layers.0 of MLP"; None outside of layers, and where it is gone."""
        outer = None if self._outer is None else self._outer()
        inner = None if self._inner is None else self._inner()
        if outer is None or inner is None:
            return None
        path = outer._path_of(inner)
        return type(inner).__name__ if path is None else f"{path} of {type(outer).__name__}"


# The places of nodes that ran within a block.
PLACES: WeakKeyDictionary[Any, Place] = WeakKeyDictionary()


def _layers_here() -> list[Any]:
    """The layers that are being called, the innermost first."""
    layers = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code in LAYER_CALLS:
            layers.append(frame.f_locals["self"])
        frame = frame.f_back
    return layers


def name_in_layers(variable: Any) -> str | None:
    """The path of a parameter in the outermost layer that is being called."""
    layers = _layers_here()
    if layers:
        for path, parameter in layers[-1].params().items():
            if parameter is variable:
                return f"{path} of {type(layers[-1]).__name__}"
    return None

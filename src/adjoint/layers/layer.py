"""The base of layers and models."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from adjoint import files, structures, tree
from adjoint.arrays import is_differentiable_dtype
from adjoint.core.variable import Variable
from adjoint.errors import AdjointError, ArgumentError, FormatError
from adjoint.provenance.places import LAYER_CALLS

__all__ = ["Layer"]


# Counts the changes of public attributes of any layer. A training step asks a model for its parameters twice;
# while this number stays, what was found at the last walk over its attributes is still there.
_structure = 0


def _structure_changed() -> None:
    global _structure
    _structure += 1


class Layer:
    """Something with parameters that is called on an input.

    A subclass makes its parameters (Variables) and layers in ``__init__`` as attributes, in lists or in
    dictionaries, and computes in ``forward``. Attributes whose name begins with an underscore are private:
    they hold state, not parameters. Parameters that are made at the first call are None until then, and named
    by `pending`.

    >>> import adjoint as ad
    >>> from adjoint import layers as L
    >>> class Scale(L.Layer):
    ...     def __init__(self):
    ...         self.factor = ad.Variable(2.0)
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> scale = Scale()
    >>> print(scale(ad.Variable(3.0)), list(scale.params()))
    variable(6.0) ['factor']
    """

    _caches: ClassVar[tuple[str, ...]] = ("_walked",)  # attributes that hold nothing but what was found in others

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Computes the output; subclasses define it. Calling the layer is the same."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        try:
            return self.forward(*inputs, **options)
        except AdjointError as error:
            self._name_in(error)
            raise

    def _name_in(self, error: AdjointError) -> None:
        """Notes in an error from below where the layer that raised it stands in this one."""
        path = self._path_of(getattr(error, "_source", self))
        if path is not None:
            error.layer = f"{path} of {type(self).__name__}"
            return
        error._source = self  # type: ignore[attr-defined]
        error.layer = type(self).__name__

    def _path_of(self, source: Layer) -> str | None:
        """Where another layer stands in this one."""
        return next((path for path, layer in self._named_layers() if layer is source), None)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name[0] != "_":
            _structure_changed()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        _structure_changed()

    def _params(self) -> dict[str, Variable]:
        """The parameters by path: found by a walk once, and again after a change of the structure."""
        walked: tuple[int, tree.Found, dict[str, Variable]] | None = getattr(self, "_walked", None)
        if walked is None or walked[0] != _structure or not walked[1].is_current():
            structure = _structure  # before the walk: a change meanwhile, by another thread, must be seen later
            found = tree.walk(self, Variable, Layer)
            walked = (structure, found, _by_path(found.parts))
            self._walked = walked
        return walked[2]

    def __getstate__(self) -> dict[str, Any]:
        # What was found in this model is no part of its copies and pickles.
        return {name: value for name, value in self.__dict__.items() if name != "_walked"}

    def _named_layers(self) -> list[tuple[str, Layer]]:
        return tree.walk(self, Layer, Layer).parts

    def pending(self) -> tuple[str, ...]:
        """The names of this layer's own parameters that its first call will make."""
        return ()

    def params(self) -> dict[str, Variable]:
        """The parameters by path, such as "layers.0.w", in order of their making.

        Those that are made at the first call are missing before it. One that several layers share stands at
        its first path.

        Raises:
            ArgumentError: for two with one path, which keys such as 1 and "1" or "a.b" can give.
        """
        return dict(self._params())

    def with_params(self, params: Mapping[str, Any]) -> Self:
        """The layer with other parameters: a copy that shares the rest. This one is not changed.

        Args:
            params: arrays or Variables by path, as `params` gives them; those that are left out stay.

        Raises:
            ArgumentError: for a path that is not there, or another shape.

        >>> import adjoint as ad
        >>> from adjoint import layers as L
        >>> linear = L.Linear(1, in_size=2)
        >>> zeros = linear.with_params({"w": ad.zeros(2, 1)})
        >>> print(zeros(ad.ones(1, 2)))
        variable(0.0)
        """
        own = self._params()
        unknown = sorted(set(params) - set(own))
        if unknown:
            raise ArgumentError(f"{', '.join(unknown)}: no parameters of {type(self).__name__}, which has {list(own)}")
        others: dict[int, Any] = {}
        for path, value in params.items():
            other = value if isinstance(value, Variable) else Variable(value)
            if other.shape != own[path].shape:
                raise ArgumentError(f"{path} of shape {other.shape}, where the parameter's is {own[path].shape}")
            others[id(own[path])] = other
        made: Self = _with_others(self, others)
        return made

    def cleargrads(self) -> None:
        """Drops the gradients of all parameters."""
        for parameter in self._params().values():
            parameter.cleargrad()

    def reset_state(self) -> None:
        """Forgets the state that recurrent layers keep between calls.

        A layer of your own that keeps a state overrides this, and calls it for the layers below.
        """
        for _, layer in self._named_layers():
            if type(layer).reset_state is not Layer.reset_state:
                layer.reset_state()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the parameters to a file in the safetensors format. Recurrent state is not saved.

        Raises:
            ArgumentError: for parameters that only the first call will make.
            MissingDependencyError: without the safetensors library.
            OSError: where writing fails; an earlier file is then unchanged.
        """
        waiting = [name for name, _ in self._pending_owners()]
        if waiting:
            raise ArgumentError(f"{', '.join(waiting)} are made at the first call: call the model before saving it")
        files.write_arrays(path, {name: parameter.data for name, parameter in self.params().items()})

    def load(self, path: str | os.PathLike[str]) -> None:
        """Reads the parameters from a file that `save` wrote; also before the first call.

        Raises:
            FormatError: where names or shapes are not those of this model, or complex numbers are to take the place of
                real ones; it is then unchanged.
            MissingDependencyError: without the safetensors library.
            OSError: where reading fails.
        """
        arrays = files.read_arrays(path)
        params = self.params()
        waiting = dict(self._pending_owners())
        self._check_names(os.fspath(path), set(arrays), set(params) | set(waiting))
        for name in (*params, *waiting):
            array = arrays[name]
            if name in params and params[name].shape != array.shape:
                raise FormatError(
                    f"{os.fspath(path)}: {name!r} has shape {array.shape}, the model's has {params[name].shape}"
                )
            if name in params and array.dtype.kind == "c" and params[name].dtype.kind != "c":
                own = params[name].dtype
                raise FormatError(f"{os.fspath(path)}: {name!r} is of {array.dtype}, the model's of {own}")
            if name in waiting:
                owner = waiting[name]
                problem = owner._misfit(name.rpartition(".")[2], array.shape)
                if problem:
                    raise FormatError(f"{os.fspath(path)}: {name!r} {problem}")
        for name, array in arrays.items():
            if name in params:
                params[name].data = array
            else:
                floats = array if is_differentiable_dtype(array.dtype) else array.astype(np.float64)
                setattr(waiting[name], name.rpartition(".")[2], Variable(floats))

    def _misfit(self, name: str, shape: tuple[int, ...]) -> str:
        """What is wrong with `shape` for the pending parameter `name`; empty if nothing is."""
        return ""

    def _pending_owners(self) -> Iterator[tuple[str, Layer]]:
        """The path of every parameter that is not made yet, and the layer that will make it."""
        yield from ((name, self) for name in self.pending())
        for path, layer in self._named_layers():
            yield from ((f"{path}.{name}", layer) for name in layer.pending())

    @staticmethod
    def _check_names(path: str, given: set[str], expected: set[str]) -> None:
        missing, unknown = sorted(expected - given), sorted(given - expected)
        if missing or unknown:
            parts = [f"lacks {', '.join(missing)}"] if missing else []
            parts += [f"has {', '.join(unknown)} besides"] if unknown else []
            raise FormatError(f"{path}: not the parameters of this model: it {' and '.join(parts)}")

    def summary(self) -> str:
        """A table of the parameters: path, shape, dtype, count."""
        rows = [("parameter", "shape", "dtype", "count")]
        total = 0
        for path, parameter in self.params().items():
            shape = " × ".join(map(str, parameter.shape)) or "scalar"
            rows.append((path, shape, str(parameter.dtype), f"{parameter.size:,}"))
            total += parameter.size
        rows += [(path, "made at the first call", "", "") for path, _ in self._pending_owners()]
        rows.append(("total", "", "", f"{total:,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows
        ]
        return "\n".join([repr(self), *lines])

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _opened(layer: Layer) -> Any:
    """A layer as a structure (see `adjoint.structures`): its parameters by path; in results a dictionary of them."""
    params = layer._params()
    paths = tuple(params)
    old = tuple(params.values())

    def make(values: list[Any]) -> Layer:
        return _with_others(layer, {id(before): after for before, after in zip(old, values, strict=True)})

    return paths, old, make, lambda values: dict(zip(paths, values, strict=True))


def _read(value: Any, path: str) -> Any:
    return value._params()[path] if isinstance(value, Layer) else value[path]


def _with_others(value: Any, others: dict[int, Any]) -> Any:
    """A layer, or a container of some, with other objects in place of those whose ids are given; the rest is shared."""
    if id(value) in others:
        return others[id(value)]
    if isinstance(value, Layer):
        made = others[id(value)] = object.__new__(type(value))
        made.__dict__.update({k: _with_others(v, others) for k, v in value.__dict__.items() if k not in value._caches})
        return made
    if type(value) is dict:
        return {key: _with_others(item, others) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)([_with_others(item, others) for item in value])
    return value


structures.register(Layer, _opened, _read)
LAYER_CALLS.add(Layer.__call__.__code__)


def _by_path(named: list[tuple[str, Variable]]) -> dict[str, Variable]:
    params = dict(named)
    if len(params) != len(named):
        paths = [path for path, _ in named]
        twice = next(path for path in paths if paths.count(path) > 1)
        raise ArgumentError(f"two parameters have the path {twice!r}; rename the key or attribute of one")
    return params

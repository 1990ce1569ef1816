"""Variables: values in a computation that can be differentiated, their operators and methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from adjoint.arrays import NAMESPACES, namespace_of
from adjoint.config import RECORDING, recording_mode
from adjoint.core.apply import apply, leaf, set_variable_class
from adjoint.core.array_methods import ArrayMethods
from adjoint.core.assignment import assign
from adjoint.core.gradients import RECORDED, deliver
from adjoint.core.graph import Link, Node, unchain_behind
from adjoint.core.indexing import split_index
from adjoint.core.sweep import sweep
from adjoint.errors import GradientError, ShapeError
from adjoint.lifted import without_series
from adjoint.ops import arithmetic, elementary, indexing, products, reductions, shaping

__all__ = ["Variable"]


class Variable(ArrayMethods):
    """A value in a computation that can be differentiated.

    Args:
        data: an array, which is wrapped without a copy, or a number or nested list of numbers. The dtype is
            kept: Python floats are float64.
        name: a name for printing and drawing.

    Attributes:
        data: the array.
        grad: the gradient, a Variable of the same shape and dtype, or None.
        name: the name or None.

    Raises:
        DTypeError: for objects and strings.

    >>> import adjoint as ad
    >>> x = ad.Variable(3.0)
    >>> y = x * x + 1.0
    >>> y.backward()
    >>> print(y, x.grad)
    variable(10.0) variable(6.0)
    """

    __slots__ = ("_grad",)

    _grad: Variable | None

    def __init__(self, data: Any, name: str | None = None) -> None:
        super().__init__(data, name)
        self._grad = None

    @property
    def grad(self) -> Variable | None:
        """The gradient that `backward` accumulated here, or that was assigned; None where there is none."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is None:
            self._grad = None
            return
        gradient = value if isinstance(value, Variable) else Variable(value)
        if gradient.shape != self.shape:
            raise ShapeError(f"a gradient of shape {gradient.shape} for {self._brief()}; they must be equal")
        self._grad = gradient

    @property
    def creator(self) -> Node | None:
        """The node that made this value; None for a leaf."""
        return None if self._link is None else self._link.creator

    @property
    def generation(self) -> int:
        """0 for a leaf, else one more than the highest of the inputs it was computed from."""
        return 0 if self.creator is None or self._link is None else self._link.generation

    # Gradients

    def backward(self, gradient: Any = None, *, retain_grad: bool = False, create_graph: bool = False) -> None:
        """Computes the gradient of this value in every leaf that it depends on (reverse mode).

        Gradients of leaves add up over calls until `cleargrad`. Those of intermediate values are dropped.

        Args:
            gradient: the cotangent to start from, an array or Variable of this shape; else a preset `grad`,
                else ones.
            retain_grad: keeps the gradients of intermediate values as well.
            create_graph: records the computation of the gradients, so that they can be differentiated again.

        Raises:
            GradientError: for integers and booleans, and where a rule fails. No gradient is changed then.
            ShapeError: where the cotangent has another shape.

        >>> import adjoint as ad
        >>> x = ad.Variable(2.0)
        >>> y = x**3
        >>> y.backward(create_graph=True)
        >>> first = x.grad
        >>> x.cleargrad()
        >>> first.backward()
        >>> print(first, x.grad)
        variable(12.0) variable(12.0)
        """
        cotangent = self._starting_cotangent(gradient)
        link = self._link
        if link is None or link.creator is None:
            if gradient is not None:
                own = (
                    apply(arithmetic.copy, cotangent)
                    if create_graph
                    else leaf(NAMESPACES[type(cotangent._data)].copy(cotangent._data))
                )
                self._accumulate(own, created=create_graph)
            elif self._grad is None:
                self._grad = cotangent
            return
        retained: list[tuple[Link, Any]] | None = [] if retain_grad else None
        if not create_graph:
            leaves = sweep([(link, cotangent._data)], self._namespace_with(cotangent), None, retained)
            self._grad = None
            deliver([*retained, *leaves.items()] if retained else leaves.items(), cotangent)
        elif RECORDING.get():
            self._backward_recorded(link, cotangent, retained)
        else:
            with recording_mode(True):
                self._backward_recorded(link, cotangent, retained)

    def _backward_recorded(self, link: Link, cotangent: Variable, retained: list[tuple[Link, Any]] | None) -> None:
        leaves = sweep([(link, cotangent)], self._namespace_with(cotangent), RECORDED, retained)
        self._grad = None
        deliver([*(retained or ()), *leaves.items()], cotangent)

    def _namespace_with(self, cotangent: Variable) -> Any:
        data, other = self._data, cotangent._data
        namespace = NAMESPACES[type(data)]
        return namespace if NAMESPACES[type(other)] is namespace else namespace_of(data, other)

    def _starting_cotangent(self, gradient: Any) -> Variable:
        if self._data.dtype.kind not in "fc":
            raise GradientError(
                f"{self._brief()} has no gradient: it is not made of floating point numbers; "
                "start from floats, as in ad.Variable(2.0), or use x.astype('float64')"
            )
        if gradient is None:
            gradient = self._grad
        if gradient is None:
            return leaf(NAMESPACES[type(self._data)].ones_like(self._data))
        cotangent = gradient if isinstance(gradient, Variable) else Variable(gradient)
        if cotangent.shape != self.shape:
            raise ShapeError(f"a cotangent of shape {cotangent.shape} for {self._brief()}; they must be equal")
        return cotangent if cotangent.dtype == self.dtype else cotangent.astype(self.dtype)

    def _accumulate(self, cotangent: Variable, *, created: bool) -> None:
        """Adds to the gradient of a leaf: a recorded sum if it is to be differentiated again."""
        if self._grad is None:
            self._grad = cotangent
        elif created:
            self._grad = self._grad + cotangent
        else:
            self._grad = leaf(self._grad._data + cotangent._data)

    def cleargrad(self) -> None:
        """Drops the gradient."""
        self._grad = None

    def unchain(self) -> None:
        """Cuts the link to this value's creator: for the graph it becomes a leaf."""
        if self._link is not None:
            self._link.creator = None

    def unchain_backward(self) -> None:
        """Cuts everything behind this value's creator, which itself stays: truncates backpropagation.

        All values that were computed on the way are leaves after it, a recurrent layer's states included.
        """
        if self._link is not None and self._link.creator is not None:
            unchain_behind(self._link)

    def detach(self) -> Variable:
        """A new leaf on the same array, outside the graph: a constant in every mode."""
        return leaf(without_series(self._data))

    # Operators: recorded

    def __neg__(self) -> Variable:
        return apply(arithmetic.neg, self)

    def __pos__(self) -> Variable:
        return apply(arithmetic.copy, self)

    def __abs__(self) -> Variable:
        return apply(elementary.abs, self)

    def __add__(self, other: Any) -> Variable:
        return apply(arithmetic.add, self, other)

    def __radd__(self, other: Any) -> Variable:
        return apply(arithmetic.add, other, self)

    def __sub__(self, other: Any) -> Variable:
        return apply(arithmetic.sub, self, other)

    def __rsub__(self, other: Any) -> Variable:
        return apply(arithmetic.sub, other, self)

    def __mul__(self, other: Any) -> Variable:
        return apply(arithmetic.mul, self, other)

    def __rmul__(self, other: Any) -> Variable:
        return apply(arithmetic.mul, other, self)

    def __truediv__(self, other: Any) -> Variable:
        return apply(arithmetic.div, self, other)

    def __rtruediv__(self, other: Any) -> Variable:
        return apply(arithmetic.div, other, self)

    def __pow__(self, other: Any) -> Variable:
        if isinstance(other, (int, float)):
            return apply(arithmetic.power, self, power=other)
        return apply(arithmetic.pow, self, other)

    def __rpow__(self, other: Any) -> Variable:
        return apply(arithmetic.pow, other, self)

    def __matmul__(self, other: Any) -> Variable:
        return apply(products.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Variable:
        return apply(products.matmul, other, self)

    def __getitem__(self, index: Any) -> Variable:
        fixed, arrays = split_index(index)
        return apply(indexing.getitem, self, *arrays, index=fixed)

    def __setitem__(self, index: Any, value: Any) -> None:
        assign(apply, self, index, value)

    # Methods of arrays

    @property
    def T(self) -> Variable:
        """The Variable with its axes in reverse order."""
        return apply(shaping.transpose, self, axes=None)

    def sum(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Variable:
        """The sum along `axis`; see `adjoint.functions.sum`. `options` are those of `numpy.sum`."""
        if options:
            found: Variable = np.sum(self, axis=axis, keepdims=keepdims, **options)
            return found
        return apply(reductions.sum, self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Variable:
        """The mean along `axis`; see `adjoint.functions.mean`. `options` are those of `numpy.mean`."""
        if options:
            found: Variable = np.mean(self, axis=axis, keepdims=keepdims, **options)
            return found
        return apply(reductions.mean, self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Variable:
        """The largest along `axis`; see `adjoint.functions.max`. `options` are those of `numpy.max`."""
        if options:
            found: Variable = np.max(self, axis=axis, keepdims=keepdims, **options)
            return found
        return apply(reductions.max, self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False, **options: Any) -> Variable:
        """The smallest along `axis`; see `adjoint.functions.min`. `options` are those of `numpy.min`."""
        if options:
            found: Variable = np.min(self, axis=axis, keepdims=keepdims, **options)
            return found
        return apply(reductions.min, self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape: Any, order: Any = "C") -> Variable:
        """The same elements in another shape, given as numbers or as one tuple; one length may be -1."""
        if order != "C":
            reshaped: Any = np.reshape(self, _shape_argument(shape), order=order)
            return reshaped
        return apply(shaping.reshape, self, shape=_shape_argument(shape))

    def transpose(self, *axes: Any) -> Variable:
        """The axes in the given order, as numbers or as one tuple; reversed without any."""
        return apply(shaping.transpose, self, axes=_shape_argument(axes) if axes and axes != (None,) else None)

    def astype(self, dtype: Any, *, copy: bool = True) -> Variable:
        """The values in another dtype; the cotangent comes back in this one's. `copy` false: itself if it has it."""
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return apply(elementary.astype, self, dtype=np.dtype(dtype))

    def __iter__(self) -> Iterator[Variable]:
        return (self[i] for i in range(len(self)))

    def __reduce__(self) -> Any:
        # Copies and pickles hold the value, its name and its gradient's value, not the graph.
        gradient = None if self._grad is None else self._grad.data
        return _restore, (self.data, self.name, gradient)


set_variable_class(Variable)


def _restore(data: Any, name: str | None, gradient: Any) -> Variable:
    variable = Variable(data, name)
    variable.grad = gradient
    return variable


def _shape_argument(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from ``f(2, 3)`` and from ``f((2, 3))``."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        return tuple(shape[0])
    return shape

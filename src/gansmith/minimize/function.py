"""The function that is minimised, on one flat vector: value and gradient, counted, computed once at a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gansmith import autograd
from gansmith.errors import GansmithError
from gansmith.minimize.bounds import Box
from gansmith.minimize.structure import Structure

Gradient = bool | Callable[[Any], Any] | None


class BudgetSpent(Exception):  # noqa: N818  (nothing went wrong: the minimisation ends here)
    """No evaluation is left; caught by `minimize`."""


@dataclass
class Function:
    """`f` of a flat vector u [N], which is x itself or, with `transformed`, stands for one within the bounds.

    gradient: None (by gansmith.autograd), True (f returns value and gradient), or a function of x. limit: evaluations
    of f, None for any number. An evaluation gives the value, or value and gradient; it is remembered until `forget`.
    """

    f: Callable[[Any], Any]
    structure: Structure
    bounds: Box
    gradient: Gradient = None
    limit: int | None = None
    transformed: bool = False
    evaluations: int = 0
    _known: list[tuple[Tensor, float, Tensor | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._traced = autograd.gradient(self.f) if self.gradient is None else None

    def value(self, u: Tensor) -> float:
        """f(x), a Python float."""
        for point, value, _ in self._known:
            if torch.equal(point, u):
                return value
        self._count()
        with torch.no_grad():
            output = self.f(self.tree(u))
        value = _number(output[0] if self.gradient is True and isinstance(output, (tuple, list)) else output)
        self._known.append((u.clone(), value, None))
        return value

    def value_and_gradient(self, u: Tensor) -> tuple[float, Tensor]:
        """f(x) and its gradient by x [N], the same dtype. Raises BudgetSpent."""
        for point, value, known in self._known:
            if known is not None and torch.equal(point, u):
                return value, known
        self._count()
        tree = self.tree(u)
        if self._traced is not None:
            slope, result = self._traced(tree)
        elif self.gradient is True:
            result, slope = _pair(self.f(tree))
        elif callable(self.gradient):
            result, slope = self.f(tree), self.gradient(tree)
        else:
            raise GansmithError(f"gradient = {self.gradient!r} is not allowed: it takes None, True or a function")
        value, flat = _number(result), self.structure.flat(slope, "the gradient")
        self._known.append((u.clone(), value, flat))
        return value, flat

    def free_gradient(self, u: Tensor, gradient: Tensor) -> Tensor:
        """The gradient by u, from that by x."""
        return gradient * self.bounds.slope(u) if self.transformed else gradient

    def x(self, u: Tensor) -> Tensor:
        """The flat x that u stands for."""
        return self.bounds.inside(u) if self.transformed else u

    def u(self, x: Tensor) -> Tensor:
        """What stands for a flat x: the nearest within the bounds."""
        x = self.bounds.project(x)
        return self.bounds.free(x) if self.transformed else x

    def tree(self, u: Tensor) -> Any:
        """x as its owner knows it."""
        return self.structure.tree(self.x(u))

    def forget(self, *, but: Tensor) -> None:
        """Forget all evaluations but those at one point."""
        self._known = [known for known in self._known if torch.equal(known[0], but)]

    def _count(self) -> None:
        if self.limit is not None and self.evaluations >= self.limit:
            raise BudgetSpent
        self.evaluations += 1


def value_and_gradient(f: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    """A function that returns (f(x), gradient of f at x), the gradient by gansmith.autograd.

    >>> value_and_gradient(lambda x: x.square().sum())(torch.tensor([3.0]))
    (tensor(9.), tensor([6.]))
    """
    traced = autograd.gradient(f)

    def both(x: Any) -> tuple[Any, Any]:
        slope, value = traced(x)
        return value, slope

    return both


def _pair(output: Any) -> tuple[Any, Any]:
    if isinstance(output, (tuple, list)) and len(output) == 2:
        return output[0], output[1]
    raise GansmithError(
        f"the function returned a value of type {type(output).__name__}, and (value, gradient) is expected: "
        f"gansmith.minimize.value_and_gradient(f) makes such a function of one that returns the value"
    )


def _number(output: Any) -> float:
    if isinstance(output, Tensor) and output.numel() == 1 and not output.is_complex():
        return float(output.detach())
    try:
        if not isinstance(output, (Tensor, str)):
            return float(output)
    except (TypeError, ValueError):
        pass
    kind = f"a tensor of shape {list(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
    raise GansmithError(
        f"the function returned {kind}: it must return one number; reduce a tensor with sum() or mean()"
    )

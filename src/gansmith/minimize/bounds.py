"""Bounds on parameters: projection onto a box, and variables without bounds that stand for those within them.

The transformations are those of MINUIT (James, Roos 1975, "Minuit: a system for function minimization and analysis of
the parameter errors and correlations"): a sine between two bounds, a hyperbola beside one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.minimize.structure import Structure
from gansmith.system.trees import leaves, map_leaves

_INSIDE = 1e-3  # share of the interval (or a distance) by which a start on a bound is moved: the slope there is zero


@dataclass(frozen=True)
class Box:
    """Lower and upper bounds [N], infinite where there are none."""

    low: Tensor
    high: Tensor

    @property
    def bounded(self) -> bool:
        return bool((self.low > -math.inf).any() or (self.high < math.inf).any())

    def project(self, x: Tensor) -> Tensor:
        """The nearest point of the box."""
        return torch.minimum(torch.maximum(x, self.low), self.high)

    def residual(self, x: Tensor, gradient: Tensor) -> float:
        """Largest entry of project(x - gradient) - x: of the gradient itself where nothing is bounded; zero at a
        minimum within the box."""
        return float((self.project(x - gradient) - x).abs().max())

    def inside(self, free: Tensor) -> Tensor:
        """Free variables u [N] -> x [N] within the bounds."""
        low, high, both, lower, upper = self._kinds()
        hyperbola = (free.square() + 1).sqrt() - 1
        x = torch.where(lower, low + hyperbola, free)
        x = torch.where(upper, high - hyperbola, x)
        return self.project(torch.where(both, low + (high - low) * (torch.sin(free) + 1) / 2, x))

    def slope(self, free: Tensor) -> Tensor:
        """dx / du of `inside`, entry by entry."""
        low, high, both, lower, upper = self._kinds()
        hyperbola = free / (free.square() + 1).sqrt()
        slope = torch.where(lower, hyperbola, torch.ones_like(free))
        slope = torch.where(upper, -hyperbola, slope)
        return torch.where(both, (high - low) * torch.cos(free) / 2, slope)

    def free(self, x: Tensor) -> Tensor:
        """Inverse of `inside`, for an x within the bounds; one on a bound is moved inside by a thousandth."""
        low, high, both, lower, upper = self._kinds()
        share = ((x - low) / (high - low)).clamp(_INSIDE, 1 - _INSIDE)
        free = torch.where(both, torch.asin(2 * share - 1), x)
        distance = torch.where(lower, x - low, high - x).clamp(min=_INSIDE)
        beside = ((distance + 1).square() - 1).sqrt()
        return torch.where(lower | upper, beside, free)

    def _kinds(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Finite stand-ins for both bounds, and which entries have two, only a lower, only an upper one."""
        has_low, has_high = self.low > -math.inf, self.high < math.inf
        low = torch.where(has_low, self.low, 0.0)
        high = torch.where(has_high, self.high, low + 1)
        return low, high, has_low & has_high, has_low & ~has_high, has_high & ~has_low


def box(bounds: Any, structure: Structure) -> Box:
    """The box that `bounds` describes: None, or (low, high), each None, a number for all, or like x.

    Raises OptionError for anything else, and for a low bound that is not below its high one.
    """
    if bounds is not None and not (isinstance(bounds, (tuple, list)) and len(bounds) == 2):
        raise OptionError(f"bounds = {bounds!r} is not allowed: it takes (low, high), either of them None")
    low, high = bounds or (None, None)
    limits = Box(_vector(low, -math.inf, structure), _vector(high, math.inf, structure))
    if not bool((limits.low < limits.high).all()):
        worst = int((limits.low - limits.high).nan_to_num(math.inf).argmax())
        raise OptionError(
            f"bounds: low {float(limits.low[worst]):g} is not below high {float(limits.high[worst]):g} (entry {worst})"
        )
    return limits


def _vector(bound: Any, unbounded: float, structure: Structure) -> Tensor:
    if len(leaves(bound)) == 1 and not isinstance(bound, (Tensor, dict, list, tuple)):
        bound = map_leaves(
            lambda leaf, _: (
                torch.full_like(leaf, unbounded if bound is None else bound)
                if isinstance(leaf, Tensor)
                else (unbounded if bound is None else bound)
            ),
            structure.example,
            "x",
        )
    return structure.flat(bound, "bounds")

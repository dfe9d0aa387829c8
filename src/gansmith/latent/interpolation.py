"""Interpolation of latents, linear (lerp), spherical (slerp) or along a spline.

The great arc is Shoemake 1985, "Animating Rotation with Quaternion Curves", the formula of section 3.3 (slerp); White
2016, "Sampling Generative Networks", section 2.1, uses it between latents, because a straight line between two
normal latents passes through lengths that a generator has never seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from gansmith.errors import OptionError, UnknownNameError, unknown
from gansmith.latent.spline import spline_legs
from gansmith.system.memory import require_memory

Between = Callable[[Tensor, Tensor, float], Tensor]
Kind: TypeAlias = Literal["linear", "spherical", "spline"]

MOST_STEPS = 10_000  # from one latent to the next
_PARALLEL = 1e-7  # below this angle the arc and the straight line agree to the last digit of float32


def lerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Linear interpolation between two latents [Z, ...] at `share` (0: start, 1: end), float64 inside.

    >>> lerp(torch.tensor([0.0, 4.0]), torch.tensor([8.0, 0.0]), 0.25)
    tensor([2., 3.])
    """
    return _ends(start, end, share, lambda a, b: (1 - share) * a + share * b)


def slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Spherical interpolation between two latents [Z, ...] at `share` (0: start, 1: end), in each cell of a canvas.

    Between opposite latents, which many arcs join, the arc towards the axis of their smallest component.

    >>> slerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 0.5)
    tensor([1.4142, 1.4142])
    """
    # Differs: White weighs the latents as they are, which sends unequal, nearly opposite ones far out; here the
    # directions follow Shoemake's arc and the lengths go evenly. For equal lengths the two are the same.
    return _ends(start, end, share, lambda a, b: _arc(a, b, share))


def interpolation_path(points: Tensor, *, steps: int = 16, kind: Kind = "spherical", around: bool = True) -> Tensor:
    """Interpolation through points [K, Z, ...] -> legs [K - 1, steps + 1, Z, ...], each with both its ends, exact.

    around: a spline is one of directions and lengths; else of the numbers (`spline_legs`). Between two points it is the
    great arc, or the straight line. Raises OptionError for fewer than two points or less than one step,
    UnknownNameError for another kind.

    >>> interpolation_path(torch.tensor([[0.0], [2.0], [6.0]]), steps=2, kind="linear").squeeze(2)
    tensor([[0., 1., 2.],
            [2., 4., 6.]])
    """
    kinds: dict[str, Between] = {"linear": lerp, "spherical": slerp, "spline": slerp if around else lerp}
    if kind not in kinds:
        raise UnknownNameError(unknown("path", kind, kinds))
    if len(points) < 2:
        raise OptionError(f"an interpolation needs at least two seeds, not {len(points)}")
    if not 1 <= steps <= MOST_STEPS:
        raise OptionError(f"steps = {steps} is not allowed: from 1 to {MOST_STEPS:,}")
    require_memory(
        (len(points) - 1) * (steps + 1) * points[0].numel() * (4 + 4) * (8 if kind == "spline" else 1),
        f"an interpolation of {len(points) - 1:,} x {steps + 1:,} latents",
        "choose fewer steps or seeds",
    )
    if kind == "spline" and len(points) > 2:
        return spline_legs(points, steps=steps, around=around)
    shares = [step / steps for step in range(steps + 1)]
    legs = [torch.stack([kinds[kind](a, b, share) for share in shares]) for a, b in pairwise(points)]
    return torch.stack(legs)


def _ends(start: Tensor, end: Tensor, share: float, between: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    if share in (0, 1):
        return (start, end)[int(share)].clone()
    return between(start.double(), end.double()).to(start.dtype)


def _arc(start: Tensor, end: Tensor, share: float) -> Tensor:
    lengths = start.norm(dim=0, keepdim=True), end.norm(dim=0, keepdim=True)
    a, b = start / lengths[0].clamp_min(1e-300), end / lengths[1].clamp_min(1e-300)
    cosine = (a * b).sum(0, keepdim=True)
    aside = b - cosine * a
    sine = aside.norm(dim=0, keepdim=True)
    opposite = (sine < _PARALLEL) & (cosine < 0)
    aside = torch.where(opposite, _perpendicular(a), aside / sine.clamp_min(1e-300))
    angle = torch.where(opposite, math.pi, torch.atan2(sine, cosine))
    direction = torch.cos(share * angle) * a + torch.sin(share * angle) * aside
    length = (1 - share) * lengths[0] + share * lengths[1]
    straight = (1 - share) * start + share * end
    alike = ((sine < _PARALLEL) & ~opposite) | (lengths[0] == 0) | (lengths[1] == 0)
    between: Tensor = torch.where(alike, straight, length * direction)
    return between


def _perpendicular(direction: Tensor) -> Tensor:
    """A unit vector at right angles to `direction`: the axis of its smallest component, orthogonalised."""
    axis = torch.zeros_like(direction).scatter_(0, direction.abs().argmin(0, keepdim=True), 1.0)
    aside = axis - (axis * direction).sum(0, keepdim=True) * direction
    unit: Tensor = aside / aside.norm(dim=0, keepdim=True).clamp_min(1e-300)
    return unit

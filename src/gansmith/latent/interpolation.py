"""Interpolation of latents, linear (lerp) or spherical (slerp).

The great arc is Shoemake 1985, "Animating Rotation with Quaternion Curves", the formula of section 3.3 (slerp); White
2016, "Sampling Generative Networks", section 2.1, uses it between latents, because a straight line between two
normal latents passes through lengths that a generator has never seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from gansmith.errors import OptionError, UnknownNameError, unknown
from gansmith.latent.image_series import ImageSeries
from gansmith.latent.latents import Seed, name_of, space_of
from gansmith.latent.provenance import Interpolation, Provenance
from gansmith.latent.provenance import points as points_of
from gansmith.latent.renderer import Renderer
from gansmith.system.memory import require_memory

Between = Callable[[Tensor, Tensor, float], Tensor]
Kind = Literal["linear", "spherical"]

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


def interpolation_path(points: Tensor, *, steps: int = 16, kind: Kind = "spherical") -> Tensor:
    """Interpolation through points [K, Z, ...] -> legs [K - 1, steps + 1, Z, ...], each with both its ends, exact.

    Raises OptionError for fewer than two points or less than one step, UnknownNameError for another kind.

    >>> interpolation_path(torch.tensor([[0.0], [2.0], [6.0]]), steps=2, kind="linear").squeeze(2)
    tensor([[0., 1., 2.],
            [2., 4., 6.]])
    """
    kinds: dict[str, Between] = {"linear": lerp, "spherical": slerp}
    if kind not in kinds:
        raise UnknownNameError(unknown("path", kind, kinds))
    if len(points) < 2:
        raise OptionError(f"an interpolation needs at least two seeds, not {len(points)}")
    if not 1 <= steps <= MOST_STEPS:
        raise OptionError(f"steps = {steps} is not allowed: from 1 to {MOST_STEPS:,}")
    require_memory(
        (len(points) - 1) * (steps + 1) * points[0].numel() * (4 + 4),
        f"an interpolation of {len(points) - 1:,} x {steps + 1:,} latents",
        "choose fewer steps or seeds",
    )
    shares = [step / steps for step in range(steps + 1)]
    legs = [torch.stack([kinds[kind](a, b, share) for share in shares]) for a, b in pairwise(points)]
    return torch.stack(legs)


def interpolate(
    renderer: Renderer,
    seeds: Sequence[Seed],
    *,
    steps: int = 16,
    kind: Kind | None = None,
    rows: bool = False,
    label: int | str | None = None,
) -> ImageSeries:
    """Images interpolated from seed to seed in `steps` steps each, the seeds' own as in `Renderer.images`, to the bit.

    kind: linear for a uniform prior and in the space w, spherical for the others when None. rows: a row for each leg,
    with the seeds between two legs in both. label: the class of all images, for a conditional generator; that of the
    first seed when None.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> interpolate(renderer, [3, 8], steps=4).labels
    ('3', '', '', '', '8')
    """
    space = space_of(seeds)
    legs = path_latents(renderer, seeds, steps=steps, kind=kind, rows=rows, label=label)
    points = legs.flatten(0, 1)
    number = None if label is None else renderer.class_of(seeds, label)

    def provenance() -> Provenance:
        request = Interpolation(seeds=points_of(seeds), steps=steps, path=kind, rows=rows)
        return Provenance(origin=renderer.origin, request=request, label=number)

    return ImageSeries(
        renderer.render(points, renderer.one_label(seeds, len(points), label), space=space),
        path_labels([name_of(seed) for seed in seeds], steps=steps, rows=rows),
        columns=legs.shape[1],
        marked=True,
        provenance=provenance,
    )


def path_latents(
    renderer: Renderer,
    seeds: Sequence[Seed],
    *,
    steps: int,
    kind: Kind | None,
    rows: bool,
    label: int | str | None,
) -> Tensor:
    """The latents of the images of `interpolate` [1, K, Z, ...], or of each leg [K, steps + 1, Z, ...] with rows."""
    space = space_of(seeds)
    if kind is None:  # an arc between points of a cube leaves the cube; w lies on no sphere
        kind = "linear" if renderer.prior.kind == "uniform" or space == "w" else "spherical"
    points = renderer.latents(seeds, space=space, label=renderer.class_of(seeds, label))
    legs = interpolation_path(points, steps=steps, kind=kind)
    return legs if rows else torch.cat([legs[:1, :1], legs[:, 1:].flatten(0, 1)[None]], dim=1)


def path_labels(seeds: Sequence[int | str], *, steps: int = 16, rows: bool = False) -> tuple[str, ...]:
    """The labels of the images of `interpolate`: the seeds, and nothing between them.

    >>> path_labels([3, 8, 12], steps=2), path_labels([3, 8, 12], steps=2, rows=True)
    (('3', '', '8', '', '12'), ('3', '', '8', '8', '', '12'))
    """
    legs = [[_name(a, b, step, steps) for step in range(steps + 1)] for a, b in pairwise(seeds)]
    return tuple(name for index, leg in enumerate(legs) for name in (leg if rows or index == 0 else leg[1:]))


def _name(start: int | str, end: int | str, step: int, steps: int) -> str:
    return {0: str(start), steps: str(end)}.get(step, "")


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

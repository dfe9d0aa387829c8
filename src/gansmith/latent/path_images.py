"""Images of a path through latents: an interpolation from seed to seed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from gansmith.latent.image_series import ImageSeries
from gansmith.latent.interpolation import Kind
from gansmith.latent.latents import Seed, Space, name_of
from gansmith.latent.path import Path, frames_of, points_of_path
from gansmith.latent.provenance import Interpolation, Provenance
from gansmith.latent.provenance import points as points_of
from gansmith.latent.renderer import Renderer


def interpolate(
    renderer: Renderer,
    seeds: Sequence[Seed],
    *,
    steps: int = 16,
    kind: Kind | None = None,
    rows: bool = False,
    label: int | str | None = None,
    labels: Sequence[int | str] | None = None,
    space: Space | None = None,
    truncation: float | Sequence[float] | None = None,
    grid: tuple[int, int] | None = None,
    loop: bool = False,
) -> ImageSeries:
    """Images interpolated from seed to seed in `steps` steps each, the seeds' own as in `Renderer.images`, to the bit.

    kind: linear for a uniform prior and in the space w, spherical for the others when None. rows: a row for each leg,
    with the seeds between two legs in both. label: the class of all images, for a conditional generator; that of the
    first seed when None. labels: one for each seed, blended in between. space: w leads through W where there is one.
    truncation: as of `Renderer.images`; several values are spread evenly over the path. grid: of a canvas. loop: on to
    the first seed; a spline has no seam there. One seed stays where it is while labels or truncation change.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> interpolate(renderer, [3, 8], steps=4).labels
    ('3', '', '', '', '8')
    """
    cuts = [truncation] if isinstance(truncation, (int, float)) else truncation
    points, named, cut = points_of_path(seeds, labels=labels, truncation=cuts, loop=loop)
    path = Path(points, steps, kind, rows, label, named, space, cut, grid)
    frames = frames_of(renderer, path)
    number = None if label is None else renderer.class_of(points, label)

    def provenance() -> Provenance:
        classes = [at for one in named or () if (at := renderer.class_of(points, one)) is not None]
        request = Interpolation(
            seeds=points_of(points),
            steps=steps,
            path=kind,
            rows=rows,
            labels=tuple(classes) or None,
            space=space,
            truncation=cut,
            canvas=grid,
        )
        return Provenance(origin=renderer.origin, request=request, label=number)

    return ImageSeries(
        renderer.render(frames.latents, frames.labels, space=frames.space),
        path_labels([name_of(seed) for seed in points], steps=steps, rows=rows),
        columns=frames.columns,
        marked=True,
        provenance=provenance,
    )


def path_labels(seeds: Sequence[int | str], *, steps: int = 16, rows: bool = False) -> tuple[str, ...]:
    """The labels of the images of `interpolate`: the seeds, and nothing between them.

    >>> path_labels([3, 8, 12], steps=2), path_labels([3, 8, 12], steps=2, rows=True)
    (('3', '', '8', '', '12'), ('3', '', '8', '8', '', '12'))
    """
    legs = [[_name(a, b, step, steps) for step in range(steps + 1)] for a, b in pairwise(seeds)]
    return tuple(name for index, leg in enumerate(legs) for name in (leg if rows or index == 0 else leg[1:]))


def _name(start: int | str, end: int | str, step: int, steps: int) -> str:
    return {0: str(start), steps: str(end)}.get(step, "")

"""Paths through latents: what an interpolation is asked, and the latent, class and truncation of each of its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from gansmith.errors import OptionError
from gansmith.latent.interpolation import Kind, interpolation_path
from gansmith.latent.latents import Latent, Seed, Space, space_of
from gansmith.latent.renderer import Renderer
from gansmith.latent.spline import values_along

T = TypeVar("T")


@dataclass(frozen=True)
class Path:
    """What an interpolation is asked.

    kind: linear for a uniform prior and in the space w, spherical for the others when None. rows: a row for each leg,
    with the seeds between two legs in both. label: the class of all images, or labels: one for each seed, blended in
    between. space: that of the path, `space_of` the seeds when None. truncation: values spread evenly over it. grid: of
    a canvas.
    """

    seeds: tuple[Seed, ...]
    steps: int = 16
    kind: Kind | None = None
    rows: bool = False
    label: int | str | None = None
    labels: tuple[int | str, ...] | None = None
    space: Space | None = None
    truncation: tuple[float, ...] | None = None
    grid: tuple[int, int] | None = None


@dataclass(frozen=True)
class Frames:
    """Latents of the images of a path [N, ...] in their space, each as it is rendered alone. labels: of a conditional
    generator, classes [N] or shares of the classes [N, classes]. columns: of a sheet."""

    latents: Tensor
    labels: Tensor | None
    space: Space
    columns: int

    def latent(self, number: int, name: str) -> Latent:
        """One of them by itself; it has a class where it is of one alone."""
        label = None if self.labels is None else self.labels[number]
        if label is not None and label.dim():
            label = label.argmax() if bool((label == 1).any()) else None
        return Latent(self.latents[number].clone(), self.space, None if label is None else int(label), name)


def points_of_path(
    seeds: Sequence[T],
    *,
    labels: Sequence[int | str] | None = None,
    truncation: Sequence[float] | None = None,
    loop: bool = False,
) -> tuple[tuple[T, ...], tuple[int | str, ...] | None, tuple[float, ...] | None]:
    """Seeds, labels and truncations of a path that goes on to the first of each where it is a loop. One seed stays
    where it is, while its class or its truncation changes. Raises OptionError for other numbers of labels than seeds.

    >>> points_of_path([5], labels=[3, 8], loop=True)
    ((5, 5, 5), (3, 8, 3), None)
    """
    given = [*seeds]
    if len(given) == 1:
        given *= max(1, len(labels or ()), len(truncation or ()))
    if labels is not None and len(labels) != len(given):
        raise OptionError(
            f"{len(labels)} labels do not fit {len(given)} seeds: give one for each seed, or one seed alone"
        )
    if loop and len(given) < 2:
        raise OptionError(f"a loop goes back to the first of at least two seeds, not {len(given)}")
    cuts = None if truncation is None else (*truncation, *(truncation[:1] if loop and len(truncation) > 1 else ()))
    named = None if labels is None else (*labels, *(labels[:1] if loop else ()))
    return (*given, *(given[:1] if loop else ())), named, cuts


def frames_of(renderer: Renderer, path: Path) -> Frames:
    """The latents of a path. Raises OptionError and UnknownNameError for what does not fit the renderer."""
    if path.label is not None and path.labels is not None:
        raise OptionError("a label for all images and labels to blend exclude each other: leave one of them out")
    if path.truncation == ():
        raise OptionError("truncation = () is not allowed: give one value or more, such as 0.3 or 0.3:1.0")
    outside = [one for one in path.truncation or () if not 0 <= one <= 1]
    if outside and renderer.has_w:
        raise OptionError(f"truncation = {outside[0]:g} is not allowed: from 0 (the mean image) to 1 (no truncation)")
    space: Space = path.space or space_of(path.seeds)
    if space == "z" and space_of(path.seeds) == "w":
        raise OptionError("a latent of the space w cannot be mapped back: take a path through --space w")
    kind = path.kind or ("linear" if renderer.prior.kind == "uniform" or space == "w" else "spherical")
    smooth = kind == "spline"
    points = _points(renderer, path, space)
    around = space == "z" and renderer.prior.kind != "uniform"
    legs = interpolation_path(points, steps=path.steps, kind=kind, around=around)
    if smooth and space == "z" and renderer.prior.kind == "uniform":
        legs = legs.clamp(-1, 1)  # a spline may leave the cube, where the generator never was
    count = (len(points) - 1) * path.steps + 1
    latents, labels = joined(legs, path.rows), _labels(renderer, path, space, count, smooth=smooth)
    if path.truncation is not None and renderer.has_w:
        psi = _each(values_along(_numbers(path.truncation), count=count, smooth=smooth), path)
        latents, labels, space = _truncated(renderer, latents, labels, space, psi), None, "w"
    return Frames(latents, labels, space, len(latents) if not path.rows else path.steps + 1)


def joined(legs: Tensor, rows: bool) -> Tensor:
    """Legs [K - 1, S + 1, ...] in one; the points between two legs twice where there is a row for each."""
    return legs.flatten(0, 1) if rows else torch.cat([legs[0, :1], legs[:, 1:].flatten(0, 1)])


def _each(values: Tensor, path: Path) -> Tensor:
    """Values [N] of the steps of a path in one row, for the arrangement of its images."""
    if not path.rows:
        return values
    return joined(torch.stack([values[start : start + path.steps + 1] for start in _starts(path)]), rows=True)


def _starts(path: Path) -> range:
    return range(0, (len(path.seeds) - 1) * path.steps, path.steps)


def _points(renderer: Renderer, path: Path, space: Space) -> Tensor:
    """The latents of the seeds [K, ...], each of its class and with its truncation, as `Renderer.images` has them."""
    common = renderer.class_of(path.seeds, path.label) if space == "w" and path.labels is None else None
    if space == "z" and (path.truncation is None or renderer.has_w):
        return renderer.latents(path.seeds, grid=path.grid, space=space)
    if space == "w" and path.labels is None:
        return renderer.latents(path.seeds, space=space, label=common)
    labels: Sequence[int | str | None] = [None] * len(path.seeds)
    cuts: list[float | None] = [None] * len(path.seeds)
    if space == "w":
        labels = path.labels or labels
    else:
        renderer.latents(path.seeds, grid=path.grid)  # those of several shapes are refused together
        cuts = [*values_along(_numbers(path.truncation), count=len(path.seeds)).tolist()]
    rows = [
        renderer.latents([seed], grid=path.grid, truncation=cut, space=space, label=label)
        for seed, cut, label in zip(path.seeds, cuts, labels, strict=True)
    ]
    return torch.cat(rows)


def _numbers(values: Sequence[float] | None) -> Tensor:
    return torch.tensor(values or (), dtype=torch.float64)


def _labels(renderer: Renderer, path: Path, space: Space, count: int, *, smooth: bool) -> Tensor | None:
    """The class of each image [N], or its shares of the classes [N, classes] where they are blended in z."""
    if path.labels is None:
        classes = renderer.one_label(path.seeds, 1, path.label)
        return None if classes is None else classes.expand(len(_each(torch.zeros(count), path)))
    known = [renderer.labels([seed], label) for seed, label in zip(path.seeds, path.labels, strict=True)]
    numbers = torch.cat([label for label in known if label is not None])
    if space == "w":  # each point was mapped with its own class
        return None
    shares = values_along(functional.one_hot(numbers, renderer.prior.classes), count=count, smooth=smooth)
    shares = shares / shares.sum(1, keepdim=True)
    return _each(shares.float(), path)


def _truncated(renderer: Renderer, latents: Tensor, labels: Tensor | None, space: Space, psi: Tensor) -> Tensor:
    """Latents in z or w -> w [N, W], truncated by psi [N], one at a time as they are rendered."""
    network: Any = renderer.generator
    rows = []
    for number, value in enumerate(psi.tolist()):
        row = latents[number : number + 1].clone(memory_format=torch.contiguous_format).to(renderer.device)
        if space == "z":
            label = None if labels is None else labels[number : number + 1].to(renderer.device)
            row = network.map(*([row] if label is None else [row, label]))
        rows.append(network.truncate(row, value).float().cpu())
    return torch.cat(rows)

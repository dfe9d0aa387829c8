"""Edits: a latent moved along directions, and strips of images along each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.directions.direction import Direction, Directions
from gansmith.latent.directions.inner import space_of_directions
from gansmith.latent.image_series import ImageSeries
from gansmith.latent.latents import Latent, Seed, Space, name_of
from gansmith.latent.provenance import Provenance, Samples, points
from gansmith.latent.renderer import Renderer

Move: TypeAlias = tuple[Direction, float]  # along which, and how many steps
MOST_STEPS = 1000.0
STRIP = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


def edit(
    renderer: Renderer,
    seed: Seed,
    moves: Sequence[Move],
    *,
    label: int | str | None = None,
    truncation: float | None = None,
) -> Latent:
    """The latent of a seed, moved by so many steps along each direction: z + amount x step x direction, in W where the
    generator has one. On the sphere it stays, and in the cube of the uniform prior.

    label: the class, for a conditional generator; the seed's own when None. truncation: of the image that is moved, as
    of `Renderer.images`. Raises OptionError for a direction of another size, for an amount that is no number, for a
    latent of another space.

    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 1, 2)), Prior(size=2))
    >>> smile = Direction(torch.tensor([1.0, 0.0]), "smile")
    >>> edit(renderer, Latent(torch.ones(2)), [(smile, 2.0)]).values
    tensor([3., 1.])
    """
    space = space_of_directions(renderer)
    _require_moves(moves)
    if space == "z" and isinstance(seed, Latent) and seed.space == "w":
        raise OptionError(f"the latent {seed.name} is of the space w, and this generator has none")
    values = _start(renderer, seed, space, label, truncation).double()
    for direction, amount in moves:
        if len(direction.vector) != len(values):
            raise OptionError(
                f"the direction {direction.name} has {len(direction.vector):,} numbers and this generator's latents "
                f"{len(values):,}: it belongs to another model"
            )
        shape = [-1, *[1] * (values.dim() - 1)]  # in every cell of a canvas
        values = values + amount * direction.step * direction.vector.double().reshape(shape)
    kept = _within_prior(renderer, values.float(), space)
    return Latent(kept, space, renderer.class_of([seed], label), f"{name_of(seed)} edited")


def edited_images(
    renderer: Renderer,
    seeds: Sequence[Seed],
    moves: Sequence[Move],
    *,
    label: int | str | None = None,
    truncation: float | None = None,
    steps: int = 1,
) -> ImageSeries:
    """The image of each seed, edited; with steps > 1 a row for each seed, from before to after in so many steps.

    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 1, 2)), Prior(size=2))
    >>> len(edited_images(renderer, [3, 4], [(Direction(torch.tensor([1.0, 0.0]), "smile"), 2.0)], steps=6))
    14
    """
    shares = [1.0] if steps == 1 else [step / steps for step in range(steps + 1)]
    latents, labels = [], []
    for seed in seeds:
        for share in shares:
            one = [(direction, amount * share) for direction, amount in moves]
            latents.append(edit(renderer, seed, one, label=label, truncation=truncation))
            labels.append(name_of(seed) if share == 0 else latents[-1].name if share == 1 else "")
    columns = None if steps == 1 else len(shares)
    return series(renderer, latents, labels=labels, columns=columns, marked=steps > 1)


def strips(
    renderer: Renderer, directions: Directions, seed: Seed = 0, *, label: int | str | None = None
) -> ImageSeries:
    """A row for each direction, of the image of a seed from -3 to 3 steps along it, numbered at its left; that of the
    seed itself, in the middle, is named.

    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 1, 2)), Prior(size=2))
    >>> smile = Direction(torch.tensor([1.0, 0.0]), "smile")
    >>> len(strips(renderer, Directions((smile,), "z", renderer.origin)))
    7
    """
    latents, labels = [], []
    for number, direction in enumerate(directions.items, 1):
        latents += [edit(renderer, seed, [(direction, amount)], label=label) for amount in STRIP]
        labels += [str(number) if amount == STRIP[0] else "" for amount in STRIP]
    return series(renderer, latents, labels=labels, columns=len(STRIP), marked=False)


def series(
    renderer: Renderer, latents: Sequence[Latent], *, labels: Sequence[str], columns: int | None, marked: bool
) -> ImageSeries:
    """Images of edited latents, which say their latents."""
    stacked = torch.stack([latent.values for latent in latents])
    classes = renderer.labels(latents) if renderer.conditional else None

    def provenance() -> Provenance:
        return Provenance(origin=renderer.origin, request=Samples(seeds=points(latents)))

    images = renderer.render(stacked, classes, space=latents[0].space)
    return ImageSeries(images, tuple(labels), columns=columns, marked=marked, provenance=provenance)


def _start(renderer: Renderer, seed: Seed, space: Space, label: int | str | None, truncation: float | None) -> Tensor:
    """The latent [n] that is moved: of the image that `Renderer.images` makes of the seed with this truncation."""
    if not renderer.has_w:
        return renderer.latents([seed], space=space, label=label, truncation=truncation)[0]
    w = renderer.latents([seed], space=space, label=label)
    return w[0] if truncation is None else renderer.truncated(w, truncation)[0]


def _require_moves(moves: Sequence[Move]) -> None:
    for direction, amount in moves:
        if not -MOST_STEPS <= amount <= MOST_STEPS:
            raise OptionError(
                f"{amount:g} steps along {direction.name} are not allowed: -{MOST_STEPS:g} to {MOST_STEPS:g}"
            )
    if not moves:
        raise OptionError("nothing to edit: give at least one direction, such as --along smile:2")


def _within_prior(renderer: Renderer, values: Tensor, space: Space) -> Tensor:
    if space == "z" and renderer.prior.kind == "sphere":
        on_sphere: Tensor = renderer.prior.on_sphere(values[None])[0]
        return on_sphere
    return values.clamp(-1, 1) if space == "z" and renderer.prior.kind == "uniform" else values

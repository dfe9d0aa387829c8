"""Sums of means of latents: the pictures of (smiling woman) - (neutral woman) + (neutral man).

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", section 6.3.2: the mean of three latents each, because single ones are unstable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.renderer import Renderer
from gansmith.latent.sample import ImageSeries


class Term(NamedTuple):
    """The mean latent of some seeds, added (sign 1) or taken away (sign -1)."""

    sign: Literal[1, -1]
    seeds: tuple[int, ...]


def mean(renderer: Renderer, seeds: Sequence[int]) -> Tensor:
    """The mean latent [Z] of the seeds, float64 inside; the same to the bit in any order."""
    return _settled(renderer, renderer.latents(seeds).double().mean(0))


def total(renderer: Renderer, terms: Sequence[Term]) -> Tensor:
    """The sum of the terms' means [Z], each with its sign; the same to the bit in any order of terms and seeds.

    Under the prior `sphere` means and sum are put back on the sphere. Raises OptionError without terms.
    """
    if not terms:
        raise OptionError("nothing to add up: give at least one --plus with its seeds, such as --plus 1,4,9")
    # float64 adds a few float32 numbers without rounding, so no order of them shows
    summed = torch.stack([term.sign * mean(renderer, term.seeds).double() for term in terms]).sum(0)
    return _settled(renderer, summed)


def arithmetic(renderer: Renderer, terms: Sequence[Term], *, label: int | str | None = None) -> ImageSeries:
    """A row for each term, its pictures and at the end their mean; the result closes the last row, alone.

    label: the class of all of them, for a generator that answers labels; that of the first seed when None."""
    result = total(renderer, terms)
    widest = max(len(term.seeds) for term in terms)
    latents: list[Tensor | None] = []
    labels: list[str] = []
    for term in terms:
        sign = "+" if term.sign > 0 else "-"
        gap = widest - len(term.seeds)
        latents += [*renderer.latents(term.seeds), *[None] * gap, mean(renderer, term.seeds)]
        labels += [*(f"{sign}{seed}" for seed in term.seeds), *[""] * gap, f"{sign}mean"]
    latents += [*[None] * widest, result]
    labels += [*[""] * widest, "result"]
    given = torch.stack([latent for latent in latents if latent is not None])
    made = iter(renderer.render(given, renderer.one_label(terms[0].seeds, len(given), label)))
    rendered = [None if latent is None else next(made) for latent in latents]
    shape = next(image for image in rendered if image is not None).shape
    if tuple(shape) == (2, 1, 1):  # points share one plane: there are no gaps to fill
        kept = [image for image in rendered if image is not None]
        return ImageSeries(torch.stack(kept), tuple(label for label in labels if label))
    gap_image = torch.full(shape, -1.0 if shape[0] == 4 else 1.0)  # transparent, or white
    images = torch.stack([gap_image if image is None else image for image in rendered])
    return ImageSeries(images, tuple(labels), columns=widest + 1)


def _settled(renderer: Renderer, latent: Tensor) -> Tensor:
    if renderer.prior.kind == "sphere":
        latent = renderer.prior.on_sphere(latent[None])[0]
    return latent.float()

"""Vector arithmetic of latents: (smiling woman) - (neutral woman) + (neutral man).

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", section 6.3.2: each term is the mean of three latents, because single ones are unstable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.image_series import ImageSeries
from gansmith.latent.renderer import Renderer


class Term(NamedTuple):
    """A term of a sum: the mean latent of the seeds, added (sign 1) or subtracted (sign -1).

    >>> Term(-1, (2, 5)).seeds
    (2, 5)
    """

    sign: Literal[1, -1]
    seeds: tuple[int, ...]


def mean_latent(renderer: Renderer, seeds: Sequence[int]) -> Tensor:
    """The mean latent [Z] of the seeds, float64 inside; the same to the bit in any order.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> mean_latent(renderer, [3]).equal(renderer.latents([3])[0])
    True
    """
    return _projected(renderer, renderer.latents(seeds).double().mean(0))


def sum_of_means(renderer: Renderer, terms: Sequence[Term]) -> Tensor:
    """The sum of the terms' means [Z], each with its sign; the same to the bit in any order of terms and seeds.

    Under the prior `sphere` means and sum are projected to the sphere. Raises OptionError without terms.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> sum_of_means(renderer, [Term(1, (3,)), Term(-1, (3,))])
    tensor([0., 0., 0., 0.])
    """
    if not terms:
        raise OptionError("nothing to add up: give at least one --plus with its seeds, such as --plus 1,4,9")
    # float64 adds a few float32 numbers without rounding, so no order of them shows
    summed = torch.stack([term.sign * mean_latent(renderer, term.seeds).double() for term in terms]).sum(0)
    return _projected(renderer, summed)


def latent_arithmetic(renderer: Renderer, terms: Sequence[Term], *, label: int | str | None = None) -> ImageSeries:
    """Images of a sum of latents: a row for each term, its seeds and their mean; in the last row the result, alone.

    label: the class of all of them, for a conditional generator; that of the first seed when None.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> latent_arithmetic(renderer, [Term(1, (3, 4)), Term(-1, (5,))]).labels
    ('+3', '+4', '+mean', '-5', '', '-mean', '', '', 'result')
    """
    result = sum_of_means(renderer, terms)
    widest = max(len(term.seeds) for term in terms)
    latents: list[Tensor | None] = []
    for term in terms:
        gap = widest - len(term.seeds)
        latents += [*renderer.latents(term.seeds), *[None] * gap, mean_latent(renderer, term.seeds)]
    latents += [*[None] * widest, result]
    labels = term_labels(terms)
    points = torch.stack([latent for latent in latents if latent is not None])
    images_of = iter(renderer.render(points, renderer.one_label(terms[0].seeds, len(points), label)))
    rendered = [None if latent is None else next(images_of) for latent in latents]
    shape = next(image for image in rendered if image is not None).shape
    if tuple(shape) == (2, 1, 1):  # points share one plane: there are no gaps to fill
        kept = [image for image in rendered if image is not None]
        return ImageSeries(torch.stack(kept), tuple(label for label in labels if label))
    gap_image = torch.full(shape, -1.0 if shape[0] == 4 else 1.0)  # transparent, or white
    images = torch.stack([gap_image if image is None else image for image in rendered])
    return ImageSeries(images, labels, columns=widest + 1)


def term_labels(terms: Sequence[Term]) -> tuple[str, ...]:
    """The labels of the images of `latent_arithmetic`, row by row; nothing where a row has a gap.

    >>> term_labels([Term(1, (3, 4)), Term(-1, (5,))])
    ('+3', '+4', '+mean', '-5', '', '-mean', '', '', 'result')
    """
    widest = max((len(term.seeds) for term in terms), default=0)
    labels: list[str] = []
    for term in terms:
        sign = "+" if term.sign > 0 else "-"
        labels += [*(f"{sign}{seed}" for seed in term.seeds), *[""] * (widest - len(term.seeds)), f"{sign}mean"]
    return (*labels, *[""] * widest, "result")


def _projected(renderer: Renderer, latent: Tensor) -> Tensor:
    if renderer.prior.kind == "sphere":
        latent = renderer.prior.on_sphere(latent[None])[0]
    return latent.float()

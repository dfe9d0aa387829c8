"""Vector arithmetic of latents: (smiling woman) - (neutral woman) + (neutral man).

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", section 6.3.2: each term is the mean of three latents, because single ones are unstable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.latent.image_series import ImageSeries
from gansmith.latent.latents import Seed, Space, name_of, space_of
from gansmith.latent.provenance import Provenance, Sum
from gansmith.latent.provenance import points as points_of
from gansmith.latent.renderer import Renderer

_NOTHING = "nothing to add up: give at least one --plus with its seeds, such as --plus 1,4,9"


class Term(NamedTuple):
    """A term of a sum: the mean latent of the seeds, added (sign 1) or subtracted (sign -1).

    >>> Term(-1, (2, 5)).seeds
    (2, 5)
    """

    sign: Literal[1, -1]
    seeds: tuple[Seed, ...]


def mean_latent(
    renderer: Renderer,
    seeds: Sequence[Seed],
    *,
    space: Space | None = None,
    label: int | str | None = None,
    truncation: float | None = None,
) -> Tensor:
    """The mean latent [Z], or [W] in the space w, of the seeds, float64 inside; the same to the bit in any order.

    space: `space_of` the seeds when None; label: of the class, for latents that are mapped to w; truncation: of the
    seeds' latents, for a generator without a space W.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> mean_latent(renderer, [3]).equal(renderer.latents([3])[0])
    True
    """
    space = space or space_of(seeds)
    latents = renderer.latents(seeds, space=space, label=label, truncation=None if renderer.has_w else truncation)
    return _projected(renderer, latents.double().mean(0), space)


def sum_of_means(
    renderer: Renderer, terms: Sequence[Term], *, label: int | str | None = None, truncation: float | None = None
) -> Tensor:
    """The sum of the terms' means [Z], each with its sign; the same to the bit in any order of terms and seeds.

    It is [W] where a latent of the space w is among them.

    Under the prior `sphere` means and sum are projected to the sphere. Raises OptionError without terms.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> sum_of_means(renderer, [Term(1, (3,)), Term(-1, (3,))])
    tensor([0., 0., 0., 0.])
    """
    if not terms:
        raise OptionError(_NOTHING)
    # float64 adds a few float32 numbers without rounding, so no order of them shows
    space = _space(terms)
    how: dict[str, Any] = {"space": space, "label": label, "truncation": truncation}
    means = [term.sign * mean_latent(renderer, term.seeds, **how).double() for term in terms]
    return _projected(renderer, torch.stack(means).sum(0), space)


def arithmetic_result(
    renderer: Renderer, terms: Sequence[Term], *, label: int | str | None = None, truncation: float | None = None
) -> ImageSeries:
    """The image of a sum of latents by itself: the last one of `latent_arithmetic`, to the bit.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> arithmetic_result(renderer, [Term(1, (3, 4)), Term(-1, (5,))]).labels
    ('result',)
    """
    if not terms:
        raise OptionError(_NOTHING)
    number = renderer.class_of(terms[0].seeds, label)
    latent = sum_of_means(renderer, terms, label=number, truncation=truncation)
    one_label, psi = renderer.one_label(terms[0].seeds, 1, label), truncation if renderer.has_w else None
    images = renderer.render(latent[None], one_label, space=_space(terms), psi=psi)
    made = _provenance(renderer, terms, label, truncation, only="result")
    return ImageSeries(images, ("result",), provenance=made)


def latent_arithmetic(
    renderer: Renderer, terms: Sequence[Term], *, label: int | str | None = None, truncation: float | None = None
) -> ImageSeries:
    """Images of a sum of latents: a row for each term, its seeds and their mean; in the last row the result, alone.

    label: the class of all of them, for a conditional generator; that of the first seed when None. truncation: as of
    `Renderer.images`: in a space W of every image, the result's too, else of the latents that the seeds draw.

    >>> import torch
    >>> from gansmith.data.prior import Prior
    >>> renderer = Renderer(torch.nn.Unflatten(1, (1, 2, 2)), Prior(size=4))
    >>> latent_arithmetic(renderer, [Term(1, (3, 4)), Term(-1, (5,))]).labels
    ('+3', '+4', '+mean', '-5', '', '-mean', '', '', 'result')
    """
    if not terms:
        raise OptionError(_NOTHING)
    space, widest = _space(terms), max(len(term.seeds) for term in terms)
    number = renderer.class_of(terms[0].seeds, label)
    psi, cut = (truncation, None) if renderer.has_w else (None, truncation)
    latents: list[Tensor | None] = []
    for term in terms:
        each = renderer.latents(term.seeds, space=space, label=number, truncation=cut)
        mean = mean_latent(renderer, term.seeds, space=space, label=number, truncation=cut)
        latents += [*each, *[None] * (widest - len(term.seeds)), mean]
    latents += [*[None] * widest, sum_of_means(renderer, terms, label=number, truncation=cut)]
    labels = term_labels(terms)
    points = torch.stack([latent for latent in latents if latent is not None])
    one_label = renderer.one_label(terms[0].seeds, len(points), label)
    images_of = iter(renderer.render(points, one_label, space=space, psi=psi))
    rendered = [None if latent is None else next(images_of) for latent in latents]

    provenance = _provenance(renderer, terms, label, truncation)
    shape = next(image for image in rendered if image is not None).shape
    if tuple(shape) == (2, 1, 1):  # points share one plane: there are no gaps to fill
        kept = [image for image in rendered if image is not None]
        return ImageSeries(torch.stack(kept), tuple(label for label in labels if label), provenance=provenance)
    gap_image = torch.full(shape, -1.0 if shape[0] == 4 else 1.0)  # transparent, or white
    images = torch.stack([gap_image if image is None else image for image in rendered])
    return ImageSeries(images, labels, columns=widest + 1, provenance=provenance)


def _provenance(
    renderer: Renderer,
    terms: Sequence[Term],
    label: int | str | None,
    truncation: float | None,
    *,
    only: Literal["result"] | None = None,
) -> Callable[[], Provenance]:
    def provenance() -> Provenance:
        plus, minus = (tuple(points_of(term.seeds) for term in terms if term.sign == sign) for sign in (1, -1))
        number = None if label is None else renderer.class_of(terms[0].seeds, label)
        request = Sum(plus=plus, minus=minus, only=only, truncation=truncation)
        return Provenance(origin=renderer.origin, request=request, label=number)

    return provenance


def term_labels(terms: Sequence[Term]) -> tuple[str, ...]:
    """The labels of the images of `latent_arithmetic`, row by row; nothing where a row has a gap.

    >>> term_labels([Term(1, (3, 4)), Term(-1, (5,))])
    ('+3', '+4', '+mean', '-5', '', '-mean', '', '', 'result')
    """
    return labels_of_terms([(term.sign, [name_of(seed) for seed in term.seeds]) for term in terms])


def labels_of_terms(terms: Sequence[tuple[int, Sequence[str]]]) -> tuple[str, ...]:
    """The same from the sign of each term and the names of its seeds."""
    widest = max((len(names) for _, names in terms), default=0)
    labels: list[str] = []
    for number, names in terms:
        sign = "+" if number > 0 else "-"
        labels += [*(f"{sign}{name}" for name in names), *[""] * (widest - len(names)), f"{sign}mean"]
    return (*labels, *[""] * widest, "result")


def _space(terms: Sequence[Term]) -> Space:
    return space_of(seed for term in terms for seed in term.seeds)


def _projected(renderer: Renderer, latent: Tensor, space: Space) -> Tensor:
    if space == "z" and renderer.prior.kind == "sphere":
        latent = renderer.prior.on_sphere(latent[None])[0]
    return latent.float()

"""Contrastive unpaired translation (CUT): one translator, a to b, whose patches stay what their source patches were.

Park, Efros, Zhang, Zhu 2020, "Contrastive Learning for Unpaired Image-to-Image Translation", section 3, and FastCUT of
the same paper. The discriminator plays first. No second translator, no cycle, no image pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Sample, Terms, Turn, exact
from gansmith.data.prior import Prior
from gansmith.errors import ExperimentError
from gansmith.games.parts.discriminator import discriminator_turn
from gansmith.games.parts.domains import images_of
from gansmith.games.parts.jitter import jitter as jittered
from gansmith.games.parts.patch_nce import drawn_places, patch_nce, vectors_at
from gansmith.schedules import Schedule, Weight, schedule
from gansmith.system.option_types import NonNegativeSmallInt, PositiveFloat, PositiveInt
from gansmith.system.sharing import drawn

ROLES = {"to_b": "translator", "discriminator": "discriminator"}  # player -> role in the model's file
DOMAINS = ("a", "b")


class Encoding(Protocol):
    """A translator in two halves: images -> features of several places -> images; and a head for each place."""

    heads: nn.Module

    def encode(self, image: Tensor) -> tuple[Tensor, ...]: ...
    def decode(self, features: tuple[Tensor, ...]) -> Tensor: ...
    def project(self, place: int, vectors: Tensor) -> Tensor: ...


def build(
    players: Mapping[str, nn.Module],
    objective: Objective,
    prior: Prior,
    *,
    contrast: Weight = 1.0,
    identity: bool = True,
    temperature: PositiveFloat = 0.07,
    patches: PositiveInt = 256,
    flip: bool = False,
    jitter: NonNegativeSmallInt = 0,
    averaged: bool = False,
) -> Game:
    """The game of a translator (a -> b) with an encoder and projection heads, and a discriminator of b, under an
    objective. Batches are {"a": Sample, "b": Sample}, unpaired. Labels are not read.

    contrast: weight of PatchNCE (lambda). identity: half of it is PatchNCE of images of b and their own translations
    (CUT); else all of it is on images of a (FastCUT). temperature: of the softmax (tau). patches: drawn at each place
    of the encoder. flip: half of the images are translated mirrored and compared mirrored back (FastCUT). jitter:
    pixels by which each image is enlarged before a random crop of its size. averaged: keep a moving average of the
    translator, and show and save that. To learn the other direction, exchange the two sets of images.

    >>> from gansmith import adversarial, catalog
    >>> translator = catalog.build("models", "cut", adversarial.Dimensions(3, 32, 32), factory="translator", width=4)
    >>> networks = {"to_b": translator, "discriminator": nn.Identity()}
    >>> [turn.name for turn in build(networks, catalog.build("objectives", "lsgan"), Prior(), flip=True).turns]
    ['discriminator', 'translator']
    """
    translator, discriminator = players["to_b"], players["discriminator"]
    if not all(hasattr(translator, part) for part in ("encode", "decode", "project", "heads")):
        raise ExperimentError(
            f"the game cut compares features of its translator's encoder, and {type(translator).__name__} has no "
            f"encode, decode, project and heads: --set translator.name=cut"
        )
    encoding = cast(Encoding, translator)
    encoding.heads.requires_grad_()
    weight = schedule(contrast)
    parts = _Parts(encoding, discriminator, objective, weight, identity, temperature, patches, flip, jitter)
    return Game(
        players=players,
        turns=(
            discriminator_turn("discriminator", discriminator, partial(_discriminate, parts), objective, draws=True),
            Turn("translator", ("to_b",), partial(_translate, parts, translator), draws=False),
        ),
        averaged=("to_b",) if averaged else (),
        state=objective.state,
        show=_show,
        columns=2,
    )


class _Parts(NamedTuple):
    """The parts of one game; the rest as in `build`."""

    translator: Encoding
    discriminator: nn.Module
    objective: Objective
    contrast: Schedule
    identity: bool
    temperature: float
    patches: int
    flip: bool
    jitter: int

    def drawn(self, batch: Batch, at: Moment) -> tuple[Tensor, Tensor, Tensor | None]:
        """The images of a and b, jittered, and which of a batch's places are mirrored: bool [B, 1, 1, 1], or None."""
        of = images_of(batch, "cut")
        images = {name: jittered(image, pixels=self.jitter, rng=at.rng) for name, image in of.items()}
        flips = None
        if self.flip:
            device = at.rng.device
            coins = drawn(lambda n: torch.rand(n, 1, 1, 1, generator=at.rng, device=device), len(images["a"]))
            flips = coins < 0.5
        return images["a"], images["b"], flips


def _discriminate(parts: _Parts, batch: Batch, at: Moment) -> Terms:
    """The turn of the discriminator: images of b, and translations made without a graph."""
    a, b, flips = parts.drawn(batch, at)
    with torch.no_grad():
        fake = exact(parts.translator.decode(parts.translator.encode(_mirrored(a, flips))))
    return parts.objective.discriminator_terms(parts.discriminator, Sample(b), Sample(fake), at)


def _translate(parts: _Parts, network: nn.Module, batch: Batch, at: Moment) -> Terms:
    """The turn of the translator and its heads: adversarial loss, PatchNCE, penalties on weights."""
    a, b, flips = parts.drawn(batch, at)
    weight = parts.contrast(at.images)
    both = parts.identity and bool(weight)
    sources = torch.cat([a, b]) if both else a
    if both and flips is not None:
        flips = torch.cat([flips, flips])
    keys = parts.translator.encode(_mirrored(sources, flips))
    images = exact(parts.translator.decode(keys))
    terms = parts.objective.generator_terms(parts.discriminator, Sample(b), Sample(images[: len(a)]), at)
    loss = {("adversarial" if name == "loss" else name): value for name, value in terms.loss.items()}
    if weight:
        if flips is not None:
            with torch.no_grad():
                keys = parts.translator.encode(sources)
        each = _contrast(parts, images, keys, flips, at).unflatten(0, (-1, len(a))).mean(1)
        share = weight / len(each)
        loss |= {name: share * value for name, value in zip(("contrast", "identity"), each, strict=False)}
    return Terms(loss, terms.seen).plus(parts.objective.weight_terms("generator", network, at))


def _contrast(parts: _Parts, images: Tensor, keys: tuple[Tensor, ...], flips: Tensor | None, at: Moment) -> Tensor:
    """PatchNCE of translations [B, C, H, W] and the features of their sources: the mean over all places, [B]."""
    losses = []
    for number, (query, key) in enumerate(zip(parts.translator.encode(images), keys, strict=True)):
        places = drawn_places(key, parts.patches, at.rng)
        with torch.no_grad():
            target = parts.translator.project(number, vectors_at(key, places))
        vectors = parts.translator.project(number, vectors_at(_mirrored(query, flips), places))
        losses.append(patch_nce(vectors, target, temperature=parts.temperature))
    return torch.stack(losses).mean(0)


def _mirrored(images: Tensor, flips: Tensor | None) -> Tensor:
    """Those of the images [B, C, H, W] left to right for which `flips` is true."""
    return images if flips is None else torch.where(flips, images.flip(3), images)


def _show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
    """Two columns: an image of a, and its translation."""
    images = images_of(fixed.real, "cut")
    return torch.stack([images["a"], players["to_b"](images["a"])], 1).flatten(0, 1)

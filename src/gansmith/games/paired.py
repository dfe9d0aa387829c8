"""Paired image-to-image translation: a translator trained on pairs of images, and a discriminator of pairs.

Isola, Zhu, Zhou, Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3. The
discriminator plays first, on pairs whose second image is translated without a graph.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Dimensions, Fixed, Game, Moment, Objective, Sample, Terms, Turn, exact
from gansmith.data.prior import Prior
from gansmith.games.parts.discriminator import discriminator_turn
from gansmith.games.parts.domains import images_of
from gansmith.games.parts.jitter import jitter as jittered
from gansmith.schedules import Weight, schedule
from gansmith.system.option_types import NonNegativeSmallInt

ROLES = {"to_b": "translator", "discriminator": "discriminator"}  # player -> role in the model's file
DOMAINS = ("a", "b")
PAIRED = True


def dimensions_of(role: str, dimensions: Dimensions) -> Dimensions:
    """The dimensions of a network of this role: the discriminator reads both images of a pair, along the channels."""
    return dimensions._replace(channels=2 * dimensions.channels) if role == "discriminator" else dimensions


def build(
    players: Mapping[str, nn.Module],
    objective: Objective,
    prior: Prior,
    *,
    l1: Weight = 100.0,
    slow: Weight = 0.5,
    jitter: NonNegativeSmallInt = 0,
    averaged: bool = False,
) -> Game:
    """The game of a translator (a -> b) and a discriminator of pairs ([a; b] along the channels -> scores) under an
    objective. Batches are {"a": Sample, "b": Sample}, image i of a belonging to image i of b. Labels are not read.

    l1: weight of |to_b(a) - b|, the mean over all pixels. slow: factor on the objective's loss in the discriminator's
    turn. jitter: pixels by which a pair is enlarged before a random crop of its size, the same for both images.
    averaged: keep a moving average of the translator, and show and save that. To learn the other direction, exchange
    the two sets of images.

    >>> from gansmith import catalog
    >>> networks = {player: nn.Identity() for player in ROLES}
    >>> game = build(networks, catalog.build("objectives", "nonsaturating"), Prior(), l1=10.0)
    >>> [turn.name for turn in game.turns]
    ['discriminator', 'translator']
    """
    translator, discriminator = players["to_b"], players["discriminator"]
    of_l1, of_discriminator = schedule(l1), schedule(slow)

    def drawn(batch: Batch, at: Moment) -> tuple[Tensor, Tensor]:
        images = images_of(batch, "paired")
        a, b = jittered(torch.cat([*images.values()], 1), pixels=jitter, rng=at.rng).chunk(2, 1)
        return a, b

    def discriminate(batch: Batch, at: Moment) -> Terms:
        a, b = drawn(batch, at)
        with torch.no_grad():
            fake = exact(translator(a))
        terms = objective.discriminator_terms(discriminator, _pair(a, b), _pair(a, fake), at)
        return terms._replace(loss={**terms.loss, "loss": of_discriminator(at.images) * terms.loss["loss"]})

    def translate(batch: Batch, at: Moment) -> Terms:
        a, b = drawn(batch, at)
        fake = exact(translator(a))
        terms = objective.generator_terms(discriminator, _pair(a, b), _pair(a, fake), at)
        loss = {("adversarial" if name == "loss" else name): value for name, value in terms.loss.items()}
        weight = of_l1(at.images)
        if weight:  # Eq. 3
            loss["l1"] = weight * (fake - b).abs().mean()
        return Terms(loss, terms.seen).plus(objective.weight_terms("generator", translator, at))

    return Game(
        players=players,
        turns=(
            discriminator_turn("discriminator", discriminator, discriminate, objective, draws=True),
            Turn("translator", ("to_b",), translate, draws=False),
        ),
        averaged=("to_b",) if averaged else (),
        state=objective.state,
        show=_show,
        columns=3,
    )


def _show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
    """Three columns: an image of a, its translation, and the image of b that it should become."""
    images = images_of(fixed.real, "paired")
    return torch.stack([images["a"], players["to_b"](images["a"]), images["b"]], 1).flatten(0, 1)


def _pair(a: Tensor, b: Tensor) -> Sample:
    return Sample(torch.cat([a, b], 1))

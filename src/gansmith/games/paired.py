"""Pairs: a translator that is shown what each image should become, and a discriminator of pairs.

Isola, Zhu, Zhou, Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3. The
discriminator plays first, on pairs whose second image was made without a graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from gansmith.adversarial import Batch, Dimensions, Fixed, Game, Moment, Objective, Prior, Sample, Terms, Turn, exact
from gansmith.games.parts.domains import images_of
from gansmith.games.parts.jitter import jitter as jittered
from gansmith.schedules import Weight, schedule

ROLES = {"to_b": "translator", "discriminator": "discriminator"}  # player -> role in the model's file
DOMAINS = ("a", "b")
PAIRED = True

Pixels = Annotated[int, Field(ge=0)]


def dimensions_of(role: str, dimensions: Dimensions) -> Dimensions:
    """What networks of this role are built for: the discriminator is shown both images, one behind the other."""
    return dimensions._replace(channels=2 * dimensions.channels) if role == "discriminator" else dimensions


def build(
    players: Mapping[str, nn.Module],
    objective: Objective,
    prior: Prior,
    *,
    l1: Weight = 100.0,
    slow: Weight = 0.5,
    jitter: Pixels = 0,
    averaged: bool = False,
) -> Game:
    """The game of a translator (a -> b) and a discriminator of pairs ([a; b] along the channels -> scores) under an
    objective. Batches are {"a": Sample, "b": Sample}, image by image the same thing. Labels are not read.

    l1: weight of |to_b(a) - b|, the mean over all pixels. slow: factor on the objective's loss in the discriminator's
    turn. jitter: pixels by which a pair is made larger before a crop of its size, the same for both images. averaged:
    keep a moving average of the translator, and show and save that. To learn the other direction, exchange the two sets
    of images.
    """
    translator, discriminator = players["to_b"], players["discriminator"]
    of_l1, of_discriminator = schedule(l1), schedule(slow)

    def drawn(batch: Batch, at: Moment) -> tuple[Tensor, Tensor]:
        images = images_of(batch, DOMAINS, "paired")
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

    def settle(terms: Terms, at: Moment) -> None:
        objective.settle(discriminator, terms)

    def show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
        images = images_of(fixed.real, DOMAINS, "paired")
        return torch.stack([images["a"], players["to_b"](images["a"]), images["b"]], 1).flatten(0, 1)

    return Game(
        players=players,
        turns=(
            Turn(
                "discriminator", ("discriminator",), discriminate, repeats=objective.discriminator_steps, settle=settle
            ),
            Turn("translator", ("to_b",), translate, draws=False),
        ),
        averaged=("to_b",) if averaged else (),
        state=objective.state,
        show=show,
        columns=3,
    )


def _pair(a: Tensor, b: Tensor) -> Sample:
    return Sample(torch.cat([a, b], 1))

"""Two players: a discriminator and a generator, each updated once in every step.

Goodfellow et al. 2014, "Generative Adversarial Nets", Algorithm 1. The discriminator plays first, on fresh fakes made
without a graph; the generator then plays on latents of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Prior, Sample, Terms, Turn, exact

ROLES = {"generator": "generator", "discriminator": "discriminator"}  # player -> role in the model's file


Share = Annotated[float, Field(ge=0, lt=0.5)]


def build(players: Mapping[str, nn.Module], objective: Objective, prior: Prior, *, flips: Share = 0.0) -> Game:
    """The game of a generator (latents [B, Z] -> images) and a discriminator (images -> scores) under an objective.

    Batches are {"real": Sample}. flips: the share of pairs in the discriminator's turn whose scores are taken for each
    other's (Salimans et al. 2016 call for softer labels; the flips are of Chintala et al. 2016, "How to Train a GAN?").
    """
    generator, discriminator = players["generator"], players["discriminator"]

    def discriminate(batch: Batch, at: Moment) -> Terms:
        real = batch["real"]
        z, label = prior.draw(len(real.image), at.rng, like=real)
        with torch.no_grad():
            fake = Sample(exact(generator(z, label)), label)
        flipped = torch.rand(len(real.image), generator=at.rng, device=at.rng.device) < flips if flips else None
        return objective.discriminator_terms(discriminator, real, fake, at, flipped=flipped)

    def generate(batch: Batch, at: Moment) -> Terms:
        real = batch["real"]
        z, label = prior.draw(len(real.image), at.rng, like=real)
        terms = objective.generator_terms(discriminator, real, Sample(exact(generator(z, label)), label), at)
        return terms.plus(objective.weight_terms("generator", generator, at))

    def settle(terms: Terms, at: Moment) -> None:
        objective.settle(discriminator, terms)

    def show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
        images: Tensor = players["generator"](fixed.latents, fixed.label)
        return images

    return Game(
        players=players,
        turns=(
            Turn(
                "discriminator", ("discriminator",), discriminate, repeats=objective.discriminator_steps, settle=settle
            ),
            Turn("generator", ("generator",), generate, draws=False),
        ),
        averaged=("generator",),
        state=objective.state,
        show=show,
    )

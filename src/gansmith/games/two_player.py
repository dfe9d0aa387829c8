"""Two players: a discriminator and a generator, each updated once in every step.

Goodfellow et al. 2014, "Generative Adversarial Nets", Algorithm 1. The discriminator plays first, on fresh fakes made
without a graph; the generator then plays on latents of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Game, Moment, Objective, Prior, Sample, Terms, Turn, exact

ROLES = {"generator": "generator", "discriminator": "discriminator"}  # player -> role in the model's file


def build(players: Mapping[str, nn.Module], objective: Objective, prior: Prior) -> Game:
    """The game of a generator (latents [B, Z] -> images) and a discriminator (images -> scores) under an objective.

    Batches are {"real": Sample}.
    """
    generator, discriminator = players["generator"], players["discriminator"]

    def discriminate(batch: Batch, at: Moment) -> Terms:
        real = batch["real"]
        z, label = prior.draw(len(real.image), at.rng, like=real)
        with torch.no_grad():
            fake = Sample(exact(generator(z, label)), label)
        return objective.discriminator_terms(discriminator, real, fake, at)

    def generate(batch: Batch, at: Moment) -> Terms:
        real = batch["real"]
        z, label = prior.draw(len(real.image), at.rng, like=real)
        return objective.generator_terms(discriminator, real, Sample(exact(generator(z, label)), label), at)

    def settle(terms: Terms, at: Moment) -> None:
        if objective.project is not None:
            objective.project(discriminator)

    def show(players: Mapping[str, nn.Module], latents: Tensor) -> Tensor:
        images: Tensor = players["generator"](latents)
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
        show=show,
    )

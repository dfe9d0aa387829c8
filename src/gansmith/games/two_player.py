"""Alternating training of a discriminator and a generator, each updated once in every step.

Goodfellow et al. 2014, "Generative Adversarial Nets", Algorithm 1. The discriminator plays first, on fakes that are
generated without a graph; the generator then plays on latents of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Sample, Terms, Turn, exact
from gansmith.data.prior import Prior
from gansmith.games.parts.discriminator import discriminator_turn
from gansmith.system.option_types import FractionBelowHalf
from gansmith.system.sharing import drawn

ROLES = {"generator": "generator", "discriminator": "discriminator"}  # player -> role in the model's file


def build(
    players: Mapping[str, nn.Module], objective: Objective, prior: Prior, *, flips: FractionBelowHalf = 0.0
) -> Game:
    """The game of a generator (latents [B, Z] -> images) and a discriminator (images -> scores) under an objective.

    Batches are {"real": Sample}. flips: label noise, the share of pairs in the discriminator's turn whose real and fake
    scores are exchanged (Chintala et al. 2016, "How to Train a GAN?"; Salimans et al. 2016 smooth the labels instead).

    >>> from gansmith import catalog
    >>> networks = {"generator": nn.Linear(2, 3), "discriminator": nn.Linear(3, 1)}
    >>> game = build(networks, catalog.build("objectives", "hinge"), Prior(size=2), flips=0.05)
    >>> [turn.name for turn in game.turns]
    ['discriminator', 'generator']
    """
    generator, discriminator = players["generator"], players["discriminator"]

    def discriminate(batch: Batch, at: Moment) -> Terms:
        real = batch["real"]
        z, label = prior.draw(len(real.image), at.rng, like=real)
        with torch.no_grad():
            fake = Sample(exact(generator(z, label)), label)
        flipped = flipped_by(flips, len(real.image), at.rng) if flips else None
        return objective.discriminator_terms(discriminator, real, fake, at, flipped=flipped)

    def generate(batch: Batch, at: Moment) -> Terms:
        real = batch["real"]
        z, label = prior.draw(len(real.image), at.rng, like=real)
        terms = objective.generator_terms(discriminator, real, Sample(exact(generator(z, label)), label), at)
        terms = terms.plus(objective.weight_terms("generator", generator, at))
        return terms.plus(*objective.latent_terms(generator, z, label, at))

    def settle(terms: Terms, at: Moment) -> None:
        objective.settle_generator(terms)

    def show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
        images: Tensor = players["generator"](fixed.latents, fixed.label)
        return images

    return Game(
        players=players,
        turns=(
            discriminator_turn("discriminator", discriminator, discriminate, objective, draws=True),
            Turn(
                "generator",
                ("generator",),
                generate,
                draws=False,
                settle=settle if objective.latent_penalties else None,
            ),
        ),
        averaged=("generator",),
        state=objective.state,
        show=show,
    )


def flipped_by(share: float, count: int, rng: torch.Generator) -> Tensor:
    """bool [B]: the pairs whose scores change places, each with probability `share`."""
    return drawn(lambda n: torch.rand(n, generator=rng, device=rng.device), count) < share

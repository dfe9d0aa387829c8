"""Generator first: both sides play on the same real images, the generator before the discriminator."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Sample, Terms, Turn, exact
from gansmith.data.prior import Prior

ROLES = {"generator": "generator", "discriminator": "discriminator"}


def build(players: Mapping[str, nn.Module], objective: Objective, prior: Prior) -> Game:
    """The game of a generator (latents [B, Z] -> images) and a discriminator (images -> scores) under an objective.

    >>> from gansmith.objectives import hinge
    >>> networks = {"generator": nn.Identity(), "discriminator": nn.Identity()}
    >>> [turn.name for turn in build(networks, hinge.build(), Prior()).turns]
    ['generator', 'discriminator']
    """
    generator, discriminator = players["generator"], players["discriminator"]

    def generate(batch: Batch, at: Moment) -> Terms:
        z, label = prior.draw(len(batch["real"].image), at.rng, like=batch["real"])
        fake = Sample(exact(generator(z, label)), label)
        terms = objective.generator_terms(discriminator, batch["real"], fake, at)
        return terms.plus(objective.weight_terms("generator", generator, at))

    def discriminate(batch: Batch, at: Moment) -> Terms:
        z, label = prior.draw(len(batch["real"].image), at.rng, like=batch["real"])
        with torch.no_grad():
            fake = Sample(exact(generator(z, label)), label)
        return objective.discriminator_terms(discriminator, batch["real"], fake, at)

    def settle(terms: Terms, at: Moment) -> None:
        objective.settle(discriminator, terms)

    def show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
        images: Tensor = players["generator"](fixed.latents, fixed.label)
        return images

    turns = (
        Turn("generator", ("generator",), generate),
        Turn("discriminator", ("discriminator",), discriminate, draws=False, settle=settle),
    )
    return Game(players=players, turns=turns, averaged=("generator",), state=objective.state, show=show)

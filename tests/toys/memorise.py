"""A generator that learns its training images by heart, on purpose: what the test for copies must find.

Every sample is drawn to the real image nearest to it, and every real image draws the sample nearest to it. Give it the
whole training set as one batch.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Fixed, Game, Moment, Objective, Terms, Turn
from gansmith.data.prior import Prior

ROLES = {"generator": "generator"}


def build(players: Mapping[str, nn.Module], objective: Objective | None, prior: Prior) -> Game:
    generator = players["generator"]

    def recite(batch: Batch, at: Moment) -> Terms:
        real = batch["real"].image
        z, _ = prior.draw(len(real), at.rng)
        made = generator(z).float()
        distances = torch.cdist(made.detach().flatten(1), real.flatten(1))
        to_real = (made - real[distances.argmin(1)]).square().mean()
        to_made = (made[distances.argmin(0)] - real).square().mean()
        return Terms({"loss": to_real + to_made})

    def show(players: Mapping[str, nn.Module], fixed: Fixed) -> Tensor:
        images: Tensor = players["generator"](fixed.latents)
        return images

    return Game(players, (Turn("generator", ("generator",), recite),), averaged=("generator",), show=show)

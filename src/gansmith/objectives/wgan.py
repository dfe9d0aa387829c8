"""Wasserstein loss with weight clamping (WGAN); the discriminator is the paper's critic.

Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN", Algorithm 1; the schedule of steps is that of the authors' code.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from gansmith.adversarial import Objective
from gansmith.system.option_types import NonNegativeInt, PositiveFloat, SmallInt

OPTIMIZER = {"name": "rmsprop", "lr": 5e-5}  # Algorithm 1; with momentum (Adam, beta1 > 0) training becomes unstable


def build(
    *,
    clamp: PositiveFloat = 0.01,
    clamp_when: Literal["after", "before"] = "after",
    steps: SmallInt = 5,
    warmup_steps: SmallInt = 100,
    warmup: NonNegativeInt = 25,
    every: NonNegativeInt = 500,
) -> Objective:
    """Discriminator: D(fake) - D(real), its weights within [-clamp, clamp]. Generator: -D(fake).

    clamp_when: after each of the discriminator's steps (Algorithm 1), or before it (the authors' code).
    steps: of the discriminator for one of the generator; warmup_steps in the first `warmup` steps of the game and in
    each `every`-th (0: no more) of them.

    >>> [build().discriminator_steps(step) for step in (0, 24, 25, 499, 500)]
    [100, 100, 5, 5, 100]
    """
    clamped = partial(clamp_weights, bound=clamp)
    counted = partial(discriminator_steps, steps=steps, warmup_steps=warmup_steps, warmup=warmup, every=every)
    return Objective(
        discriminator,
        generator,
        project=clamped if clamp_when == "after" else None,
        project_before=clamped if clamp_when == "before" else None,
        discriminator_steps=counted,
    )


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return fake - real


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    return -fake


@torch.no_grad()
def clamp_weights(network: nn.Module, *, bound: float) -> None:
    """Clamp every trained parameter, those of normalisations too, to [-bound, bound]."""
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.clamp_(-bound, bound)


def discriminator_steps(
    step: int, *, steps: int = 5, warmup_steps: int = 100, warmup: int = 25, every: int = 500
) -> int:
    """Updates of the discriminator in `step`: by default 100 in the steps 0 to 24, 500, 1000 ..., else 5."""
    return warmup_steps if step < warmup or (every and step % every == 0) else steps

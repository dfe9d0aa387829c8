"""LeCam regularisation: squared distances of real and fake scores from the other kind's moving average.

Tseng, Jiang, Liu, Yang, Yang 2021, "Regularizing Generative Adversarial Networks under Limited Data", section 3.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Scores, Terms, Weighted
from gansmith.schedules import Weight, schedule
from gansmith.system import collectives
from gansmith.system.option_types import FractionBelowOne, PositiveInt


def build(
    *, weight: Weight = 0.3, every: PositiveInt = 1, decay: FractionBelowOne = 0.99, rectified: bool = False
) -> Weighted:
    """weight: lambda, a number or a schedule. every: steps from one to the next, which also multiply the weight.
    decay: of the averages, per turn of the discriminator. rectified: only real scores above the fakes' average and fake
    scores below the reals' are penalised, as the authors' code does and the paper does not.

    >>> averages = build().state
    >>> averages.state_dict()["turns"]
    0
    """
    averages = Averages(decay)
    return Weighted(
        partial(penalty, averages=averages, rectified=rectified),
        schedule(weight),
        every,
        per_sample=False,
        state=averages,
    )


class Averages:
    """Moving averages of the mean real and fake score, corrected for the bias of beginning at zero."""

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.turns = 0
        self.real, self.fake = torch.zeros(()), torch.zeros(())

    def ahead(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The averages after an update with these mean scores [], which are not stored."""
        whole = 1 - self.decay ** (self.turns + 1)
        return self._next(self.real, real) / whole, self._next(self.fake, fake) / whole

    def observe(self, terms: Terms) -> None:
        """Update the averages with one turn of the discriminator; nothing waits for the device."""
        self.real = self._next(self.real, terms.seen["score_real"])
        self.fake = self._next(self.fake, terms.seen["score_fake"])
        self.turns += 1

    def seen(self) -> dict[str, Tensor]:
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"turns": self.turns, "real": self.real, "fake": self.fake}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.turns, self.real, self.fake = state["turns"], state["real"], state["fake"]

    def _next(self, average: Tensor, score: Tensor) -> Tensor:
        return self.decay * average.to(score.device) + (1 - self.decay) * score


def penalty(
    discriminator: nn.Module, scores: Scores, rng: torch.Generator, *, averages: Averages, rectified: bool
) -> Tensor:
    """(real score - the fakes' average)^2 + (fake score - the reals' average)^2: [B, ...]."""
    of_real, of_fake = averages.ahead(*(collectives.mean(kind.detach(), None) for kind in (scores.real, scores.fake)))
    above, below = scores.real - of_fake, of_real - scores.fake
    if rectified:
        above, below = F.relu(above), F.relu(below)
    return above.square() + below.square()

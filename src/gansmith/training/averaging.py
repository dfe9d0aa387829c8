"""Exponential moving average of players' weights, with a half-life in images.

Half-lives in images survive a change of batch size (Karras et al. 2020, "Analyzing and Improving the Image Quality of
StyleGAN", section B of the appendix, count the same way). Early in a run the half-life is at most `rampup` times the
images drawn, so that the first random weights are soon forgotten.

Floating buffers, that is batch normalisation's running statistics, are averaged like the weights they belong to;
with `buffers="copy"` they are the player's own. Counters are always copied.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from gansmith.schedules import Schedule

Buffers = Literal["average", "copy"]


class Averaging:
    """Moving averages of `players`: copies in evaluation mode, without gradients."""

    def __init__(
        self,
        players: Mapping[str, nn.Module],
        *,
        half_life: Schedule,
        rampup: float | None = 0.05,
        buffers: Buffers = "average",
    ) -> None:
        self.half_life, self.rampup = half_life, rampup
        self.players = {name: copy.deepcopy(player).eval().requires_grad_(False) for name, player in players.items()}
        self._averages: list[Tensor] = []
        self._followed: list[Tensor] = []
        self._copies: list[tuple[Tensor, Tensor]] = []
        for name, player in players.items():
            average = self.players[name]
            pairs: list[tuple[Tensor, Tensor]] = list(zip(average.parameters(), player.parameters(), strict=True))
            for mine, theirs in zip(average.buffers(), player.buffers(), strict=True):
                if buffers == "average" and mine.is_floating_point():
                    pairs.append((mine, theirs))
                else:
                    self._copies.append((mine, theirs))
            self._averages += [mine for mine, _ in pairs]
            self._followed += [theirs for _, theirs in pairs]

    @torch.no_grad()
    def update(self, drawn: int, images: int) -> None:
        """Move towards the players' weights after a step that drew `drawn` images, at `images` in all."""
        half_life = self.half_life(images)
        if self.rampup is not None:
            half_life = min(half_life, images * self.rampup)
        kept = 0.5 ** (drawn / half_life) if half_life > 0 else 0.0
        if self._averages:
            torch._foreach_lerp_(self._averages, self._followed, 1 - kept)
        for mine, theirs in self._copies:
            mine.copy_(theirs)

    def state_dict(self) -> dict[str, Any]:
        return {name: player.state_dict() for name, player in self.players.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name, player in self.players.items():
            player.load_state_dict(state[name])

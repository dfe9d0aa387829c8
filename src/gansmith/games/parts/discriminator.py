"""The turn of a discriminator, which every adversarial game has."""

from __future__ import annotations

from torch import nn

from gansmith.adversarial import Moment, Objective, Play, Terms, Turn


def discriminator_turn(player: str, network: nn.Module, play: Play, objective: Objective, *, draws: bool) -> Turn:
    """The turn of the discriminator called `player`, repeated as often as the objective asks; behind each update come
    the objective's projection of its weights and the statistics of its penalties.

    draws: each repeat takes a fresh batch; else all of them the one that was drawn for another turn of the step.
    """

    def settle(terms: Terms, at: Moment) -> None:
        objective.settle(network, terms)

    return Turn(player, (player,), play, repeats=objective.discriminator_steps, draws=draws, settle=settle)

"""Base class of augmentations, and their insertion between a game and its discriminators.

Discriminators read augmented images only, reals and fakes alike, and gradients pass through (Zhao, Liu, Lin, Zhu, Han
2020, "Differentiable Augmentation for Data-Efficient GAN Training", section 3). Objectives and penalties are unaware
of it: a penalty's gradient is taken with respect to the images before the augmentation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from gansmith.adversarial import Batch, Game, Moment, Objective, Terms, Turn


class Augment(ABC):
    """Images [B, C, H, W] in [-1, 1] -> the same shape and type, differentiable.

    It draws from torch's global generator of the images' device, which the engine seeds before each play.
    """

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor: ...

    def begin(self, at: Moment) -> None:  # noqa: B027  (most follow no schedule)
        """Called before each play, with the images drawn so far."""

    def check(self, objective: Objective) -> None:  # noqa: B027  (most go with any)
        """Called once, before the game. Raises ExperimentError for an objective that it does not go with."""

    def seen(self) -> dict[str, Tensor]:
        """Scalars by name, recorded with each turn of a discriminator."""
        return {}

    def settle(self, terms: Terms, at: Moment) -> None:  # noqa: B027  (most do not adapt)
        """Called after each update of a discriminator, without gradient, with the terms of its turn."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027  (most have no state)
        """Take up what `state_dict` returned, its tensors on the CPU."""


def augmented(game: Game, augment: Augment, judges: Sequence[str]) -> Game:
    """`game` with `augment` before the players `judges` while these are in training mode."""
    for judge in judges:
        game.players[judge].register_forward_pre_hook(_before(augment))
    turns = tuple(_attached(turn, augment, judging=bool({*turn.players} & {*judges})) for turn in game.turns)
    return replace(game, turns=turns, state={**game.state, "augment": augment})


def _before(augment: Augment) -> Any:
    def hook(network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        image, *others = inputs
        return (augment(image), *others) if network.training else inputs

    return hook


def _attached(turn: Turn, augment: Augment, *, judging: bool) -> Turn:
    def play(batch: Batch, at: Moment) -> Terms:
        augment.begin(at)
        terms = turn.play(batch, at)
        return terms._replace(seen={**terms.seen, **augment.seen()}) if judging else terms

    def settle(terms: Terms, at: Moment) -> None:
        if judging:
            augment.settle(terms, at)
        if turn.settle is not None:
            turn.settle(terms, at)

    return replace(turn, play=play, settle=settle)

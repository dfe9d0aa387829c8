"""What games of two domains share: their images out of a batch, a distance, the turn of one domain's discriminator."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gansmith.adversarial import Batch, Moment, Objective, Play, Terms, Turn, exact
from gansmith.errors import DataError, ExperimentError

OTHER = {"a": "b", "b": "a"}


def images_of(batch: Batch, domains: Sequence[str], game: str) -> dict[str, Tensor]:
    """{domain: images [B, C, H, W]}, equally many of equal channels. Raises DataError where a domain is missing,
    ExperimentError where they do not fit."""
    missing = [name for name in domains if name not in batch]
    if missing:
        raise DataError(
            f"the game {game} is played on two sets of images, {' and '.join(domains)}, and this data has no "
            f"{missing[0]}. Name the second set: --set data.other=FOLDER"
        )
    images = {name: batch[name].image for name in domains}
    first, second = images.values()
    if first.shape[1] != second.shape[1]:
        raise ExperimentError(
            f"the domains have different channels: {domains[0]} has {first.shape[1]}, {domains[1]} has "
            f"{second.shape[1]}. The game {game} needs the same number in both: --set data.channels=3"
        )
    if len(first) != len(second):
        raise ExperimentError(
            f"the domains have batches of different size: {len(first)} images of {domains[0]}, {len(second)} of "
            f"{domains[1]}. The game {game} needs as many of both"
        )
    return images


def distance(found: Tensor, wanted: Tensor) -> Tensor:
    """The mean absolute difference, in float32 or better."""
    return (exact(found) - exact(wanted)).abs().mean()


def turn_of(domain: str, judge: nn.Module, play: Play, objective: Objective) -> Turn:
    """The turn of the discriminator of a domain, on the batch that was drawn for another turn."""

    def settle(terms: Terms, at: Moment) -> None:
        if objective.project is not None:
            objective.project(judge)

    player, repeats = f"discriminator_{domain}", objective.discriminator_steps
    return Turn(player, (player,), play, repeats=repeats, draws=False, settle=settle)

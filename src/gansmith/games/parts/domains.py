"""Parts of games of two domains: their images out of a batch, and the L1 distance between images."""

from __future__ import annotations

from torch import Tensor

from gansmith.adversarial import Batch, exact
from gansmith.errors import DataError, ExperimentError

OTHER = {"a": "b", "b": "a"}  # domain -> the domain that it is translated to


def images_of(batch: Batch, game: str) -> dict[str, Tensor]:
    """{domain: images [B, C, H, W]}, equally many of equal channels. Raises DataError where a domain is missing,
    ExperimentError where they do not fit."""
    missing = [name for name in OTHER if name not in batch]
    if missing:
        raise DataError(
            f"the game {game} is played on two sets of images, a and b, and this data has no {missing[0]}. "
            f"Name the second set: --set data.other=FOLDER"
        )
    images = {name: batch[name].image for name in OTHER}
    first, second = images.values()
    if first.shape[1] != second.shape[1]:
        raise ExperimentError(
            f"the domains have different channels: a has {first.shape[1]}, b has {second.shape[1]}. "
            f"The game {game} needs the same number in both: --set data.channels=3"
        )
    if len(first) != len(second):
        raise ExperimentError(
            f"the domains have batches of different size: {len(first)} images of a, {len(second)} of b. "
            f"The game {game} needs as many of both"
        )
    return images


def l1_distance(one: Tensor, other: Tensor) -> Tensor:
    """The mean absolute difference, in float32 or better."""
    return (exact(one) - exact(other)).abs().mean()

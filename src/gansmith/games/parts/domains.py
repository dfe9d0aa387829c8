"""The two domains of a batch, and the error where there are none or they do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gansmith.adversarial import Batch
from gansmith.errors import DataError, ExperimentError


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

"""Random crops behind reflection padding, and random flips, drawn for each image, on the device.

He, Zhang, Ren, Sun 2016, "Deep Residual Learning for Image Recognition", section 4.2, for the crops and flips (4 pixels
on CIFAR-10); reflection instead of zeros as in fast.ai's lesson 12 (Howard 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor

from gansmith.errors import ExperimentError
from gansmith.system.sharing import drawn


def crop(images: Tensor, *, padding: int, flip: bool, rng: torch.Generator) -> Tensor:
    """Images [B, C, H, W] -> the same shape: shifted by up to `padding` pixels each way, and mirrored or not.

    Equal to padding each image by reflection (the border itself is not repeated), cutting out H x W at a place drawn
    uniformly, and mirroring left to right with probability 1/2 if `flip`. `rng` must be on the images' device. Raises
    ExperimentError where `padding` reaches beyond the image, which has nothing more to reflect.
    """
    count, _, height, width = images.shape
    if padding >= min(height, width):
        raise ExperimentError(
            f"images of {height}x{width} can be padded by at most {min(height, width) - 1} pixels of their own "
            f"reflection, not by {padding}: set game.padding, for example --set game.padding={min(height, width) // 8}"
        )
    rows = _reflected(height, _shifts(count, padding, rng))
    columns = _reflected(width, _shifts(count, padding, rng))
    if flip:
        mirrored = drawn(lambda n: torch.rand(n, 1, generator=rng, device=rng.device), count) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    first = torch.arange(count, device=rng.device)[:, None, None] * (height * width)
    places = first + rows[:, :, None] * width + columns[:, None, :]
    pixels = images.permute(0, 2, 3, 1).reshape(count * height * width, -1)
    return pixels.index_select(0, places.flatten()).view(count, height, width, -1).permute(0, 3, 1, 2)


def _shifts(count: int, padding: int, rng: torch.Generator) -> Tensor:
    """[B, 1], each of -padding ... padding as likely as the others."""
    return drawn(lambda n: torch.randint(-padding, padding + 1, (n, 1), generator=rng, device=rng.device), count)


def _reflected(size: int, shifts: Tensor) -> Tensor:
    """Shifts [B, 1] -> [B, size], where each pixel comes from: positions beyond a border are counted back from it."""
    positions = (torch.arange(size, device=shifts.device) + shifts).abs()
    return size - 1 - (size - 1 - positions).abs()

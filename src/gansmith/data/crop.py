"""Crops of images that are loaded larger than they are trained at: random ones to train on, the middle for the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gansmith.data.dataset import Dataset, ImageItem, Indices
from gansmith.system.sharing import drawn


class MiddleCrop(Dataset):
    """The middle of each image of `dataset`, uint8 [height, width, C]."""

    def __init__(self, dataset: Dataset, size: tuple[int, int]) -> None:
        self.dataset, self.size = dataset, size

    def __len__(self) -> int:
        return len(self.dataset)

    def one(self, index: int) -> ImageItem:
        return self._middle(self.dataset.one(index))

    def many(self, indices: Indices) -> ImageItem:
        return self._middle(self.dataset.many(indices))

    def _middle(self, item: ImageItem) -> ImageItem:
        height, width = self.size
        top, left = (item.image.shape[-3] - height) // 2, (item.image.shape[-2] - width) // 2
        return ImageItem(item.image[..., top : top + height, left : left + width, :], item.label)


def random_crops(images: NDArray[Any], size: tuple[int, int], rng: torch.Generator) -> NDArray[Any]:
    """[B, H, W, C] -> [B, height, width, C]: of each image a part anywhere in it, all places equally likely.

    >>> random_crops(np.zeros((2, 8, 9, 3), np.uint8), (4, 4), torch.Generator()).shape
    (2, 4, 4, 3)
    """
    height, width = size
    count, high, wide = images.shape[:3]
    tops = drawn(lambda n: torch.randint(high - height + 1, (n,), generator=rng), count).tolist()
    lefts = drawn(lambda n: torch.randint(wide - width + 1, (n,), generator=rng), count).tolist()
    parts = [
        image[top : top + height, left : left + width] for image, top, left in zip(images, tops, lefts, strict=True)
    ]
    return np.stack(parts)

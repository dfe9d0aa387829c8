"""Feature map sizes between a small first grid and an image of any height and width, a factor of 2 apart."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from gansmith.adversarial import Dimensions
from gansmith.models.layers.sides import check_sides

BASE = 4  # the smallest grid a generator begins with, in pixels
SMALLEST = 2 * BASE  # the shortest side of an image: one doubling
_LEAST = 6  # a discriminator's: 32 -> 16 -> 8, 28 -> 14 -> 7


def doublings(model: str, dimensions: Dimensions) -> int:
    """How many factors of 2 leave a grid of at least 4 x 4: 3 at 32 x 32, 4 at 64 x 96, 2 at 28 x 28.

    Raises ExperimentError below `SMALLEST` pixels a side, in the name of `model`.
    """
    check_sides(model, dimensions, smallest=SMALLEST, instead=", or for points (ring, grid) --recipe mlp_ring")
    return (min(dimensions.height, dimensions.width) // BASE).bit_length() - 1


class Grids(NamedTuple):
    """A generator's grids: `doublings` factors of 2 from the grid `first` to one that covers an image of `size`."""

    doublings: int
    first: tuple[int, int]
    size: tuple[int, int]


def grids(model: str, dimensions: Dimensions) -> Grids:
    """The grids of a generator of this size. Raises as `doublings` does."""
    count = doublings(model, dimensions)
    height, width = dimensions.height, dimensions.width
    return Grids(count, first_grid(height, width, count), (height, width))


def first_grid(height: int, width: int, doublings: int) -> tuple[int, int]:
    """Height and width of the first grid, rounded up so that the last grid covers the image."""
    return -(-height // 2**doublings), -(-width // 2**doublings)


def halvings(height: int, width: int) -> int:
    """How often a discriminator halves: as often as leaves 6 pixels a side, at least once. 32 x 32 goes to 8 x 8."""
    return max(1, (min(height, width) // _LEAST).bit_length() - 1)


def centre(images: Tensor, height: int, width: int) -> Tensor:
    """Centre crop: [B, C, >= H, >= W] -> [B, C, H, W]."""
    top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
    return images[:, :, top : top + height, left : left + width]

"""Feature map size of LeNet: two rounds of an unpadded 5 x 5 convolution and 2 x 2 pooling.

LeCun, Bottou, Bengio, Haffner 1998, "Gradient-Based Learning Applied to Document Recognition", section II.B.
"""

from __future__ import annotations

from gansmith.adversarial import Dimensions
from gansmith.models.layers.sides import check_sides

_SMALLEST = 16  # pixels a side: 16 -> 12 -> 6 -> 2 -> 1


def valid_grid(model: str, dimensions: Dimensions) -> tuple[int, int]:
    """Height and width of the last feature map: 28 -> 24 -> 12 -> 8 -> 4, 32 -> 28 -> 14 -> 10 -> 5.

    Raises ExperimentError below 16 pixels a side, where no pixel is left.
    """
    check_sides(model, dimensions, smallest=_SMALLEST, verb="read")
    height, width = dimensions.height, dimensions.width
    return ((height - 4) // 2 - 4) // 2, ((width - 4) // 2 - 4) // 2

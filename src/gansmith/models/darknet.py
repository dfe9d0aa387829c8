"""Residual Darknet classifier of fast.ai's lesson 12, for small images of any height and width.

Howard 2018, "Cutting Edge Deep Learning for Coders", lesson 12, `cifar10-darknet`; its residual blocks are those of
Darknet-53 (Redmon, Farhadi 2018, "YOLOv3: An Incremental Improvement", section 2.4): a 1 x 1 convolution that halves
the channels, a 3 x 3 one that doubles them, and an identity shortcut.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError
from gansmith.models.layers.classifier import Classifier
from gansmith.models.layers.labels import classes_of
from gansmith.models.layers.standardize import Deviations, Means, standardizing
from gansmith.system.option_types import (
    FractionAboveZero,
    NonNegativeInt,
    NonNegativeSmallInt,
    PositiveFloat,
    PositiveInt,
)

Groups = Annotated[tuple[NonNegativeSmallInt, ...], Field(min_length=1, max_length=30)]

SMALLEST = 1

_SLOPE = 0.1  # of the leaky ReLU, in the lesson and in Darknet's own configuration files


def classifier(
    dimensions: Dimensions,
    *,
    groups: Groups = (1, 2, 4, 6, 3),
    width: PositiveInt = 32,
    unstrided: NonNegativeInt | None = 1,
    bottleneck: PositiveFloat = 2.0,
    third_convolution: bool = False,
    normalisation_momentum: FractionAboveZero = 0.01,
    mean: Means | None = None,
    deviation: Deviations | None = None,
) -> Classifier:
    """Images [B, C, H, W] in [-1, 1] -> logits [B, K]; its features [B, width * 2**groups] are means of the last grid.

    groups: residual blocks in each group; a group begins with a convolution that doubles the channels. width: channels
    of the first convolution. unstrided: the group that keeps the grid, counted from 0; all others halve it; None: all
    do. bottleneck: by which a block divides its channels inside; 1 keeps them, 0.5 doubles them. third_convolution:
    another 3 x 3 one at the end of each block. normalisation_momentum: the share of the newest batch in batch
    normalisation's running statistics; the lesson's 0.01 needs hundreds of steps to catch up, so take 0.1 for a short
    run. mean, deviation: of each channel on [0, 1], by which images are standardized first.

    >>> import torch
    >>> network = classifier(Dimensions(3, 32, 32, classes=10), groups=[1, 2], width=8)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    classes = classes_of("darknet", dimensions)
    if unstrided is not None and unstrided >= len(groups):
        raise ExperimentError(
            f"darknet with {len(groups)} group(s) has no group {unstrided} that could keep the grid: "
            f"set classifier.unstrided to one of 0 to {len(groups) - 1}, or to null"
        )
    first = standardizing("darknet", dimensions.channels, mean, deviation)
    layers = [first, convolution(dimensions.channels, width, kernel=3)]
    for index, blocks in enumerate(groups):
        # Differs: the lesson's text says that group 0 keeps the grid; its code, and so the default, group 1.
        layers.append(convolution(width, 2 * width, kernel=3, stride=1 if index == unstrided else 2))
        width *= 2
        layers += [Residual(width, bottleneck, third_convolution) for _ in range(blocks)]
    together = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = Classifier(together, nn.Linear(width, classes))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = normalisation_momentum
    return network


class Residual(nn.Module):
    """Residual block [B, C, h, w] -> the same shape: x plus two convolutions, C -> C / bottleneck -> C, or three."""

    def __init__(self, channels: int, bottleneck: float = 2.0, third_convolution: bool = False) -> None:
        super().__init__()
        inside = max(1, int(channels / bottleneck))
        self.squeeze = convolution(channels, inside, kernel=1)
        self.expand = convolution(inside, channels, kernel=3)
        self.third = convolution(channels, channels, kernel=3) if third_convolution else None

    def forward(self, x: Tensor) -> Tensor:
        # Differs: the lesson adds in place, into what the first convolution still needs for its gradient.
        change: Tensor = self.expand(self.squeeze(x))
        return x + (change if self.third is None else self.third(change))


def convolution(before: int, after: int, *, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, batch normalisation, leaky ReLU; stride 1 keeps the grid, 2 halves it, rounded up."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.LeakyReLU(_SLOPE, inplace=True),
    )

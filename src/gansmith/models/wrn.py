"""Wide residual network, a classifier for small images of any height and width.

Zagoruyko, Komodakis 2016, "Wide Residual Networks", table 1 and section 2.3 (blocks B(3, 3), dropout between the two
convolutions), with the order of He, Zhang, Ren, Sun 2016, "Identity Mappings in Deep Residual Networks": batch
normalisation, ReLU, convolution.
"""

from __future__ import annotations

from typing import Annotated

import torch.nn.functional as F
from pydantic import AfterValidator
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers.classifier import Classifier
from gansmith.models.layers.labels import classes_of
from gansmith.models.layers.standardize import Deviations, Means, standardizing
from gansmith.system.option_types import FractionBelowOne, PositiveInt

SMALLEST = 1

_BASE = 16  # channels of the first convolution, and of the first group at widen 1
_GROUPS = 3
_DEEPEST = 1000


def _whole_blocks(depth: int) -> int:
    if not 10 <= depth <= _DEEPEST or (depth - 4) % 6:
        raise ValueError(
            f"a depth is 4 and 6 for each block in a group: 10, 16, 22, 28, 34, 40 ..., at most {_DEEPEST:,}"
        )
    return depth


Depth = Annotated[int, AfterValidator(_whole_blocks)]


def classifier(
    dimensions: Dimensions,
    *,
    depth: Depth = 22,
    widen: PositiveInt = 6,
    dropout: FractionBelowOne = 0.0,
    mean: Means | None = None,
    deviation: Deviations | None = None,
) -> Classifier:
    """Images [B, C, H, W] in [-1, 1] -> logits [B, K]; its features [B, 64 * widen] are averages of the last grid.

    depth: convolutions along the longest way, 6 n + 4 with n blocks in each of the three groups. widen: the groups have
    16, 32 and 64 times as many channels. dropout: between the convolutions of a block (0.3 in the paper where it is
    used). mean, deviation: of each channel on [0, 1], by which images are standardized first.

    >>> import torch
    >>> network = classifier(Dimensions(3, 32, 32, classes=10), depth=10, widen=1)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    classes = classes_of("wrn", dimensions)
    first = standardizing("wrn", dimensions.channels, mean, deviation)
    layers: list[nn.Module] = [first, nn.Conv2d(dimensions.channels, _BASE, 3, padding=1, bias=False)]
    before = _BASE
    for group in range(_GROUPS):
        after = _BASE * 2**group * widen
        for block in range((depth - 4) // 6):
            layers.append(Block(before, after, stride=2 if group and not block else 1, dropout=dropout))
            before = after
    layers += [nn.BatchNorm2d(before), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = Classifier(nn.Sequential(*layers), nn.Linear(before, classes))
    network.apply(initialise)
    return network


class Block(nn.Module):
    """[B, before, h, w] -> [B, after, h / stride, w / stride]: a residual block of two 3 x 3 convolutions."""

    def __init__(self, before: int, after: int, *, stride: int, dropout: float) -> None:
        super().__init__()
        self.normalise1 = nn.BatchNorm2d(before)
        self.convolution1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.normalise2 = nn.BatchNorm2d(after)
        self.convolution2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.project = None if before == after and stride == 1 else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.normalise1(x), inplace=True)
        # As in the authors' code: the projection reads the activated input, the identity shortcut the input itself.
        around = x if self.project is None else self.project(active)
        inside = self.dropout(F.relu(self.normalise2(self.convolution1(active)), inplace=True))
        change: Tensor = self.convolution2(inside)
        return around + change


def initialise(module: nn.Module) -> None:
    """Convolutions from N(0, 2 / (outputs * kernel area)), biases 0, as in the authors' code (He, Zhang, Ren, Sun 2015,
    "Delving Deep into Rectifiers", eq. 14)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)

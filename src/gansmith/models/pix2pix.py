"""The networks of pix2pix: a U-Net that translates images, and a patch discriminator of pairs.

Isola, Zhu, Zhou, Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks", sections 3.2 and 6.1;
the U-Net is after Ronneberger, Fischer, Brox 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation".

The paper normalises by the statistics of the batch, in training and in translation alike, and trains at batch 1: each
image by its own statistics (section 3.3). `normalisation: instance` does that at any batch.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers.instance import InstanceNorm
from gansmith.models.layers.patch import PatchDiscriminator, initialise, layers_for
from gansmith.models.layers.sides import check_sides
from gansmith.system.option_types import FractionBelowOne, PositiveInt, SmallAtLeastTwo, SmallInt

Normalisation = Literal["instance", "batch"]

SMALLEST = 8  # multiples of 4, and the discriminator reads 6 pixels a side
MULTIPLE = 4  # two halvings, the fewest that a U-Net has by itself

_MOST = 8  # halvings without a value (256 px to 1 x 1); also the widest layer has this many times `width` channels
_PLAIN = 5  # halvings of which none has dropout: a translator of 8 has it in its 3 inmost layers


def translator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    downs: SmallAtLeastTwo | None = None,
    normalisation: Normalisation = "instance",
    dropout: FractionBelowOne = 0.5,
) -> Translator:
    """Images [B, C, H, W] in [-1, 1] -> images of the same shape.

    width: channels of the first layer (ngf). downs: how often both sides are halved; without a value as often as
    they can be, up to 8. normalisation: by each image's own statistics, or by the batch's, whose averages are then
    used in translation. dropout: in training, in the inmost layers of the way up: 3 of them with 8 halvings, 2 with 7,
    1 with 6, else none. Raises ExperimentError for a size that cannot be halved that often.

    >>> network = translator(Dimensions(3, 32, 48), width=4)
    >>> network(torch.zeros(2, 3, 32, 48)).shape
    torch.Size([2, 3, 32, 48])
    """
    return Translator(dimensions, width, halvings(dimensions, downs), normalisation, dropout)


def discriminator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    layers: SmallInt | None = None,
    normalisation: Normalisation = "instance",
) -> PatchDiscriminator:
    """Pairs of images along the channels [B, 2C, H, W] in [-1, 1] -> raw scores [B, 1, h, w], one for each patch.

    Its dimensions are those of a pair: the game `paired` has twice the channels of an image. width: channels of
    the first layer (ndf). layers: convolutions of stride 2: 3 give patches of 70 x 70 pixels, 2 of 34, 1 of 16; without
    a value 3, or as many as fit below 24 pixels a side. Raises ExperimentError where none fits.

    >>> network = discriminator(Dimensions(6, 64, 64), width=4)
    >>> network(torch.zeros(2, 6, 64, 64)).shape
    torch.Size([2, 1, 6, 6])
    """
    count = layers_for("pix2pix", dimensions, layers)
    return PatchDiscriminator(
        dimensions.channels, width=width, layers=count, normalised=_normalising(normalisation), bias=False
    )


def halvings(dimensions: Dimensions, downs: int | None) -> int:
    """`downs`, or how often both sides can be halved, up to 8. Raises ExperimentError where they cannot be halved so
    often, or not even twice."""
    even = dimensions.height | dimensions.width
    able = min((even & -even).bit_length() - 1, _MOST) if downs is None else 0
    count = max(able, 2) if downs is None else downs
    check_sides(
        "pix2pix",
        dimensions,
        multiple=2**count,
        reason=f"its U-Net halves both sides {'at least twice' if downs is None else f'{count} times'}, so ",
        instead="" if downs is None else ", or --set translator.downs=null: it is then chosen for the size",
    )
    return count


class Translator(nn.Module):
    """See `translator`. Reads any H x W that are multiples of `multiple`.

    U-Net skip connections: each stage of the way up, but the first, reads the output of the stage below it and, along
    the channels, the output of the way down at that size.
    """

    def __init__(
        self, dimensions: Dimensions, width: int, downs: int, normalisation: Normalisation, dropout: float
    ) -> None:
        super().__init__()
        self.multiple = 2**downs
        widths = [width * min(2**k, _MOST) for k in range(downs)]
        normalised = _normalising(normalisation)

        down: list[nn.Module] = [nn.Conv2d(dimensions.channels, width, 4, 2, 1)]
        for number, (before, after) in enumerate(pairwise(widths), start=2):
            # in place: the skip reads the activation, and the ReLU of the way up gives the same for both
            layers = [nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(before, after, 4, 2, 1, bias=False)]
            # section 6.3, errata: a normalised 1 x 1 is zero, so the inmost layer has no normalisation
            down.append(nn.Sequential(*layers, *([] if number == downs else [normalised(after)])))
        up: list[nn.Module] = []
        for number, (after, before) in enumerate(reversed([*pairwise(widths)])):
            joined = before if number == 0 else 2 * before
            layers = [nn.ReLU(inplace=True), nn.ConvTranspose2d(joined, after, 4, 2, 1, bias=False), normalised(after)]
            if dropout and number < min(downs - _PLAIN, 3):
                layers.append(nn.Dropout(dropout))
            up.append(nn.Sequential(*layers))
        last = nn.ConvTranspose2d(2 * width, dimensions.channels, 4, 2, 1)
        up.append(nn.Sequential(nn.ReLU(inplace=True), last, nn.Tanh()))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)
        self.apply(initialise)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        passed: list[Tensor] = []
        for stage in self.down:
            image = stage(image)
            passed.append(image)
        image = self.up[0](passed.pop())
        for stage in self.up[1:]:
            image = stage(torch.cat([image, passed.pop()], 1))
        return image


def _normalising(kind: Normalisation) -> Callable[[int], nn.Module]:
    if kind == "batch":
        return nn.BatchNorm2d
    return lambda channels: InstanceNorm(channels, affine=True)

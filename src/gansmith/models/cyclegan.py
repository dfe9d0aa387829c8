"""CycleGAN's networks: a residual translator with instance normalisation, and a patch discriminator.

Zhu, Park, Isola, Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", section
4 and section 7.2; the translator is that of Johnson, Alahi, Fei-Fei 2016, "Perceptual Losses for Real-Time Style
Transfer and Super-Resolution".
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers.instance import InstanceNorm
from gansmith.models.layers.patch import PatchDiscriminator, initialise, layers_for
from gansmith.models.layers.reflection import ReflectionPad
from gansmith.models.layers.sides import check_sides
from gansmith.models.layers.translation import Residual, doubled, normalised
from gansmith.system.option_types import FractionBelowOne, NonNegativeSmallInt, PositiveInt, SmallInt

SMALLEST = 8  # the blocks then work on 2 x 2, the least that can be reflected by one pixel
MULTIPLE = 4  # two halvings

_LARGE = 256  # pixels a side from which on there are 9 residual blocks


def translator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    blocks: NonNegativeSmallInt | None = None,
    upsample: Literal["transposed", "resize"] = "transposed",
    skip: bool = False,
    dropout: FractionBelowOne = 0.0,
) -> Translator:
    """Images [B, C, H, W] in [-1, 1] -> images of the same shape, H and W multiples of 4.

    width: channels of the first and last hidden layer (ngf). blocks: residual blocks; 9 from 256 pixels a side on, else
    6, without a value. upsample: transposed convolutions, or nearest-neighbour resizing and a 3 x 3 convolution (Odena,
    Dumoulin, Olah 2016, "Deconvolution and Checkerboard Artifacts"). skip: the network computes what is added to
    its input, at first 0, instead of the whole image; in training the sum may leave [-1, 1]. dropout: inside each
    residual block, in training; 0.5 where the authors' code is told to. Raises ExperimentError for other sizes.

    >>> import torch
    >>> network = translator(Dimensions(3, 32, 32), width=4, blocks=2)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 3, 32, 32])
    """
    return Translator(dimensions, width, blocks, upsample=upsample, skip=skip, dropout=dropout)


def discriminator(
    dimensions: Dimensions, *, width: PositiveInt = 64, layers: SmallInt | None = None
) -> PatchDiscriminator:
    """Images [B, C, H, W] in [-1, 1] -> raw scores [B, 1, h, w], one for each patch.

    width: channels of the first layer (ndf). layers: convolutions of stride 2: 3 give patches of 70 x 70 pixels, 2 of
    34, 1 of 16; without a value 3, or as many as fit below 24 pixels a side. Raises ExperimentError where none fits.

    >>> import torch
    >>> network = discriminator(Dimensions(3, 64, 64), width=4)
    >>> network(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 1, 6, 6])
    """
    count = layers_for("cyclegan", dimensions, layers)
    return PatchDiscriminator(dimensions.channels, width=width, layers=count, normalised=InstanceNorm, bias=True)


class Translator(nn.Module):
    """See `translator`. Reads any H x W that are multiples of `multiple` and at least 8."""

    multiple = MULTIPLE

    def __init__(
        self, dimensions: Dimensions, width: int, blocks: int | None, *, upsample: str, skip: bool, dropout: float
    ) -> None:
        super().__init__()
        check_sides("cyclegan", dimensions, smallest=SMALLEST, multiple=MULTIPLE)
        channels, height, breadth, _, _ = dimensions
        if blocks is None:
            blocks = 9 if min(height, breadth) >= _LARGE else 6
        layers: list[nn.Module] = [ReflectionPad(3), nn.Conv2d(channels, width, 7), *normalised(width)]
        for before in (width, 2 * width):
            layers += [nn.Conv2d(before, 2 * before, 3, 2, 1), *normalised(2 * before)]
        layers += [Residual(4 * width, dropout) for _ in range(blocks)]
        for after in (2 * width, width):
            layers += [*doubled(2 * after, after, upsample), *normalised(after)]
        last = nn.Conv2d(width, channels, 7)
        layers += [ReflectionPad(3), last, *([] if skip else [nn.Tanh()])]
        self.layers, self.skip = nn.Sequential(*layers), skip
        self.apply(initialise)
        if skip:
            nn.init.zeros_(last.weight)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        output: Tensor = self.layers(image)
        if not self.skip:
            return output
        changed = image + output
        # a clamp in training would hold no gradient that leads back
        return changed if self.training else changed.clamp(-1, 1)

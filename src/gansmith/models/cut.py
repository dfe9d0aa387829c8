"""CUT's networks: a translator in two halves, projection heads, a patch discriminator.

The translator is CycleGAN's residual one; the heads read features of its encoder half.

Park, Efros, Zhang, Zhu 2020, "Contrastive Learning for Unpaired Image-to-Image Translation", section 3 and appendix C;
the resampling between the stages is that of their code, after Zhang 2019, "Making Convolutional Networks
Shift-Invariant Again".
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Dimensions, exact
from gansmith.models.layers.instance import InstanceNorm
from gansmith.models.layers.patch import PatchDiscriminator, layers_for
from gansmith.models.layers.reflection import ReflectionPad
from gansmith.models.layers.resample import bilinear
from gansmith.models.layers.sides import check_sides
from gansmith.models.layers.translation import Residual, doubled, normalised
from gansmith.system.option_types import NonNegativeSmallInt, PositiveInt, SmallInt

SMALLEST = 8  # the blocks then work on 2 x 2, the least that can be reflected by one pixel
MULTIPLE = 4  # two halvings

_BLOCKS = 9
_GAIN = 0.02  # of the first weights, in the authors' code


def translator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    blocks: NonNegativeSmallInt = _BLOCKS,
    heads: PositiveInt = 256,
    antialias: bool = True,
    skip: bool = False,
) -> Translator:
    """Images [B, C, H, W] in [-1, 1] -> images of the same shape, H and W multiples of 4.

    width: channels of the first and last hidden layer (ngf). blocks: residual blocks. heads: outputs of each projection
    head, a two-layer perceptron, trained and read by the game `cut` alone. antialias: halve by a convolution and a
    binomial filter and double by bilinear interpolation and a convolution; else by a convolution of stride 2, and by
    nearest neighbours and a convolution. skip: the network computes what is added to its input, at first 0, instead of
    the whole image; in training the sum may leave [-1, 1]. Raises ExperimentError for other sizes.

    >>> network = translator(Dimensions(3, 32, 32), width=4, blocks=2)
    >>> [tuple(maps.shape[1:]) for maps in network.encode(torch.zeros(2, 3, 32, 32))]
    [(3, 32, 32), (8, 32, 32), (16, 16, 16), (16, 8, 8), (16, 8, 8)]
    """
    return Translator(dimensions, width, blocks, heads, antialias=antialias, skip=skip)


def discriminator(
    dimensions: Dimensions, *, width: PositiveInt = 64, layers: SmallInt | None = None
) -> PatchDiscriminator:
    """Images [B, C, H, W] in [-1, 1] -> raw scores [B, 1, h, w], one for each patch.

    width: channels of the first layer (ndf). layers: convolutions of stride 2: 3 give patches of 70 x 70 pixels, 2 of
    34, 1 of 16; without a value 3, or as many as fit below 24 pixels a side. Raises ExperimentError where none fits.

    >>> network = discriminator(Dimensions(3, 64, 64), width=4)
    >>> network(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 1, 6, 6])
    """
    count = layers_for("cut", dimensions, layers)
    # Differs: the authors' code also halves here by a convolution and a binomial filter
    network = PatchDiscriminator(dimensions.channels, width=width, layers=count, normalised=InstanceNorm, bias=True)
    network.apply(initialise)
    return network


class Translator(nn.Module):
    """See `translator`. Reads any H x W that are multiples of `multiple` and at least 8.

    The encoder ends behind the middle residual block. Its features are taken at five places (appendix C): the image,
    the convolutions of both halvings, and the first and the last block of the encoder; fewer than two blocks: fewer.
    """

    multiple = MULTIPLE

    def __init__(
        self, dimensions: Dimensions, width: int, blocks: int, heads: int, *, antialias: bool, skip: bool
    ) -> None:
        super().__init__()
        check_sides("cut", dimensions, smallest=SMALLEST, multiple=MULTIPLE)
        channels, self.skip = dimensions.channels, skip
        near = min(blocks, blocks // 2 + 1)  # residual blocks of the encoder: 5 of 9
        wide = 4 * width

        def behind(channels: int) -> tuple[nn.Module, ...]:
            return (*normalised(channels), Blur()) if antialias else normalised(channels)

        stages = [
            nn.Sequential(
                ReflectionPad(3), nn.Conv2d(channels, width, 7), *normalised(width), _halving(width, antialias)
            ),
            nn.Sequential(*behind(2 * width), _halving(2 * width, antialias)),
        ]
        if near:
            stages.append(nn.Sequential(*behind(wide), Residual(wide)))
        if near > 1:
            stages.append(nn.Sequential(*(Residual(wide) for _ in range(near - 1))))
        self.encoder = nn.ModuleList(stages)
        last = nn.Conv2d(width, channels, 7)
        self.decoder = nn.Sequential(
            *([] if near else behind(wide)),
            *(Residual(wide) for _ in range(blocks - near)),
            *(*_doubled(wide, 2 * width, antialias), *normalised(2 * width)),
            *(*_doubled(2 * width, width, antialias), *normalised(width)),
            *(ReflectionPad(3), last, *([] if skip else [nn.Tanh()])),
        )
        places = [channels, 2 * width, *[wide] * (len(stages) - 1)]
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, heads), nn.ReLU(), nn.Linear(heads, heads)) for inputs in places
        )
        self.apply(initialise)
        self.heads.requires_grad_(False)  # until a game reads them
        if skip:
            nn.init.zeros_(last.weight)

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """Images [B, C, H, W] -> the features [B, C_l, H_l, W_l] of every place, the images themselves first."""
        features = [image]
        for stage in self.encoder:
            features.append(stage(features[-1]))
        return tuple(features)

    def decode(self, features: tuple[Tensor, ...]) -> Tensor:
        """What `encode` returned -> images [B, C, H, W]."""
        output: Tensor = self.decoder(features[-1])
        if not self.skip:
            return output
        changed = features[0] + output
        # a clamp in training would hold no gradient that leads back
        return changed if self.training else changed.clamp(-1, 1)

    def project(self, place: int, vectors: Tensor) -> Tensor:
        """Feature vectors [B, S, C_l] of one place -> unit vectors [B, S, D], float32 or better."""
        projected: Tensor = F.normalize(exact(self.heads[place](vectors)), dim=-1)
        return projected

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        return self.decode(self.encode(image))


class Blur(nn.Module):
    """Binomial filter and halving: features [B, C, H, W], H and W even -> [B, C, H / 2, W / 2].

    Along each side y[i] = (x[2 i - 1] + 2 x[2 i] + x[2 i + 1]) / 4, x[-1] = x[1].
    """

    def forward(self, features: Tensor) -> Tensor:
        for side in (2, 3):
            even, odd = features.unflatten(side, (-1, 2)).unbind(side + 1)
            before = torch.cat([odd.narrow(side, 0, 1), odd.narrow(side, 0, odd.shape[side] - 1)], side)
            features = (before + 2 * even + odd) / 4
        return features


class Bilinear(nn.Module):
    """Bilinear interpolation: features [B, C, H, W] -> [B, C, 2 H, 2 W], the outermost pixels repeated outside."""

    def forward(self, features: Tensor) -> Tensor:
        return bilinear(features)


def initialise(module: nn.Module) -> None:
    """Weights as in Glorot, Bengio 2010, normal, times 0.02 (the authors' code); biases 0."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_normal_(module.weight, _GAIN)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _halving(channels: int, antialias: bool) -> nn.Module:
    """The convolution of a halving; the binomial filter, where there is one, comes behind its activation."""
    return nn.Conv2d(channels, 2 * channels, 3, 1 if antialias else 2, 1)


def _doubled(before: int, after: int, antialias: bool) -> tuple[nn.Module, ...]:
    return (Bilinear(), nn.Conv2d(before, after, 3, 1, 1)) if antialias else doubled(before, after, "resize")

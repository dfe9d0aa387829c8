"""Residual networks of WGAN-GP and SNGAN, at any height and width from 8 pixels on.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville 2017, "Improved Training of Wasserstein GANs", the CIFAR-10 ResNet of
the appendix (the defaults here); Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral Normalization for Generative
Adversarial Networks", appendix B.4 (the options of the recipe `sngan`). At 32 x 32 the layers are those of both papers'
published code. Conditional: batch normalisation by class, and the projection of Miyato, Koyama 2018, "cGANs with
Projection Discriminator".
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers import grid
from gansmith.models.layers.conditional import ClassEmbedding, classes_of, labels_of
from gansmith.models.layers.conditional_norm import BatchNorm, ConditionalBatchNorm
from gansmith.models.layers.projection import Projection, pooled
from gansmith.models.layers.residual import DownBlock, UpBlock, image_of
from gansmith.models.layers.spectral import convolution, linear
from gansmith.system.option_types import PositiveInt

SMALLEST = grid.SMALLEST

_PLAIN = 2  # blocks behind the last halving of a discriminator


def generator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 128,
    widest: PositiveInt = 1,
    spectral_norm: bool = False,
    conditional: bool = False,
) -> Generator:
    """Latents [B, Z] -> images [B, C, H, W] in [-1, 1].

    width: channels next to the image; 256 in SNGAN. widest: they double with each halving of the grid, up to this many
    times `width`; 1 is the papers' net for 32 x 32, 8 and 16 are those for larger images. conditional: it reads labels.
    Raises ExperimentError below 8 pixels a side, and without classes for a conditional one.

    >>> network = generator(Dimensions(3, 32, 32, latent=128), width=8)
    >>> network(torch.zeros(2, 128)).shape
    torch.Size([2, 3, 32, 32])
    """
    return Generator(dimensions, width=width, widest=widest, spectral=spectral_norm, conditional=conditional)


def discriminator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 128,
    widest: PositiveInt = 1,
    spectral_norm: bool = False,
    normalisation: Literal["none", "layer"] = "none",
    pooling: Literal["mean", "sum"] = "mean",
    conditional: bool = False,
) -> Discriminator:
    """Images [B, C, H, W] in [-1, 1] -> raw scores [B].

    width, widest: as the generator's. spectral_norm: of every weight, the classes' too. normalisation: `layer` is over
    channels and pixels together, before each ReLU but those of the first block. pooling: over the pixels of the last
    features; WGAN-GP takes the mean, SNGAN the sum. conditional: it reads labels. Raises ExperimentError below 8 pixels
    a side, and without classes for a conditional one.

    >>> network = discriminator(Dimensions(3, 32, 32), width=8, spectral_norm=True)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2])
    """
    return Discriminator(
        dimensions,
        width=width,
        widest=widest,
        spectral=spectral_norm,
        normalisation=normalisation,
        pooling=pooling,
        conditional=conditional,
    )


class Generator(nn.Module):
    """See `generator`."""

    def __init__(self, dimensions: Dimensions, *, width: int, widest: int, spectral: bool, conditional: bool) -> None:
        super().__init__()
        count, self.first_grid, self.size = grid.grids("resnet", dimensions)
        self.conditional = conditional
        widths = [width * min(2**k, widest) for k in reversed(range(count + 1))]
        normalisation = (
            partial(_by_class, classes_of("generator", dimensions, model="resnet")) if conditional else BatchNorm
        )

        self.first = linear(dimensions.latent, widths[0] * math.prod(self.first_grid), spectral=spectral)
        self.blocks = nn.ModuleList(UpBlock(*pair, normalisation, spectral=spectral) for pair in pairwise(widths))
        self.last_norm = nn.BatchNorm2d(width)
        self.last = convolution(width, dimensions.channels, 3, spectral=spectral)
        self.tanh = nn.Tanh()
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        label = labels_of("generator", label) if self.conditional else None
        x = self.first(z).unflatten(1, (-1, *self.first_grid))
        for block in self.blocks:
            x = block(x, label)
        return grid.centre(image_of(x, self.last_norm, self.last, self.tanh), *self.size)


class Discriminator(nn.Module):
    """See `discriminator`."""

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        width: int,
        widest: int,
        spectral: bool,
        normalisation: str,
        pooling: str,
        conditional: bool,
    ) -> None:
        super().__init__()
        channels, height, breadth, _, _ = dimensions
        grid.doublings("resnet", dimensions)  # refuses what the generator refuses
        self.conditional = conditional
        self.mean = pooling == "mean"
        halved = grid.halvings(height, breadth)
        widths = [channels, *(width * min(2**k, widest) for k in range(halved + _PLAIN))]
        classes = classes_of("discriminator", dimensions, model="resnet") if conditional else 0

        self.blocks = nn.Sequential(
            *(
                DownBlock(
                    before,
                    after if place == 0 else before,
                    after,
                    spectral=spectral,
                    first=place == 0,
                    halved=place < halved,
                    normalisation=partial(nn.GroupNorm, 1) if normalisation == "layer" else None,
                )
                for place, (before, after) in enumerate(pairwise(widths))
            )
        )
        # SNGAN's authors leave the offset out at 32 x 32 (their code), WGAN-GP's do not
        self.head = Projection(widths[-1], classes, spectral=spectral, bias=not spectral)
        self.apply(initialise)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        features = pooled(torch.relu(self.blocks(image)), mean=self.mean)
        scores: Tensor = self.head(features, label)
        return scores


def initialise(module: nn.Module) -> None:
    """Glorot uniform weights, times sqrt(2) for the 3 x 3 convolutions of the blocks, and biases 0, as in both papers'
    code; the scale of every class begins at 1, its shift at 0."""
    if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
        nn.init.xavier_uniform_(module.weight)
        if not isinstance(module, nn.Embedding) and module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, (UpBlock, DownBlock)):  # behind its children
        for layer in (module.first, module.second):
            nn.init.xavier_uniform_(layer.weight, math.sqrt(2))
    elif isinstance(module, ConditionalBatchNorm):
        for parameter in module.parameters():
            nn.init.zeros_(parameter)


def _by_class(classes: int, channels: int) -> ConditionalBatchNorm:
    return ConditionalBatchNorm(channels, ClassEmbedding(classes, channels), ClassEmbedding(classes, channels))

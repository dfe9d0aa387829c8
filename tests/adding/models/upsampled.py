"""Nearest-neighbour upsampling and convolutions, for images from 16 pixels on.

Odena, Dumoulin, Olah 2016, "Deconvolution and Checkerboard Artifacts": resize, then convolve.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers.sides import check_sides

Width = Annotated[int, Field(gt=0)]

SMALLEST = 16
MULTIPLE = 4  # two doublings


def generator(dimensions: Dimensions, *, width: Width = 32) -> Generator:
    """Latents [B, Z] -> images [B, C, H, W] in [-1, 1]. width: channels of the coarsest grid.

    >>> import torch
    >>> generator(Dimensions(3, 16, 20, latent=8), width=4)(torch.zeros(2, 8)).shape
    torch.Size([2, 3, 16, 20])
    """
    check_sides("upsampled", dimensions, smallest=SMALLEST, multiple=MULTIPLE)
    return Generator(dimensions, width)


def discriminator(dimensions: Dimensions, *, width: Width = 32) -> Discriminator:
    """Images [B, C, H, W] -> raw scores [B]. width: channels of the finest grid.

    >>> import torch
    >>> discriminator(Dimensions(1, 16, 16), width=4)(torch.zeros(2, 1, 16, 16)).shape
    torch.Size([2])
    """
    check_sides("upsampled", dimensions, smallest=SMALLEST, multiple=MULTIPLE)
    return Discriminator(dimensions, width)


class Generator(nn.Module):
    """See `generator`."""

    def __init__(self, dimensions: Dimensions, width: int) -> None:
        super().__init__()
        self.coarse = (width, dimensions.height // 4, dimensions.width // 4)
        self.read = nn.Linear(dimensions.latent, width * self.coarse[1] * self.coarse[2])
        self.layers = nn.Sequential(
            *(nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1)),
            *(nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2), nn.Conv2d(width, dimensions.channels, 3, padding=1)),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(self.read(z).unflatten(1, self.coarse))
        return images


class Discriminator(nn.Module):
    """See `discriminator`."""

    def __init__(self, dimensions: Dimensions, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(dimensions.channels, width, 4, 2, 1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten()),
            nn.Linear(2 * width * (dimensions.height // 4) * (dimensions.width // 4), 1),
        )

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        scores: Tensor = self.layers(image)
        return scores.squeeze(1)

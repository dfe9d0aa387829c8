"""DCGAN: strided convolutions with batch normalisation, at any height and width from 8 pixels on.

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", section 3. At 64 x 64 the layers are those of the paper and of its Torch code; other sizes get as many
stages of factor 2 as leave a base grid of at least 4 pixels a side. The optional extra layers are those of
Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN" (its published code).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError

Width = Annotated[int, Field(gt=0)]
Slope = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]

_BASE = 4  # the smallest base grid, in pixels
_MOST = 8  # the widest layer has this many times `width` channels


def generator(
    dimensions: Dimensions,
    *,
    width: Width = 64,
    upsample: Literal["transposed", "resize"] = "transposed",
    extra_layers: Count = 0,
) -> Generator:
    """Latents [B, Z], or [B, Z, h, w] for a larger canvas -> images [B, C, H, W] in [-1, 1].

    width: channels of the last hidden layer (ngf). upsample: transposed convolution with kernel 4 and stride 2, or
    nearest-neighbour resizing and a 3 x 3 convolution (Odena, Dumoulin, Olah 2016, "Deconvolution and Checkerboard
    Artifacts"). Raises ExperimentError below 8 pixels a side.
    """
    return Generator(dimensions, width, upsample, extra_layers)


def discriminator(
    dimensions: Dimensions, *, width: Width = 64, slope: Slope = 0.2, extra_layers: Count = 0
) -> Discriminator:
    """Images [B, C, H, W] in [-1, 1] -> raw scores [B].

    width: channels of the first layer (ndf). slope: of the leaky ReLU. Raises ExperimentError below 8 pixels a side.
    """
    return Discriminator(dimensions, width, slope, extra_layers)


def stages(height: int, width: int) -> int:
    """How many factors of 2 leave a base grid of at least 4 x 4: 4 at 64 x 64, 3 at 48 x 64, 2 at 28 x 28."""
    if min(height, width) < 2 * _BASE:
        raise ExperimentError(
            f"dcgan cannot make {height}x{width} images: both sides must be at least {2 * _BASE} pixels. "
            f"Set --size {max(height, 2 * _BASE)}x{max(width, 2 * _BASE)}, or for points (ring, grid) --recipe mlp_ring"
        )
    return (min(height, width) // _BASE).bit_length() - 1


class Generator(nn.Module):
    """See `generator`. Reads latents with a spatial extent too: it is convolutional from end to end."""

    spatial_latents = True

    def __init__(self, dimensions: Dimensions, width: int, upsample: str, extra_layers: int) -> None:
        super().__init__()
        channels, height, breadth, latent, _ = dimensions
        count = stages(height, breadth)
        self.size = (height, breadth)
        base = (-(-height // 2**count), -(-breadth // 2**count))  # rounded up: the rest is cropped at the end
        widths = [width * min(2**k, _MOST) for k in reversed(range(count))]

        layers: list[nn.Module] = [nn.ConvTranspose2d(latent, widths[0], base), *_normalised(widths[0])]
        for before, after in pairwise(widths):
            layers += [*_doubled(before, after, upsample), *_normalised(after)]
        for _ in range(extra_layers):
            layers += [nn.Conv2d(width, width, 3, padding=1), *_normalised(width)]
        layers += [*_doubled(width, channels, upsample), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        single = z.dim() == 2
        images: Tensor = self.layers(z[:, :, None, None] if single else z)
        return _centre(images, self.size) if single else images


class Discriminator(nn.Module):
    """See `discriminator`."""

    def __init__(self, dimensions: Dimensions, width: int, slope: float, extra_layers: int) -> None:
        super().__init__()
        channels, height, breadth, _, _ = dimensions
        count = stages(height, breadth)
        widths = [width * min(2**k, _MOST) for k in range(count)]

        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(slope, inplace=True)]
        for _ in range(extra_layers):
            layers += [nn.Conv2d(width, width, 3, padding=1), *_normalised(width, slope)]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1), *_normalised(after, slope)]
        layers += [nn.Conv2d(widths[-1], 1, (height >> count, breadth >> count)), nn.Flatten(0)]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        scores: Tensor = self.layers(image)
        return scores


def initialise(module: nn.Module) -> None:
    """Weights N(0, 0.02), batch-normalisation scales N(1, 0.02), all offsets 0 (the paper, section 4, and its code)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def _normalised(channels: int, slope: float | None = None) -> tuple[nn.Module, nn.Module]:
    activation = nn.ReLU(inplace=True) if slope is None else nn.LeakyReLU(slope, inplace=True)
    return nn.BatchNorm2d(channels), activation


def _doubled(before: int, after: int, upsample: str) -> tuple[nn.Module, ...]:
    if upsample == "transposed":
        return (nn.ConvTranspose2d(before, after, 4, 2, 1),)
    return (nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(before, after, 3, padding=1))


def _centre(images: Tensor, size: tuple[int, int]) -> Tensor:
    top, left = (images.shape[2] - size[0]) // 2, (images.shape[3] - size[1]) // 2
    return images[:, :, top : top + size[0], left : left + size[1]]

"""Self-supervision of a discriminator: decoders that rebuild the image from two of its feature maps.

Liu, Zhu, Song, Elgammal 2021, "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis",
section 3.2, Eq. 2: from the coarse map (8 x 8) the whole image, from a quadrant of the fine one (16 x 16) the same
quadrant of the image.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import exact
from gansmith.models.layers.glu import glu
from gansmith.models.layers.spectral import convolution, weight_of
from gansmith.models.layers.strided import double_and_convolve
from gansmith.pretrained import lpips
from gansmith.system.sharing import drawn

_WIDTHS = (4, 2, 2, 1)  # times `width`, behind each doubling
_LEAST = 4  # pixels a side of the coarsest scale that is compared


class Map(NamedTuple):
    """A feature map that is decoded: its channels, and how many halvings it is away from the image."""

    channels: int
    halvings: int


class Reconstruction(nn.Module):
    """Images [B, C, H, W] and two of their feature maps -> the distance of both rebuilt images, summed: a scalar.

    width: channels of a decoder's last hidden layer. perceptual: the distance is LPIPS, whose network is read when
    needed, and is in no state; else that of the pixels. The quadrant is drawn for each image.
    """

    def __init__(
        self, channels: int, fine: Map, coarse: Map, *, width: int, spectral: bool, perceptual: bool = False
    ) -> None:
        super().__init__()
        self.perceptual = perceptual
        self._network: tuple[nn.Module, ...] = ()  # in a tuple, which torch does not register
        self.part = Decoder(fine, channels, width=width, spectral=spectral)
        self.whole = Decoder(coarse, channels, width=width, spectral=spectral)

    def forward(self, image: Tensor, fine: Tensor, coarse: Tensor, rng: torch.Generator) -> Tensor:
        which = drawn(lambda n: torch.randint(4, (n,), generator=rng, device=rng.device), len(image))
        height, width = (-(-side // 2) for side in fine.shape[2:])
        # Differs: a quadrant, as in the authors' code, where the paper says 1/8 of height and width.
        part = self.part(quadrant(fine, which, height, width))
        scale = self.part.scale
        target = resized(image, scale * fine.shape[2], scale * fine.shape[3])
        of_part = self.distance(part, quadrant(target, which, scale * height, scale * width))
        whole = self.whole(coarse)
        return self.distance(whole, resized(image, *whole.shape[2:])) + of_part

    def distance(self, one: Tensor, other: Tensor) -> Tensor:
        """Of images [B, 1 or 3, H, W], the second in float32 or better: a scalar."""
        if not self.perceptual:
            return distance(one, other)
        if not self._network:
            self._network = (lpips.published(),)
        (network,) = self._network
        network.to(other)  # its device and type
        return network(*(images.expand(-1, 3, -1, -1) for images in (one, other))).mean()  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Decoder: features [B, C', h, w] -> images [B, C, scale h, scale w] in [-1, 1].

    Up to four doublings (128 pixels from 8), and no more than lead to the size of the image.
    """

    def __init__(self, features: Map, channels: int, *, width: int, spectral: bool) -> None:
        super().__init__()
        widths = [features.channels, *(share * width for share in _WIDTHS[: features.halvings])]
        self.scale = 2 ** (len(widths) - 1)
        pairs = [*pairwise(widths)]
        self.convolutions = nn.ModuleList(
            convolution(before, 2 * after, 3, spectral=spectral, bias=False) for before, after in pairs
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(2 * after) for _, after in pairs)
        self.last = convolution(widths[-1], channels, 3, spectral=spectral, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        for layer, norm in zip(self.convolutions, self.norms, strict=True):
            assert isinstance(layer, nn.Conv2d)
            x = glu(norm(double_and_convolve(x, weight_of(layer), None)))
        return torch.tanh(self.last(x))


def quadrant(x: Tensor, which: Tensor, height: int, width: int) -> Tensor:
    """Crops [B, C, height, width] from corners of maps [B, C, H, W]. which: int64 [B], 0 to 3: top left, top right,
    bottom left, bottom right."""
    bottom, right = (bit.bool().view(-1, 1, 1, 1) for bit in (which // 2, which % 2))
    rows = torch.where(bottom, x[:, :, x.shape[2] - height :], x[:, :, :height])
    return torch.where(right, rows[..., x.shape[3] - width :], rows[..., :width])


def resized(image: Tensor, height: int, width: int) -> Tensor:
    """Images [B, C, H, W] -> [B, C, height, width] by the means over areas, without a graph, in float32 or better."""
    image = exact(image.detach())
    return image if image.shape[2:] == (height, width) else F.interpolate(image, (height, width), mode="area")


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Multi-scale L1 distance of images [B, C, H, W]: the mean absolute difference at their size, at half of it, at a
    quarter and so on down to 4 pixels a side, averaged over the scales: a scalar, in float32 or better."""
    # Differs: the paper's distance is LPIPS, which needs the weights of another network; this needs none.
    difference = exact(one) - exact(other)
    levels = [difference.abs().mean()]
    while min(difference.shape[2:]) >= 2 * _LEAST:
        difference = F.avg_pool2d(difference, 2)
        levels.append(difference.abs().mean())
    return torch.stack(levels).mean()

"""BigGAN: class-conditional residual networks; latent and class enter every block of the generator.

Brock, Donahue, Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", section 3 and
appendix B. A class embedding is shared by all blocks; the latent is split: its first part is projected to the
first grid, each other part enters the conditional batch normalisations of one block beside the class (skip-z). Spectral
normalisation in both networks, self-attention, the projection of Miyato, Koyama 2018, orthogonal initial weights.
Widths and depths are those of the authors' PyTorch code at 32, 64, 128, 256 and 512 pixels.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError
from gansmith.models.layers import grid
from gansmith.models.layers.attention import SelfAttention
from gansmith.models.layers.conditional import ClassEmbedding, classes_of, labels_of
from gansmith.models.layers.conditional_norm import ConditionalBatchNorm
from gansmith.models.layers.projection import Projection, pooled
from gansmith.models.layers.residual import DownBlock, UpBlock, image_of
from gansmith.models.layers.spectral import SpectralConv2d, SpectralLinear
from gansmith.system.option_types import PositiveInt

Initialisation = Literal["orthogonal", "normal"]

SMALLEST = grid.SMALLEST

# Times `width`, from the base grid to the image, by the number of doublings; up to 3 of them all layers have 4.
_GENERATOR = {
    4: (16, 16, 8, 4, 2),
    5: (16, 16, 8, 4, 2, 1),
    6: (16, 16, 8, 8, 4, 2, 1),
    7: (16, 16, 8, 8, 4, 2, 1, 1),
}
# From the image to the last block, which is not halved.
_DISCRIMINATOR = {4: (1, 2, 4, 8, 16), **{count: widths[::-1] for count, widths in _GENERATOR.items() if count > 4}}
_SMALL = 4
_MOST = 7  # doublings in the paper; a larger image has more layers of the least width
_PLAIN = 2  # blocks behind the last halving of a discriminator for small images


def generator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    embedding: PositiveInt = 128,
    skip_z: bool = True,
    attention: PositiveInt | None = None,
    initialisation: Initialisation = "orthogonal",
    conditional: bool = True,
) -> Generator:
    """Latents [B, Z] and labels [B] -> images [B, C, H, W] in [-1, 1].

    width: ch, the unit of the numbers of channels; 96 for ImageNet. embedding: size of the classes' shared embedding.
    skip_z: give each block a part of the latent, not all of it to the first layer. attention: the shorter side, in
    pixels, of the feature map that gets self-attention; 64 for ImageNet. initialisation: orthogonal, or N(0, 0.02).
    conditional: it reads labels; else all images are of one class. Raises ExperimentError below 8 pixels a side,
    without classes for a conditional one, for a latent with fewer numbers than parts, and for an attention at a size
    that no feature map has.

    >>> network = generator(Dimensions(3, 32, 32, latent=80, classes=10), width=4)
    >>> network(torch.zeros(2, 80), torch.tensor([3, 7])).shape
    torch.Size([2, 3, 32, 32])
    """
    return Generator(
        dimensions,
        width=width,
        embedding=embedding,
        skip_z=skip_z,
        attention=attention,
        initialisation=initialisation,
        conditional=conditional,
    )


def discriminator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    attention: PositiveInt | None = None,
    initialisation: Initialisation = "orthogonal",
    conditional: bool = True,
) -> Discriminator:
    """Images [B, C, H, W] in [-1, 1] and labels [B] -> raw scores [B].

    width, attention, initialisation: as the generator's. conditional: it reads labels; else it has no projection.
    Raises ExperimentError below 8 pixels a side, without classes for a conditional one, and for an attention at a size
    that no feature map has.

    >>> network = discriminator(Dimensions(3, 32, 32, classes=10), width=4)
    >>> network(torch.zeros(2, 3, 32, 32), torch.tensor([3, 7])).shape
    torch.Size([2])
    """
    return Discriminator(
        dimensions, width=width, attention=attention, initialisation=initialisation, conditional=conditional
    )


class Generator(nn.Module):
    """See `generator`."""

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        width: int,
        embedding: int,
        skip_z: bool,
        attention: int | None,
        initialisation: Initialisation,
        conditional: bool,
    ) -> None:
        super().__init__()
        count, self.first_grid, self.size = grid.grids("biggan", dimensions)
        self.conditional, latent = conditional, dimensions.latent
        self.parts = _split(latent, count + 1) if skip_z else [latent, *(0 for _ in range(count))]
        widths = [width * times for times in _widths(_GENERATOR, count)]

        classes = classes_of("generator", dimensions, model="biggan") if conditional else 1
        self.shared = ClassEmbedding(classes, embedding)
        self.first = SpectralLinear(self.parts[0], widths[0] * math.prod(self.first_grid))
        self.blocks = nn.ModuleList(
            UpBlock(before, after, partial(_by_vector, embedding + part), spectral=True)
            for (before, after), part in zip(pairwise(widths), self.parts[1:], strict=True)
        )
        sides = [min(self.first_grid) * 2 ** (place + 1) for place in range(count)]
        self.attention = _attention("generator", attention, sides, widths[1:])
        self.last_norm = nn.BatchNorm2d(widths[-1])
        self.last = SpectralConv2d(widths[-1], dimensions.channels, 3, padding=1)
        self.tanh = nn.Tanh()
        self.apply(partial(initialise, kind=initialisation))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if self.conditional:
            label = labels_of("generator", label)
        else:
            label = torch.zeros(z.shape[0], dtype=torch.long, device=z.device)
        shared = self.shared(label)
        own, *parts = z.split(self.parts, 1)
        x = self.first(own).unflatten(1, (-1, *self.first_grid))
        for place, (block, part) in enumerate(zip(self.blocks, parts, strict=True)):
            x = _attended(self.attention, place, block(x, torch.cat([shared, part], 1)))
        return grid.centre(image_of(x, self.last_norm, self.last, self.tanh), *self.size)


class Discriminator(nn.Module):
    """See `discriminator`."""

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        width: int,
        attention: int | None,
        initialisation: Initialisation,
        conditional: bool,
    ) -> None:
        super().__init__()
        channels, height, breadth, _, _ = dimensions
        count = grid.doublings("biggan", dimensions)
        small = count < min(_DISCRIMINATOR)
        halved = grid.halvings(height, breadth) if small else count
        times = [_SMALL] * (halved + _PLAIN) if small else _widths(_DISCRIMINATOR, count)
        widths = [channels, *(width * factor for factor in times)]
        self.conditional = conditional
        self.blocks = nn.ModuleList(
            DownBlock(before, after, after, spectral=True, first=place == 0, halved=place < halved)
            for place, (before, after) in enumerate(pairwise(widths))
        )
        sides = [min(height, breadth) >> min(place + 1, halved) for place in range(len(times))]
        self.attention = _attention("discriminator", attention, sides, widths[1:])
        classes = classes_of("discriminator", dimensions, model="biggan") if conditional else 0
        self.head = Projection(widths[-1], classes, spectral=True)
        self.apply(partial(initialise, kind=initialisation))

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        x = image
        for place, block in enumerate(self.blocks):
            x = _attended(self.attention, place, block(x))
        scores: Tensor = self.head(pooled(torch.relu(x)), label)
        return scores


def initialise(module: nn.Module, kind: Initialisation = "orthogonal") -> None:
    """Orthogonal weights (rows, or columns where they are fewer), or N(0, 0.02); biases 0."""
    if not isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
        return
    if kind == "orthogonal":
        nn.init.orthogonal_(module.weight)
    else:
        nn.init.normal_(module.weight, 0.0, 0.02)
    if not isinstance(module, nn.Embedding) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _split(latent: int, parts: int) -> list[int]:
    """Sizes of the `parts` parts of a latent, the first ones larger by one where it does not divide.

    Differs: the authors' code drops the remainder, because there the network decides on the size of the latent.
    """
    if latent < parts:
        raise ExperimentError(
            f"biggan splits its latent into {parts} parts at this size, one for the first layer and one for each "
            f"block, and a latent of {latent} is too short. Set --set prior.size={32 * parts}, or leave it whole: "
            f"--set generator.skip_z=false"
        )
    least, more = divmod(latent, parts)
    return [least + (place < more) for place in range(parts)]


def _widths(table: dict[int, tuple[int, ...]], count: int) -> tuple[int, ...]:
    """The table's row for `count` doublings; beyond the paper's largest image there are more layers of width 1."""
    if count < min(table):
        return (_SMALL,) * (count + 1)
    more = (1,) * max(0, count - _MOST)
    widths = table[min(count, _MOST)]
    return (*widths, *more) if table is _GENERATOR else (*more, *widths)


def _by_vector(size: int, channels: int) -> ConditionalBatchNorm:
    return ConditionalBatchNorm(
        channels, SpectralLinear(size, channels, bias=False), SpectralLinear(size, channels, bias=False)
    )


def _attention(role: str, side: int | None, sides: list[int], channels: list[int]) -> nn.ModuleDict:
    """{place: self-attention behind the first block whose shorter side is `side`}."""
    if side is None:
        return nn.ModuleDict()
    if side not in sides:
        known = ", ".join(str(known) for known in dict.fromkeys(sides))
        raise ExperimentError(
            f"{role}.attention = {side}: no feature map of biggan is {side} pixels on its shorter side. "
            f"At this size they are {known}; null is no attention"
        )
    place = sides.index(side)
    return nn.ModuleDict({str(place): SelfAttention(channels[place])})


def _attended(attention: nn.ModuleDict, place: int, x: Tensor) -> Tensor:
    if str(place) not in attention:
        return x
    attended: Tensor = attention[str(place)](x)
    return attended

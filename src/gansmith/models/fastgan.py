"""FastGAN: a light generator with skip-layer excitation, and a discriminator that also rebuilds the images it reads.

Liu, Zhu, Song, Elgammal 2021, "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis"
(ICLR), section 3, and its published code. At 256 and 512 pixels the layers are theirs, at 1024 with one gate more;
other sizes get as many stages of factor 2 as leave a first grid of at least 4 pixels a side, and last features of
about 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Dimensions, exact
from gansmith.errors import ExperimentError
from gansmith.models.layers import grid
from gansmith.models.layers.conditional import ClassEmbedding, classes_of, labels_of
from gansmith.models.layers.excitation import Excitation
from gansmith.models.layers.glu import glu
from gansmith.models.layers.noise import Noise
from gansmith.models.layers.reconstruction import Map, Reconstruction
from gansmith.models.layers.sides import check_sides
from gansmith.models.layers.spectral import SpectralConv2d, convolution, embedding, weight_of
from gansmith.models.layers.strided import double_and_convolve
from gansmith.pretrained import lpips
from gansmith.system.option_types import NonNegativeFloat, PositiveInt, SmallInt

Distance = Literal["pixels", "lpips"]

SMALLEST = grid.SMALLEST

_SHARES = (16, 8, 4, 2, 2)  # times `width`, of the generator's first maps; each further one has half of the one before
_FULL = 5  # halvings of the discriminator that are residual blocks; those before them are plain
_REACH = 3  # halvings between the two maps of a discriminator's excitation, or all that there are
_SLOPE = 0.2  # of leaky ReLUs


def generator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    reach: SmallInt = 4,
    spectral_norm: bool = True,
    conditional: bool = False,
) -> Generator:
    """Latents [B, Z] -> images [B, C, H, W] in [-1, 1].

    width: channels at 128 pixels (ngf). reach: doublings from a map to the one that it gates, or all that there are.
    spectral_norm: of every convolution. conditional: it reads labels. Raises ExperimentError below 8 pixels a side, and
    without classes for a conditional one.

    >>> network = generator(Dimensions(3, 64, 64, latent=64), width=4)
    >>> network(torch.zeros(2, 64)).shape
    torch.Size([2, 3, 64, 64])
    """
    return Generator(dimensions, width=width, reach=reach, spectral=spectral_norm, conditional=conditional)


def discriminator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    reconstruction: NonNegativeFloat = 1.0,
    distance: Distance = "pixels",
    spectral_norm: bool = True,
    conditional: bool = False,
) -> Discriminator:
    """Images [B, C, H, W] in [-1, 1] -> raw scores [B, h, w], one for each 4 x 4 area of the last features: 5 x 5.

    width: channels at 64 pixels (ndf). reconstruction: the weight of Eq. 2, its own term at real images; 0 leaves the
    decoders out. distance: of Eq. 2; pixels is a multi-scale L1, lpips needs the weights of `vgg`. spectral_norm: of
    every convolution. conditional: it reads labels. Raises ExperimentError below 8 pixels a side, without classes for a
    conditional one, and for lpips below 32 pixels, for other than 1 or 3 channels.

    >>> network = discriminator(Dimensions(3, 64, 64), width=4)
    >>> network(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 5, 5])
    """
    network = Discriminator(dimensions, width=width, spectral=spectral_norm, conditional=conditional)
    if reconstruction:
        network.supervise(dimensions, width, reconstruction, spectral=spectral_norm, perceptual=distance == "lpips")
    network.apply(initialise)
    return network


def require_parts(options: Mapping[str, Any]) -> None:
    """Raises ExperimentError where the network of the distance that the options name is not on this machine."""
    if extractors_read(options):
        lpips.require()


def extractors_read(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The feature extractors whose network training reads: `vgg` for a reconstruction by LPIPS.

    >>> extractors_read({"distance": "lpips"}), extractors_read({})
    (('vgg',), ())
    """
    return ("vgg",) if options.get("distance") == "lpips" and options.get("reconstruction", 1) else ()


class Generator(nn.Module):
    """See `generator`."""

    def __init__(self, dimensions: Dimensions, *, width: int, reach: int, spectral: bool, conditional: bool) -> None:
        super().__init__()
        count, (height, breadth), self.size = grid.grids("fastgan", dimensions)
        self.conditional, self.reach = conditional, min(reach, count)
        latent = dimensions.latent
        if conditional:
            self.embedding = ClassEmbedding(classes_of("generator", dimensions, model="fastgan"), latent)
            latent *= 2
        widths = [_share_of(width, number) for number in range(count + 1)]
        first = SpectralConv2d if spectral else nn.Conv2d  # to the whole first grid, as a transposed convolution
        self.first = first(latent, 2 * widths[0], (height, breadth), bias=False)
        self.first_norm = nn.BatchNorm2d(2 * widths[0])
        self.blocks = nn.ModuleList(
            UpBlock(before, after, (height << number, breadth << number), full=number % 2 == 1, spectral=spectral)
            for number, (before, after) in enumerate(pairwise(widths), 1)
        )
        self.excitations = nn.ModuleDict(_excitations(widths, self.reach, spectral=spectral))
        self.last = convolution(widths[-1], dimensions.channels, 3, spectral=spectral, bias=False)
        self.tanh = nn.Tanh()
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if self.conditional:
            z = torch.cat([z, self.embedding(labels_of("generator", label)).to(z.dtype)], 1)
        grid_of_z = torch.einsum("bz,czhw->bchw", z, weight_of(self.first))
        maps = [glu(self.first_norm(grid_of_z))]
        for number, block in enumerate(self.blocks, 1):
            x = block(maps[-1])
            if str(number) in self.excitations:
                x = self.excitations[str(number)](x, maps[number - self.reach])
            maps.append(x)
        images: Tensor = self.tanh(self.last(maps[-1]))
        return grid.centre(images, *self.size)


class UpBlock(nn.Module):
    """Doubling, 3 x 3 convolution, batch normalisation and GLU: features [B, C, H, W] -> [B, C', 2 H, 2 W].

    full: with a second convolution, and noise behind both. size: 2 H, 2 W.
    """

    def __init__(self, before: int, after: int, size: tuple[int, int], *, full: bool, spectral: bool) -> None:
        super().__init__()
        widths = [before, after, after] if full else [before, after]
        self.convolutions = nn.ModuleList(
            convolution(one, 2 * other, 3, spectral=spectral, bias=False) for one, other in pairwise(widths)
        )
        self.noises = nn.ModuleList(Noise(*size) if full else nn.Identity() for _ in widths[1:])
        self.norms = nn.ModuleList(nn.BatchNorm2d(2 * after) for _ in widths[1:])

    def forward(self, x: Tensor) -> Tensor:
        for place, (layer, noise, norm) in enumerate(zip(self.convolutions, self.noises, self.norms, strict=True)):
            assert isinstance(layer, nn.Conv2d)
            x = layer(x) if place else double_and_convolve(x, weight_of(layer), None)
            x = glu(norm(noise(x)))
        return x


class Discriminator(nn.Module):
    """See `discriminator`."""

    def __init__(self, dimensions: Dimensions, *, width: int, spectral: bool, conditional: bool) -> None:
        super().__init__()
        channels, height, breadth, _, _ = dimensions
        grid.doublings("fastgan", dimensions)  # refuses what the generator refuses
        self.conditional = conditional
        count = grid.halvings(height, breadth)
        full = min(count, _FULL)
        self.reach = min(_REACH, full)
        widths = [max(1, 8 * width >> left) for left in range(full, -1, -1)]
        self.stem = _stem(channels, 8 * width, count, spectral=spectral)
        self.blocks = nn.ModuleList(DownBlock(*pair, spectral=spectral) for pair in pairwise(widths))
        self.excitations = nn.ModuleDict(_excitations(widths, self.reach, spectral=spectral))
        self.features = nn.Sequential(
            convolution(widths[-1], 16 * width, 1, spectral=spectral, bias=False), nn.BatchNorm2d(16 * width), _leaky()
        )
        self.score = convolution(16 * width, 1, 4, spectral=spectral, bias=False, padded=False)
        if conditional:
            classes = classes_of("discriminator", dimensions, model="fastgan")
            self.projection = embedding(classes, 16 * width, spectral=spectral)
        self.own_terms: tuple[str, ...] = ()

    def supervise(self, dimensions: Dimensions, width: int, weight: float, *, spectral: bool, perceptual: bool) -> None:
        """Give it decoders, and with them a term of its own of this weight."""
        channels, height, breadth, _, _ = dimensions
        if perceptual:
            pixels = "discriminator.distance=pixels"
            reason = "the distance lpips compares images of 16 pixels and more, and a quadrant is half of one: "
            check_sides("fastgan", dimensions, smallest=2 * lpips.LEAST, reason=reason, instead=f", or {pixels}")
            if channels not in (1, 3):
                raise ExperimentError(
                    f"the distance lpips compares images of 1 or 3 channels, not {channels}: --channels 3, or {pixels}"
                )
        self.own_terms, self.weight = ("reconstruction",), weight
        count = grid.halvings(height, breadth)
        fine, coarse = Map(4 * width, count - 1), Map(8 * width, count)
        wide = max(1, width // 2)
        self.decoders = Reconstruction(channels, fine, coarse, width=wide, spectral=spectral, perceptual=perceptual)

    def forward(
        self, image: Tensor, label: Tensor | None = None, *, own: torch.Generator | None = None
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Scores; with `own`, a generator, also the terms of its own: {"reconstruction": weight * Eq. 2}."""
        maps = [self.stem(image)]
        for number, block in enumerate(self.blocks, 1):
            x = block(maps[-1])
            if str(number) in self.excitations:
                x = self.excitations[str(number)](x, maps[number - self.reach])
            maps.append(x)
        features = self.features(maps[-1])
        scores: Tensor = self.score(features).squeeze(1)
        if self.conditional:
            table = weight_of(self.projection)
            rows = F.embedding(labels_of("discriminator", label), table)
            scores = exact(scores) + (exact(features).mean((2, 3)) * rows).sum(1)[:, None, None]
        if own is None:
            return scores
        return scores, {"reconstruction": self.weight * self.decoders(image, *maps[-2:], own)}


class DownBlock(nn.Module):
    """Halving of features [B, C, H, W] -> [B, C', H // 2, W // 2]: the mean of a path of two convolutions and one of
    2 x 2 means and a 1 x 1 convolution, each normalised and rectified."""

    def __init__(self, before: int, after: int, *, spectral: bool) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *_halved(before, after, spectral=spectral),
            convolution(after, after, 3, spectral=spectral, bias=False),
            nn.BatchNorm2d(after),
            _leaky(),
        )
        self.direct = nn.Sequential(
            nn.AvgPool2d(2),
            convolution(before, after, 1, spectral=spectral, bias=False),
            nn.BatchNorm2d(after),
            _leaky(),
        )

    def forward(self, x: Tensor) -> Tensor:
        mean: Tensor = (self.main(x) + self.direct(x)) / 2
        return mean


def initialise(module: nn.Module) -> None:
    """Weights N(0, 0.02), batch-normalisation scales N(1, 0.02), as in the authors' code."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def _share_of(width: int, number: int) -> int:
    """Channels of the generator's map behind `number` doublings."""
    if number < len(_SHARES):
        return _SHARES[number] * width
    return max(1, 2 * width >> number - len(_SHARES) + 1)


def _excitations(widths: list[int], reach: int, *, spectral: bool) -> dict[str, nn.Module]:
    """{number of a map: what the map `reach` before it gates it with}, for maps of these channels."""
    # Differs: the authors' code has no gate at 1024 pixels; here every map that has another `reach` before it has one.
    pairs = zip(widths, widths[reach:], strict=False)
    return {str(n): Excitation(source, gated, spectral=spectral) for n, (source, gated) in enumerate(pairs, reach)}


def _stem(channels: int, last: int, count: int, *, spectral: bool) -> nn.Sequential:
    """The layers from the image to the first block: one that keeps the size, or as many halvings as lie before the
    last five, the first of them without a normalisation. last: channels behind `count` halvings."""
    plain = count - _FULL
    if plain <= 0:
        return nn.Sequential(convolution(channels, max(1, last >> count), 3, spectral=spectral, bias=False), _leaky())
    widths = [max(1, last >> left) for left in range(count - 1, _FULL - 1, -1)]
    begin = convolution(channels, widths[0], 4, spectral=spectral, bias=False, stride=2)
    later = (layer for pair in pairwise(widths) for layer in _halved(*pair, spectral=spectral))
    return nn.Sequential(begin, _leaky(), *later)


def _halved(before: int, after: int, *, spectral: bool) -> tuple[nn.Module, ...]:
    return convolution(before, after, 4, spectral=spectral, bias=False, stride=2), nn.BatchNorm2d(after), _leaky()


def _leaky() -> nn.Module:
    return nn.LeakyReLU(_SLOPE, inplace=True)

"""MUNIT: an autoencoder of content and style for each of two domains, and a discriminator at several scales.

Huang, Liu, Belongie, Kautz 2018, "Multimodal Unsupervised Image-to-Image Translation", section 5.1 and the appendix on
network architectures. A translation is the content of an image of one domain, decoded by the other domain's decoder
with a style of that domain: drawn at random, or taken from an image. The discriminator at several scales: Wang et al.
2018, "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", section 3.2.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError
from gansmith.models.layers.adaptive_norm import adaptive_instance_norm
from gansmith.models.layers.instance import InstanceNorm
from gansmith.models.layers.reflection import ReflectionPad
from gansmith.models.layers.sides import check_sides
from gansmith.system.option_types import NonNegativeFloat, NonNegativeSmallInt, PositiveInt, SmallInt

SMALLEST = 64  # 16 for the autoencoder, 61 for the discriminator of three scales
MULTIPLE = 4  # two halvings

_MLP = 3  # linear layers from a style to the scales and shifts
_DOUBLED = 2  # the style encoder's first stages double the channels, the others keep them


def autoencoder(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    downsamplings: NonNegativeSmallInt = 2,
    blocks: SmallInt = 4,
    style_downsamplings: NonNegativeSmallInt = 4,
    mlp_width: PositiveInt = 256,
) -> Autoencoder:
    """Images [B, C, H, W] in [-1, 1] <-> content [B, D, H / m, W / m] and style [B, Z]; Z is the prior's size, m is 2
    to the power of `downsamplings`, D is m times `width`.

    width: channels of the layers next to the image. blocks: residual blocks on either side of the content.
    style_downsamplings: strided convolutions of the style encoder. mlp_width: hidden layers between a style and the
    scales and shifts that it sets. Raises ExperimentError for sides that are too short or no multiples of m.

    >>> network = autoencoder(Dimensions(3, 32, 32, latent=8), width=4)
    >>> content, style = network.encode(torch.zeros(2, 3, 32, 32))
    >>> content.shape, style.shape
    (torch.Size([2, 16, 8, 8]), torch.Size([2, 8]))
    """
    multiple, least = 2**downsamplings, _smallest(downsamplings, style_downsamplings)
    if dimensions.latent < 1:
        raise ExperimentError("munit needs styles to choose from: set prior.size, for example --set prior.size=8")
    check_sides("munit", dimensions, smallest=least, multiple=multiple)
    return Autoencoder(
        dimensions,
        width=width,
        downsamplings=downsamplings,
        blocks=blocks,
        style_downsamplings=style_downsamplings,
        mlp_width=mlp_width,
    )


def discriminator(
    dimensions: Dimensions,
    *,
    width: PositiveInt = 64,
    depth: SmallInt = 4,
    scales: SmallInt = 3,
    slope: NonNegativeFloat = 0.2,
) -> Discriminator:
    """Images [B, C, H, W] in [-1, 1] -> raw scores of patches [B, S, h, w] at S scales, each resized to the finest.

    width: channels of the first layer. depth: strided convolutions of one scale. scales: how many discriminators, each
    on an image of half the size of the one before. slope: of the leaky ReLU. Raises ExperimentError for images that
    cannot be halved so often.

    >>> network = discriminator(Dimensions(3, 64, 64), width=4)
    >>> network(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 3, 4, 4])
    """
    check_sides(
        "munit",
        dimensions,
        smallest=_shortest(depth, scales),
        fitting=MULTIPLE,
        reason=f"it has a discriminator of depth {depth} at {scales} scale(s), so ",
        instead=_smaller(min(dimensions.height, dimensions.width), depth, scales),
    )
    return Discriminator(dimensions.channels, width, depth, scales, slope)


class Autoencoder(nn.Module):
    """See `autoencoder`. Fully convolutional: it reads any sides that are multiples of `multiple` and
    at least `smallest`."""

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        width: int,
        downsamplings: int,
        blocks: int,
        style_downsamplings: int,
        mlp_width: int,
    ) -> None:
        super().__init__()
        self.multiple, self.smallest = 2**downsamplings, _smallest(downsamplings, style_downsamplings)
        channels, inner = dimensions.channels, width * self.multiple
        widths = [width * 2**k for k in range(downsamplings + 1)]

        layers: list[nn.Module] = [*_convolution(channels, width, 7, bias=False), InstanceNorm(width), _relu()]
        for before, after in pairwise(widths):
            layers += [*_convolution(before, after, 4, 2, bias=False), InstanceNorm(after), _relu()]
        self.content = nn.Sequential(*layers, *(Residual(inner) for _ in range(blocks)))

        widths = [width * 2 ** min(k, _DOUBLED) for k in range(style_downsamplings + 1)]
        layers = [*_convolution(channels, width, 7), _relu()]
        for before, after in pairwise(widths):  # no instance normalisation: it would take away the style
            layers += [*_convolution(before, after, 4, 2), _relu()]
        self.style = nn.Sequential(*layers)
        self.style_head = nn.Linear(widths[-1], dimensions.latent)

        sizes = [dimensions.latent, *[mlp_width] * (_MLP - 1), 4 * blocks * inner]
        layers = [nn.Linear(sizes[0], sizes[1])]
        for before, after in pairwise(sizes[1:]):
            layers += [_relu(), nn.Linear(before, after)]
        self.scales_and_shifts = nn.Sequential(*layers)
        self.blocks = nn.ModuleList(Residual(inner, adaptive=True) for _ in range(blocks))

        layers = []
        for _ in range(downsamplings):
            layers += [nn.Upsample(scale_factor=2, mode="nearest"), *_convolution(inner, inner // 2, 5)]
            layers += [nn.GroupNorm(1, inner // 2), _relu()]  # layer normalisation: one group
            inner //= 2
        self.image = nn.Sequential(*layers, *_convolution(width, channels, 7), nn.Tanh())
        self.apply(_kaiming)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, C, H, W] -> their contents [B, D, H / m, W / m] and their styles [B, Z]."""
        content: Tensor = self.content(image)
        style: Tensor = self.style_head(self.style(image).mean((2, 3)))  # global average pooling
        return content, style

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        """Contents [B, D, H / m, W / m], of either domain, and styles [B, Z] -> images [B, C, H, W] of this domain."""
        x = content
        modulation = self.scales_and_shifts(style).unflatten(1, (len(self.blocks), 4, -1))
        for number, block in enumerate(self.blocks):
            x = block(x, modulation[:, number])
        image: Tensor = self.image(x)
        return image

    def forward(self, image: Tensor, label: Tensor | None = None, *, style: Tensor | None = None) -> Tensor:
        """Reconstructed images, in their own style or in `style` [B, Z]; labels are not read."""
        content, own = self.encode(image)
        return self.decode(content, own if style is None else style)


class Residual(nn.Module):
    """Residual block: features [B, D, h, w] -> x + N(conv(relu(N(conv(x))))), N being instance normalisation,
    where it is adaptive with a scale, shift, scale and shift [B, 4, D] computed from a style."""

    def __init__(self, channels: int, *, adaptive: bool = False) -> None:
        super().__init__()
        self.adaptive = adaptive
        self.first = nn.Sequential(*_convolution(channels, channels, 3, bias=False))
        self.second = nn.Sequential(*_convolution(channels, channels, 3, bias=False))
        self.norm = InstanceNorm(channels)

    def forward(self, x: Tensor, modulation: Tensor | None = None) -> Tensor:
        if modulation is None:
            plain: Tensor = self.norm(self.second(F.relu(self.norm(self.first(x)), inplace=True)))
            return x + plain
        inner = adaptive_instance_norm(self.first(x), modulation[:, 0], modulation[:, 1])
        outer = self.second(F.relu(inner, inplace=True))
        changed: Tensor = adaptive_instance_norm(outer, modulation[:, 2], modulation[:, 3])
        return x + changed


class Discriminator(nn.Module):
    """See `discriminator`. scales: discriminators whose scores are averaged; the paper takes the sum."""

    def __init__(self, channels: int, width: int, depth: int, scales: int, slope: float) -> None:
        super().__init__()
        self.scales = scales
        self.networks = nn.ModuleList()
        for _ in range(scales):
            layers: list[nn.Module] = []
            for before, after in pairwise([channels, *(width * 2**k for k in range(depth))]):
                layers += [*_convolution(before, after, 4, 2), nn.LeakyReLU(slope, inplace=True)]
            self.networks.append(nn.Sequential(*layers, nn.Conv2d(width * 2 ** (depth - 1), 1, 1)))
        self.apply(_gaussian)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        scores: list[Tensor] = []
        for number, network in enumerate(self.networks):
            if number:
                image = F.avg_pool2d(image, 3, 2, padding=1, count_include_pad=False)
            own: Tensor = network(image)
            # Resized, so that a mean over everything gives each scale the same weight however few its patches are.
            scores.append(F.interpolate(own, size=scores[0].shape[2:], mode="nearest") if number else own)
        return torch.cat(scores, 1)


def _smallest(downsamplings: int, style_downsamplings: int) -> int:
    """The shortest side, a multiple of 2 ** downsamplings, that reflection can pad at every layer: by 3 pixels at the
    image, and by 1 where the style encoder halves for the last time and between the residual blocks."""
    least: int = max(4, 2 ** (downsamplings + 1), 2**style_downsamplings)
    return least


def _shortest(depth: int, scales: int) -> int:
    """The shortest side that can be pooled (rounded up), then halved (rounded down) with 2 pixels left for the last."""
    least: int = (2**depth - 1) * 2 ** (scales - 1) + 1
    return least


def _smaller(side: int, depth: int, scales: int) -> str:
    """The largest discriminator that images of a shorter side `side` leave room for, as options; empty without one."""
    fitting = [(d, s) for d in range(1, depth + 1) for s in range(1, scales + 1) if _shortest(d, s) <= side]
    if not fitting:
        return ""
    best = max(fitting, key=lambda pair: (sum(pair), min(pair), pair))
    return f", or take a smaller one: --set discriminator.depth={best[0]} --set discriminator.scales={best[1]}"


def _convolution(before: int, after: int, kernel: int, stride: int = 1, *, bias: bool = True) -> tuple[nn.Module, ...]:
    """A convolution behind reflection padding that keeps the size, or halves it at stride 2."""
    return ReflectionPad((kernel - 1) // 2), nn.Conv2d(before, after, kernel, stride, bias=bias)


def _relu() -> nn.Module:
    return nn.ReLU(inplace=True)


def _kaiming(module: nn.Module) -> None:
    """Kaiming initialisation (He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", Eq. 10); biases 0."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _gaussian(module: nn.Module) -> None:
    """Weights N(0, 0.02), biases 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

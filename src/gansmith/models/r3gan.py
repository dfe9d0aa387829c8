"""R3GAN: residual stages of grouped convolutions without normalisation, at any height and width from 4 pixels on.

Huang, Gokaslan, Kuleshov, Tompkin 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN", section 3, config
E, and its published code. At 32, 64 and 256 pixels the layers are theirs; other sizes get as many stages of factor 2 as
leave a base grid of at least 4 pixels a side, each stage of exactly its share of the image's size, rounded up.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError
from gansmith.models.layers.conditional import ClassEmbedding, classes_of, labels_of
from gansmith.models.layers.convolution import Geometry, convolve
from gansmith.models.layers.leaky_relu import leaky_relu_
from gansmith.models.layers.resample import doubled, halved
from gansmith.models.layers.sides import check_sides
from gansmith.system.option_types import NonNegativeSmallInt, PositiveInt, SmallInt

PerStage = PositiveInt | tuple[PositiveInt, ...]
BlocksPerStage = SmallInt | tuple[SmallInt, ...]

SMALLEST = 4  # the smallest base grid, in pixels

_SLOPE = 0.2  # of the leaky ReLU
_GAIN = math.sqrt(2 / (1 + _SLOPE**2))  # keeps the variance through it (He et al. 2015)
_LAYERS = 3  # in a block


def generator(
    dimensions: Dimensions,
    *,
    width: PerStage = 768,
    blocks: BlocksPerStage = 2,
    expansion: PositiveInt = 2,
    group: PositiveInt = 16,
    short_stages: NonNegativeSmallInt = 4,
    conditional: bool = False,
) -> Generator:
    """Latents [B, Z] -> images [B, C, H, W], unbounded, that aim at [-1, 1].

    width: channels of the stages of up to 32 times 4 pixels, halved in each finer one; or one number for each stage,
    coarsest first. blocks: in each stage. expansion: of the channels inside a block. group: channels in one group of
    the 3 x 3 convolutions, or their greatest common divisor with the channels there are. short_stages: under autocast
    at most so many of the finest stages, and never the coarsest, are computed in bfloat16; the others in float32.
    Raises ExperimentError below 4 pixels a side, for a count of stages that is another, or without labels.

    >>> network = generator(Dimensions(3, 32, 32, latent=64), width=32)
    >>> network(torch.zeros(2, 64)).shape
    torch.Size([2, 3, 32, 32])
    """
    plan = Plan(
        "generator", dimensions, width=width, blocks=blocks, expansion=expansion, group=group, short=short_stages
    )
    return Generator(dimensions, plan, conditional)


def discriminator(
    dimensions: Dimensions,
    *,
    width: PerStage = 768,
    blocks: BlocksPerStage = 2,
    expansion: PositiveInt = 2,
    group: PositiveInt = 16,
    short_stages: NonNegativeSmallInt = 4,
    conditional: bool = False,
) -> Discriminator:
    """Images [B, C, H, W] -> raw scores [B]. The options are the generator's, coarsest stage first too.

    >>> network = discriminator(Dimensions(3, 32, 32), width=32)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2])
    """
    plan = Plan(
        "discriminator", dimensions, width=width, blocks=blocks, expansion=expansion, group=group, short=short_stages
    )
    return Discriminator(dimensions, plan, conditional)


class Plan:
    """Sizes, widths, blocks and number formats of the stages of a network, coarsest first."""

    def __init__(
        self,
        role: str,
        dimensions: Dimensions,
        *,
        width: PerStage,
        blocks: BlocksPerStage,
        expansion: int,
        group: int,
        short: int,
    ) -> None:
        check_sides("r3gan", dimensions, smallest=SMALLEST, instead=", or for points (ring, grid) --recipe r3gan_ring")
        height, breadth = dimensions.height, dimensions.width
        finest = (min(height, breadth) // SMALLEST).bit_length() - 1
        self.sizes = [(-(-height // 2**k), -(-breadth // 2**k)) for k in range(finest, -1, -1)]
        count = len(self.sizes)
        if isinstance(width, int):  # their widths: 32 px and below in full, then half of it for each doubling
            width = tuple(max(1, width >> max(0, stage - 3)) for stage in range(count))
        if isinstance(blocks, int):
            blocks = (blocks,) * count
        for option, values in (("width", width), ("blocks", blocks)):
            if len(values) != count:
                sides = ", ".join("x".join(map(str, size)) for size in self.sizes)
                raise ExperimentError(
                    f"r3gan has {count} stage(s) at {height}x{breadth} ({sides}), and {role}.{option} gives "
                    f"{len(values)} numbers: give {count}, or one for all"
                )
        self.widths, self.blocks = width, blocks
        self.expansion, self.group = expansion, group
        self.short = [stage > 0 and count - stage <= short for stage in range(count)]

    def residual(self, stage: int) -> nn.Sequential:
        """The blocks of a stage."""
        hidden = self.expansion * self.widths[stage]
        groups = hidden // math.gcd(self.group, hidden)
        depth = sum(self.blocks)
        return nn.Sequential(*(Block(self.widths[stage], hidden, groups, depth) for _ in range(self.blocks[stage])))

    def formats(self, device: str, dtype: torch.dtype) -> list[torch.dtype]:
        """The number format of each stage: `dtype`, or under autocast its format for the short stages."""
        if not torch.is_autocast_enabled(device):
            return [dtype] * len(self.short)
        return [torch.get_autocast_dtype(device) if short else dtype for short in self.short]


class Convolution(nn.Module):
    """A convolution that keeps the size; initial weights N(0, gain / sqrt(fan-in)), initial bias, if any, 0."""

    def __init__(
        self, before: int, after: int, kernel: int = 1, *, groups: int = 1, bias: bool = False, gain: float = 1.0
    ) -> None:
        super().__init__()
        fan_in = before // groups * kernel**2
        self.weight = nn.Parameter(torch.randn(after, before // groups, kernel, kernel) * (gain / math.sqrt(fan_in)))
        self.bias = nn.Parameter(torch.zeros(after)) if bias else None
        self.geometry = Geometry(kernel // 2, groups)

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return convolve(x, self.weight.to(x.dtype), bias, self.geometry)


class Block(nn.Module):
    """Residual block: x plus a widening 1 x 1, a grouped 3 x 3 and a 1 x 1 convolution that begins at 0; leaky ReLUs
    between them.

    depth: blocks in the whole network. The first two are scaled down by its fourth root (Zhang, Dauphin, Ma 2019,
    "Fixup Initialization": depth^(-1 / (2 m - 2)) for m layers), so that the sum over all blocks keeps its scale.
    """

    def __init__(self, width: int, hidden: int, groups: int, depth: int) -> None:
        super().__init__()
        gain = _GAIN * depth ** (-1 / (2 * _LAYERS - 2))
        self.widen = Convolution(width, hidden, bias=True, gain=gain)
        self.mix = Convolution(hidden, hidden, 3, groups=groups, bias=True, gain=gain)
        self.narrow = Convolution(hidden, width, gain=0.0)

    def forward(self, x: Tensor) -> Tensor:
        y = leaky_relu_(self.widen(x), _SLOPE)
        y = leaky_relu_(self.mix(y), _SLOPE)
        change: Tensor = self.narrow(y)
        return change.add_(x)


class Generator(nn.Module):
    """See `generator`."""

    def __init__(self, dimensions: Dimensions, plan: Plan, conditional: bool) -> None:
        super().__init__()
        self.plan, self.conditional = plan, conditional
        latent = dimensions.latent
        if conditional:
            classes = classes_of("generator", dimensions, model="r3gan")
            self.embedding = _embedding(classes, latent, 1 / math.sqrt(classes))
            latent += dimensions.latent
        widths = plan.widths
        self.basis = nn.Parameter(torch.randn(1, widths[0], *plan.sizes[0]))
        self.style = Convolution(latent, widths[0])
        self.stages = nn.ModuleList(plan.residual(stage) for stage in range(len(widths)))
        self.transitions = nn.ModuleList(_transition(before, after) for before, after in pairwise(widths))
        self.end = Convolution(widths[-1], dimensions.channels)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        formats = self.plan.formats(z.device.type, z.dtype)
        if self.conditional:
            z = torch.cat([z, self.embedding(labels_of("generator", label))], dim=1)
        x = self.basis * self.style(z[:, :, None, None])
        for number, stage in enumerate(self.stages):
            if number:
                x = doubled(self.transitions[number - 1](x.to(formats[number])), self.plan.sizes[number])
            x = stage(x)
        images: Tensor = self.end(x)
        return images


class Discriminator(nn.Module):
    """See `discriminator`."""

    def __init__(self, dimensions: Dimensions, plan: Plan, conditional: bool) -> None:
        super().__init__()
        self.plan, self.conditional = plan, conditional
        widths = plan.widths
        outputs = 1
        if conditional:
            classes = classes_of("discriminator", dimensions, model="r3gan")
            outputs = widths[0]
            self.embedding = _embedding(classes, outputs, 1 / math.sqrt(classes * outputs))
        self.begin = Convolution(dimensions.channels, widths[-1])
        self.stages = nn.ModuleList(plan.residual(stage) for stage in range(len(widths)))
        self.transitions = nn.ModuleList(_transition(after, before) for before, after in pairwise(widths))
        area = math.prod(plan.sizes[0])
        self.basis = nn.Parameter(torch.randn(1, widths[0], *plan.sizes[0]) / math.sqrt(area))
        self.features = Convolution(widths[0], outputs)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        formats = self.plan.formats(image.device.type, self.basis.dtype)
        x = self.begin(image.to(formats[-1]))
        for number in reversed(range(len(self.stages))):
            x = self.stages[number](x.to(formats[number]))
            if number:
                x = self.transitions[number - 1](halved(x))
        scores: Tensor = self.features((x * self.basis).sum((2, 3), keepdim=True)).flatten(1)
        if self.conditional:
            scores = scores * self.embedding(labels_of("discriminator", label))
        return scores.sum(1)


def _transition(before: int, after: int) -> nn.Module:
    return nn.Identity() if before == after else Convolution(before, after)


def _embedding(classes: int, size: int, deviation: float) -> nn.Embedding:
    embedding = ClassEmbedding(classes, size)
    nn.init.normal_(embedding.weight, 0.0, deviation)
    return embedding

"""Synthesis network of a style-based generator: from w to an image, with skip outputs.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila 2020, "Analyzing and Improving the Image Quality of StyleGAN", Fig. 2d
and section 4.1 (output skips): a learned constant, two modulated convolutions for each resolution, one for the first;
each resolution adds to the image so far, doubled.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers.modulated import StyledConv2d, StyledImage
from gansmith.models.layers.resample import doubled

Output = Literal["linear", "tanh"]


class Stage(NamedTuple):
    """Height, width and channels of the features of one resolution."""

    size: tuple[int, int]
    width: int


def stages_of(dimensions: Dimensions, *, width: int, channel_base: int, smallest: int) -> list[Stage]:
    """The stages of an image, coarsest first: as many factors of 2 as leave at least `smallest` pixels a side, each
    stage of its share of the image's size, rounded up; channels: `channel_base` over the shorter side, at most `width`.
    """
    height, breadth = dimensions.height, dimensions.width
    finest = (min(height, breadth) // smallest).bit_length() - 1
    sizes = [(-(-height // 2**k), -(-breadth // 2**k)) for k in range(finest, -1, -1)]
    return [Stage(size, max(1, min(width, channel_base // min(size)))) for size in sizes]


class Synthesis(nn.Module):
    """w for each layer [B, L, W] -> images [B, C, H, W], in float32 or better. output: what ends it.

    L = 2 x stages: one for each convolution and one for the last image; the image of another stage shares its w with
    the next stage's first convolution, as in the authors' code.
    """

    def __init__(self, stages: list[Stage], channels: int, styles: int, *, output: Output = "linear") -> None:
        super().__init__()
        self.layers = 2 * len(stages)
        self.basis = nn.Parameter(torch.randn(1, stages[0].width, *stages[0].size))
        befores: list[Stage | None] = [None, *stages[:-1]]
        pairs = zip(befores, stages, strict=True)
        self.blocks = nn.ModuleList(_Block(before, stage, channels, styles) for before, stage in pairs)
        self.output = nn.Tanh() if output == "tanh" else nn.Identity()

    def forward(self, w: Tensor) -> Tensor:
        x = self.basis.expand(w.shape[0], -1, -1, -1)
        image: Tensor | None = None
        first = 0
        for block in self.blocks:
            assert isinstance(block, _Block)
            x, image = block(x, image, w[:, first:])
            first += len(block.convolutions)
        assert image is not None
        bounded: Tensor = self.output(image)
        return bounded


class _Block(nn.Module):
    """One resolution: features and the image so far -> features and image of this size."""

    def __init__(self, before: Stage | None, stage: Stage, channels: int, styles: int) -> None:
        super().__init__()
        convolutions = [StyledConv2d(stage.width, stage.width, stage.size, styles, doubled=False)]
        if before is not None:
            convolutions.insert(0, StyledConv2d(before.width, stage.width, stage.size, styles, doubled=True))
        self.convolutions = nn.ModuleList(convolutions)
        self.image = StyledImage(stage.width, channels, styles)
        self.size = stage.size

    def forward(self, x: Tensor, image: Tensor | None, w: Tensor) -> tuple[Tensor, Tensor]:
        """w [B, convolutions + 1 or more, W]; the one behind the convolutions' is the image's."""
        for number, convolution in enumerate(self.convolutions):
            x = convolution(x, w[:, number])
        added = self.image(x, w[:, len(self.convolutions)])
        return x, added if image is None else doubled(image, self.size) + added

"""Fixed random projections of a frozen network's feature maps: mixed across channels, then across scales.

Sauer, Chitta, Mueller, Geiger 2021, "Projected GANs Converge Faster", section 3.2 and figure 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gansmith.models.layers.resample import bilinear
from gansmith.system.seeding import mix


class FeatureMixing(nn.Module):
    """Four maps [B, C_l, H_l, W_l], each half as wide as the one before -> [B, M_l, 2 H_l, 2 W_l], M_l of `widths`.

    Across channels: a 1 x 1 convolution to width x (1, 2, 4, 8) channels. Across scales, from the smallest map to the
    largest: the map, plus the mixed one below it, through a 3 x 3 convolution to width x (1, 1, 2, 4) channels, doubled
    by bilinear interpolation. Weights N(0, 2 / fan-in), drawn from `seed` alone.
    """

    def __init__(self, channels: Sequence[int], *, width: int, seed: int) -> None:
        super().__init__()
        levels = [width * 2**level for level in range(len(channels))]
        self.widths = (width, *levels[:-1])
        # Differs: no biases, of which a batch normalisation behind them leaves a trace at the border alone.
        self.across_channels = nn.ModuleList(
            nn.Conv2d(before, after, 1, bias=False) for before, after in zip(channels, levels, strict=True)
        )
        # Differs: 3 x 3 as in the paper; the authors' code has 1 x 1, behind the doubling.
        self.across_scales = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, bias=False)
            for before, after in zip(levels, self.widths, strict=True)
        )
        if not self.across_scales[0].weight.is_meta:  # shapes alone, of networks that may not fit in memory
            self._draw(seed)
        self.requires_grad_(False)

    @torch.no_grad()
    def _draw(self, seed: int) -> None:
        rng = np.random.default_rng(mix("projection of features", seed))
        for convolution in (*self.across_channels, *self.across_scales):
            shape = tuple(convolution.weight.shape)
            scale = math.sqrt(2 / math.prod(shape[1:]))
            convolution.weight.copy_(torch.from_numpy(scale * rng.standard_normal(shape, dtype=np.float32)))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        mixed: list[Tensor] = []
        for level in reversed(range(len(maps))):
            x = self.across_channels[level](maps[level])
            if mixed:
                x = x + mixed[0]
            mixed.insert(0, bilinear(self.across_scales[level](x)))
        return mixed

"""Skip-layer excitation: each channel of a map is multiplied by a gate that a map of another resolution computes.

Liu, Zhu, Song, Elgammal 2021, "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis",
section 3.1, Eq. 1: y = F(x_low, W) x_high.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.models.layers.spectral import convolution

GRID = 4  # pixels a side that the source is averaged to


class Excitation(nn.Module):
    """Features [B, C', H, W] and a source [B, C, h, w], h and w at least 4 -> the features times a gate [B, C', 1, 1]
    in (0, 1)."""

    def __init__(self, source: int, channels: int, *, spectral: bool) -> None:
        super().__init__()
        self.squeeze = convolution(source, channels, GRID, spectral=spectral, bias=False, padded=False)
        self.gate = convolution(channels, channels, 1, spectral=spectral, bias=False)

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        # Differs: the paper's text has a leaky ReLU here, the authors' code x sigmoid(x), and this is the code's.
        hidden = F.silu(self.squeeze(on_grid(source)))
        return x * torch.sigmoid(self.gate(hidden))


def on_grid(x: Tensor, side: int = GRID) -> Tensor:
    """Adaptive average pooling [B, C, h, w] -> [B, C, side, side]: cell i is the mean of the rows from i h / side,
    rounded down, to (i + 1) h / side, rounded up, and of the columns likewise.

    Equal to torch's, whose gradient on a GPU adds in another order every time where the cells overlap.
    """
    height, width = x.shape[2:]
    if height % side == 0 and width % side == 0:
        return F.avg_pool2d(x, (height // side, width // side))
    return _shares(height, side, x) @ x @ _shares(width, side, x).t()


def _shares(size: int, side: int, like: Tensor) -> Tensor:
    """[side, size]: the weight of each row in the mean of each cell."""
    cells = torch.arange(side, device=like.device)[:, None]
    rows = torch.arange(size, device=like.device)
    inside = (rows >= cells * size // side) & (rows < -(-(cells + 1) * size // side))
    return (inside / inside.sum(1, keepdim=True)).to(like.dtype)

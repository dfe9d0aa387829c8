"""Noise injection: Gaussian noise, one plane for all channels, times a learned weight.

Karras, Laine, Aila 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks", section 2, with
the single weight of Liu, Zhu, Song, Elgammal 2021, "Towards Faster and Stabilized GAN Training for High-fidelity
Few-shot Image Synthesis" (their code).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansmith.system.sharing import drawn


class Noise(nn.Module):
    """Features [B, C, H, W] of one size -> features + weight * noise [B, 1, H, W]; the weight begins at 0.

    In training the noise is drawn anew for each image, from torch's global generator. In evaluation it is one plane
    that belongs to the network, so that an image depends on its latent alone (Karras et al.: "const").
    """

    plane: Tensor

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.register_buffer("plane", torch.randn(1, 1, height, width))

    def forward(self, x: Tensor) -> Tensor:
        noise = self._drawn(x) if self.training else self.plane
        return x + (self.weight * noise).to(x.dtype)

    def _drawn(self, x: Tensor) -> Tensor:
        kind = self.plane.dtype
        return drawn(lambda n: torch.randn(n, 1, *x.shape[2:], dtype=kind, device=x.device), len(x))

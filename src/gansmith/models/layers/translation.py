"""Parts of the residual translator: the residual block, instance normalisation with ReLU, doubling of both sides.

Johnson, Alahi, Fei-Fei 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution"; Zhu, Park, Isola,
Efros 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", section 7.2.
"""

from __future__ import annotations

from torch import Tensor, nn

from gansmith.models.layers.instance import InstanceNorm
from gansmith.models.layers.reflection import ReflectionPad


class Residual(nn.Module):
    """Residual block: features [B, C, H, W] -> the same shape, x plus two 3 x 3 convolutions of it, with
    dropout between them where it is asked for; no activation behind the sum."""

    def __init__(self, channels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(ReflectionPad(1), nn.Conv2d(channels, channels, 3), *normalised(channels)),
            *([nn.Dropout(dropout)] if dropout else []),
            *(ReflectionPad(1), nn.Conv2d(channels, channels, 3), InstanceNorm(channels)),
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.layers(features)
        return changed.add_(features)  # in place: no gradient needs the output of the last normalisation


def normalised(channels: int) -> tuple[nn.Module, nn.Module]:
    """Instance normalisation and ReLU of features [B, C, H, W]."""
    return InstanceNorm(channels), nn.ReLU(inplace=True)


def doubled(before: int, after: int, upsample: str) -> tuple[nn.Module, ...]:
    """Features [B, C, H, W] -> [B, C', 2 H, 2 W]: by a transposed convolution, or by resizing and a convolution."""
    if upsample == "transposed":
        return (nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1),)
    return (nn.Upsample(scale_factor=2, mode="nearest"), ReflectionPad(1), nn.Conv2d(before, after, 3))

"""Convolutional encoder of images: strided convolutions with batch normalisation, and one linear layer.

The shape of DCGAN's discriminator (Radford, Metz, Chintala 2016, section 3) with a latent in the place of the score.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from gansmith.adversarial import Dimensions

_BASE = 4  # the last grid has at least so many pixels a side, where the image has
_MOST = 8  # the widest layer has this many times `width` channels
_SLOPE = 0.2  # of leaky ReLUs


class EncoderNetwork(nn.Module):
    """Images [B, C, H, W] in [-1, 1] -> coordinates u [B, size] of their latents, and raw scores of classes
    [B, classes].

    >>> import torch
    >>> u, scores = EncoderNetwork(Dimensions(3, 20, 16), size=6, classes=2, width=4)(torch.zeros(5, 3, 20, 16))
    >>> u.shape, scores.shape
    (torch.Size([5, 6]), torch.Size([5, 2]))
    """

    def __init__(self, dimensions: Dimensions, size: int, classes: int = 0, width: int = 32) -> None:
        super().__init__()
        self.size = size
        height, breadth = dimensions.height, dimensions.width
        layers: list[nn.Module] = [*_convolved(dimensions.channels, width, 3, 1)]
        before = width
        while min(height, breadth) >= 2 * _BASE:
            after = min(2 * before, _MOST * width)
            layers += _convolved(before, after, 4, 2)
            before, height, breadth = after, height // 2, breadth // 2
        self.layers = nn.Sequential(*layers, nn.Flatten())
        features = before * math.prod((height, breadth))
        self.head = nn.Linear(features, size + classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        values = self.head(self.layers(images)).float()
        return values[:, : self.size], values[:, self.size :]


def _convolved(before: int, after: int, kernel: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, 1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.LeakyReLU(_SLOPE, inplace=True)]

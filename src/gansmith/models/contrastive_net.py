"""Convolutional classifier of the Torch slides on `nn`: tanh, max pooling and local contrast normalisation.

Chintala, "A Deeper Dive" (slides on Torch 7), the network "to work on raw RGB images". Local contrast normalisation:
Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, "What is the Best Multi-Stage Architecture for Object Recognition?", section
2.2 (N), as Torch's `nn.SpatialContrastiveNormalization` computes it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith.adversarial import Dimensions, exact
from gansmith.models.layers.classifier import Classifier
from gansmith.models.layers.labels import classes_of
from gansmith.models.layers.valid_grid import valid_grid

SMALLEST = 16  # pixels a side: 16 -> 12 -> 6 -> 2 -> 1


def classifier(dimensions: Dimensions) -> Classifier:
    """Images [B, C, H, W] in [-1, 1] -> logits [B, K]; its features [B, 256] lie in [-1, 1].

    Raises ExperimentError below 16 pixels a side.

    >>> network = classifier(Dimensions(3, 32, 32, classes=10))
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    classes = classes_of("contrastive_net", dimensions)
    layers = nn.Sequential(
        nn.Conv2d(dimensions.channels, 16, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        ContrastiveNormalisation(gaussian(3)),
        nn.Conv2d(16, 64, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        ContrastiveNormalisation(gaussian(3)),
        nn.Conv2d(64, 256, valid_grid("contrastive_net", dimensions)),  # the whole grid: at 32 x 32 the slides' 5 x 5
        nn.Tanh(),
        nn.Flatten(),
    )
    return Classifier(layers, nn.Linear(256, classes))


class ContrastiveNormalisation(nn.Module):
    """Local contrast normalisation: maps [B, C, H, W] -> (maps - local mean) / local deviation, float32 or better.

    Both are taken over all maps and a window weighted by `kernel` [k, k] (k odd; scaled to the sum 1), over the pixels
    inside the image. Deviations below `threshold` count as `threshold`, so that uniform areas stay uniform.
    """

    kernel: Tensor

    def __init__(self, kernel: Tensor, *, threshold: float = 1e-4) -> None:
        super().__init__()
        self.register_buffer("kernel", (kernel / kernel.sum())[None, None], persistent=False)
        self.threshold = threshold

    def forward(self, maps: Tensor) -> Tensor:
        with torch.autocast(maps.device.type, enabled=False):  # squares are not taken in a short format
            maps = exact(maps)
            inside = self._around(torch.ones_like(maps[:1, :1]))  # the share of the window inside the image
            centred = maps - self._around(maps.mean(1, keepdim=True)) / inside
            squares = self._around(centred.square().mean(1, keepdim=True))
            # As Torch divides: the deviation by the share, not the variance, which lowers the contrast at the border.
            # The threshold goes under the root, whose slope at 0 is infinite.
            deviation = torch.maximum(squares, (self.threshold * inside).square()).sqrt() / inside
            return centred / deviation

    def _around(self, plane: Tensor) -> Tensor:
        """[B, 1, H, W] -> the weighted sum over the window round each pixel."""
        summed: Tensor = F.conv2d(plane, self.kernel.to(plane.dtype), padding=self.kernel.shape[-1] // 2)
        return summed


def gaussian(size: int) -> Tensor:
    """Gaussian window [size, size] of Torch's `image.gaussian(size)`: 1 in the middle, deviation size / 4."""
    places = torch.arange(size) - (size - 1) / 2
    line = torch.exp(-((places / (size / 4)) ** 2) / 2)
    return line[:, None] * line

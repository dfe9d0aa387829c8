"""Convolutional classifier of PyTorch's MNIST example of 2018 and 2019: LeNet-5 with more channels and ReLU.

LeCun, Bottou, Bengio, Haffner 1998, "Gradient-Based Learning Applied to Document Recognition", section II.B, for the
architecture; the layers (20 and 50 maps, 500 units) are those of the example's `Net`, as lectures on PyTorch show it.
"""

from __future__ import annotations

from torch import nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers.classifier import Classifier
from gansmith.models.layers.labels import classes_of
from gansmith.models.layers.standardize import Deviations, Means, standardizing
from gansmith.models.layers.valid_grid import valid_grid

SMALLEST = 16  # pixels a side: 16 -> 12 -> 6 -> 2 -> 1


def classifier(dimensions: Dimensions, *, mean: Means | None = None, deviation: Deviations | None = None) -> Classifier:
    """Images [B, C, H, W] in [-1, 1] -> logits [B, K]; its features [B, 500] are not negative.

    mean, deviation: of each channel on [0, 1], by which images are standardized first. Raises ExperimentError below 16
    pixels a side.

    >>> import torch
    >>> classifier(Dimensions(1, 28, 28, classes=10))(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """
    classes = classes_of("mnist_net", dimensions)
    grid = valid_grid("mnist_net", dimensions)
    layers = nn.Sequential(
        standardizing("mnist_net", dimensions.channels, mean, deviation),
        nn.Conv2d(dimensions.channels, 20, 5),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(50 * grid[0] * grid[1], 500),
        nn.ReLU(inplace=True),
    )
    return Classifier(layers, nn.Linear(500, classes))

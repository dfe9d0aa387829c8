"""The small network that PyTorch's MNIST example had in 2018 and 2019: LeNet-5's plan with more channels and ReLU.

LeCun, Bottou, Bengio, Haffner 1998, "Gradient-Based Learning Applied to Document Recognition", section II.B, for the
plan; the layers (20 and 50 maps, 500 units) are those of the example's `Net`, as lectures on PyTorch show it.
"""

from __future__ import annotations

from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.models.layers.labels import classes_of
from gansmith.models.layers.standardize import Deviations, Means, standardizing
from gansmith.models.layers.valid_grid import valid_grid


def classifier(dimensions: Dimensions, *, mean: Means | None = None, deviation: Deviations | None = None) -> Classifier:
    """Images [B, C, H, W] in [-1, 1] -> logits [B, K].

    mean, deviation: of each channel on [0, 1], by which images are standardized first. Raises ExperimentError below 16
    pixels a side.
    """
    classes = classes_of("mnist_net", dimensions)
    grid = valid_grid("mnist_net", dimensions)
    return Classifier(standardizing("mnist_net", dimensions.channels, mean, deviation), dimensions, grid, classes)


class Classifier(nn.Module):
    """See `classifier`."""

    def __init__(self, first: nn.Module, dimensions: Dimensions, grid: tuple[int, int], classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            first,
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
        self.head = nn.Linear(500, classes)

    def features(self, image: Tensor) -> Tensor:
        """Images [B, C, H, W] in [-1, 1] -> [B, 500], none negative."""
        found: Tensor = self.layers(image)
        return found

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.features(image))
        return logits

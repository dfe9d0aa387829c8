"""What every classifier is: layers that make features of an image, and a head that makes classes of the features."""

from __future__ import annotations

from torch import Tensor, nn


class Classifier(nn.Module):
    """Images [B, C, H, W] in [-1, 1] -> logits [B, K]."""

    def __init__(self, layers: nn.Sequential, head: nn.Linear) -> None:
        super().__init__()
        self.layers = layers
        self.head = head

    def features(self, image: Tensor) -> Tensor:
        """Images -> [B, D], what the head reads."""
        found: Tensor = self.layers(image)
        return found

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.features(image))
        return logits

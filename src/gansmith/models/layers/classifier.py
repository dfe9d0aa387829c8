"""Classifier of images: layers that compute features, and a linear head on the features."""

from __future__ import annotations

from torch import Tensor, nn


class Classifier(nn.Module):
    """Classifier: images [B, C, H, W] in [-1, 1] -> logits [B, K]."""

    def __init__(self, layers: nn.Sequential, head: nn.Linear) -> None:
        super().__init__()
        self.layers = layers
        self.head = head

    def features(self, image: Tensor) -> Tensor:
        """Images [B, C, H, W] -> features [B, D], the input of the head."""
        features: Tensor = self.layers(image)
        return features

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.features(image))
        return logits

"""Parts of class-conditional networks: checks of classes and labels, the embedding of a class or of a blend of them.

A blend is shares of the classes in the place of a label, as for a class interpolated to another one (Brock,
Donahue, Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis").
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError, GansmithError


def classes_of(role: str, dimensions: Dimensions, *, model: str | None = None) -> int:
    """The number of classes for a conditional network of `role`. Raises ExperimentError, in the name of `model`, for
    images without labels."""
    if dimensions.classes == 0:
        of = "" if model is None else f"{model}: "
        raise ExperimentError(
            f"{of}a conditional {role} needs labels, and these images have none. Sort them into one folder for each "
            f"class, or name a CSV file or an array that holds labels beside the images; or take it without: "
            f"--set {role}.conditional=false"
        )
    return dimensions.classes


def labels_of(role: str, label: Tensor | None) -> Tensor:
    """The labels [B]. Raises GansmithError for None."""
    if label is None:
        raise GansmithError(f"the {role} is conditional: it was called without labels, and it needs one for each image")
    return label


def shares_of(label: Tensor, classes: int) -> Tensor:
    """Labels [B] -> one-hot [B, classes], int64; shares of the classes [B, classes] stay as they are.

    >>> import torch
    >>> shares_of(torch.tensor([1]), 3), shares_of(torch.tensor([[0.5, 0.0, 0.5]]), 3)
    (tensor([[0, 1, 0]]), tensor([[0.5000, 0.0000, 0.5000]]))
    """
    return label if label.is_floating_point() else functional.one_hot(label, classes)


class ClassEmbedding(nn.Embedding):
    """Embedding of labels [B], int64, or of shares of the classes [B, classes], float -> [B, D]: for shares, the mean
    of the classes' rows that they weigh.

    >>> import torch
    >>> table = ClassEmbedding(3, 4)
    >>> table(torch.tensor([[0.0, 1.0, 0.0]])).equal(table(torch.tensor([1])))
    True
    """

    def forward(self, label: Tensor) -> Tensor:
        if label.is_floating_point():
            return label.to(self.weight.dtype) @ self.weight
        return super().forward(label)

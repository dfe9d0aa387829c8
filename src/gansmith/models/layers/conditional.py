"""Checks of class-conditional networks: classes when they are built, a label for each image when they are called."""

from __future__ import annotations

from torch import Tensor

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

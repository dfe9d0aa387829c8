"""Check of classifiers: the data have at least two classes."""

from __future__ import annotations

from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError


def classes_of(name: str, dimensions: Dimensions) -> int:
    """The number of classes for the classifier called `name`. Raises ExperimentError for fewer than two."""
    if dimensions.classes == 0:
        raise ExperimentError(
            f"{name} is a classifier, so labels are needed, and these images have none. Sort them into one folder for "
            f"each class, or name a CSV file or an array that holds labels beside the images"
        )
    if dimensions.classes == 1:
        raise ExperimentError(
            f"{name} is a classifier, and these images are all of one class: there is nothing to tell apart. "
            f"Give images of at least 2 classes"
        )
    return dimensions.classes

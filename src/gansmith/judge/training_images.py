"""The images that a run was trained on, all of them, with their names, and some that it was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gansmith.data.prepare import prepare
from gansmith.data.prepared import Prepared
from gansmith.data.selection import Selection
from gansmith.data.settings import DataSettings
from gansmith.data.subsets import evenly_spaced
from gansmith.errors import DataError, GansmithError, RunError
from gansmith.evaluation.types import Images
from gansmith.judge.image_sets import read_images
from gansmith.judge.opened import images_at
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run
from gansmith.system.text import printable

HELD_OUT = 1000  # held-out images that are read, at most


@dataclass(frozen=True)
class TrainingImages:
    """images uint8 [N, H, W, C], the names of their files where these are known, and held-out images where the run kept
    some."""

    images: Images
    keys: tuple[str, ...] | None = None
    held_out: Images | None = None

    def __len__(self) -> int:
        return len(self.images)

    def name(self, index: int) -> str:
        """Of one of them: its file, or its number.

        >>> TrainingImages(np.zeros((2, 8, 8, 1), np.uint8)).name(1)
        'training image 1'
        """
        return f"training image {index}" if self.keys is None else printable(self.keys[index])


def training_images(run: Run, shape: tuple[int, ...], *, against: str | None = None) -> TrainingImages:
    """Those of the run's settings, or the images `against`, brought to `shape` (height, width, channels).

    Raises as `prepared_images` does, and DataError for images of another shape.
    """
    prepared = prepared_images(run, shape, against=against)
    images = read_images(prepared.train, np.arange(len(prepared.train)))[0]
    if images.shape[1:] != tuple(shape):
        raise DataError(f"the images to compare are {list(shape)} and the training images {list(images.shape[1:])}")
    return TrainingImages(images, _keys(prepared), _held_out(prepared))


def prepared_images(run: Run, shape: tuple[int, ...], *, against: str | None = None) -> Prepared:
    """The training images and those held out, prepared as for the training, unread.

    Raises RunError for a model without its run and no `against`, DataError where they cannot be read or are points.
    """
    if not is_run(run.path) and against is None:
        raise RunError(
            f"{run.path} is a model without its run, so that which images it was trained on is not known: say where "
            f"they are (--against DATA)"
        )
    settings = _settings(run, shape, against)
    try:
        prepared = prepare(settings)
    except GansmithError as error:
        raise DataError(
            f"the training images of {run.path} are needed, and cannot be read: {error}. Where else they are: "
            f"--against DATA"
        ) from error
    if prepared.points:
        raise DataError(f"{settings.path} holds points, and only images can be compared")
    return prepared


def _settings(run: Run, shape: tuple[int, ...], against: str | None) -> DataSettings:
    """The run's own, with the place that `against` names; of a model alone, those that bring images to its size."""
    height, width, channels = shape
    if not is_run(run.path):
        return images_at(str(against), (height, width, channels))
    moved: dict[str, Any] = {} if against is None else {"path": against}
    return run.experiment.data.model_copy(update={"size": (height, width), "channels": channels, **moved})


def _held_out(prepared: Prepared) -> Images | None:
    if prepared.holdout is None or not len(prepared.holdout):
        return None
    return read_images(prepared.holdout, evenly_spaced(len(prepared.holdout), HELD_OUT))[0]


def _keys(prepared: Prepared) -> tuple[str, ...] | None:
    """The names of the training images; None where they are not known."""
    if not isinstance(prepared.train, Selection) or len(prepared.keys) != prepared.count:
        return None
    return tuple(prepared.keys[index] for index in prepared.train.indices.tolist())

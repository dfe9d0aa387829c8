"""Grading of a classification run on images it was not trained on, as `gansmith evaluate` does for a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gansmith import __version__
from gansmith.data.dataset import Dataset
from gansmith.data.prepare import prepare
from gansmith.data.prepared import Prepared
from gansmith.data.stream import normalised
from gansmith.errors import DataError, GansmithError, OptionError
from gansmith.evaluation.classification import Classification, report
from gansmith.evaluation.types import Labels
from gansmith.judge.class_numbers import class_numbers
from gansmith.judge.opened import Opened, open_for_judging
from gansmith.judge.report_folder import report_folder
from gansmith.runs.folder import players_of
from gansmith.runs.run import Run
from gansmith.system.files import atomic, write_json
from gansmith.system.progress import bar

_BATCH = 256
_JSON, _CONFUSION = "classification.json", "confusion.png"


@dataclass(frozen=True)
class Grading:
    """A classifier's report, its text for the terminal, and the folder it was written to."""

    classification: Classification
    text: str
    folder: Path


def is_classifier(place: Path) -> bool:
    """Whether this is a run, or a folder or file of models, of a classifier."""
    try:
        return players_of(place) == ["classifier"]
    except GansmithError:
        return False


def evaluate(
    place: Path,
    *,
    against: str | None = None,
    checkpoint: str | None = None,
    device: str = "auto",
    out: Path | None = None,
    force: bool = False,
    trust: bool = False,
) -> Grading:
    """Grade the classifier at `place` on labelled images: its run's held-out ones, or all of `against`.

    Writes classification.json and confusion.png into RUN/audit, where they replace those before, or `out`, where
    `force` does. Raises DataError for unlabelled images, or classes that the classifier does not know; OutputError for
    files that exist.
    """
    folder, replace = report_folder(place, out, (_JSON, _CONFUSION), force=force)
    opened = open_for_judging(Run(place, trust=trust), "classifier", checkpoint=checkpoint, device=device)
    prepared, images = _labelled(opened, against)
    numbers = class_numbers(prepared, opened.card.classes, who="the classifier")
    logits, labels = _answers(opened, images)
    classification = report(logits, numbers[labels], classes=opened.card.classes)
    protocol = {
        "run": str(place),
        "checkpoint": opened.weights,
        "trained": opened.card.images,
        "images": len(images),
        "data": f"{prepared.name} {prepared.digest}, {'held out' if against is None else 'all'}",
        "size": opened.size,
        "version": __version__,
    }
    write_json(folder / _JSON, {**classification.record(), "protocol": protocol}, replace=replace)
    with atomic(folder / _CONFUSION, replace=replace) as file:
        classification.confusion_picture().save(file, "PNG")
    return Grading(classification, classification.as_text(), folder)


def _labelled(opened: Opened, against: str | None) -> tuple[Prepared, Dataset]:
    """The data set, and those of its images to grade on. Raises DataError where none are held out or labelled."""
    place, own = opened.run.path, opened.settings
    if against is not None:
        settings = opened.images_at(against)
    elif own is not None:
        height, width, channels = opened.shape
        settings = own.model_copy(update={"size": (height, width), "channels": channels})
    else:
        raise OptionError(f"{place} holds models only: say which labelled images, with --against DATA")
    prepared = prepare(settings)
    images = prepared.holdout if against is None else prepared.train
    if images is None:
        raise DataError(f"{place} held no images out: say which labelled images to grade it on, with --against DATA")
    if not prepared.labelled or prepared.classes is None:
        raise DataError(f"{settings.path} has no labels, and grading needs them: images in one folder for each class")
    return prepared, images


def _answers(opened: Opened, images: Dataset) -> tuple[NDArray[np.float32], Labels]:
    """Logits [N, K] of every image, and its label [N]."""
    logits, labels = [], []
    with torch.inference_mode(), bar("grading", len(images)) as advance:
        for start in range(0, len(images), _BATCH):
            block: Any = images[np.arange(start, min(start + _BATCH, len(images)))]
            pixels = torch.from_numpy(np.ascontiguousarray(block.image)).to(opened.device)
            logits.append(opened.network(normalised(pixels)).float().cpu().numpy())
            labels.append(np.asarray(block.label))
            advance(len(pixels))
    return np.concatenate(logits), np.concatenate(labels)

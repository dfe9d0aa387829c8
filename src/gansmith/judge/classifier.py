"""How good a classification run is, on images it was not trained on: what `gansmith evaluate` does for a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gansmith import __version__
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.data.stream import normalised
from gansmith.errors import DataError, GansmithError, OptionError
from gansmith.evaluation.classification import Classification, report
from gansmith.runs import folder as run_folder
from gansmith.runs.run import Run
from gansmith.system.device import choose_device
from gansmith.system.files import atomic, write_json
from gansmith.system.progress import bar

_BATCH = 256


@dataclass(frozen=True)
class Grading:
    """What was found, its text for the terminal, and the folder it was written to."""

    classification: Classification
    text: str
    folder: Path


def is_classifier(place: Path) -> bool:
    """Is this a run, or a folder or file of models, of a classifier?"""
    try:
        return run_folder.players(place) == ["classifier"]
    except GansmithError:
        return False


def evaluate(
    place: Path,
    *,
    against: str | None = None,
    checkpoint: str | None = None,
    device: str = "auto",
    out: Path | None = None,
    trust: bool = False,
) -> Grading:
    """Grade the classifier at `place` on labelled images: its run's held-out ones, or all of `against`.

    Writes classification.json and confusion.png into RUN/audit or `out`. Raises DataError for unlabelled images, or
    classes that the classifier does not know.
    """
    if out is None and not run_folder.is_run(place):
        raise OptionError(f"{place} is not a run: say where the report is to lie, with --out DIR")
    run = Run(place, trust=trust)
    network, card = run.network("classifier", checkpoint=checkpoint)
    channels, height, width = card.dimensions[:3]
    if against is None and not run_folder.is_run(place):
        raise OptionError(f"{place} holds models only: say which labelled images, with --against DATA")
    settings = run.experiment.data if against is None else DataSettings(path=against, holdout=0)
    data = prepare(settings.model_copy(update={"size": (height, width), "channels": channels}), trust=trust)
    images = data.holdout if against is None else data.train
    if images is None:
        raise DataError(f"{place} held no images out: say which labelled images to grade it on, with --against DATA")
    if not data.labelled or data.classes is None:
        raise DataError(f"{settings.path} has no labels, and grading needs them: images in one folder for each class")
    known = {name: number for number, name in enumerate(card.classes)}
    strange = [name for name in data.classes if name not in known]
    if strange:
        raise DataError(
            f"{settings.path} has classes the classifier does not know: {', '.join(strange[:5])}. "
            f"It knows: {', '.join(card.classes)}"
        )
    where = choose_device(device)
    network.to(where)
    logits, labels = [], []
    with torch.inference_mode(), bar("grading", len(images)) as advance:
        for start in range(0, len(images), _BATCH):
            picture: Any = images[np.arange(start, min(start + _BATCH, len(images)))]
            pixels = torch.from_numpy(np.ascontiguousarray(picture.image)).to(where)
            logits.append(network(normalised(pixels)).float().cpu().numpy())
            labels.append(np.asarray(picture.label))
            advance(len(pixels))
    theirs = np.array([known[name] for name in data.classes], dtype=np.int64)
    found = report(np.concatenate(logits), theirs[np.concatenate(labels)], classes=card.classes)
    folder = out if out is not None else place / "audit"
    protocol = {
        "run": str(place),
        "checkpoint": checkpoint or "the model at the end",
        "trained": card.images,
        "images": len(images),
        "data": f"{data.name} {data.digest}, {'held out' if against is None else 'all'}",
        "size": f"{height}x{width}x{channels}",
        "version": __version__,
    }
    write_json(folder / "classification.json", {**found.record(), "protocol": protocol})
    with atomic(folder / "confusion.png") as file:
        found.confusion_picture().save(file, "PNG")
    return Grading(found, found.as_text(), folder)

"""The folder of images that a training may be started on: what is in it, what a training would take, what to expect.

What trains and what checks is imported where it is asked for: a page that only shows runs opens without it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gansmith.data.open import open_source
from gansmith.data.settings import DataSettings
from gansmith.data.subsets import evenly_spaced
from gansmith.data.unreadable import folded
from gansmith.errors import GansmithError, UnreadableImageError
from gansmith.system.text import printable, printable_lines

STRIP = 12  # images that are shown before a training
SIDE = 160  # pixels of their longer side, at most
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_BROKEN = 3  # lines about images that cannot be read
_SAID = ("name", "train", "verdict")  # lines of a check that the page says in its own words, or the forecast better


@dataclass(frozen=True)
class Strip:
    """How many images are offered, and some of them: PNG files of at most SIDE pixels a side, and the true sizes
    (height, width)."""

    count: int
    images: tuple[bytes, ...]
    sizes: tuple[tuple[int, int], ...]


def strip(images: Path) -> Strip:
    """A dozen of the images, evenly over their order; those that cannot be decoded are left out. Raises DataError."""
    source = open_source(DataSettings(path=str(images)))
    if source.points:
        return Strip(len(source), (), ())
    kept, sizes = [], []
    for index in evenly_spaced(len(source), STRIP).tolist():
        with suppress(UnreadableImageError):
            pixels = np.asarray(source.one(index).image)
            kept.append(_thumbnail(pixels))
            sizes.append((pixels.shape[0], pixels.shape[1]))
    return Strip(len(source), tuple(kept), tuple(sizes))


def _thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """uint8 [H, W, 1..4] -> PNG, reduced to SIDE pixels where it is larger."""
    shown = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :4], _MODES[pixels.shape[2]])
    shown.thumbnail((SIDE, SIDE))
    file = BytesIO()
    shown.save(file, "PNG")
    return file.getvalue()


def checked(images: Path, *, skip: bool = False) -> dict[str, Any]:
    """{count, lines, notes, stops, unreadable, broken} of the images, every one of them decoded once.

    stops: why a training would stop; unreadable: how many cannot be decoded, which `skip` leaves out as the option
    --skip-unreadable does; broken: the first of these, and why.
    """
    from gansmith.data.check import check

    try:
        report = check(DataSettings(path=str(images), skip_unreadable=skip))
    except GansmithError as error:
        return {"count": 0, "lines": [], "notes": [], "stops": printable(error), "unreadable": 0, "broken": []}
    broken = [printable(line) for line in folded(report.unreadable)]
    lines = printable_lines(replace(report, warnings=[], failure=None).as_text()).splitlines()
    return {
        "count": report.count,
        "lines": [line for line in lines if line.split(" ", 1)[0] not in _SAID],
        "notes": [printable_lines(warning) for warning in report.warnings],
        "stops": None if report.failure is None else printable_lines(report.failure),
        "unreadable": len(report.unreadable),
        "broken": broken[:_BROKEN] + ([f"and {more} more"] if (more := len(broken) - _BROKEN) > 0 else []),
    }


def forecast(images: Path, time: str | None, out: Path, *, skip: bool = False) -> dict[str, Any]:
    """{recipe, size, images, seconds, lines, stops, entry, words, other} of `gansmith train IMAGES [--time TIME]`, of
    which nothing is trained. entry: of the gallery, whose samples show what became of the most similar images; words:
    what is on that picture; other: the recipe that made them, where it is not the one that starts."""
    from gansmith.runs.defaults_table import defaults
    from gansmith.runs.dry_run import dry_run, dry_run_lines
    from gansmith.runs.gallery import likeness_of, nearest, shipped
    from gansmith.runs.train import experiment_from

    try:
        experiment, _ = experiment_from(
            str(images), time=time, out=str(out), skip_unreadable=skip or None, choose_recipe=True
        )
        done = dry_run(experiment)
        parts = done.parts
        entry = None
        if not parts.data.points and parts.experiment.recipe in defaults().recipes:
            entry = nearest(likeness_of(parts), shipped())
    except GansmithError as error:
        return {"lines": [], "stops": printable(error), "entry": None, "words": None, "other": None}
    return {
        "recipe": parts.experiment.recipe,
        "size": list(parts.data.shape[1:]),
        "images": parts.experiment.images,
        "seconds": parts.experiment.time or done.cost.seconds,
        "lines": [printable_lines(line) for line in dry_run_lines(done)],
        "stops": None,
        "entry": None if entry is None else entry.name,
        "words": None if entry is None else entry.words(),
        "other": None if entry is None or entry.recipe == parts.experiment.recipe else entry.recipe,
    }


def gallery_picture(name: str) -> Path | None:
    """The picture of the entry called `name`; None where the package brings none."""
    from gansmith.runs.gallery import FOLDER, shipped

    return next((FOLDER / f"{entry.name}.jpg" for entry in shipped() if entry.name == name), None)

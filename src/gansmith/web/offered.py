"""The folder of images that a training may be started on: what is in it, what a training would take, what to expect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from gansmith.data.check import check
from gansmith.data.settings import DataSettings
from gansmith.errors import GansmithError
from gansmith.runs.defaults_table import defaults
from gansmith.runs.dry_run import dry_run, dry_run_lines
from gansmith.runs.gallery import FOLDER, likeness_of, nearest, shipped
from gansmith.runs.train import experiment_from
from gansmith.system.text import printable, printable_lines

_SAID = ("name", "train", "verdict")  # lines of a check that the page says in its own words, or the forecast better


def checked(images: Path) -> dict[str, Any]:
    """{count, lines, notes, stops} of the images, every one of them decoded once. stops: why a training would stop."""
    try:
        report = check(DataSettings(path=str(images)))
    except GansmithError as error:
        return {"count": 0, "lines": [], "notes": [], "stops": printable(error)}
    lines = printable_lines(replace(report, warnings=[], failure=None).as_text()).splitlines()
    return {
        "count": report.count,
        "lines": [line for line in lines if line.split(" ", 1)[0] not in _SAID],
        "notes": [printable_lines(warning) for warning in report.warnings],
        "stops": None if report.failure is None else printable_lines(report.failure),
    }


def forecast(images: Path, time: str | None, out: Path) -> dict[str, Any]:
    """{recipe, size, images, seconds, lines, stops, entry, words} of `gansmith train IMAGES [--time TIME]`, of which
    nothing is trained. entry: of the gallery, whose samples show what became of the most similar images; words: what is
    on that picture."""
    try:
        experiment, _ = experiment_from(str(images), time=time, out=str(out), choose_recipe=True)
        done = dry_run(experiment)
        parts = done.parts
        entry = None
        if not parts.data.points and parts.experiment.recipe in defaults().recipes:
            entry = nearest(likeness_of(parts), shipped())
    except GansmithError as error:
        return {"lines": [], "stops": printable(error), "entry": None, "words": None}
    return {
        "recipe": parts.experiment.recipe,
        "size": list(parts.data.shape[1:]),
        "images": parts.experiment.images,
        "seconds": parts.experiment.time or done.cost.seconds,
        "lines": [printable_lines(line) for line in dry_run_lines(done)],
        "stops": None,
        "entry": None if entry is None else entry.name,
        "words": None if entry is None else entry.words(),
    }


def gallery_picture(name: str) -> Path | None:
    """The picture of the entry called `name`; None where the package brings none."""
    return next((FOLDER / f"{entry.name}.jpg" for entry in shipped() if entry.name == name), None)

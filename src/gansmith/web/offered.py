"""The folder of images that a training may be started on: what is in it, what a training would take, what to expect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gansmith.data.check import check
from gansmith.data.settings import DataSettings
from gansmith.errors import GansmithError
from gansmith.experiment.assemble import assemble
from gansmith.experiment.with_data import with_data_to_train
from gansmith.runs.defaults_table import defaults
from gansmith.runs.dry_run import dry_run_report
from gansmith.runs.gallery import FOLDER, likeness_of, nearest, shipped
from gansmith.runs.train import experiment_from
from gansmith.system.text import printable, printable_lines


def checked(images: Path) -> dict[str, Any]:
    """{name, count, lines, warnings, failure} of the images, every one of them decoded once."""
    try:
        report = check(DataSettings(path=str(images)))
    except GansmithError as error:
        return {"name": printable(images.name), "count": 0, "lines": [], "warnings": [], "failure": printable(error)}
    failure = None if report.failure is None else printable_lines(report.failure)
    return {
        "name": printable(report.name),
        "count": report.count,
        "lines": printable_lines(report.as_text()).splitlines(),
        "warnings": [printable_lines(warning) for warning in report.warnings],
        "failure": failure,
    }


def forecast(images: Path, time: str, out: Path) -> dict[str, Any]:
    """{lines, entry, words, failure} of `gansmith train IMAGES --time TIME`: nothing is trained. entry: of the gallery,
    whose samples show what became of the most similar images; words: what is on that picture."""
    try:
        experiment, sources = experiment_from(str(images), time=time, out=str(out), choose_recipe=True)
        lines = printable_lines(dry_run_report(experiment, sources)).splitlines()
        parts = assemble(*with_data_to_train(experiment))
    except GansmithError as error:
        return {"lines": [], "entry": None, "words": None, "failure": printable(error)}
    entry = None
    if not parts.data.points and parts.experiment.recipe in defaults().recipes:
        entry = nearest(likeness_of(parts), shipped())
    parts.stream.close()
    return {
        "lines": lines,
        "entry": None if entry is None else entry.name,
        "words": None if entry is None else entry.words(),
        "failure": None,
    }


def gallery_picture(name: str) -> Path | None:
    """The picture of the entry called `name`; None where the package brings none."""
    return next((FOLDER / f"{entry.name}.jpg" for entry in shipped() if entry.name == name), None)

"""The length of a run that is there already, and the schedules that hang on it."""

from __future__ import annotations

from pathlib import Path

from gansmith.errors import ExperimentError, RunError
from gansmith.experiment.length import with_recorded_schedules
from gansmith.experiment.schema import Experiment
from gansmith.records import jsonl
from gansmith.runs.existing_run import was_trained
from gansmith.runs.folder import checkpoints_of, experiment_of, is_run
from gansmith.system.console import say
from gansmith.system.durations import duration_words


def with_recorded_length(folder: Path, experiment: Experiment) -> Experiment:
    """`experiment`, with the number of images that its time became in the run in `folder`, and with the schedules of
    that run where they hang on the length. Another time than the run's is a number of images at the run's own rate.

    Raises RunError where no record tells this rate.
    """
    if not is_run(folder) or not was_trained(folder):
        return experiment
    try:
        recorded = experiment_of(folder)
    except ExperimentError:  # said by `with_recorded_choices`
        return experiment
    experiment = with_recorded_schedules(experiment, recorded)
    if experiment.time is None or not checkpoints_of(folder).names():
        return experiment
    images = recorded.images
    if experiment.time != recorded.time:
        timed = [record for record in jsonl.read(folder / "events.jsonl") if record.get("seconds")]
        if not timed:
            raise RunError(f"{folder} has no record that tells its rate: say how long by --images instead of --time")
        images = max(round(timed[-1]["images"] / timed[-1]["seconds"] * experiment.time), 1)
        say(f"time {duration_words(experiment.time)} in all: {images:,} images, at the rate of this run so far")
    return experiment.model_copy(update={"images": images})

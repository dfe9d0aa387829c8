"""Run facts of a run that is judged: read from its settings and its records, for the top of a report."""

from __future__ import annotations

from contextlib import suppress
from statistics import fmean
from typing import Any, Literal

from gansmith import catalog
from gansmith.errors import GansmithError
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.experiment.schema import Experiment
from gansmith.runs.auto import settled_reason
from gansmith.runs.default_recipe import best_recipe
from gansmith.runs.early_stopping import EarlyStopping
from gansmith.runs.folder import is_run
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.runs.start import start_for
from gansmith.runs.trained_for import trained_for

_LATEST = 5  # records: as many as a health word is about
_LEAST = 4  # values of a metric


def run_facts(
    run: Run | None,
    *,
    distinct: int,
    checkpoint: str | None = None,
    raw: bool = False,
    options: tuple[str, ...] = (),
) -> RunFacts | None:
    """What the run knows of itself; None for files, for models without their run, and for a damaged experiment.

    distinct: training images;  checkpoint, raw: which of the run's weights are judged;  options: of `gansmith evaluate`
    that hold for the next evaluation too.
    """
    if run is None or not is_run(run.path):
        return None
    with suppress(GansmithError, KeyError):
        experiment = run.experiment
        images, asked = trained_for(run, checkpoint=checkpoint, raw=raw)
        records = [record for record in run.records if record.get("images", 0) <= images]
        settings = experiment.plain()
        generator = settings.get("generator") or {}
        settled = settled_reason(run.records, experiment) is not None
        return RunFacts(
            path=str(run.path),
            data=experiment.data.path,
            images=images,
            asked=asked,
            distinct=distinct,
            seconds=_last(records, "seconds"),
            health=_last(records, "health") or "",
            accuracy=_accuracy(records),
            recipe=experiment.recipe,
            best_recipe=_best_recipe(experiment, distinct) if _plain_images(experiment) else None,
            time=experiment.time,
            size=_size(experiment),
            upsample=generator.get("upsample"),
            width=generator.get("width") if {"width"} <= (settings.get("discriminator") or {}).keys() else None,
            augment=(settings.get("augment") or {}).get("name"),
            flip=experiment.data.flip,
            improving=_improving(records, stopped=settled or _stopped(run)),
            settled=settled,
            raw=raw,
            checkpoint=checkpoint,
            own_networks=own_networks_at(run.path),
            zoo=start_for(experiment),
            options=options,
        )
    return None


def _best_recipe(experiment: Experiment, distinct: int) -> str:
    """The recipe that measured best on such a set for such a time; the run's own where it may have been chosen for
    that: by all images of the set, of which `distinct` are trained on and at most a quarter is held out."""
    best, with_holdout = (best_recipe(count, experiment.time) for count in (distinct, -(-4 * distinct // 3)))
    return with_holdout if experiment.recipe == with_holdout else best


def _last(records: list[dict[str, Any]], name: str) -> Any:
    return next((record[name] for record in reversed(records) if name in record), None)


def _accuracy(records: list[dict[str, Any]]) -> float | None:
    """The mean of the last records that have an accuracy of the discriminator."""
    values = [record["discriminator/accuracy"] for record in records if "discriminator/accuracy" in record]
    return fmean(values[-_LATEST:]) if values else None


def _stopped(run: Run) -> bool:
    """Whether the run ended by its own stop rule: the one that its trainer computes from the same records."""
    experiment = run.experiment
    if experiment.stop.metric is None:
        return False
    with suppress(GansmithError, KeyError, TypeError):  # a metric that is not here, or is not in the records
        better: dict[str, Literal["lower", "higher"]] = {}
        for name in experiment.metrics.names:
            better |= catalog.build("metrics", name).better
        measured = [record for record in run.records if "look" in record]
        return EarlyStopping(experiment.stop, better, measured).reason() is not None
    return False


def _improving(records: list[dict[str, Any]], *, stopped: bool) -> bool | None:
    """Whether the last half of a run's own KIDs or FIDs reached below the first; None where there are under four."""
    if stopped:  # by its own rule: the metric no longer improved
        return False
    for name in ("metric/kid", "metric/fid"):
        values = [float(record[name]) for record in records if isinstance(record.get(name), float)]
        if len(values) >= _LEAST:
            half = len(values) // 2
            return min(values[half:]) < min(values[:half])
    return None


def _plain_images(experiment: Experiment) -> bool:
    return experiment.data.other is None and experiment.game.name == "two_player"


def _size(experiment: Experiment) -> str:
    """`32x48`, as --size takes it; empty where the images decide."""
    size = experiment.data.size
    return "" if size is None else "x".join(map(str, size))

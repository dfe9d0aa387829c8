"""Own networks of a run: the feature extractors that its training read, which therefore cannot judge it.

A generator that was trained on the features of a network satisfies that network sooner than a person's eye
(Kynkaanniemi, Karras, Aittala, Aila, Lehtinen 2023, "The Role of ImageNet Classes in Frechet Inception Distance").
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gansmith.errors import GansmithError
from gansmith.experiment.networks import extractors_read
from gansmith.experiment.schema import Experiment
from gansmith.models import saved
from gansmith.runs.folder import experiment_of, is_run, models_of
from gansmith.runs.start import place_of

_DEEPEST = 20  # runs that begin with each other's weights


def own_networks(experiment: Experiment, *, depth: int = 0) -> tuple[str, ...]:
    """Those that the experiment reads, and those of the run whose weights it began with, sorted."""
    names = {*extractors_read(experiment)}
    if experiment.start_from is not None and depth < _DEEPEST:
        with suppress(GansmithError):  # a start that is gone, or that is none
            names |= {*own_networks_at(place_of(experiment.start_from), depth=depth + 1)}
    return tuple(sorted(names))


def own_networks_at(place: Path, *, depth: int = 0) -> tuple[str, ...]:
    """Those of the run, or of the folder or file of models, at `place`; none for anything else."""
    names: set[str] = set()
    with suppress(GansmithError):
        if is_run(place):
            names |= {*own_networks(experiment_of(place), depth=depth)}
    with suppress(GansmithError, OSError):
        models = models_of(place)
        for file in sorted(models.glob("*.safetensors")) if models.is_dir() else [models]:
            names |= {str(name) for name in saved.read_card(file).origin.get("networks", ())}
    return tuple(sorted(names))

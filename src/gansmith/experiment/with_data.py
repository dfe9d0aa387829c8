"""The data of an experiment, prepared, and the experiment with everything that depends on them written out."""

from __future__ import annotations

import os

from gansmith.data.prepare import prepare, prepare_domains
from gansmith.data.prepared import Prepared
from gansmith.errors import ExperimentError
from gansmith.experiment.completion import complete, domains_of, paired
from gansmith.experiment.memory_needs import require_room
from gansmith.experiment.networks import require_parts
from gansmith.experiment.schema import Experiment
from gansmith.system.paths import expanded, resolved


def with_data(experiment: Experiment) -> tuple[Experiment, Prepared]:
    """The experiment with its parts' options and the data's size and channels written out, and the data itself.

    Raises ExperimentError for two sets of images in a game of one, and what `complete` and `prepare` raise.

    >>> experiment, data = with_data(Experiment.model_validate({"data": {"path": "digits", "fraction": 0.1}}))
    >>> experiment.data.size, experiment.data.channels, data.count
    ((32, 32), 1, 180)
    """
    experiment = complete(experiment)
    game = experiment.game.name
    two = len(domains_of(game)) > 1
    if experiment.data.size is not None:  # before the images are prepared, which can take long
        require_room(experiment, experiment.data.channels or 1, *experiment.data.size, domains=1 + two)
    if two:
        pairs = paired(game)
        data = prepare_domains(experiment.data, paired=pairs, workers=experiment.workers)
    elif experiment.data.other is not None:
        raise ExperimentError(
            f"data.other names a second set of images, and the game {game} is played on one. Leave it out, or choose a "
            f"game of two domains: --recipe cyclegan, pix2pix or munit"
        )
    else:
        data = prepare(experiment.data, workers=experiment.workers)
    paths = {"path": _absolute(data.settings.path)}
    if data.settings.other is not None:
        paths["other"] = _absolute(data.settings.other)
    keep_every = data.count if experiment.keep_every == "epoch" else experiment.keep_every
    update = {"data": data.settings.model_copy(update=paths), "keep_every": keep_every}
    return experiment.model_copy(update=update), data


def with_data_to_train(experiment: Experiment) -> tuple[Experiment, Prepared]:
    """`with_data`, where everything is here that the networks are built on: known before the images are prepared."""
    require_parts(complete(experiment))
    return with_data(experiment)


def _absolute(name: str) -> str:
    path = expanded(name)
    return str(resolved(path)) if path.exists() else name  # else it is the name of a built-in set


def decoding_workers(experiment: Experiment) -> int:
    """Processes that decode images: `workers`, or where it is left open one per core if images are not cached."""
    if experiment.workers is not None:
        return experiment.workers
    return 0 if experiment.data.cache else cores()


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

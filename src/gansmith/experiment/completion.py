"""Completion of an experiment: every part's options checked against its file and written out with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gansmith import catalog
from gansmith.catalog import ROLES
from gansmith.errors import ExperimentError, GansmithError, OptionError, unknown
from gansmith.experiment.compatibility import require_game_of_one_loss
from gansmith.experiment.length import with_absolute_schedules
from gansmith.experiment.retired import refuse
from gansmith.experiment.schema import Experiment
from gansmith.experiment.settings import Part
from gansmith.training import optimizers


def complete(experiment: Experiment) -> Experiment:
    """Every part's options checked against its file and written out with their defaults, so that the experiment says
    all there is to say; networks that the game does not play are left out. Schedules over the last share of the run
    become absolute, unless its length is a time, which is a number of images later.

    Raises UnknownNameError, OptionError or ExperimentError.
    """
    if experiment.batch % experiment.accumulate:
        raise ExperimentError(
            f"a batch of {experiment.batch} cannot be played in {experiment.accumulate} equal parts: "
            f"choose a batch that is a multiple of accumulate"
        )
    played = set(roles_of(experiment.game.name).values())
    update: dict[str, Any] = dict.fromkeys((*ROLES, "objective", "augment"))
    parts = [("game", "games", "build")]
    if "discriminator" in played:
        parts.append(("objective", "objectives", "build"))
        if experiment.augment is not None:
            parts.append(("augment", "augment", "build"))
    elif experiment.penalties or experiment.augment is not None:
        which = "penalties" if experiment.penalties else "augment"
        raise ExperimentError(f"the game {experiment.game.name} has no discriminator, so {which} would do nothing")
    for field, kind, factory in [*parts, *((role, "models", role) for role in ROLES if role in played)]:
        part: Part | None = getattr(experiment, field)
        if part is None:
            known = ", ".join(catalog.names(kind, factory))
            raise ExperimentError(
                f"the game {experiment.game.name} needs its {field}: --set {field}.name=NAME, of: {known}"
            )
        if kind == "objectives":
            refuse(part.name, part.options)
        function = catalog.find(kind, part.name, factory)
        update[field] = Part(name=part.name, **catalog.complete(f"{kind}/{part.name}", function, part.options))
    update["penalties"] = {
        name: catalog.complete(f"penalties/{name}", catalog.find("penalties", name), options)
        for name, options in experiment.penalties.items()
    }
    chosen: dict[str, Part] = {}
    for role, part in experiment.optimizer.items():
        if role not in ROLES:
            raise OptionError(f"optimizer.{role}: {unknown('role', role, ROLES)}")
        chosen[role] = Part(name=part.name, **optimizers.plain(part.name, part.options))
    missing = sorted(played - experiment.optimizer.keys())
    if missing:
        raise ExperimentError(f"the {missing[0]} has no optimizer. Give it one: --set optimizer.{missing[0]}.name=adam")
    features = experiment.metrics.features
    extractor = catalog.find("features", features.name)
    options = catalog.complete(f"features/{features.name}", extractor, features.options)
    update["metrics"] = experiment.metrics.model_copy(update={"features": Part(name=features.name, **options)})
    for name in experiment.metrics.names:
        catalog.find("metrics", name)
    update["optimizer"] = {role: part for role, part in chosen.items() if role in played}
    completed = experiment.model_copy(update=update)
    require_game_of_one_loss(completed)
    return completed if experiment.time is not None else with_absolute_schedules(completed)


def renewed(recorded: Experiment) -> Experiment:
    """A recorded experiment with the defaults of the options that are newer than it; as it was where it cannot be
    completed, because it names code from outside."""
    with suppress(GansmithError):
        return complete(recorded)
    return recorded


def roles_of(game: str) -> Mapping[str, str]:
    """{player: the role it fills}, from the game's file."""
    roles: Any = catalog.find("games", game, "ROLES")
    return dict(roles)


def domains_of(game: str) -> tuple[str, ...]:
    """The names of the sets of images that a game is played on: ("real",), or ("a", "b") for translation."""
    domains: Any = catalog.stated("games", game, "DOMAINS", ("real",))
    return tuple(domains)


def paired(game: str) -> bool:
    """Does the game need pairs of images, one of each domain?"""
    return bool(catalog.stated("games", game, "PAIRED", False))

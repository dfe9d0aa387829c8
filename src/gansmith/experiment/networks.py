"""Untrained networks of an experiment, each by the experiment's seed and its own name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from torch import nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.catalog import ROLES
from gansmith.errors import ExperimentError, GansmithError
from gansmith.experiment.schema import Experiment
from gansmith.system.allocation import build_in_memory
from gansmith.system.seeding import seeded


def build_networks(experiment: Experiment, roles: Mapping[str, str], dimensions: Dimensions) -> dict[str, nn.Module]:
    """{player: its network}, for {player: the role it fills}."""
    return {player: build_network(experiment, role, player, dimensions) for player, role in roles.items()}


def build_network(experiment: Experiment, role: str, player: str, dimensions: Dimensions) -> nn.Module:
    """The network of `player`, from the model that the experiment has for `role`. Raises ExperimentError where its
    weights and their gradients do not fit in memory."""
    part = getattr(experiment, role)
    size = dimensions_of(experiment, role, dimensions)

    def build() -> nn.Module:
        with seeded(experiment.seed, "network", player):
            network: nn.Module = catalog.build("models", part.name, size, factory=role, **part.options)
        return network

    shape = f"{size.channels}x{size.height}x{size.width}"
    sizes = {option: value for option, value in part.options.items() if isinstance(value, int | tuple | list)}
    asked = ", ".join(f"{option}={value}" for option, value in sizes.items() if not isinstance(value, bool))
    return build_in_memory(
        build,
        f"the {player} ({part.name} for {shape}, latents of {size.latent}: {asked or 'no options'})",
        f"choose smaller ones (--set {role}.OPTION=..., --set prior.size=..., --size)",
        copies=2,
    )


def dimensions_of(experiment: Experiment, role: str, dimensions: Dimensions) -> Dimensions:
    """What the networks of `role` are built for: the data's dimensions, unless the game says otherwise."""
    changed: Any = catalog.stated("games", experiment.game.name, "dimensions_of", None)
    return dimensions if changed is None else changed(role, dimensions)


def require_parts(experiment: Experiment) -> None:
    """Raises ExperimentError where a network is built on one that is not on this machine: before images are prepared,
    which can take long. Also where the run is to be measured by the network that its discriminator reads."""
    for role in ROLES:
        part = getattr(experiment, role)
        require: Any = None if part is None else catalog.stated("models", part.name, "require_parts", None)
        if require is not None:
            require(part.options)
    measuring = experiment.metrics.features.name
    if experiment.metrics.names and measuring in extractors_read(experiment):
        raise ExperimentError(
            f"metrics.features = {measuring}, and the discriminator reads the features of {measuring}: a run is not "
            f"measured by the network that it trains on. --set metrics.features=vgg (or pixels), or --set "
            f"metrics.names=[]"
        )


def extractors_read(experiment: Experiment) -> tuple[str, ...]:
    """The feature extractors that networks of the experiment read while it trains, sorted: they cannot judge it."""
    names: set[str] = set()
    for role in ROLES:
        part = getattr(experiment, role)
        if part is not None:
            with suppress(GansmithError):  # code from outside that may not be imported says nothing
                reads: Any = catalog.stated("models", part.name, "extractors_read", None)
                names |= set() if reads is None else set(reads(part.options))
    return tuple(sorted(names))

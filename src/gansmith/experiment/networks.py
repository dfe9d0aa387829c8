"""Untrained networks of an experiment, each by the experiment's seed and its own name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.experiment.schema import Experiment
from gansmith.system.seeding import seeded


def build_networks(experiment: Experiment, roles: Mapping[str, str], dimensions: Dimensions) -> dict[str, nn.Module]:
    """{player: its network}, for {player: the role it fills}."""
    return {player: build_network(experiment, role, player, dimensions) for player, role in roles.items()}


def build_network(experiment: Experiment, role: str, player: str, dimensions: Dimensions) -> nn.Module:
    """The network of `player`, from the model that the experiment has for `role`."""
    part = getattr(experiment, role)
    size = dimensions_of(experiment, role, dimensions)
    with seeded(experiment.seed, "network", player):
        network: nn.Module = catalog.build("models", part.name, size, factory=role, **part.options)
    return network


def dimensions_of(experiment: Experiment, role: str, dimensions: Dimensions) -> Dimensions:
    """What the networks of `role` are built for: the data's dimensions, unless the game says otherwise."""
    changed: Any = catalog.stated("games", experiment.game.name, "dimensions_of", None)
    return dimensions if changed is None else changed(role, dimensions)

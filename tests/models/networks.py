"""Seeded networks of the catalog, for the tests of each model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.system.seeding import seeded


def builder(model: str, usual: Dimensions, usual_role: str) -> Callable[..., Any]:
    """A function (dimensions=usual, role=usual_role, **options) -> a network of `model`, the same weights each time."""

    def built(dimensions: Dimensions = usual, role: str = usual_role, **options: object) -> nn.Module:
        with seeded("test"):
            network = catalog.build("models", model, dimensions, factory=role, **options)
        assert isinstance(network, nn.Module)
        return network

    return built


def count(network: nn.Module) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in network.parameters())

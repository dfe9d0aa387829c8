"""Every network of the catalog can begin with another's weights, and keep its first layers while it trains."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import gansmith
from declared import fitted
from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.errors import ExperimentError
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.with_data import with_data
from gansmith.training.engine import play_until
from gansmith.training.layer_order import example_input, layers_of
from gansmith.training.transfer import Change, transfer

NETWORKS = [(name, role) for role in ("generator", "discriminator") for name in catalog.names("models", role)]
SMALL: dict[str, Any] = {"width": 4, "depth": 2, "network": "untrained", "resolution": 64}
PLAYED = sorted({name for name, role in NETWORKS if (name, "generator") in NETWORKS and role == "discriminator"})
BASE: dict[str, Any] = {
    **{"batch": 8, "images": 40, "prior": {"size": 16}, "device": "cpu", "sheet": 4, "record_every": 1000},
    **{"checkpoint_every": 24, "samples_every": 1000, "averaging": {"half_life": 50}},
}


def part(name: str, role: str) -> dict[str, Any]:
    known = catalog.keyword_options(catalog.find("models", name, role))
    return {"name": name, **{key: value for key, value in SMALL.items() if key in known}}


def built(name: str, role: str, size: Dimensions) -> tuple[nn.Module, Dimensions]:
    """A network of the size, or of the nearest that it declares."""
    options = {key: value for key, value in part(name, role).items() if key != "name"}
    size = fitted(name, size)
    return catalog.build("models", name, size, factory=role, **options), size


@pytest.mark.parametrize(("name", "role"), NETWORKS)
def test_its_layers_are_known(name: str, role: str) -> None:
    """At least two, each trained parameter in one of them (but for those that only its own terms read), and the last
    one makes the output."""
    network, size = built(name, role, Dimensions(3, 32, 32, 16, 4))
    layers = layers_of(network, example_input(role, size))
    names = [parameter for layer in layers for parameter in layer]
    assert len(layers) > 1
    assert len(names) == len({*names})
    trained = {key: parameter for key, parameter in network.named_parameters() if parameter.requires_grad}
    if getattr(network, "own_terms", ()):
        total = network(example_input(role, size)).sum()
        reached = torch.autograd.grad(total, [*trained.values()], allow_unused=True)
        trained = {key: p for (key, p), gradient in zip(trained.items(), reached, strict=True) if gradient is not None}
    assert {*names} == trained.keys()


@pytest.mark.parametrize(("name", "role"), NETWORKS)
def test_it_begins_with_another_of_its_kind(name: str, role: str) -> None:
    """With all of one that is alike, to the bit; with some weight of one of another size, channels or classes."""
    torch.manual_seed(0)
    one, size = built(name, role, Dimensions(3, 32, 32, 16, 4))
    same, _ = built(name, role, Dimensions(3, 32, 32, 16, 4))
    state = transfer(same.state_dict(), one.state_dict()).state
    assert all(torch.equal(value, one.state_dict()[key]) for key, value in state.items())
    for other in (Dimensions(3, 64, 64, 16, 4), Dimensions(1, 32, 32, 16, 4), Dimensions(3, 32, 32, 16, 7)):
        new, changed = built(name, role, other)
        result = transfer(new.state_dict(), one.state_dict(), Change(size, changed, role))
        new.load_state_dict(result.state)
        assert any(result.state[key].dim() > 1 for key in result.taken), other


def assembled(name: str, **given: Any) -> Assembly:
    data = {"path": "digits", "size": fitted(name, Dimensions(1, 16, 16, 16)).height, "fraction": 0.1}
    parts = {"generator": part(name, "generator"), "discriminator": part(name, "discriminator")}
    experiment, _ = resolve([Layer("test", {**BASE, **parts, "data": data, **given})])
    return assemble(*with_data(experiment))


@pytest.mark.parametrize("name", PLAYED)
def test_its_first_layers_stay_while_the_others_train(name: str) -> None:
    """Five steps; what is left of the discriminator moves, and every layer but one may be kept."""
    free = assembled(name)
    network = free.game.players["discriminator"]
    layers = layers_of(network, example_input("discriminator", free.dimensions))
    kept = min(3, len(layers) - 1)
    parts = assembled(name, freeze={"discriminator": {"first": kept}})
    network = parts.game.players["discriminator"]
    before = {key: value.detach().clone() for key, value in network.named_parameters()}
    play_until(parts.engine, 40)
    moved = {key for key, value in network.named_parameters() if not torch.equal(value, before[key])}
    assert not moved & {key for layer in layers[:kept] for key in layer}
    assert moved
    others = before.keys() - {key for layer in layers for key in layer}  # what only terms of its own read
    assert moved <= {key for layer in layers[kept:] for key in layer} | others
    with pytest.raises(ExperimentError, match=f"has {len(layers)} layers"):
        assembled(name, freeze={"discriminator": {"first": len(layers)}})


@pytest.mark.parametrize("name", PLAYED)
def test_resumed_it_is_what_it_would_have_been(name: str, tmp_path: Path) -> None:
    size = fitted(name, Dimensions(1, 16, 16, 16)).height
    parts = {"generator": part(name, "generator"), "discriminator": part(name, "discriminator")}
    given = {**copy.deepcopy(BASE), **parts, "path": "digits", "size": size, "fraction": 0.1}
    source = gansmith.train(**given, out=str(tmp_path / "source"))
    given |= {"start_from": str(source.path), "freeze": {"discriminator": {"first": 1}}}
    whole = gansmith.train(**given, out=str(tmp_path / "whole"))
    gansmith.train(**{**given, "images": 24}, out=str(tmp_path / "halves"))
    halves = gansmith.train(**given, out=str(tmp_path / "halves"))
    one, other = whole.checkpoint(), halves.checkpoint()
    for group in ("players", "averaging"):
        for player, state in one[group].items():
            assert all(torch.equal(value, other[group][player][key]) for key, value in state.items()), player
    first = layers_of(source.network("discriminator")[0], torch.zeros(2, 1, size, size))[0]
    theirs = source.checkpoint()["players"]["discriminator"]
    assert all(torch.equal(one["players"]["discriminator"][key], theirs[key]) for key in first)

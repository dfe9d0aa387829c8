"""Frozen layers: which they are, that nothing of a step moves them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gansmith.errors import ExperimentError, OptionError
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.with_data import with_data
from gansmith.training.engine import play_until
from small import SMALL

WB = ("weight", "bias")
FIRST = ("layers.0.weight", "layers.0.bias")  # of the discriminator of two layers


def built(**given: Any) -> Assembly:
    own = {key: value for key, value in SMALL.items() if key not in ("path", "size", "fraction")}
    data = {"path": "digits", "size": 16, "fraction": 0.2}
    experiment, _ = resolve([Layer("test", {**own, "data": data, **given})])
    return assemble(*with_data(experiment))


def weights(parts: Assembly, player: str) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in parts.game.players[player].named_parameters()}


def moved(parts: Assembly, player: str, steps: int = 5) -> set[str]:
    """The parameters that some steps change."""
    before = weights(parts, player)
    play_until(parts.engine, steps * 16)
    return {name for name, value in weights(parts, player).items() if not torch.equal(value, before[name])}


def test_the_first_layers_stay_and_the_others_move() -> None:
    parts = built(freeze={"discriminator": {"first": 2}})
    names = [*weights(parts, "discriminator")]
    assert moved(parts, "discriminator") == {*names} - {*FIRST, *(f"layers.{n}.{w}" for n in (2, 3) for w in WB)}
    assert moved(built(), "discriminator") == {*names}


def test_the_last_layers_of_a_generator() -> None:
    parts = built(freeze={"generator": {"last": 1}})
    names = {*weights(parts, "generator")}
    last = {name for name in names if name.startswith("layers.6.")}
    assert last
    assert moved(parts, "generator") == names - last


def test_statistics_follow_the_images() -> None:
    """As the authors' code leaves the vectors of spectral normalisation to follow the weights."""
    parts = built(freeze={"discriminator": {"first": 2}})
    norm = parts.game.players["discriminator"].get_submodule("layers.3")
    before = norm.running_mean.clone()
    play_until(parts.engine, 16)
    assert not torch.equal(norm.running_mean, before)


@pytest.mark.parametrize(
    "given",
    [
        {"objective": "wgan", "discriminator": {"name": "dcgan", "width": 4, "normalisation": "none"}},
        {"optimizer": {"discriminator": {"name": "adamw", "lr": 1e-3, "weight_decay": 0.5}}},
        {"penalties": {"orthogonal": {}}},
        {"accumulate": 2},
    ],
    ids=["clamp", "decay", "orthogonal", "accumulate"],
)
def test_nothing_else_moves_them(given: dict[str, Any]) -> None:
    parts = built(freeze={"discriminator": {"first": 1}}, **given)
    names = {*weights(parts, "discriminator")}
    found = moved(parts, "discriminator", steps=3)
    assert not found & {*FIRST}
    assert found >= names - {*FIRST, "layers.4.bias"}  # on which WGAN's loss does not depend


@pytest.mark.parametrize(("first", "last"), [(3, 0), (9, 0), (1, 2), (2, 1)])
def test_one_layer_at_least_is_left(first: int, last: int) -> None:
    with pytest.raises(ExperimentError, match="has 3 layers at 16x16") as error:
        built(freeze={"discriminator": {"first": first, "last": last}})
    assert f"first={first}" in str(error.value)
    assert "--freeze discriminator.first=2" in str(error.value)


def test_a_role_that_is_not_played() -> None:
    with pytest.raises(ExperimentError, match=r"freeze\.translator: no role called 'translator'.*discriminator, gen"):
        built(freeze={"translator": {"first": 1}})


def test_a_value_that_is_none() -> None:
    for value in ("all", 3, {"middle": 1}, {"first": -1}, {"first": "x"}):
        with pytest.raises(ExperimentError, match=r"freeze\.discriminator"):
            built(freeze={"discriminator": value})


@pytest.mark.parametrize("text", ["discriminator=all", "discriminator.first", "discriminator.middle=1", "first=3"])
def test_the_option_says_what_it_takes(text: str) -> None:
    from gansmith.cli.arguments import parse_freeze

    with pytest.raises(OptionError, match=r"ROLE\.first=N or ROLE\.last=N.*left to train") as error:
        parse_freeze([text])
    assert repr(text) in str(error.value)
    both = parse_freeze(["discriminator.first=2", "discriminator.last=1", "generator.first=1"])
    assert both == {"discriminator": {"first": 2, "last": 1}, "generator": {"first": 1}}

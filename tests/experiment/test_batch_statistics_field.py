"""The field batch_statistics: what an assembled training of several processes normalises by."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from gansmith.experiment.assemble import assemble
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data
from gansmith.training.engine import play_until
from processes import together

STEPS = 3
SMALL: dict[str, Any] = {
    "data": {"path": "digits", "size": "16x16", "fraction": 0.1},
    "generator": {"name": "dcgan", "width": 4},
    "discriminator": {"name": "dcgan", "width": 4, "dropout": 0.3},
    "prior": {"size": 6},
    "batch": 7,
    "device": "cpu",
    "threads": 1,
    "optimizer": {role: {"name": "sgd", "lr": 0.05} for role in ("generator", "discriminator")},
}


def state_after(statistics: str) -> dict[str, Tensor]:
    """Weights and buffers of both networks after some steps."""
    parts = assemble(*with_data(Experiment.model_validate({**SMALL, "batch_statistics": statistics})))
    play_until(parts.engine, STEPS * 7)
    return {
        f"{player}.{name}": value.clone()
        for player, network in parts.game.players.items()
        for name, value in network.state_dict().items()
    }


@pytest.fixture(scope="module")
def alone() -> dict[str, Tensor]:
    return state_after("local")  # in one process it has no effect


@pytest.mark.parametrize("statistics", ["global", "local"])
def test_the_field_says_what_is_normalised_by(statistics: str, alone: dict[str, Tensor]) -> None:
    first, second = together(state_after, statistics, world=2, limit=300)
    assert first.keys() == second.keys() == alone.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())  # to the bit, buffers too
    apart = max(float((value - first[name]).abs().max()) for name, value in alone.items() if "num_batches" not in name)
    if statistics == "global":
        assert apart < 1e-5, apart
    else:
        assert apart > 1e-3, apart


def test_the_field_has_no_third_value() -> None:
    with pytest.raises(ValidationError, match="batch_statistics"):
        Experiment.model_validate({"batch_statistics": "synchronised"})
    assert Experiment().batch_statistics == "global"

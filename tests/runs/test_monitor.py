"""What is measured beside a training: each state of health provoked on purpose, in real runs; and nothing disturbed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import gansmith
from gansmith.experiment.assemble import assemble
from gansmith.experiment.with_data import with_data
from gansmith.records.health import WINDOW
from gansmith.runs.monitor import Monitor, evaluation_mode, variety
from gansmith.runs.train import experiment_from
from small import SMALL


def adam(lr: Any, beta: float = 0.5) -> dict[str, Any]:
    return {"name": "adam", "lr": lr, "betas": [beta, 0.999]}


def rates(generator: Any, discriminator: Any) -> dict[str, Any]:
    return {"optimizer": {"generator": generator, "discriminator": discriminator}}


SGD = {"name": "sgd", "momentum": 0.9}
FEW = {"fraction": 0.1, "holdout": 0.3, "discriminator": {"name": "mlp", "width": 256}}
PROVOKED: dict[str, dict[str, Any]] = {
    "discriminator winning": {"images": 1500, **rates(adam(1e-6), adam(2e-3))},
    "discriminator losing": {"images": 1000, **rates(adam(2e-3), adam(1e-7))},
    "balanced": {"images": 2500, **rates(adam(2e-3), adam(5e-4))},
    "collapsing": {"images": 1500, **rates({**SGD, "lr": 2.0}, {**SGD, "lr": 0.5})},
    "diverging": {"images": 1500, **rates({**SGD, "lr": 2.0}, {**SGD, "lr": 0.5})},
    "memorising": {"images": 9000, "record_every": 512, **FEW, **rates(adam(2e-3), adam(2e-3))},
    "oscillating": {
        "images": 5000,
        **FEW,
        "generator": {"name": "mlp", "output": "tanh"},
        **rates(adam(1e-3), adam(1e-3, 0.9)),
    },
}


@pytest.mark.parametrize("state", PROVOKED)
def test_every_state_can_be_provoked(state: str, tmp_path: Path) -> None:
    run = gansmith.train(**{**SMALL, **PROVOKED[state], "out": str(tmp_path / "run")})
    records = run.records[WINDOW - 1 :]  # nothing is said before
    counted = Counter(word for record in records for word in record["health"].split(", "))
    assert counted[state] >= 2, counted
    if state in ("discriminator winning", "discriminator losing", "balanced"):
        assert counted[state] > len(records) / 2, counted


def test_a_starved_loader_is_seen(tmp_path: Path) -> None:
    place = tmp_path / "images"
    place.mkdir()
    slow = {"path": str(place), "format": "toys.slow", "cache": False, "workers": 0, "fraction": 1.0, "holdout": 0}
    run = gansmith.train(**{**SMALL, **slow, "out": str(tmp_path / "run")})
    assert [record["health"] for record in run.records[: WINDOW - 1]] == [""] * (WINDOW - 1)
    assert all("starved loader" in record["health"] for record in run.records[WINDOW - 1 :])


def small(tmp_path: Path, **fields: Any) -> Any:
    experiment, _ = experiment_from(**{**SMALL, **fields, "out": str(tmp_path / "run")}, environment={})
    return assemble(*with_data(experiment))


def test_nothing_trained_is_touched(tmp_path: Path) -> None:
    parts = small(tmp_path, fraction=1.0, holdout=0.05)
    players = parts.game.players
    players["discriminator"].layers[1].eval()
    before = {name: {k: v.clone() for k, v in player.state_dict().items()} for name, player in players.items()}
    modes = [module.training for player in players.values() for module in player.modules()]
    found = Monitor(parts)({"images": 0, "discriminator/accuracy": 0.5})
    rates = {"generator/learning_rate", "discriminator/learning_rate"}
    assert set(found) == {"spread", "told_apart", "health", *rates}
    assert modes == [module.training for player in players.values() for module in player.modules()]
    for name, player in players.items():
        torch.testing.assert_close(player.state_dict(), before[name], rtol=0, atol=0)


def test_told_apart_is_the_chance_that_a_training_image_scores_higher(tmp_path: Path) -> None:
    parts = small(tmp_path, fraction=1.0, holdout=0.05)
    watch = Monitor(parts)

    class Knows(nn.Module):
        def forward(self, image: torch.Tensor, label: Any = None) -> torch.Tensor:
            known = (image[:, None] == watch._train[0][None]).flatten(2).all(2).any(1)
            return known.float()

    class Blind(nn.Module):
        def forward(self, image: torch.Tensor, label: Any = None) -> torch.Tensor:
            return image.new_zeros(len(image))

    parts.game.players["discriminator"] = Knows()
    assert watch({"images": 0})["told_apart"] > 0.99
    parts.game.players["discriminator"] = Blind()
    assert watch({"images": 0})["told_apart"] == 0.5


def test_too_few_held_out_images_say_nothing(tmp_path: Path) -> None:
    found = Monitor(small(tmp_path, holdout=0.05))({"images": 0, "discriminator/accuracy": 0.5})
    assert {"spread", "health"} <= set(found)
    assert "told_apart" not in found


def test_variety_is_the_mean_distance_of_pairs() -> None:
    black, white = torch.full((1, 1, 16, 16), -1.0), torch.full((1, 1, 16, 16), 1.0)
    assert variety(torch.cat([black, white])) == pytest.approx(2.0)
    assert variety(torch.cat([black, black, white])) == pytest.approx(4 / 3)
    assert variety(black) == 0.0
    checkered = black.clone()
    checkered[..., ::2, 1::2] = checkered[..., 1::2, ::2] = 1.0  # of what is finer than 8 x 8 only the mean is seen
    assert variety(torch.cat([black, checkered])) == pytest.approx(1.0)
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(5, 3, 8, 8, generator=rng)
    pairs = [(images[i] - images[j]).square().mean().sqrt() for i in range(5) for j in range(i)]
    assert variety(images) == pytest.approx(float(torch.stack(pairs).mean()), rel=1e-5)


def test_at_rest_restores_each_module_even_after_an_error() -> None:
    player = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    player[1].eval()

    def fail() -> None:
        with evaluation_mode({"player": player}):
            assert not any(module.training for module in player.modules())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert [module.training for module in player.modules()] == [True, True, False]

"""A run of StyleGAN2 from beginning to end: training, its model file, samples, truncation in W, resuming."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import gansmith
from gansmith import Run
from gansmith.errors import OptionError
from gansmith.models.saved import load

SETTINGS: dict[str, Any] = {
    "recipe": "stylegan2_small",
    "size": 12,
    "batch": 8,
    "images": 96,
    "checkpoint_every": 48,
    "samples_every": 96,
    "generator": {"width": 4, "styles": 8},
    "discriminator": {"width": 4},
    "prior": {"size": 8},
    "sheet": 4,
}


def train(out: Path, **changed: Any) -> Run:
    settings = {**SETTINGS, **changed}
    return gansmith.train("digits", out=str(out), **settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tmp_path_factory.mktemp("runs") / "whole")


def test_its_records_have_both_penalties(run: Run) -> None:
    names = {name for record in run.records for name in record}
    assert {"discriminator/r1", "generator/path_length", "generator/mean_path_length"} <= names


def test_a_seed_is_an_image_to_the_bit_and_psi_draws_it_to_the_mean(run: Run) -> None:
    whole = run.sample(range(4)).images
    assert torch.equal(run.sample([2]).images[0], whole[2])
    assert torch.equal(run.sample(range(4), truncation=1.0).images, whole)
    mean = run.sample(range(4), truncation=0.0).images
    assert torch.equal(mean, mean[:1].expand_as(mean))
    apart = [float((run.sample(range(4), truncation=psi).images - mean).square().sum()) for psi in (0.3, 0.6, 1.0)]
    assert 0 < apart[0] < apart[1] < apart[2]
    with pytest.raises(OptionError, match="truncation = 2 "):
        run.sample([0], truncation=2.0)


def test_the_model_file_holds_noise_and_the_mean_of_w(run: Run) -> None:
    network, card = load(run.path / "model")
    assert card.model == "stylegan2"
    state = network.state_dict()
    assert bool(state["w_mean"].any())
    noises = [value for name, value in state.items() if name.endswith(".noise")]
    assert [tuple(noise.shape) for noise in noises] == [(6, 6), (12, 12), (12, 12)]
    assert all(bool(noise.any()) for noise in noises)


def test_a_longer_run_in_two_parts_is_the_whole_one(run: Run, tmp_path: Path) -> None:
    first = train(tmp_path / "parts", images=48)
    first.resume(images=96)
    for player in ("generator", "discriminator"):
        ours, whole = (load(one.path / "model", player)[0].state_dict() for one in (first, run))
        assert all(torch.equal(ours[name], value) for name, value in whole.items())

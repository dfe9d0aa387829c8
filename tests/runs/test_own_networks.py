"""Networks that a run was trained on: refused without weights, resumed to the bit, known from its files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import gansmith
from gansmith.errors import ExperimentError
from gansmith.experiment.networks import extractors_read
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data
from gansmith.models import saved
from gansmith.pretrained import backbone as backbones
from gansmith.runs.own_networks import own_networks, own_networks_at
from gansmith.runs.run import Run
from small import SMALL

PROJECTED: dict[str, Any] = {
    **SMALL,
    "images": 96,
    "objective": "hinge",
    "augment": "diffaugment",
    "discriminator": {"name": "projected", "network": "untrained", "resolution": 64, "width": 4},
}


@pytest.fixture
def as_mobilenet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The untrained network under the name of the published one."""
    plain = backbones.backbone
    monkeypatch.setattr("gansmith.models.projected.backbone", lambda name: plain("untrained"))
    monkeypatch.setattr("gansmith.models.projected.require", lambda name: None)


def changed(**options: Any) -> dict[str, Any]:
    return {**PROJECTED, "discriminator": {**PROJECTED["discriminator"], **options}}


def test_a_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole = gansmith.train(out=str(tmp_path / "whole"), **PROJECTED)
    gansmith.train(out=str(tmp_path / "parts"), **{**PROJECTED, "images": 48})
    parts = gansmith.train(out=str(tmp_path / "parts"), **PROJECTED)
    ours, theirs = (run.checkpoint()["players"] for run in (whole, parts))
    for player in ours:
        for name, value in ours[player].items():
            assert torch.equal(value, theirs[player][name]), (player, name)
    assert sum(value.numel() for value in ours["discriminator"].values()) == sum(
        value.numel() for value in Run(parts.path).network("discriminator")[0].state_dict().values()
    )
    assert own_networks_at(whole.path) == ()
    assert "networks" not in saved.read_card(whole.model / "generator.safetensors").origin


def test_missing_weights_stop_a_run_before_its_images_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("the images were prepared")

    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("gansmith.experiment.with_data.prepare", read)
    with pytest.raises(ExperimentError, match="gansmith features install mobilenet"):
        gansmith.train(out=str(tmp_path / "run"), **changed(network="mobilenet"))
    assert not (tmp_path / "run" / "experiment.yaml").exists()


def test_a_finished_run_is_judged_without_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("gansmith.models.projected.backbone", lambda name: backbones.backbone("untrained"))
        patched.setattr("gansmith.models.projected.require", lambda name: None)
        run = gansmith.train(out=str(tmp_path / "run"), **{**changed(network="mobilenet"), "images": 32})
    assert run.sample(range(2)).images.shape == (2, 1, 8, 8)
    assert with_data(run.experiment)[1].shape == (1, 8, 8)
    with pytest.raises(ExperimentError, match="gansmith features install mobilenet"):
        run.network("discriminator")


@pytest.mark.usefixtures("as_mobilenet")
def test_a_run_is_not_measured_by_its_own_network(tmp_path: Path) -> None:
    settings = {**changed(network="mobilenet"), "metrics": {"names": ["kid"], "features": "mobilenet"}}
    with pytest.raises(ExperimentError, match=r"mobilenet.*metrics\.features=vgg"):
        gansmith.train(out=str(tmp_path / "run"), **settings)


@pytest.mark.usefixtures("as_mobilenet")
def test_the_files_of_a_run_know_its_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = gansmith.train(out=str(tmp_path / "run"), **{**changed(network="mobilenet"), "images": 32})
    assert own_networks_at(run.path) == ("mobilenet",)
    file = run.model / "generator.safetensors"
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes(file.read_bytes())
    assert own_networks_at(alone) == own_networks_at(run.model) == ("mobilenet",)
    later = gansmith.train(out=str(tmp_path / "later"), start_from=str(run.path), **{**SMALL, "images": 32})
    assert own_networks_at(later.path) == ("mobilenet",)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own_networks(later.experiment.model_copy(update={"start_from": "~/run"})) == ("mobilenet",)
    measured = {**SMALL, "start_from": str(run.path), "metrics": {"names": ["kid"], "features": "mobilenet"}}
    with pytest.raises(ExperimentError, match=r"mobilenet.*metrics\.features=vgg"):
        gansmith.train(out=str(tmp_path / "measured"), **measured)
    (run.path / "experiment.yaml").unlink()
    assert own_networks_at(later.model / "generator.safetensors") == ("mobilenet",)


def test_nothing_is_known_of_files_that_are_no_run(tmp_path: Path) -> None:
    assert own_networks_at(tmp_path) == own_networks_at(tmp_path / "absent") == ()


@pytest.mark.parametrize(
    ("discriminator", "names"),
    [
        ({"name": "projected"}, ("mobilenet",)),
        ({"name": "projected", "network": "vgg"}, ("vgg",)),
        ({"name": "projected", "network": "timm:vgg19"}, ("vgg",)),
        ({"name": "projected", "network": "untrained"}, ()),
        ({"name": "dcgan"}, ()),
        ({"name": "lab.unknown"}, ()),
    ],
)
def test_what_an_experiment_reads(discriminator: dict[str, Any], names: tuple[str, ...]) -> None:
    assert extractors_read(Experiment.model_validate({"discriminator": discriminator})) == names


@pytest.mark.usefixtures("as_mobilenet")
def test_a_run_is_not_checked_by_its_own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("gansmith.runs.checks.extractor_here", lambda device: asked.append(str(device)))
    for network in ("mobilenet", "untrained"):
        settings = {**changed(network=network), "images": 64, "checks": {"every": 32}, "size": 8}
        run = gansmith.train(out=str(tmp_path / network), **settings)
        assert any("signs" in record for record in run.records)
    assert asked == ["cpu"]  # for the second run alone

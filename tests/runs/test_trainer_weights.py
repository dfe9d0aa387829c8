"""Training that begins with another run's weights."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import gansmith
from gansmith.models import saved
from gansmith.runs.run import Run
from small import SMALL

# ---- --from --------------------------------------------------------------------------------------------------------


def test_beginning_with_another_runs_weights(finished: Path, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """Nothing is learned (lr 0), so that after a step the weights are still the other's, to the bit."""
    frozen = {role: {"name": "sgd", "lr": 0} for role in ("generator", "discriminator")}
    given = {**SMALL, "images": 16, "optimizer": frozen, "out": str(tmp_path / "new"), "start_from": str(finished)}
    monkeypatch.chdir(tmp_path)
    made = gansmith.train(**given)
    said = capsys.readouterr().err
    state, ours = Run(finished).checkpoint(), made.checkpoint()["players"]
    theirs = {"discriminator": state["players"]["discriminator"], "generator": state["averaging"]["generator"]}
    for player, words in (("discriminator", ""), ("generator", ", averaged")):
        count = len(theirs[player])
        assert f"{player}: {count} of {count} tensors (100% of its weights) from {finished}{words}\n" in said
        assert_equal_weights(ours[player], theirs[player])
    gansmith.train(**{**given, "images": 32})  # resumed: not taken again
    assert "tensors (" not in capsys.readouterr().err


def test_beginning_with_the_weights_as_trained(finished: Path, tmp_path: Path, capsys: Any) -> None:
    frozen = {role: {"name": "sgd", "lr": 0} for role in ("generator", "discriminator")}
    given = {**SMALL, "images": 16, "optimizer": frozen, "start_from": str(finished), "start_raw": True}
    made = gansmith.train(**given, out=str(tmp_path / "new"))
    assert "averaged" not in capsys.readouterr().err
    state = Run(finished).checkpoint()
    assert_equal_weights(made.checkpoint()["players"]["generator"], state["players"]["generator"])
    with pytest.raises(AssertionError):  # the two are not the same by chance
        assert_equal_weights(state["averaging"]["generator"], state["players"]["generator"])


def assert_equal_weights(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
    for name, value in theirs.items():
        if "running" not in name and "tracked" not in name:
            assert torch.equal(value, ours[name]), name


def test_weights_that_fit_and_weights_that_do_not(finished: Path, tmp_path: Path, capsys: Any) -> None:
    """Shorter latents: the layer that reads them begins anew, with its normalisation."""
    frozen = {role: {"name": "sgd", "lr": 0} for role in ("generator", "discriminator")}
    shorter = {**SMALL, "images": 16, "optimizer": frozen, "prior": {"size": 4}, "start_from": str(finished)}
    made = gansmith.train(**shorter, out=str(tmp_path / "new"))
    found = re.search(r"generator: (\d+) of (\d+) tensors \((\d+)% of .*?; new: (.+)\n", capsys.readouterr().err)
    assert found
    ours = made.checkpoint()["players"]["generator"]
    new = [name for name in ours if name.startswith(("layers.0.", "layers.1."))]
    assert found[4] == "layers.0, layers.1"
    assert int(found[1]) + len(new) == int(found[2]) == len(ours)
    numbers = {name: value.numel() for name, value in ours.items() if value.is_floating_point()}
    lost = sum(numbers.get(name, 0) for name in new)
    assert abs(int(found[3]) - 100 * (1 - lost / sum(numbers.values()))) <= 0.51
    theirs = Run(finished).checkpoint()["averaging"]["generator"]
    assert_equal_weights(ours, {name: value for name, value in theirs.items() if name not in new})


def test_weights_of_model_files_alone(finished: Path, tmp_path: Path, capsys: Any) -> None:
    """A folder of one, and a file."""
    (tmp_path / "model").mkdir()
    file = Path(shutil.copy(finished / "model/generator.safetensors", tmp_path / "model"))
    for number, source in enumerate((tmp_path / "model", file)):
        gansmith.train(**{**SMALL, "images": 16, "start_from": str(source)}, out=str(tmp_path / f"new{number}"))
        said = capsys.readouterr().err
        count = len(saved.read_state(file))
        assert f"generator: {count} of {count} tensors (100% of its weights) from {source}, averaged\n" in said
        assert f"discriminator: {source} has none; it begins anew\n" in said


def test_weights_of_a_model_from_outside_need_no_trust(uninterrupted: Path, tmp_path: Path) -> None:
    """No network is built to read them."""
    path = Path(shutil.copytree(uninterrupted, tmp_path / "theirs"))
    text = (path / "experiment.yaml").read_text().replace("name: dcgan", "name: nowhere.spiral")
    (path / "experiment.yaml").write_text(text)
    gansmith.train(**{**SMALL, "images": 16, "start_from": str(path)}, out=str(tmp_path / "new"))

"""Training that begins with another run's weights."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import torch

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
    theirs, ours = Run(finished).checkpoint()["players"], made.checkpoint()["players"]
    for player, state in theirs.items():
        assert f"{player}: {len(state)} of {len(state)} tensors from {finished}\n" in said
        for name, value in state.items():
            if "running" not in name and "tracked" not in name:
                assert torch.equal(value, ours[player][name]), name
    gansmith.train(**{**given, "images": 32})  # resumed: not taken again
    assert "tensors from" not in capsys.readouterr().err


def test_weights_that_fit_and_weights_that_do_not(finished: Path, tmp_path: Path, capsys: Any) -> None:
    frozen = {role: {"name": "sgd", "lr": 0} for role in ("generator", "discriminator")}
    wider = {**SMALL, "images": 16, "optimizer": frozen, "generator": {"width": 8}, "start_from": str(finished)}
    made = gansmith.train(**wider, out=str(tmp_path / "new"))
    found = re.search(r"generator: (\d+) of (\d+) tensors from \S+; new: (.+)\n", capsys.readouterr().err)
    assert found
    theirs, ours = Run(finished).checkpoint()["players"]["generator"], made.checkpoint()["players"]["generator"]
    new = found[3].split(", ")
    left = [name for name in ours if name not in theirs or theirs[name].shape != ours[name].shape]
    assert new == [*left[:5], f"{left[5]} and {len(left) - 6} more"]
    assert int(found[1]) + len(left) == int(found[2]) == len(ours)


def test_weights_of_model_files_alone(finished: Path, tmp_path: Path, capsys: Any) -> None:
    """A folder of one, and a file."""
    (tmp_path / "model").mkdir()
    file = Path(shutil.copy(finished / "model/generator.safetensors", tmp_path / "model"))
    for number, source in enumerate((tmp_path / "model", file)):
        gansmith.train(**{**SMALL, "images": 16, "start_from": str(source)}, out=str(tmp_path / f"new{number}"))
        said = capsys.readouterr().err
        count = len(saved.read_state(file))
        assert f"generator: {count} of {count} tensors from {source}\n" in said
        assert f"discriminator: {source} has none; it begins anew\n" in said


def test_weights_of_a_model_from_outside_need_no_trust(uninterrupted: Path, tmp_path: Path) -> None:
    """No network is built to read them."""
    path = Path(shutil.copytree(uninterrupted, tmp_path / "theirs"))
    text = (path / "experiment.yaml").read_text().replace("name: dcgan", "name: nowhere.spiral")
    (path / "experiment.yaml").write_text(text)
    gansmith.train(**{**SMALL, "images": 16, "start_from": str(path)}, out=str(tmp_path / "new"))

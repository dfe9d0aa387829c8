"""The training loop of one process: a run folder from its first command to its last."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import gansmith
from forked import fork
from gansmith.errors import (
    GansmithError,
    OutOfMemoryError,
    RunError,
    UnknownNameError,
)
from gansmith.models import saved
from gansmith.runs.folder import folder_of
from gansmith.runs.run import Run
from gansmith.runs.train import experiment_from
from small import SMALL, files

# ---- a run folder --------------------------------------------------------------------------------------------------


def test_what_a_run_leaves_behind(finished: Path) -> None:
    assert sorted(files(finished)) == [
        *("checkpoints/latest.pt", "checkpoints/previous.pt", "curves.svg", "events.jsonl", "experiment.yaml"),
        *("model/discriminator.safetensors", "model/generator.safetensors", "model/model.json", "progress.webp"),
        *("samples/000000000.png", "samples/000000160.png", "samples/000000320.png"),
    ]
    run = Run(finished)
    assert run.checkpoint()["images"] == 320
    assert run.checkpoint("previous")["images"] == 256  # the last checkpoint is not written twice


def test_the_same_command_again_says_that_it_is_complete(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(run)
    gansmith.train(**SMALL, out=str(run))
    said = capsys.readouterr().err
    assert f"{run} is complete at 320 images; to train on: gansmith resume {run} --images N" in said
    assert "continuing" not in said
    assert files(run) == before


def test_another_experiment_is_refused_with_the_difference(run: Path) -> None:
    before = files(run)
    with pytest.raises(RunError) as raised:
        gansmith.train(**{**SMALL, "generator": {"width": 8}, "seed": 3}, out=str(run))
    first, way_out, *_, one, other = str(raised.value).splitlines()
    assert first.startswith("this folder holds a run without recipe of 320 images")
    assert "--out" in way_out
    assert way_out.endswith(f"gansmith resume {run}")
    assert (one, other) == ("  generator.width: 4 -> 8", "  seed: 0 -> 3")
    assert files(run) == before


def test_what_may_change_may_change_and_is_written_down(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = {"images": 400, "checkpoint_every": 64, "samples_every": 40, "record_every": 16, "workers": 0}
    gansmith.train(**{**SMALL, **changed}, out=str(run))
    assert f"continuing {run} at 320 images (step 20)" in capsys.readouterr().err
    opened = Run(run)
    assert opened.checkpoint()["images"] == 400
    plain = opened.experiment.plain()
    assert {name: plain[name] for name in changed} == changed  # so that a bare `resume` goes on as far


def test_a_longer_run_that_was_interrupted_is_resumed_to_its_new_end(run: Path) -> None:
    with fork(
        "resume",
        run,
        "--images",
        "480",
        before="import os, gansmith.runs.trainer as s; s._passed = lambda *a: os._exit(9)",
    ) as process:
        process.communicate(timeout=240)
        assert process.returncode == 9
        Run(run).resume()
        assert Run(run).checkpoint()["images"] == 480


def test_a_shorter_end_than_what_is_trained_changes_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(run)
    Run(run).resume(images=48)
    assert "is complete at 320 images" in capsys.readouterr().err
    assert files(run) == before


def test_checkpoints_that_are_kept_for_good(tmp_path: Path) -> None:
    """Each so many images, whether or not a checkpoint was due then."""
    made = gansmith.train(**{**SMALL, "keep_every": 96, "checkpoint_every": 1000}, out=str(tmp_path / "run"))
    assert made.checkpoints.names() == ["000000096", "000000192", "000000288", "latest", "previous"]
    assert [made.checkpoint(f"{images:09}")["images"] for images in (96, 192, 288)] == [96, 192, 288]


def test_a_checkpoint_each_epoch(tmp_path: Path) -> None:
    run = gansmith.train(**SMALL | {"images": 800}, keep_every="epoch", out=str(tmp_path / "run"))
    epoch = run.experiment.keep_every
    assert isinstance(epoch, int)
    assert epoch * 2 <= 800 < epoch * 3
    kept = sorted(int(path.stem) for path in (tmp_path / "run" / "checkpoints").glob("0*.pt"))
    assert [images // epoch for images in kept] == [1, 2]
    assert all(images % epoch < 16 for images in kept)  # within a batch


def test_records_hold_the_learning_rates_that_were_used(tmp_path: Path) -> None:
    falling = {"generator": {"name": "sgd", "lr": {"start": 1.0, "end": 0.0, "decay": 320}}}
    run = gansmith.train(**SMALL, optimizer=falling, out=str(tmp_path / "run"))
    for record in run.records:
        assert record["generator/learning_rate"] == pytest.approx(1 - (record["images"] - 16) / 320)
        assert record["discriminator/learning_rate"] == 2e-4
    assert "learning rate" in (tmp_path / "run" / "curves.svg").read_text()


def test_the_place_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = gansmith.train(**{**SMALL, "images": 16})
    assert made.path == Path("runs/digits-dcgan")
    described, _ = experiment_from("photos/set.zip", recipe="dcgan-digits", environment={})
    assert folder_of(described) == Path("runs/set-dcgan_digits")
    described, _ = experiment_from("photos/v1.2/", environment={}, out="here")
    assert folder_of(described) == Path("here")


@pytest.mark.parametrize("place", ["file", "file/inside"])
def test_a_file_in_its_place(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match=r"file in its place.*--out"):
        gansmith.train(**SMALL, out=str(tmp_path / place))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_made() -> None:
    with pytest.raises(RunError, match=r"/proc/nowhere/run .*--out"):
        gansmith.train(**SMALL, out="/proc/nowhere/run")


def test_a_folder_of_somebody_elses_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "dbca":
        (tmp_path / name).write_text("x")
    monkeypatch.setattr("gansmith.runs.training.with_data_to_train", None)  # refused before the images are looked at
    with pytest.raises(RunError) as raised:
        gansmith.train(**SMALL, out=str(tmp_path))
    assert str(raised.value) == f"{tmp_path} exists and is not a run (it holds a, b, c); choose another --out"
    assert sorted(files(tmp_path)) == ["a", "b", "c", "d"]


def test_nothing_is_left_of_a_run_that_could_not_begin(tmp_path: Path) -> None:
    for wrong, error in (({"path": "absent"}, GansmithError), ({"generator": "dcgn"}, UnknownNameError)):
        with pytest.raises(error):
            gansmith.train(**{**SMALL, **wrong}, out=str(tmp_path / "runs" / "run"))
        assert not (tmp_path / "runs" / "run").exists()
    (tmp_path / "mine").mkdir()
    with pytest.raises(RunError, match="there is no run nowhere"):
        gansmith.train(**SMALL, start_from="nowhere", out=str(tmp_path / "mine"))
    gansmith.train(**{**SMALL, "images": 16}, out=str(tmp_path / "mine"))  # the mended command is not refused


def test_an_experiment_that_trained_nothing_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As when the first step ran out of memory: the advice is to change a setting and try again."""
    out = tmp_path / "run"
    toy = {**SMALL, "game": {"name": "toys.spoiled", "huge_from": 0}, "out": str(out)}
    with pytest.raises(GansmithError):
        gansmith.train(**toy, trust=True)
    toy["game"] = {"name": "toys.spoiled", "huge_from": 16}
    with pytest.raises(OutOfMemoryError):
        gansmith.train(**toy, trust=True)
    capsys.readouterr()
    gansmith.train(**{**SMALL, "images": 16, "batch": 8}, out=str(out))
    assert f"note: nothing was trained in {out} yet; its experiment is replaced" in capsys.readouterr().err
    assert Run(out).experiment.batch == 8


def test_a_run_with_records_is_not_replaced(tmp_path: Path) -> None:
    toy = {**SMALL, "game": {"name": "toys.spoiled", "huge_from": 96}, "out": str(tmp_path / "run")}
    with pytest.raises(OutOfMemoryError):
        gansmith.train(**toy, trust=True)
    assert Run(tmp_path / "run", trust=True).records
    with pytest.raises(RunError, match="another experiment than this one"):
        gansmith.train(**{**SMALL, "batch": 8}, out=str(tmp_path / "run"))


def test_a_run_keeps_the_share_that_it_holds_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One begun when 5 % was the default is continued by the same command; a new one records what it chose."""
    old, new = tmp_path / "old", tmp_path / "new"
    settings = {**SMALL, "fraction": 1.0, "images": 16}
    assert gansmith.train(**settings, holdout=0.05, out=str(old)).experiment.data.holdout == 0.05
    assert "(90 more held out)" in capsys.readouterr().err
    continued = gansmith.train(**{**settings, "images": 32}, out=str(old))
    assert (continued.experiment.data.holdout, continued.checkpoint()["images"]) == (0.05, 32)
    with pytest.raises(RunError, match=r"data\.holdout: 0\.05 -> 0\.2"):
        gansmith.train(**{**settings, "images": 48}, holdout=0.2, out=str(old))
    capsys.readouterr()
    assert gansmith.train(**settings, out=str(new)).experiment.data.holdout == 0.0696
    assert "(125 more held out)" in capsys.readouterr().err
    assert Run(new).resume(images=32).checkpoint()["images"] == 32


def test_a_run_that_was_moved(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "else" / "where"
    elsewhere.parent.mkdir()
    run.rename(elsewhere)
    monkeypatch.chdir(elsewhere.parent)
    Run("where").resume(images=352)
    monkeypatch.chdir(elsewhere)
    Run(".").resume(images=384)
    gansmith.train(**{**SMALL, "images": 400}, out=str(elsewhere))
    assert Run(elsewhere).checkpoint()["images"] == 400
    assert not (tmp_path / "run").exists()
    assert len(Run(elsewhere).sample(range(3))) == 3


def test_a_complete_run_killed_before_its_last_files_is_mended(finished: Path, tmp_path: Path) -> None:
    """Between the last checkpoint and what is written after it a process may die."""
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    generator = (run / "model" / "generator.safetensors").read_bytes()
    network, card = saved.load(run / "model")
    saved.save(run / "model", {"generator": (replace(card, images=16), network.state_dict())})
    (run / "progress.webp").unlink()
    last = max((run / "samples").glob("*.png"))
    last.unlink()
    gansmith.train(**SMALL, out=str(run))
    assert (run / "model" / "generator.safetensors").read_bytes() == generator
    assert last.is_file()
    assert (run / "progress.webp").is_file()


@pytest.mark.parametrize("damage", ["a bit of a weight", "the header", "cut short"])
def test_a_damaged_model_of_a_complete_run_is_written_anew(finished: Path, tmp_path: Path, damage: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    file = run / "model" / "generator.safetensors"
    whole = file.read_bytes()
    place = 20 if damage == "the header" else len(whole) - 500
    changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    file.write_bytes(whole[: len(whole) // 2] if damage == "cut short" else changed)
    with pytest.raises(GansmithError, match=r"generator\.safetensors"):
        Run(run).sample([1])
    gansmith.train(**SMALL, out=str(run))
    assert file.read_bytes() == whole


def test_the_opening_line_says_what_is_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gansmith.train(**{**SMALL, "images": 16}, out=str(tmp_path / "run"))
    said = capsys.readouterr().err
    assert re.search(
        r"^digits: 270 images, 8x8, grey \(89 more held out\), on cpu with \d+ threads? in float32, into ", said, re.M
    )


def test_a_run_that_stopped_before_its_first_checkpoint_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    gansmith.train(**{**SMALL, "images": 16}, out=str(run))
    assert "begins again" not in capsys.readouterr().err
    for name in ("checkpoints", "model"):
        shutil.rmtree(run / name)
    gansmith.train(**{**SMALL, "images": 16}, out=str(run))
    assert f"{run} stopped before its first checkpoint: it begins again\n" in capsys.readouterr().err


def test_nothing_that_fits(finished: Path, tmp_path: Path) -> None:
    given = {**SMALL, "generator": {"name": "mlp"}, "discriminator": {"name": "mlp"}, "start_from": str(finished)}
    with pytest.raises(RunError, match=r"generator: 0 of .*Leave recipe and networks out"):
        gansmith.train(**given, out=str(tmp_path / "run"))

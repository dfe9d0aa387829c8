"""Damaged run folders: checkpoints, experiment files, sheets, records, and images that changed."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from trainer_processes import assert_same_end

import gansmith
from gansmith.errors import (
    CheckpointError,
    ExperimentError,
    GansmithError,
    RunError,
)
from gansmith.runs.run import Run
from refusals import refused
from small import SMALL, files

# ---- damage --------------------------------------------------------------------------------------------------------


def test_a_deleted_checkpoint_falls_back_with_a_warning(run: Path, finished: Path, capsys: Any) -> None:
    (run / "checkpoints/latest.pt").unlink()
    Run(run).resume()
    said = capsys.readouterr().err
    assert f"warning: the checkpoint {run}/checkpoints/latest.pt is gone; going back to the one before it" in said
    assert f"continuing {run} at 256 images (step 16)" in said
    assert_same_end(run, finished)


def archive_bytes(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def test_a_damaged_checkpoint_falls_back_and_never_becomes_the_previous_one(
    run: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latest = run / "checkpoints/latest.pt"
    content = bytearray(latest.read_bytes())
    with zipfile.ZipFile(latest) as archive:  # between two entries lies padding, where a flipped byte harms nothing
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    begin = content.index(archive_bytes(latest, largest.filename))
    content[begin + largest.file_size // 2] ^= 255
    latest.write_bytes(content)
    Run(run).resume()
    said = capsys.readouterr().err
    assert re.search(r"warning: the checkpoint \S+latest\.pt is damaged \(.+\); going back to the one before it", said)
    assert_same_end(run, finished)
    assert Run(run).checkpoint("previous")["images"] == 256
    assert (run / "checkpoints/latest.damaged").read_bytes() == content


def test_two_damaged_checkpoints(run: Path) -> None:
    for name in ("latest", "previous"):
        (run / f"checkpoints/{name}.pt").write_bytes(b"junk")
    with pytest.raises(CheckpointError) as raised:
        Run(run).resume()
    assert str(raised.value).startswith(f"no checkpoint in {run}/checkpoints can be read: the checkpoint ")
    assert str(raised.value).count("is damaged (") == 2
    assert "going back" not in str(raised.value)
    assert f"--from {run} --out ANOTHER" in str(raised.value)


@pytest.mark.parametrize("model", [True, False])
def test_a_damaged_latest_without_previous(model: bool, run: Path, tmp_path: Path, capsys: Any) -> None:
    """The way out that the message names works."""
    (run / "checkpoints/latest.pt").write_bytes(b"junk")
    (run / "checkpoints/previous.pt").unlink()
    if not model:
        shutil.rmtree(run / "model")
    way_out = ["--from", f"{run} --out ANOTHER"] if model else ["another --out", f"remove {run}"]
    with refused(run / "checkpoints/latest.pt", "damaged", *way_out, error=CheckpointError):
        Run(run).resume()
    if model:
        gansmith.train(**SMALL, start_from=str(run), out=str(tmp_path / "another"))
        assert f"warning: no checkpoint in {run}/checkpoints can be read" in capsys.readouterr().err
        assert Run(tmp_path / "another").checkpoint()["images"] == 320


def test_all_checkpoints_deleted(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    before = files(run)
    with refused(run, "checkpoints are gone", f"--from {run} --out ANOTHER", error=CheckpointError):
        Run(run).resume()
    assert len(Run(run).sample(range(2))) == 2
    assert files(run) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("batch: [", "is not YAML"),
        ("bacht: 2", "there is no field 'bacht'"),
        ("- 1", "must hold a mapping"),
    ],
)
def test_a_damaged_experiment_file(content: str, said: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "experiment.yaml").write_text(content)
    with pytest.raises(ExperimentError, match=said) as raised:
        Run(run).resume()
    assert "writes the file anew" in str(raised.value)
    assert "remove it: the checkpoint holds the same" in str(raised.value)
    with pytest.raises(RunError, match=r"experiment\.yaml.*seed: 0 -> 1"):
        gansmith.train(**SMALL, seed=1, out=str(run))
    gansmith.train(**{**SMALL, "images": 336}, out=str(run))
    assert f"warning: {run}/experiment.yaml" in capsys.readouterr().err or said.startswith("there is")
    assert Run(run).experiment.images == 336


def test_a_lost_experiment_file(run: Path, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The checkpoint holds the experiment: the run is one, whatever is asked of it, and the file is written anew."""
    (run / "experiment.yaml").unlink()
    assert Run(run).experiment.batch == 16
    assert len(Run(run).sample(range(2))) == 2
    with pytest.raises(RunError, match=r"seed: 0 -> 1"):
        gansmith.train(**SMALL, seed=1, out=str(run))
    Run(run).resume(images=336)
    assert f"{run}/experiment.yaml is gone" in capsys.readouterr().err
    plain, before = (yaml.safe_load((folder / "experiment.yaml").read_text()) for folder in (run, finished))
    assert plain == {**before, "images": 336, "out": str(run)}
    gansmith.train(**{**SMALL, "images": 352}, out=str(run))
    assert Run(run).checkpoint()["images"] == 352


def test_lost_model_files(run: Path, finished: Path) -> None:
    """The way out that the message names works."""
    shutil.rmtree(run / "model")
    for ask in (lambda: Run(run).sample(range(2)), lambda: Run(run).players):
        with refused(run, f"gansmith resume {run}", error=RunError):
            ask()
    Run(run).resume()
    assert {*files(run / "model")} == {*files(finished / "model")}
    shutil.rmtree(run / "checkpoints")
    shutil.rmtree(run / "model")
    with refused(run, "no checkpoint yet", error=RunError):
        Run(run).sample(range(2))


def test_neither_experiment_file_nor_checkpoint(run: Path) -> None:
    (run / "experiment.yaml").unlink()
    for file in (run / "checkpoints").iterdir():
        file.write_bytes(b"junk")
    with refused(f"{run}/experiment.yaml", "latest.pt is damaged", "Run the command that began the run again"):
        Run(run).resume()


def test_an_edited_experiment_file(run: Path) -> None:
    plain = yaml.safe_load((run / "experiment.yaml").read_text())
    plain["generator"]["width"] = 8
    (run / "experiment.yaml").write_text(yaml.safe_dump(plain))
    with pytest.raises(RunError) as raised:
        Run(run).resume(images=400)
    assert str(raised.value) == (
        f"{run}/experiment.yaml was changed since the checkpoint was written: generator.width: 4 -> 8. "
        f"Change it back, or start another run with another --out"
    )


def test_a_damaged_sheet_does_not_stop_the_training(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "samples/000000000.png").write_bytes(b"junk")
    (run / "samples/mine.png").write_bytes(b"another's")
    Run(run).resume(images=352)
    assert "warning: no film of the sheets was written: cannot identify image file" in capsys.readouterr().err
    assert Run(run).checkpoint()["images"] == 352
    assert (run / "samples/mine.png").read_bytes() == b"another's"


def test_records_after_the_checkpoint_are_written_again(run: Path) -> None:
    with (run / "events.jsonl").open("a") as file:
        file.write('{"step": 99, "images": 9999}\n{"step": 1')
    Run(run).resume(images=400)
    assert [record["images"] for record in Run(run).records] == [64, 128, 192, 256, 320, 384, 400]


@pytest.mark.parametrize("line", [b"\xff\0", b"[1]", b'{"images": 128}'])
@pytest.mark.parametrize("place", [0, 2])
def test_a_damaged_record_loses_none_of_the_others(place: int, line: bytes, run: Path, capsys: Any) -> None:
    file = run / "events.jsonl"
    lines = file.read_bytes().split(b"\n")
    lines.insert(place, line)
    file.write_bytes(b"\n".join(lines))
    damaged = file.read_bytes()
    Run(run).resume(images=400)
    assert [record["images"] for record in Run(run).records] == [64, 128, 192, 256, 320, 384, 400]
    assert capsys.readouterr().err.count(f"line {place + 1} of {file}") == 1
    assert (run / "events.damaged.jsonl").read_bytes() == damaged


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_history_that_is_lost_is_said(how: str, run: Path, capsys: Any) -> None:
    file = run / "events.jsonl"
    images = Run(run).records[-1]["images"]
    file.unlink() if how == "gone" else file.write_text("")
    capsys.readouterr()
    Run(run).resume(images=400)
    assert f"{file} holds no record of the first {images} images" in capsys.readouterr().err
    assert [record["images"] for record in Run(run).records][-1] == 400


def test_a_checkpoint_without_a_version_is_said(run: Path, capsys: Any) -> None:
    path = run / "checkpoints/latest.pt"
    state = torch.load(path, weights_only=True)
    del state["versions"]["torch"]
    torch.save(state, path)
    Run(run).resume(images=400)
    assert "note: begun on torch (unknown)" in capsys.readouterr().err
    assert Run(run).checkpoint()["images"] == 400


# ---- the images ----------------------------------------------------------------------------------------------------


def photographs(folder: Path, seed: int) -> Path:
    folder.mkdir()
    numbers = np.random.default_rng(seed)
    for index in range(24):
        Image.fromarray(numbers.integers(0, 255, (12, 12, 3), dtype=np.uint8)).save(folder / f"{index:02}.png")
    return folder


def test_images_that_moved_and_images_that_changed(tmp_path: Path) -> None:
    ours = photographs(tmp_path / "ours", 0)
    out = str(tmp_path / "run")
    gansmith.train(**{**SMALL, "path": ours, "fraction": 1.0, "images": 32}, out=out)
    moved = ours.rename(tmp_path / "moved")
    with pytest.raises(GansmithError, match=r"ours.*--data PATH"):
        Run(out).resume(images=48)
    Run(out).resume(images=48, data={"path": str(moved)})
    assert Run(out).experiment.data.path == str(moved)
    before = files(Path(out))
    shutil.rmtree(moved)
    photographs(moved, 1)
    with refused(out, f"other images than {moved} holds now", "another --out", error=RunError):
        Run(out).resume(images=64)
    assert files(Path(out)) == before


def test_few_images_and_one_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = photographs(tmp_path / "few", 0)
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nxxx")
    given = {**SMALL, "path": folder, "fraction": 1.0, "images": 32}
    with pytest.raises(GansmithError, match=r"1 image of 25 .*bad\.png") as raised:
        gansmith.train(**given, out=str(tmp_path / "run"))
    assert "--skip-unreadable" in str(raised.value)
    gansmith.train(**given, skip_unreadable=True, out=str(tmp_path / "run"))
    said = capsys.readouterr().err
    assert "warning: left out 1 image" in said
    assert "warning: only 24 images: " in said
    assert Run(tmp_path / "run").checkpoint()["images"] == 32


@pytest.mark.parametrize("holdout", [0.0, 0.05])
def test_one_image_and_a_batch_larger_than_the_set(holdout: float, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    Image.new("RGB", (9, 9), "red").save(folder / "a.png")
    given = {**SMALL, "path": folder, "fraction": 1.0, "images": 32, "holdout": holdout}
    assert gansmith.train(**given, out=str(tmp_path / "run")).checkpoint()["images"] == 32


def test_a_checkpoint_of_another_format_or_version(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(shutil.copytree(finished, tmp_path / "run"))
    state = run.checkpoint()
    run.checkpoints.save({**state, "versions": {**state["versions"], "torch": "1.0"}})
    run.resume(images=336)
    assert "note: begun on torch 1.0, continued on " in capsys.readouterr().err
    run.checkpoints.save({**run.checkpoint(), "format": 99})
    with pytest.raises(CheckpointError, match="written by a newer gansmith"):
        run.resume(images=352)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("name", ["experiment.yaml", "events.jsonl", "checkpoints/latest.pt"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(run: Path, name: str) -> None:
    """Whoever opens a pipe that nobody writes to waits for ever."""
    (run / name).unlink()
    os.mkfifo(run / name)
    if name == "experiment.yaml":
        with refused(f"{run}/experiment.yaml", "is a pipe"):
            Run(run).resume(images=400)
    else:
        assert Run(run).resume(images=400).checkpoint()["images"] == 400

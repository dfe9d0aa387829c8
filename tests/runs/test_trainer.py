"""A sitting of work on a run: what a run folder goes through, and what is never lost."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import gansmith
from gansmith.errors import (
    CheckpointError,
    ExperimentError,
    GansmithError,
    NotFiniteError,
    OutOfMemoryError,
    RunError,
    UnknownNameError,
)
from gansmith.models import saved
from gansmith.runs.folder import folder_of
from gansmith.runs.run import Run
from gansmith.runs.trainer import Session
from gansmith.training.engine import Engine
from small import OPTIONS, SMALL, files, start

SLOW = ["--set", "game=toys.spoiled", "--set", "game.seconds=0.2"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 320 images. To be copied, not changed."""
    return gansmith.train(**SMALL, out=str(tmp_path_factory.mktemp("runs") / "run")).path


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def read_until(process: subprocess.Popen[str], wanted: str, seconds: float = 60) -> str:
    """What the process says on stderr, up to `wanted`."""
    assert process.stderr is not None
    said, deadline = "", time.monotonic() + seconds
    while wanted not in said:
        assert time.monotonic() < deadline, said
        if select.select([process.stderr], [], [], 0.2)[0]:
            chunk = os.read(process.stderr.fileno(), 4096).decode()
            assert chunk or process.poll() is None, said
            said += chunk
    return said


def wait_for_a_record(run: Path, process: subprocess.Popen[str], seconds: float = 60) -> None:
    deadline, path = time.monotonic() + seconds, run / "events.jsonl"
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def assert_same_end(one: Path, other: Path) -> None:
    left, right = (Run(path, trust=True).checkpoint() for path in (one, other))
    assert left["step"] == right["step"]
    for part in ("players", "averaging"):
        for player, state in left[part].items():
            for name, value in state.items():
                assert torch.equal(value, right[part][player][name]), f"{part}.{player}.{name}"


# ---- a run folder --------------------------------------------------------------------------------------------------


def test_what_a_run_leaves_behind(finished: Path) -> None:
    assert sorted(files(finished)) == [
        *("checkpoints/latest.pt", "checkpoints/previous.pt", "events.jsonl", "experiment.yaml"),
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
    assert str(raised.value) == (
        f"{run} holds another experiment; it is left alone. What differs:\n  generator.width: 4 -> 8\n  seed: 0 -> 3\n"
        f"Choose another --out, or continue the old one with: gansmith resume {run}"
    )
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
    with start(
        "resume",
        run,
        "--images",
        "480",
        before="import os, gansmith.runs.trainer as s; s._passed = lambda *a: os._exit(9)",
    ) as process:
        process.communicate(timeout=60)
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


def test_the_place_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = gansmith.train(**{**SMALL, "images": 16})
    assert made.path == Path("runs/digits-dcgan")
    described, _ = gansmith.runs.run.describe("photos/set.zip", recipe="dcgan-digits", environment={})
    assert folder_of(described) == Path("runs/set-dcgan_digits")
    described, _ = gansmith.runs.run.describe("photos/v1.2/", environment={}, out="here")
    assert folder_of(described) == Path("here")


@pytest.mark.parametrize("place", ["file", "file/inside"])
def test_a_file_in_its_place(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match=r"cannot be a run folder: there is a file in its place\. Choose another --out"):
        gansmith.train(**SMALL, out=str(tmp_path / place))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_made() -> None:
    with pytest.raises(RunError, match=r"/proc/nowhere/run cannot be written: .*\. Choose another --out"):
        gansmith.train(**SMALL, out="/proc/nowhere/run")


def test_a_folder_of_somebody_elses_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "dbca":
        (tmp_path / name).write_text("x")
    monkeypatch.setattr("gansmith.runs.trainer.resolved", None)  # refused before the images are looked at
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
    with pytest.raises(RunError, match="holds another experiment; it is left alone"):
        gansmith.train(**{**SMALL, "batch": 8}, out=str(tmp_path / "run"))


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


def test_all_checkpoints_deleted(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    before = files(run)
    with pytest.raises(CheckpointError) as raised:
        Run(run).resume()
    assert str(raised.value) == (
        f"{run} was trained but its checkpoints are gone, so it cannot be continued. Its model still samples; "
        f"to train on from its weights: --from {run} --out ANOTHER"
    )
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
    assert str(raised.value).endswith("The command that began the run, given again, writes the file anew")
    with pytest.raises(RunError, match=r"experiment\.yaml was changed since the checkpoint was written: seed: 0 -> 1"):
        gansmith.train(**SMALL, seed=1, out=str(run))
    gansmith.train(**{**SMALL, "images": 336}, out=str(run))
    assert f"warning: {run}/experiment.yaml" in capsys.readouterr().err or said.startswith("there is")
    assert Run(run).experiment.images == 336


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
    assert "warning: no film of the sheets was made: cannot identify image file" in capsys.readouterr().err
    assert Run(run).checkpoint()["images"] == 352
    assert (run / "samples/mine.png").read_bytes() == b"another's"


def test_records_after_the_checkpoint_are_written_again(run: Path) -> None:
    with (run / "events.jsonl").open("a") as file:
        file.write('{"step": 99, "images": 9999}\n{"step": 1')
    Run(run).resume(images=400)
    assert [record["images"] for record in Run(run).records] == [64, 128, 192, 256, 320, 384, 400]


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
    with pytest.raises(GansmithError, match=r"are no longer at .*ours\. Say where they are: --data PATH"):
        Run(out).resume(images=48)
    Run(out).resume(images=48, data={"path": str(moved)})
    assert Run(out).experiment.data.path == str(moved)
    before = files(Path(out))
    shutil.rmtree(moved)
    photographs(moved, 1)
    with pytest.raises(RunError) as raised:
        Run(out).resume(images=64)
    assert str(raised.value) == (
        f"{out} was trained on other images than {moved} holds now, or held out others of them. "
        f"Bring them back, or start another run with another --out"
    )
    assert files(Path(out)) == before


def test_few_images_and_one_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = photographs(tmp_path / "few", 0)
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nxxx")
    given = {**SMALL, "path": folder, "fraction": 1.0, "images": 32}
    with pytest.raises(GansmithError, match=r"1 picture of 25 could not be read: .*bad\.png") as raised:
        gansmith.train(**given, out=str(tmp_path / "run"))
    assert "--skip-unreadable" in str(raised.value)
    gansmith.train(**given, skip_unreadable=True, out=str(tmp_path / "run"))
    said = capsys.readouterr().err
    assert "warning: left out 1 picture that could not be read" in said
    assert "warning: only 24 pictures: " in said
    assert Run(tmp_path / "run").checkpoint()["images"] == 32


@pytest.mark.parametrize("holdout", [0.0, 0.05])
def test_one_image_and_a_batch_larger_than_the_set(holdout: float, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    Image.new("RGB", (9, 9), "red").save(folder / "a.png")
    given = {**SMALL, "path": folder, "fraction": 1.0, "images": 32, "holdout": holdout}
    assert gansmith.train(**given, out=str(tmp_path / "run")).checkpoint()["images"] == 32


# ---- processes -----------------------------------------------------------------------------------------------------


def test_the_second_process_on_one_run_is_refused_while_the_first_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with start("train", *OPTIONS, "--set", "game=toys.spoiled", "--set", "game.seconds=1", "--out", out) as first:
        wait_for_a_record(out, first)
        with pytest.raises(RunError) as raised:
            gansmith.train(**SMALL, out=str(out))
        assert str(raised.value) == f"another process is working on {out}; wait for it, or choose another --out"
        with start("resume", out, "--trust") as second:
            assert f"error: another process is working on {out}" in second.communicate(timeout=60)[1]
            assert second.returncode == 1
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        _, said = first.communicate(timeout=60)
    assert first.returncode == 143, said
    assert Run(out, trust=True).checkpoint()["images"] > 64


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    return gansmith.train(**{**SMALL, "game": "toys.spoiled"}, trust=True, out=str(out)).path


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_is_saved_and_ends_where_an_uninterrupted_one_does(
    number: int, status: int, tmp_path: Path, uninterrupted: Path
) -> None:
    out = tmp_path / "run"
    with start("train", *OPTIONS, *SLOW, "--out", out) as process:
        wait_for_a_record(out, process)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == status, said
        assert "Traceback" not in said
        found = re.search(
            r"stopped at (\d+) of 320 images; everything is saved\. Continue with: gansmith resume (\S+)\n", said
        )
        assert found, said
        assert Path(found[2]) == out
        assert Run(out, trust=True).checkpoint()["images"] == int(found[1]) < 320
        assert (out / "model/generator.safetensors").exists()
        with pytest.raises(UnknownNameError, match="--trust"):
            Run(out).resume()
        Run(out, trust=True).resume()
        assert_same_end(out, uninterrupted)


def test_a_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with start("train", *OPTIONS, "--set", "game=toys.spoiled", "--set", "game.seconds=30", "--out", out) as process:
        wait_for_a_record(out, process)
        process.send_signal(signal.SIGINT)
        read_until(process, "stopping after this step; once more to stop at once")
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert time.monotonic() - begun < 10
        assert process.returncode == 130
        assert (
            f"stopped at once; what came after the last checkpoint is lost. Continue with: gansmith resume {out}"
            in said
        )
        assert "Traceback" not in said


def test_an_interrupt_while_the_images_are_prepared(tmp_path: Path) -> None:
    before = "import os, signal, gansmith.data.prepare as p\np.resolve = lambda *a: os.kill(os.getpid(), signal.SIGINT)"
    with start("train", *OPTIONS, "--out", tmp_path / "run", before=before) as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert said.strip().endswith("stopped")
        assert "Traceback" not in said
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("room", [1_000, 20_000])
def test_a_full_disk_loses_nothing(room: int, run: Path, finished: Path) -> None:
    """No file may grow beyond `room` bytes: not even experiment.yaml, or only not a checkpoint."""
    assert (run / "experiment.yaml").stat().st_size > 1_000
    assert (run / "checkpoints/latest.pt").stat().st_size > 20_000
    before = {name: content for name, content in files(run).items() if name.startswith(("checkpoints", "model"))}
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    with start("resume", run, "--images", "640", before=limit) as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1, said
        assert re.search(r"error: could not write \S+: File too large\. What was (there )?before is untouched", said), (
            said
        )
        assert "Traceback" not in said
        after = files(run)
        assert {name: after[name] for name in before if "previous" not in name} == {
            name: before[name] for name in before if "previous" not in name
        }
        Run(run).resume(images=336)
        assert Run(run).checkpoint()["images"] == 336


# ---- what goes wrong while training --------------------------------------------------------------------------------


def spoiled(out: Path, **options: Any) -> dict[str, Any]:
    return {**SMALL, "game": {"name": "toys.spoiled", **options}, "trust": True, "out": str(out)}


def test_a_loss_that_is_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(NotFiniteError) as raised:
        gansmith.train(**spoiled(tmp_path / "run", nan_from=200))
    assert str(raised.value).startswith(
        "the term 'loss' of turn 'discriminator' became nan. Checkpoints saved before are kept."
    )
    run = Run(tmp_path / "run", trust=True)
    assert run.checkpoint()["images"] == 128
    assert all(torch.isfinite(value).all() for value in run.checkpoint()["players"]["discriminator"].values())
    assert run.records[-1]["images"] <= 192


def test_weights_that_are_infinite(tmp_path: Path) -> None:
    with pytest.raises(NotFiniteError) as raised:
        gansmith.train(**spoiled(tmp_path / "run", infinite_from=240))
    said = str(raised.value)  # the clock of the last step before the checkpoint at 256: only the weights show it
    assert said.startswith("weights of the discriminator are no longer finite: ")
    assert said.endswith("Checkpoints saved before are kept")
    run = Run(tmp_path / "run", trust=True)
    assert run.checkpoint()["images"] == 128
    network, _ = run.network("discriminator")
    assert all(torch.isfinite(value).all() for value in network.parameters())


def test_an_allocation_that_fails(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError) as raised:
        gansmith.train(**spoiled(tmp_path / "run", huge_from=200))
    assert "out of memory at batch 16. Halve it (--batch 8), or keep the batch" in str(raised.value)
    assert Run(tmp_path / "run", trust=True).checkpoint()["images"] == 128


def test_the_forecast_warns_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("gansmith.training.forecast.available", lambda device: 2**10)
    gansmith.train(**{**SMALL, "images": 16}, out=str(tmp_path / "run"))
    said = capsys.readouterr().err
    assert re.search(r"warning: a step needs about 0\.0 GiB and 0\.0 GiB are free: halve the batch \(--batch\)", said)


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


def test_the_opening_line_says_what_is_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gansmith.train(**{**SMALL, "images": 16}, out=str(tmp_path / "run"))
    said = capsys.readouterr().err
    assert re.search(r"^digits: 341 images, 8x8, grey \(18 more held out\), on cpu in float32, into ", said, re.M)


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
    with pytest.raises(RunError, match=r"nothing in .* fits these networks: generator: 0 of"):
        gansmith.train(**given, out=str(tmp_path / "run"))


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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it is what the test is about
def test_a_second_interrupt_that_python_loses_is_raised_again() -> None:
    """What a signal handler raises inside a `__del__` is dropped; the second Ctrl-C is heard all the same."""

    class Deaf:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    session = object.__new__(Session)
    session.stopped_by = None
    before = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)
    begun = time.monotonic()

    def interrupted_twice() -> None:
        with session._signals(Engine(lambda engine, batch: None)):
            os.kill(os.getpid(), signal.SIGINT)
            Deaf()
            time.sleep(20)

    with pytest.raises(KeyboardInterrupt):
        interrupted_twice()
    assert time.monotonic() - begun < 10
    assert (signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_after_the_first_interrupt_every_wait_is_woken_each_second() -> None:
    """A signal that comes when Python has just looked for signals and goes to sleep is not seen by the sleep: an alarm
    ends it, so that Python looks again."""
    session = object.__new__(Session)
    session.stopped_by = None
    with session._signals(Engine(lambda engine, batch: None)):
        os.kill(os.getpid(), signal.SIGINT)
        left, every = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= every == 1.0
        woken = signal.getsignal(signal.SIGALRM)
        assert callable(woken)
        assert woken(signal.SIGALRM, None) is None  # the first interrupt alone raises nothing
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            woken(signal.SIGALRM, None)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)

"""A training that is asked to stop by a file in its folder: it ends as by Ctrl-C, and a file from before is nothing."""

from __future__ import annotations

import itertools
import os
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from trainer_processes import assert_same_end

import gansmith
from forked import fork
from gansmith.errors import RunError, TrainingInterrupted
from gansmith.models.saved import read_card
from gansmith.runs import stop_request
from gansmith.runs.lock import is_locked, locked
from gansmith.runs.run import Run
from gansmith.runs.stop_request import NAME, is_requested, request_stop
from gansmith.system import files
from small import OPTIONS, SMALL

SLOW = ["--set", "game=toys.spoiled", "--set", "game.seconds=1"]


def wait_until(true: object, seconds: float = 240) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_training_process_ends_as_by_ctrl_c(
    tmp_path: Path, uninterrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved, said, status 130, the request gone; and it goes on to the bits of an uninterrupted run."""
    out = tmp_path / "run"
    with fork("train", *OPTIONS, *SLOW, "--out", out) as process:
        wait_until(lambda: (out / "events.jsonl").exists() and (out / "events.jsonl").stat().st_size)
        with fork("stop", out) as stopper:
            said, warned = stopper.communicate(timeout=240)
            assert stopper.returncode == 0, warned
            assert f"gansmith resume {out}" in said
        assert not is_locked(out)
        _, said = process.communicate(timeout=240)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    stopped = re.search(r"stopped at (\d+) of 320 images; everything is saved", said)
    assert stopped, said
    images = int(stopped[1])
    assert 64 <= images < 320
    assert Run(out, trust=True).checkpoint()["images"] == images
    assert read_card(out / "model/generator.safetensors").images == images
    assert (out / f"samples/{images:09}.png").exists()
    assert not (out / NAME).exists()
    monkeypatch.setattr("toys.spoiled.time", SimpleNamespace(sleep=lambda seconds: None))
    Run(out, trust=True).resume()
    assert_same_end(out, uninterrupted)


def test_a_request_from_before_the_start_stops_nothing(run: Path) -> None:
    (run / NAME).write_text("stop\n")
    assert Run(run).resume(images=336).checkpoint()["images"] == 336
    assert not (run / NAME).exists()


def test_a_request_while_the_images_are_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is made; the folder, which is no run yet, takes the request."""
    out = tmp_path / "run"
    monkeypatch.setattr("gansmith.runs.training.assemble", _asking(out))
    with pytest.raises(TrainingInterrupted, match="stopped at 0 of 320 images; everything is saved"):
        gansmith.train(**SMALL, out=str(out))
    assert Run(out).checkpoint()["step"] == 0
    assert not (out / NAME).exists()


def _asking(out: Path) -> object:
    from gansmith.experiment.assemble import assemble

    def assemble_after_request(*arguments: object) -> object:
        request_stop(out)
        return assemble(*arguments)  # type: ignore[arg-type]  # as they came

    return assemble_after_request


def test_looks_are_counted_in_wall_time(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen steps of an eighth of a second: the file is looked for twice a second, not at each step."""
    looks: list[Path] = []
    monkeypatch.setattr(stop_request, "is_requested", lambda folder: bool(looks.append(folder)))
    clock = itertools.count(0.0, 0.125)
    monkeypatch.setattr(stop_request, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    Run(run).resume(images=576)
    assert len(looks) == 5  # at 0, 0.5, 1, 1.5 and 2 seconds
    looks.clear()
    monkeypatch.setattr(stop_request, "EVERY", 0.0)
    Run(run).resume(images=832)
    assert len(looks) == 1 + 16  # before the first step, and after each


def test_where_nobody_trains_nothing_is_asked(run: Path, tmp_path: Path) -> None:
    for folder in (run, tmp_path / "nowhere", tmp_path / "no\0name"):
        with pytest.raises(RunError, match="nothing to stop"):
            request_stop(folder)
    assert not (run / NAME).exists()


def test_what_is_no_file_is_no_request(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert not is_requested(tmp_path)
    (tmp_path / NAME).rmdir()
    (tmp_path / NAME).symlink_to("/etc/hostname")
    assert not is_requested(tmp_path)
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME)
    assert not is_requested(tmp_path)
    (tmp_path / NAME).unlink()
    files.write_text(tmp_path / NAME, "pid 1\n")
    assert is_requested(tmp_path)


def test_the_lock_says_who_works(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert not is_locked(folder)
    with locked(folder):
        assert is_locked(folder)
        (folder / "kept").touch()
    assert (folder / ".lock").exists()
    assert not is_locked(folder)
    (folder / ".lock").unlink()
    os.mkfifo(folder / ".lock")
    assert not is_locked(folder)
    (folder / ".lock").unlink()
    (folder / ".lock").symlink_to(tmp_path / "elsewhere")
    assert not is_locked(folder)
    assert not (tmp_path / "elsewhere").exists()


def test_asking_whether_it_is_locked_refuses_nobody(tmp_path: Path) -> None:
    """A process that asks holds the lock for an instant: whoever wants to work waits for that."""
    import fcntl

    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".lock").touch()
    with (folder / ".lock").open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        from threading import Timer

        timer = Timer(0.02, lambda: fcntl.flock(asking, fcntl.LOCK_UN))
        timer.start()
        with locked(folder):
            pass
        timer.join()

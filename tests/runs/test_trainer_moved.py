"""A run folder that is renamed, moved or removed under a training: it stops, saves, and says where."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from trainer_processes import assert_same_end

import gansmith
from gansmith.errors import GansmithError, RunError
from gansmith.runs import sample_sheets, trainer, whereabouts
from gansmith.runs.run import Run
from gansmith.runs.whereabouts import Whereabouts
from gansmith.training.averaging import Averaging
from gansmith.training.checkpoint import Checkpoints
from refusals import refused
from small import SMALL, files


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, int, Callable[[], object]], None]:
    """Calls a function before OWNER.NAME is called for the count-th time."""

    def install(owner: Any, name: str, count: int, act: Callable[[], object]) -> None:
        original, calls = getattr(owner, name), iter(range(1, 10**6))

        def patched(*arguments: Any, **options: Any) -> Any:
            if next(calls) == count:
                act()
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, patched)

    return install


MOMENTS = {
    "between two steps": (Averaging, "update", 10, 160),
    "before the first step": (Averaging, "update", 1, 16),
    "before a checkpoint": (trainer, "capture", 2, 256),
    "inside a checkpoint": (Checkpoints, "_link", 1, 256),
    "between checkpoint and model files": (trainer, "model_files", 1, 128),
    "between two model files": (safetensors.torch, "save", 4, 256),
    "before a sheet": (sample_sheets, "draw_sheet", 2, 160),
    "before the last checkpoint": (trainer, "capture", 3, 320),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_folder_that_is_renamed(moment: str, at: Any, finished: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "deeper" / "new"
    new.parent.mkdir()
    owner, name, count, images = MOMENTS[moment]
    at(owner, name, count, lambda: old.rename(new))
    with refused(old, f"moved to {new}", f"{images} of 320", f"gansmith resume {new}", error=RunError):
        gansmith.train(**SMALL, out=str(old))
    assert not old.exists()
    assert Run(new).checkpoint()["images"] == images
    Run(new).resume()
    assert_same_end(new, finished)
    assert [record["images"] for record in Run(new).records][-1] == 320
    assert not [file for file in files(new) if file.endswith(".tmp")]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_folder_that_is_removed(moment: str, at: Any, finished: Path, tmp_path: Path) -> None:
    """Nothing that looks like a run, or like a part of one, is at the old place, and no work is lost."""
    old, kept = tmp_path / "old", tmp_path / "old-saved"
    owner, name, count, images = MOMENTS[moment]
    at(owner, name, count, lambda: shutil.rmtree(old))
    with refused(f"{old} was removed", f"{images} of 320", f"gansmith resume {kept}", error=RunError):
        gansmith.train(**SMALL, out=str(old))
    assert not old.exists()
    Run(kept).resume()
    assert_same_end(kept, finished)


def test_a_folder_that_is_being_removed(
    at: Any, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File by file, the folder last: a file is missed while the folder is still there."""
    monkeypatch.setattr(whereabouts, "UNDER_WAY", 60.0)
    old, kept = tmp_path / "old", tmp_path / "old-saved"
    last = threading.Timer(0.5, lambda: shutil.rmtree(old))

    def remove() -> None:
        shutil.rmtree(old / "model")
        last.start()

    at(safetensors.torch, "save", 4, remove)
    with refused(f"{old} was removed", "256 of 320", f"gansmith resume {kept}", error=RunError):
        gansmith.train(**SMALL, out=str(old))
    last.join()
    assert not old.exists()
    Run(kept).resume()
    assert_same_end(kept, finished)


def test_a_file_that_is_missed_in_a_folder_that_stays(at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, after a while, and nothing else is begun."""
    monkeypatch.setattr(whereabouts, "UNDER_WAY", 0.2)
    old = tmp_path / "old"
    at(safetensors.torch, "save", 4, lambda: shutil.rmtree(old / "model"))
    with refused("could not write", old / "model", "No such file", error=GansmithError):
        gansmith.train(**SMALL, out=str(old))
    assert not (tmp_path / "old-saved").exists()


def test_another_folder_in_its_place(at: Any, tmp_path: Path) -> None:
    """It is left alone, also when it has the number that the first one had."""
    old = tmp_path / "old"

    def replace() -> None:
        shutil.rmtree(old)
        old.mkdir()
        (old / "mine.txt").write_text("mine")

    (tmp_path / "old-saved").mkdir()
    at(Averaging, "update", 10, replace)
    with refused(tmp_path / "old-saved-2", error=RunError):
        gansmith.train(**SMALL, out=str(old))
    assert sorted(files(old)) == ["mine.txt"]
    assert Run(tmp_path / "old-saved-2").checkpoint()["images"] == 160


def test_a_folder_above_it_is_renamed(at: Any, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    at(Averaging, "update", 10, lambda: (tmp_path / "a").rename(tmp_path / "b"))
    with refused(tmp_path / "a/run", tmp_path / "b/run", error=RunError):
        gansmith.train(**SMALL, out=str(tmp_path / "a/run"))
    assert Run(tmp_path / "b/run").checkpoint()["images"] == 160


def test_files_that_are_removed_are_written_again(at: Any, tmp_path: Path, finished: Path) -> None:
    out = tmp_path / "run"

    def remove() -> None:
        for name in ("experiment.yaml", "events.jsonl"):
            (out / name).unlink()
        shutil.rmtree(out / "checkpoints")

    at(Averaging, "update", 10, remove)
    gansmith.train(**SMALL, out=str(out))
    assert Run(out).experiment.images == 320
    assert Run(out).records[-1]["images"] == 320
    assert_same_end(out, finished)


def test_where_the_system_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No /proc: a moved folder is as good as removed."""
    (tmp_path / "old").mkdir()
    place = Whereabouts(tmp_path / "old")
    assert not place.lost()
    assert place.now() == tmp_path / "old"
    (tmp_path / "old").rename(tmp_path / "new")
    assert place.lost()
    assert place.now() == tmp_path / "new"

    def none(*_: Any) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr(os, "readlink", none)
    assert place.now() is None
    place.close()
    place.close()

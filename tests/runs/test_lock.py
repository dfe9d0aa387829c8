"""The lock of a run folder, and what is left of a folder in which nothing came about."""

from __future__ import annotations

from pathlib import Path

import pytest

import gansmith
from gansmith.errors import GansmithError, RunError
from gansmith.runs.lock import locked
from small import SMALL, files


def test_one_process_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with locked(folder), pytest.raises(RunError, match="another process is working on"), locked(folder):
        pass


def test_folders_that_were_created_are_removed(tmp_path: Path) -> None:
    with locked(tmp_path / "a" / "b" / "run"):
        assert (tmp_path / "a/b/run/.lock").is_file()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_of_the_user_stays(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_a_process_that_was_killed_at_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.lock").touch()
    with locked(tmp_path / "run"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_away(tmp_path: Path) -> None:
    with locked(tmp_path / "run"):
        (tmp_path / "run").rename(tmp_path / "elsewhere")
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]


def test_a_refused_folder_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".notes.txt.1.tmp").write_text("mine too")
    with pytest.raises(RunError, match=r"is not a run \(it holds \.notes\.txt\.1\.tmp, notes\.txt\).*--out"):
        gansmith.train(**SMALL, out=str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".notes.txt.1.tmp", "notes.txt"]


def test_a_refused_run_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(GansmithError, match="nowhere"):
        gansmith.train(**{**SMALL, "path": str(tmp_path / "nowhere")}, out=str(tmp_path / "runs" / "one"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_first_file_was_half_written(tmp_path: Path) -> None:
    """Killed while it wrote experiment.yaml, a run can be begun again."""
    (tmp_path / ".experiment.yaml.1.tmp").write_text("half")
    gansmith.train(**{**SMALL, "images": 16}, out=str(tmp_path))
    assert not [name for name in files(tmp_path) if name.endswith(".tmp")]


def test_leftovers_in_every_folder_of_a_run(run: Path) -> None:
    stale = [".events.jsonl.1.tmp", "checkpoints/.latest.pt.1.tmp", "checkpoints/.previous.pt.1.link"]
    stale += ["model/.generator.safetensors.4194303.tmp", "samples/.000000320.png.1.tmp"]
    for name in stale:
        (run / name).write_bytes(b"half")
    gansmith.train(**SMALL, out=str(run))
    assert not {*stale} & {*files(run)}

"""Paths that a person wrote and no system call takes: an error in one line, wherever they are given."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

import gansmith
from gansmith.data.open import open_dataset
from gansmith.errors import DataError, GansmithError, RunError
from gansmith.experiment.layers import resolve
from gansmith.experiment.schema import Experiment
from gansmith.experiment.sources import from_assignments
from gansmith.experiment.with_data import with_data
from gansmith.runs.folder import folder_of
from gansmith.system.outputs import require_output

NOBODY = 65_534
IMPOSSIBLE = ["x" * 300, "x/" * 3000, "~nobody-of-that-name/x", "a\0b", "x" * 100_000]


@pytest.mark.parametrize("path", IMPOSSIBLE, ids=lambda path: path[:12].encode().hex())
def test_impossible_paths(path: str) -> None:
    with pytest.raises(DataError):
        open_dataset(path)
    for option in ("data.path", "data.other"):
        recipe = ["game=cycle", "translator=cyclegan"] if option == "data.other" else []
        experiment, _ = resolve([from_assignments([*recipe, f"{option}={path}"])])
        with pytest.raises(GansmithError):
            with_data(experiment)


def as_nobody(work: Callable[[], str]) -> str:
    """What `work` returns in a child that is another user."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setuid(NOBODY)
            os.write(writing, work().encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as stream:
        return stream.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("mode", [0o711, 0o700])
def test_a_folder_that_may_not_be_read(mode: int) -> None:
    """0o711: its names may not be listed; 0o700: nothing in it may be opened either."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "photos"
        folder.mkdir(mode=mode)
        (folder / "a.png").write_bytes(b"")

        def opened(path: Path) -> str:
            try:
                return str(open_dataset(path))
            except DataError as error:
                return f"DataError: {error}"
            except Exception as error:
                return f"{type(error).__name__}: {error}"

        said = as_nobody(lambda: opened(folder))
        assert said.startswith("DataError")
        assert str(folder) in said
        assert "Permission denied" in said
        if mode == 0o700:
            assert as_nobody(lambda: opened(folder / "a.png")).startswith("DataError")


@pytest.mark.parametrize("out", ["x" * 300, "a\0b"])
def test_a_run_folder_of_an_impossible_name(out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GansmithError):
        gansmith.train("digits", images=16, batch=8, out=out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_an_out_in_a_folder_that_may_not_be_searched_or_written(mode: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "closed"
        folder.mkdir(mode=mode)
        folder.chmod(mode)

        def refused(work: Callable[[], object]) -> str:
            try:
                return str(work())
            except GansmithError as error:
                return f"{type(error).__name__}: {error}"
            except Exception as error:
                return f"raw {type(error).__name__}: {error}"

        experiment = {"images": 16, "batch": 8, "size": 8, "device": "cpu"}
        for work in (
            lambda: require_output(folder / "new.png"),
            lambda: require_output(folder / "deeper" / "new.png"),
            lambda: gansmith.train("digits", **experiment, out=folder / "run"),
        ):
            said = as_nobody(lambda work=work: refused(work))
            assert said.split(":")[0].endswith("Error"), said
            assert not said.startswith("raw"), said
            assert "\n" not in said
            assert str(folder) in said
        assert list(folder.iterdir()) == []


def test_a_run_below_the_home_of_nobody_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"no user nobody-of-that-name.*another --out"):
        gansmith.train("digits", images=16, out="~nobody-of-that-name/run")
    assert not [*tmp_path.iterdir()]


def test_a_home_folder_is_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert folder_of(Experiment.model_validate({"out": "~/run"})) == tmp_path / "run"

"""gansmith features install, and what gansmith list says is here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from gansmith import catalog
from gansmith.cli import main as cli
from gansmith.cli.availability import availability
from gansmith.cli.list_ import lines
from gansmith.data.locations import places
from gansmith.evaluation import download
from gansmith.pretrained.weights import Published
from gansmith.system import extras


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def refused(*_: Any, **__: Any) -> Any:
        raise URLError("no network")

    monkeypatch.setattr(download, "urlopen", refused)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


def said(monkeypatch: pytest.MonkeyPatch, capsys: Any, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["gansmith", *arguments])
    status = 0
    try:
        cli.main()
    except SystemExit as end:
        status = int(end.code or 0)
    out, error = capsys.readouterr()
    return status, out, error


def published(name: str) -> list[Published]:
    stated = catalog.stated("features", name, "WEIGHTS", {})
    return [stated] if isinstance(stated, Published) else list(stated.values())


@pytest.mark.parametrize("name", catalog.names("features"))
def test_what_an_extractor_needs_is_what_it_reads(name: str) -> None:
    needs = catalog.literal("features", name, "NEEDS", {})
    assert list(needs.get("files", ())) == [one.file for one in published(name)]


@pytest.mark.parametrize("name", [name for name in catalog.names("features") if published(name)])
def test_offline_every_extractor_says_the_steps(
    name: str, nothing_here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    first = published(name)[0]
    status, out, error = said(monkeypatch, capsys, "features", "install", name)
    assert (status, out) == (1, "")
    assert first.sha256 in error
    assert str(nothing_here / first.file) in error
    assert (first.url or first.source) in error
    assert not nothing_here.exists()


def test_mistakes(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for arguments, fact in (
        (["mobilnet"], "mobilenet"),
        (["pixels"], "no published weights"),
        (["mobilenet", "--network", "base"], "--network"),
        (["dinov2", "--network", "bse"], "'base'"),
    ):
        status, out, error = said(monkeypatch, capsys, "features", "install", *arguments)
        assert (status, out) == (1, "")
        assert fact in error
        assert error.count("\n") == 1


def test_here_and_not_here(nothing_here: Path) -> None:
    line = next(line for line in lines("features") if line.startswith("mobilenet"))
    assert line.split()[1:3] == ["not", "here"]
    assert "to have mobilenet: gansmith features install mobilenet" in lines("features")
    nothing_here.mkdir(parents=True)
    (nothing_here / published("mobilenet")[0].file).touch()
    line = next(line for line in lines("features") if line.startswith("mobilenet"))
    assert line.split()[1] == "here"
    assert not any("install mobilenet" in line for line in lines("features"))


def test_every_kind_of_need(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("gansmith.cli.availability._installed", lambda package: package != "lmdb")
    lacking = availability("formats", "lmdb")
    assert lacking is not None
    assert not lacking.here
    assert extras.install("lmdb") in lacking.way
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GANSMITH_DATASETS", str(tmp_path / "sets"))
    lacking = availability("datasets", "mnist")
    assert lacking is not None
    assert not lacking.here
    inside = tmp_path / "sets" / "mnist"
    assert inside / "" in places("mnist")
    inside.mkdir(parents=True)
    (inside / "train-images-idx3-ubyte").touch()
    found = availability("datasets", "mnist")
    assert found is not None
    assert found.here


def test_needs_are_stated_wherever_something_is_missing() -> None:
    """An entry that raises MissingExtraError says which package; every statement is of a known form."""
    for kind in catalog.KINDS:
        for name in catalog.names(kind):
            needs = catalog.literal(kind, name, "NEEDS", {})
            assert set(needs) <= {"files", "package", "extra", "folders", "given", "from"}
            if "MissingExtraError(" in catalog.path_of(kind, name).read_text():
                assert needs["package"]
                assert needs["extra"]

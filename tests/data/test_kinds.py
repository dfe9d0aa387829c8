"""Kinds of image files by content: what is read, what is not and why."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from written_files import png

from gansmith.data import ignored_files, kinds
from gansmith.data.check import check
from gansmith.data.decode import decode
from gansmith.data.kinds import kind_of, suffix_of
from gansmith.data.open import open_dataset
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, UnreadableImageError

RAMP = np.tile(np.linspace(0, 255, 32).astype(np.uint8)[None, :, None], (24, 1, 3))


def encoded(kind: str, image: np.ndarray = RAMP) -> bytes:
    buffer = BytesIO()
    if kind == "HEIC":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(image)).save(buffer, quality=95)
    else:
        Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIC"])
def test_every_kind_is_told_and_read(kind: str) -> None:
    data = encoded(kind)
    assert kind_of(data[: kinds.HEAD]) == kind
    image = decode(data, "x")
    assert image.shape in ((24, 32, 3), (24, 32, 1))
    assert np.abs(image.astype(int) - RAMP).mean() < 8


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7", "PDF"),
        (b"8BPS", "Photoshop"),
        (b"<?xml version='1.0'?><svg xmlns=''>", "SVG"),
        (b"\xef\xbb\xbf<!DOCTYPE html>", "HTML"),
        (b"\0\0\0\x18ftypmp42", "video"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
        (b"", None),
        (b"hello", None),
        (b"RIFF\0\0\0\0WAVE", None),
    ],
)
def test_kinds_by_their_first_bytes(head: bytes, kind: str | None) -> None:
    assert kind_of(head) == kind


def test_suffixes() -> None:
    assert [suffix_of(name) for name in ("a/b.JPG", "a.b/c", ".png", "x.tar.GZ", "a/.x")] == [".jpg", "", "", ".gz", ""]


@pytest.mark.parametrize("suffix", [".JPEG", ".JFIF", ".Jpe", ".PNG", ".AVIF", ".Webp", ".TIF"])
def test_suffixes_in_any_case(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"x{suffix}").write_bytes(png(3))
    assert open_dataset(tmp_path)[0].image[0, 0, 0] == 3


def test_a_wrong_suffix_is_told(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(b"<!doctype html><p>not found")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    source = open_dataset(tmp_path)
    with pytest.raises(UnreadableImageError, match=r"page\.jpg is HTML by its content"):
        source[1]
    with pytest.raises(UnreadableImageError, match=r"cut\.png .*truncated or damaged"):
        source[0]


@pytest.mark.parametrize("head", [b"\x00\x00\x00\x1cftypavif\0\0\0\0mif1avif", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM"])
def test_a_kind_that_is_read_is_damaged_and_not_unknown(head: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(head + bytes(50))
    with pytest.raises(UnreadableImageError, match=r"x\.png .*damaged"):
        open_dataset(tmp_path)[0]


@pytest.fixture
def without_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds.readable.cache_clear()
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    yield
    kinds.readable.cache_clear()


HEIC = b"\0\0\0\x1cftypheic\0\0\0\0mif1heic"


@pytest.mark.usefixtures("without_heic")
def test_heic_without_its_package(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(HEIC)
    (tmp_path / "b.HEIC").write_bytes(HEIC)
    with pytest.raises(DataError, match=r"2 \.heic.*pip install pillow-heif"):
        open_dataset(tmp_path)
    (tmp_path / "c.jpg").write_bytes(HEIC)  # as telephones export it
    source = open_dataset(tmp_path)
    assert list(source.keys) == ["c.jpg"]
    [note] = source.notes
    assert "2 .heic" in note
    with pytest.raises(UnreadableImageError, match=r"c\.jpg is HEIC.*pip install pillow-heif"):
        source[0]


@pytest.mark.parametrize("packed", [False, True])
def test_files_that_are_not_read_are_counted(packed: bool, tmp_path: Path) -> None:
    place = tmp_path / "photos"
    place.mkdir()
    files = {"a.png": png(), "b.svg": b"<svg/>", "c.SVG": b"<svg/>", "notes.txt": b"x", "scan": png(), ".hidden": b"x"}
    for name, content in files.items():
        (place / name).write_bytes(content)
    if packed:
        with ZipFile(tmp_path / "photos.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(f"photos/{name}", content)
        place = tmp_path / "photos.zip"
    report = check(DataSettings(path=str(place)))
    assert report.ignored == {".svg": 2, ".txt": 1, "no suffix": 1}
    assert "ignored     2 .svg, 1 .txt, 1 no suffix\n" in report.as_text()
    assert any("scan is PNG" in note for note in report.warnings)
    assert sum("svg" in note for note in report.warnings) == 0  # once, in its row
    [note] = open_dataset(place).notes  # before training only images are worth a word
    assert "2 .svg" in note
    assert "txt" not in note


def test_only_the_most_frequent_are_listed() -> None:
    assert ignored_files.listed({f".{letter}": 2 for letter in "abcdefgh"}).endswith(", 2 .f, 4 more")

"""Text chunks of PNG files: what is written is read, and a hostile file is refused at once, unread and unpacked."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from gansmith.errors import OptionError
from gansmith.records.images import save_image
from gansmith.records.png_text import MOST, read_text
from refusals import refused

BOMB = zlib.compress(b"\0" * 2**24, 9)


def chunk(kind: bytes, data: bytes, *, length: int | None = None, checksum: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return (
        struct.pack(">I", size)
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data) if checksum is None else checksum)
    )


def png(path: Path, *chunks: bytes, end: bytes | None = None) -> Path:
    """A PNG of one white pixel with these chunks before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\xff"))
    ending = chunk(b"IEND", b"") if end is None else end
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + ending)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = save_image(Image.new("RGB", (400, 400)), tmp_path / "a.png", text={"gansmith": '{"a": 1}', "other": "x"})
    assert read_text(path, "gansmith") == '{"a": 1}'
    assert read_text(path, "other") == "x"
    assert read_text(path, "gan") is None
    with Image.open(path) as image:
        assert image.text == {"gansmith": '{"a": 1}', "other": "x"}


def test_without_text_there_is_none(tmp_path: Path) -> None:
    assert read_text(save_image(Image.new("L", (4, 4)), tmp_path / "a.png"), "gansmith") is None
    save_image(Image.new("L", (4, 4)), tmp_path / "a.jpg", text={"gansmith": "x"})
    assert b"gansmith" not in (tmp_path / "a.jpg").read_bytes()


@pytest.mark.parametrize(
    "other",
    [
        chunk(b"zTXt", b"gansmith\0\0" + BOMB),
        chunk(b"iTXt", b"gansmith\0\1\0\0\0" + BOMB),
        chunk(b"iCCP", b"gansmith\0\0" + BOMB),
        chunk(b"tEXt", b"Comment\0" + b"x" * (2 * MOST)),
        chunk(b"tEXt", b"gansmith"),
        chunk(b"tEXt", b""),
        chunk(b"tEXt", b"gansmith more\0{}"),
        chunk(b"eXIf", b"gansmith\0{}"),
    ],
)
def test_other_chunks_are_passed_over(tmp_path: Path, other: bytes) -> None:
    """Compressed ones that would unpack to 16 MiB too: nothing is unpacked."""
    text = chunk(b"tEXt", b"gansmith\0{}")
    assert read_text(png(tmp_path / "a.png", other), "gansmith") is None
    assert read_text(png(tmp_path / "a.png", other, text), "gansmith") == "{}"


@pytest.mark.parametrize(
    ("chunks", "fact"),
    [
        ([chunk(b"tEXt", b"gansmith\0{}", checksum=7)], "checksum"),
        ([chunk(b"tEXt", b"gansmith\0{}", length=2**31 - 1)], f"{2**31 - 1:,}"),
        ([chunk(b"tEXt", b"gansmith\0{}", length=2**32 - 1)], f"{2**32 - 1:,}"),
        ([chunk(b"zTXt", b"gansmith\0", length=2**30)], f"{2**30:,}"),
        ([chunk(b"tEXt", b"gansmith\0" + b" " * (MOST + 80))], f"{MOST:,}"),
        ([chunk(b"tEXt", b"gansmith\0{}")] * 2, 2),
        ([chunk(b"tEXt", b"gansmith\0a\x1b[31mb")], "ASCII"),
        ([chunk(b"tEXt", b"gansmith\0a\nb")], "ASCII"),
        ([chunk(b"tEXt", b"gansmith\0a\0b")], "ASCII"),
        ([chunk(b"tEXt", b"gansmith\0\xe4\xff")], "ASCII"),
        ([chunk(b"t\0\1t", b"")], "type"),
    ],
)
def test_a_hostile_text_is_refused(tmp_path: Path, chunks: list[bytes], fact: object) -> None:
    path = png(tmp_path / "a.png", *chunks)
    with refused(path, fact, error=OptionError):
        read_text(path, "gansmith")


def test_what_ends_early_and_what_is_no_png(tmp_path: Path) -> None:
    whole = png(tmp_path / "a.png", chunk(b"tEXt", b"gansmith\0{}")).read_bytes()
    for size in range(8, len(whole) - 4):
        (tmp_path / "cut.png").write_bytes(whole[:size])
        with refused(error=OptionError):
            read_text(tmp_path / "cut.png", "gansmith")
    for data in (b"", b"GIF89a", whole[1:]):
        (tmp_path / "no.png").write_bytes(data)
        with refused(tmp_path / "no.png", error=OptionError):
            read_text(tmp_path / "no.png", "gansmith")
    for place in (tmp_path / "none.png", tmp_path):
        with refused(place, error=OptionError):
            read_text(place, "gansmith")


def test_a_file_of_empty_chunks_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"juNk", b"") * (2**20 + 1))
    with refused(f"{2**20:,}", error=OptionError):
        read_text(path, "gansmith")

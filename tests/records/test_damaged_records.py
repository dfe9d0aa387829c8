"""Damaged lines in events.jsonl: the others are kept, a warning names the lines, and the file is kept beside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gansmith.records import jsonl

RECORDS = [{"step": step, "images": 64 * step, "seconds": 0.5 * step, "d/loss": 1.0 / step} for step in range(1, 7)]
DAMAGED = {
    "half a record": b'{"step": 2, "ima',
    "nothing of JSON": b"junk",
    "NUL bytes": b"\0" * 40,
    "NUL bytes inside": b'{"step": 2, "images": \0\0\0}',
    "not UTF-8": b'{"step": 2, "images": 128, "word": "\xff\xfe"}',
    "a list": b"[1]",
    "null": b"null",
    "a number": b"2",
    "a string": b'"step"',
    "no step": b'{"images": 128}',
    "no images": b'{"step": 2}',
    "a step in words": b'{"step": "2", "images": 128}',
    "a step of null": b'{"step": null, "images": 128}',
    "a step that is true": b'{"step": true, "images": 128}',
    "a step that is NaN": b'{"step": NaN, "images": 128}',
    "a negative step": b'{"step": -2, "images": 128}',
    "half a step": b'{"step": 2.5, "images": 128}',
    "a term in words": b'{"step": 2, "images": 128, "d/loss": "low"}',
    "a rate of null": b'{"step": 2, "images": 128, "waiting": null}',
    "two records": b'{"step": 2, "images": 128}{"step": 3, "images": 192}',
    "brackets without end": b"[" * 100_000,
    "a number of 5,000 digits": b'{"step": 1' + b"0" * 5_000 + b', "images": 128}',
}


def lines_of(records: list[dict[str, float]]) -> list[bytes]:
    return [json.dumps(record).encode() for record in records]


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("place", [0, 2, 6])
def test_a_damaged_line(damage: str, place: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """First, in the middle, or last."""
    path = tmp_path / "events.jsonl"
    lines = lines_of(RECORDS)
    lines.insert(place, DAMAGED[damage])
    before = b"\n".join(lines) + b"\n"
    path.write_bytes(before)
    assert jsonl.read(path) == RECORDS
    assert jsonl.read(path) == RECORDS
    jsonl.cut(path, 4)
    assert jsonl.read(path) == RECORDS[:4]
    said = capsys.readouterr().err
    assert said.count("warning") == said.count(f"line {place + 1} of {path}") == 1
    assert str(tmp_path / "events.damaged.jsonl") in said
    assert (tmp_path / "events.damaged.jsonl").read_bytes() == before


def test_several_lines_and_a_second_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "events.jsonl"
    for kept in ("events.damaged.jsonl", "events.damaged-2.jsonl"):
        path.write_bytes(b"\n".join([b"junk", *lines_of(RECORDS), *[b"null"] * 12, b""]))
        jsonl.cut(path, 6)
        assert (tmp_path / kept).read_bytes().startswith(b"junk")
    assert "lines 1, 8, 9, 10, 11, 12, 13, 14 and 5 more of " in capsys.readouterr().err
    assert jsonl.read(path) == RECORDS


@pytest.mark.parametrize("ending", [b'{"step": 7, "ima', b"", b"\r\n"])
def test_what_is_no_damage(ending: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line that was being written, empty lines, the ends and the first bytes that an editor of Windows writes."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join([*lines_of(RECORDS), b"", ending]))
    assert jsonl.read(path) == RECORDS
    jsonl.cut(path, 6)
    assert capsys.readouterr().err == ""
    assert [file.name for file in tmp_path.iterdir()] == ["events.jsonl"]


@pytest.mark.parametrize("ending", [b"\0" * 4096, b"null", b"\xff"])
def test_a_damaged_end_without_a_line_break(ending: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """NUL bytes are what a power cut leaves."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join([*lines_of(RECORDS), ending]))
    assert jsonl.read(path) == RECORDS
    assert f"line 7 of {path}" in capsys.readouterr().err


def test_a_file_that_was_removed_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    view = jsonl.JsonLines(path)
    view.record(RECORDS[0])
    path.unlink()
    view.record(RECORDS[1])
    view.close()
    assert jsonl.read(path) == RECORDS[1:2]

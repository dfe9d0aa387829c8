"""The history of a run's audits: written in one piece, read without damaged lines, drawn where it is comparable."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gansmith.errors import OutputError
from gansmith.evaluation.audit import history
from gansmith.evaluation.audit.audit import Audit
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.ruler import UNIT, UNIT_OF_TEXTURES
from gansmith.evaluation.types import Answer, Number, Ruler

PROTOCOL = Protocol("", "toy@1", "photos abc", 900, 500, "8x8x3", "averaged", "run", "0-499")
RULER = Ruler(
    samples=Number(0.8, 0.7, 0.9),
    held_out=None,
    layout={"near": Number(0.75), "far": Number(3)},
    texture={"smooth": Number(0.1), "rough": Number(0.9)},
    unit=1500.0,
)


def audit(**changes: Any) -> Audit:
    numbers = {"share": Number(40, 30, 50), "odd": Number(math.nan)}
    answer = Answer("quality", "bad", "No.", "share", numbers, PROTOCOL)
    silent = Answer("collapse", "cannot tell", "?", "", {}, PROTOCOL)
    answers = {"quality": answer, "collapse": silent, "diversity": replace(answer, headline="odd")}
    whole = Audit(answers, "run", PROTOCOL, counts={"samples": 500}, facts={"when": "2026-01-02 03:04"})
    return replace(whole, **changes)


def line(images: int, value: float = 0.5, **changes: Any) -> dict[str, Any]:
    ruler = replace(RULER, samples=Number(value, value - 0.1, value + 0.1))
    return {**history.line_of(audit(), ruler, images=images, weights="the model so far"), **changes}


def test_what_a_line_says() -> None:
    said = history.line_of(audit(), RULER, images=2000, weights="best")
    assert said == {
        "format": 1,
        "when": "2026-01-02 03:04",
        "images": 2000,
        "weights": "best",
        "averaging": "averaged",
        "ruler": {
            "value": 0.8,
            "low": 0.7,
            "high": 0.9,
            "unit": 1500.0,
            "unit_name": UNIT,
            "layout": "near",
            "texture": "rough",
        },
        "verdicts": {"quality": "bad", "collapse": "cannot tell", "diversity": "bad"},
        "headlines": {
            "quality": {"name": "share", "value": 40, "low": 30, "high": 50},
            "diversity": {"name": "odd", "value": None, "low": None, "high": None},
        },
        "samples": 500,
        "protocol": history.digest(PROTOCOL),
    }
    assert history.line_of(audit(), None, images=1, weights="")["ruler"] is None


def test_lines_are_added_and_damaged_ones_left_out(tmp_path: Path) -> None:
    assert history.read(tmp_path) == []
    lines = [line(number) for number in (10, 20, 30)]
    for one in lines[:2]:
        history.append(tmp_path, one)
    path = tmp_path / history.FILE
    with path.open("ab") as file:
        file.write(b'{"format": 1, "images": 25, "ru')  # killed while it wrote
    history.append(tmp_path, lines[2])
    assert history.read(tmp_path) == lines
    assert path.read_bytes().endswith(b"}\n")
    with path.open("ab") as file:
        for broken in (b"\xff\xfe", b"7", b"[]", json.dumps({**lines[0], "format": 2}).encode(), b"[" * 5000):
            file.write(broken + b"\n")
        file.write(json.dumps({**lines[0], "ruler": {"value": "near"}}).encode() + b"\n")
        file.write(json.dumps({**lines[0], "ruler": {**lines[0]["ruler"], "low": "x"}}).encode() + b"\n")
        file.write(json.dumps({**lines[0], "images": "many"}).encode())
    assert history.read(tmp_path) == lines


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def write(first: int) -> None:
        for number in range(20):
            history.append(tmp_path, line(first + number))

    threads = [threading.Thread(target=write, args=(100 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one["images"] for one in history.read(tmp_path)) == sorted(
        100 * number + step for number in range(4) for step in range(20)
    )


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"history\.jsonl"):
        history.append(tmp_path / "absent", line(1))
    (tmp_path / history.FILE).mkdir()
    assert history.read(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    [{"features": "toy@2"}, {"real": "photos abd"}, {"real_count": 901}, {"size": "8x8x1"}, {"version": "0"}],
)
def test_other_protocols_are_not_comparable(change: dict[str, Any]) -> None:
    assert history.digest(replace(PROTOCOL, **change)) != history.digest(PROTOCOL)
    past = [line(10, protocol=history.digest(replace(PROTOCOL, **change))), line(20)]
    assert history.figure(past, PROTOCOL) is None


def test_the_figure_has_a_point_for_each_length_of_training() -> None:
    assert history.digest(replace(PROTOCOL, fake="x", seeds="9", averaging="raw", fake_count=9)) == history.digest(
        PROTOCOL
    )
    assert history.figure([line(10), line(10, 0.4)], PROTOCOL) is None
    assert history.figure([line(10), line(20, ruler=None)], PROTOCOL) is None
    figure = history.figure([line(10, 0.9), line(20, 0.6), line(10, 0.8), line(40, 0.3)], PROTOCOL)
    assert figure is not None
    assert figure.svg is not None
    assert "from 0.800 to 0.300" in figure.svg  # of two looks at the same weights the last
    assert "0.1" in figure.caption
    assert "0.2" in figure.caption
    both = history.figure([line(10), line(20), line(20, averaging="raw")], PROTOCOL)
    assert both is not None
    assert "averaged weights" in (both.svg or "")
    assert "weights as trained" in (both.svg or "")


def test_points_of_one_unit_are_joined_and_the_caption_names_it() -> None:
    def of(images: int, name: str | None) -> dict[str, Any]:
        ruler = {**line(images)["ruler"], "unit_name": name}
        return line(images, ruler={key: value for key, value in ruler.items() if value is not None})

    assert history.figure([of(10, UNIT), of(20, UNIT_OF_TEXTURES)], PROTOCOL) is None
    for name, words in ((UNIT_OF_TEXTURES, UNIT_OF_TEXTURES), (UNIT, UNIT), (None, UNIT)):
        figure = history.figure([of(10, name), of(20, name)], PROTOCOL)
        assert figure is not None
        assert f"real images {words};" in figure.caption

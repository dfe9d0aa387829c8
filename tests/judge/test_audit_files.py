"""Folders of images to be judged: of several sizes, with files that cannot be decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gansmith.errors import DataError, OptionError
from gansmith.judge import audit_run as judge

FEW: dict[str, Any] = {"samples": 30, "repeats": 1, "features": "pixels", "device": "cpu"}


def write(place: Path, sides: tuple[int, ...], count: int = 40) -> str:
    place.mkdir()
    rng = np.random.default_rng(sum(map(ord, place.name)))
    for number in range(count):
        side = sides[number % len(sides)]
        Image.fromarray(rng.integers(0, 256, (side, 16, 3), dtype=np.uint8)).save(place / f"{number}.png")
    return str(place)


def test_several_sizes_are_brought_to_one_when_asked(tmp_path: Path) -> None:
    made, real = write(tmp_path / "made", (16, 20)), write(tmp_path / "real", (24,))
    with pytest.raises(DataError, match=r"2 different sizes.*--size 64"):
        judge.evaluate(made, against=real, **FEW, out=tmp_path / "out")
    written = judge.evaluate(made, against=real, **FEW, size="12x16", out=tmp_path / "out").record()
    assert written["protocol"]["size"] == "12x16x3"
    assert written["protocol"]["averaging"] == "files, resized to 12x16"
    with pytest.raises(OptionError, match="'bla'"):
        judge.evaluate(made, against=real, **FEW, size="bla", out=tmp_path / "other")


def test_files_of_one_size_are_not_resized_unasked(tmp_path: Path) -> None:
    made, real = write(tmp_path / "made", (20,)), write(tmp_path / "real", (24,))
    written = judge.evaluate(made, against=real, **FEW, out=tmp_path / "out").record()
    assert (written["protocol"]["size"], written["protocol"]["averaging"]) == ("20x16x3", "files")


def test_broken_files_are_left_out_when_asked(tmp_path: Path) -> None:
    made, real = write(tmp_path / "made", (16,)), write(tmp_path / "real", (16,))
    for place, name in ((made, "bad.png"), (real, "worse.png")):
        (Path(place) / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"1 image of 41 .*bad\.png is empty.*--skip-unreadable"):
        judge.evaluate(made, against=real, **FEW, out=tmp_path / "out")
    audit = judge.evaluate(made, against=real, **FEW, skip_unreadable=True, out=tmp_path / "out")
    assert "bad.png" in audit.facts["left out"]
    assert any("worse.png" in note for note in audit.notes)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_to_judge(tmp_path: Path, count: int) -> None:
    made, real = write(tmp_path / "made", (16,), count), write(tmp_path / "real", (16,))
    with pytest.raises(DataError, match="no images" if count == 0 else "holds 1 image: at least 20"):
        judge.evaluate(made, against=real, **FEW, out=tmp_path / "out")
    with pytest.raises(DataError, match="no images" if count == 0 else "only 1 real image"):
        judge.evaluate(real, against=made, **FEW, out=tmp_path / "out")


def test_images_equal_to_real_ones(tmp_path: Path) -> None:
    made = write(tmp_path / "made", (16,))
    audit = judge.evaluate(made, against=made, **FEW, out=tmp_path / "out")
    assert audit.answers["quality"].figures

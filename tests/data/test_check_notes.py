"""What a check says of images that are special in some way, and of classes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.data.check import check
from gansmith.data.check_report import Report
from gansmith.data.settings import DataSettings
from gansmith.data.unreadable import folded, unreadable

RNG = np.random.default_rng(0)


def noise(height: int, width: int, channels: int = 3) -> Image.Image:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    place = tmp_path / "photos"
    place.mkdir()
    for number in range(6):
        noise(80, 80).save(place / f"{number}.png")
    return place


def notes(place: Path, word: str, **settings: object) -> list[str]:
    report = check(DataSettings.model_validate({"path": str(place), **settings}))
    return [note for note in report.warnings if word in note]


@pytest.mark.parametrize(("width", "fit", "told"), [(161, "crop", True), (159, "crop", False), (400, "pad", True)])
def test_extreme_aspects(photos: Path, width: int, fit: str, told: bool) -> None:
    noise(80, width).save(photos / "wide.png")
    found = notes(photos, "aspect", fit=fit)
    assert bool(found) == told
    assert all(f"wide.png is 80x{width}" in note and "1 image" in note for note in found)
    assert notes(photos, "aspect", fit="stretch") == []


def test_enlarged_images(photos: Path) -> None:
    noise(31, 90).save(photos / "small.png")
    noise(33, 90).save(photos / "enough.png")
    [note] = notes(photos, "enlarged", size=64)
    assert "1 image" in note
    assert "small.png is 31x90" in note
    assert notes(photos, "enlarged", size=62) == []


def test_transparency(photos: Path) -> None:
    noise(80, 80, 4).save(photos / "clear.png")
    opaque = noise(80, 80).convert("RGBA")
    opaque.save(photos / "opaque.png")
    [note] = notes(photos, "transparent")
    assert "1 image" in note
    assert "255,255,255" in note
    assert "--channels 4" in note
    assert notes(photos, "transparent", channels=4) == []


def test_animations(photos: Path) -> None:
    frames = [noise(80, 80, 1) for _ in range(3)]
    frames[0].save(photos / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(photos / "still.gif")
    report = check(DataSettings(path=str(photos)))
    assert report.animated == ["moving.gif"]
    assert any("1 image has several frames" in note for note in report.warnings)


def test_names_that_say_another_kind(photos: Path) -> None:
    noise(80, 80).save(photos / "really.png", "JPEG")
    report = check(DataSettings(path=str(photos)))
    assert report.other_kinds == {"really.png": "JPEG"}
    assert any("really.png is JPEG" in note for note in report.warnings)


def test_images_of_every_mode_side_by_side(photos: Path) -> None:
    noise(80, 80, 1).save(photos / "grey.png")
    noise(80, 80, 4).convert("LA").save(photos / "la.png")
    noise(80, 80).convert("P").save(photos / "palette.png")
    noise(80, 80).convert("CMYK").save(photos / "cmyk.JPEG")
    Image.fromarray(RNG.integers(0, 65536, (80, 80), dtype=np.uint16)).save(photos / "deep.png")
    report = check(DataSettings(path=str(photos)))
    assert report.modes == {"RGB": 8, "grey": 2, "grey + alpha": 1}
    assert (report.failure, report.recommended_channels) == (None, 3)


# ---------------------------------------------------------------- classes


def write(place: Path, **counts: int) -> None:
    for name, count in counts.items():
        (place / name).mkdir(parents=True)
        for number in range(count):
            noise(20, 20).save(place / name / f"{number}.png")


def test_a_class_of_one_image(tmp_path: Path) -> None:
    write(tmp_path / "pets", cat=4, dog=4, fox=1)
    [note] = notes(tmp_path / "pets", "one image")
    assert "1 class has" in note
    assert "(fox)" in note


def test_many_classes_of_few_images(tmp_path: Path) -> None:
    write(tmp_path / "people", **{f"p{number}": 2 for number in range(30)})
    [note] = notes(tmp_path / "people", "too few")
    assert "30 classes" in note
    assert "2 images" in note
    text = check(DataSettings(path=str(tmp_path / "people"))).as_text()
    assert "classes     30\n" in text
    assert "and 10 more\n" in text


def test_one_image_in_two_classes(tmp_path: Path) -> None:
    write(tmp_path / "pets", cat=3, dog=3)
    (tmp_path / "pets" / "dog" / "again.png").write_bytes((tmp_path / "pets" / "cat" / "1.png").read_bytes())
    (tmp_path / "pets" / "dog" / "copy.png").write_bytes((tmp_path / "pets" / "dog" / "1.png").read_bytes())
    [note] = notes(tmp_path / "pets", "several classes")
    assert "1 image is" in note
    assert "cat/1.png in cat, dog/again.png in dog" in note


# ---------------------------------------------------------------- broken files, and names


def test_many_broken_files_are_listed_once(photos: Path) -> None:
    whole = (photos / "1.png").read_bytes()
    for number in range(100):
        (photos / f"bad{number}.png").write_bytes(b"" if number % 2 else whole[: 500 + number])
    report = check(DataSettings(path=str(photos)))
    assert len(report.unreadable) == 100
    text = report.as_text()
    assert text.count("bad") == 10  # five names of each kind of damage
    assert text.count("and 45 more") == 2
    assert "100 images of 106 could not be read. Repair" in text.splitlines()[-1]


def test_damage_is_told_apart_by_more_than_numbers() -> None:
    same = {f"{n}.png": f"/x/{n}.png cannot be decoded: {n} bytes are missing" for n in range(3)}
    assert folded({**same, "odd.png": "/x/odd.png is empty"}) == [
        "0.png, 1.png, 2.png: each cannot be decoded: 0 bytes are missing",
        "/x/odd.png is empty",
    ]
    assert "0.png, 1.png, 2.png" in str(unreadable(same, 9))


def test_names_are_shown_escaped(tmp_path: Path) -> None:
    place = tmp_path / "odd"
    for name in (b"plain.png", b"caf\xe9.png", b"red\x1b[31m.png", b"two\nlines.png"):
        place.mkdir(exist_ok=True)
        noise(20, 20).save(tmp_path / "x.png")
        (place / os.fsdecode(name)).write_bytes((tmp_path / "x.png").read_bytes())
    for name in (b"bad\xff\x07.png", b"bad\n.png"):
        (place / os.fsdecode(name)).write_bytes(b"")
    (place / "same\x1b.png").write_bytes((place / "plain.png").read_bytes())
    text = check(DataSettings(path=str(place))).as_text()
    text.encode("utf-8")
    assert "\x1b" not in text
    assert r"bad\xff\x07.png" in text
    assert r"same\x1b.png" in text
    assert r"bad\n.png" in text


def test_a_report_of_nothing() -> None:
    assert Report("x\x1b").as_text().startswith("name        x\\x1b\n")

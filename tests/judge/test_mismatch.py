"""Samples of other channels, size or colours than the real images: what is said, and what is judged at which shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gansmith
from gansmith.evaluation.audit import report
from gansmith.evaluation.audit.audit import read
from gansmith.judge import audit_run as judge
from gansmith.judge.mismatch import fitted, greyness
from small import SMALL

Pixels = NDArray[np.uint8]
FEW: dict[str, Any] = {"samples": 40, "repeats": 1, "features": "pixels", "device": "cpu"}


def pictures(seed: int, side: int = 16, channels: int = 3, count: int = 60) -> Pixels:
    """Smooth images of random colours, the same for the same seed at every size."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 256, (count, 2, 2, channels)).astype(float)
    t = (np.arange(side) + 0.5) / side
    rows = corners[:, :1] * (1 - t)[None, :, None, None] + corners[:, 1:] * t[None, :, None, None]
    images = rows[:, :, :1] * (1 - t)[None, None, :, None] + rows[:, :, 1:] * t[None, None, :, None]
    return images.round().astype(np.uint8)


def put(place: Path, images: Pixels) -> str:
    np.save(place, images)
    return str(place)


def judged(tmp_path: Path, made: Pixels, real: Pixels, **options: Any) -> Any:
    where = put(tmp_path / "made.npy", made), put(tmp_path / "real.npy", real)
    return judge.evaluate(where[0], against=where[1], out=tmp_path / "out", **FEW, **options)


def test_grey_samples_of_colour_photographs(tmp_path: Path) -> None:
    audit = judged(tmp_path, pictures(1, channels=1), pictures(2))
    first = audit.notes[0]
    assert "grey" in first
    assert "colours" in first
    assert audit.as_text().startswith("! ")
    assert audit.as_text().index("grey") < audit.as_text().index("quality ")
    written = json.loads((tmp_path / "out/audit.json").read_text())
    assert written["notes"][0] == first
    sizes = {name: written[name]["protocol"]["size"] for name in ("quality", "diversity")}
    assert set(sizes.values()) == {"16x16x3"}
    pixels = {name: written[name]["protocol"]["size"] for name in ("memorisation", "collapse", "artifacts")}
    assert set(pixels.values()) == {"16x16x1"}
    again = read(tmp_path / "out")
    assert (again.above, again.notes) == (audit.above, audit.notes)
    page = (tmp_path / "out/report.html").read_text()
    assert page.count(first) == 1
    assert page.index(first) < page.index('id="quality"')


def test_a_grey_copy_of_a_colour_photograph_is_a_copy(tmp_path: Path) -> None:
    """Copies are looked for in grey, where the copy is exact."""
    real = pictures(2, count=90)
    grey = np.rint(real @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]
    holdout = put(tmp_path / "held.npy", pictures(5, count=60))
    audit = judged(tmp_path, grey[:40], real, holdout=holdout)
    assert audit.answers["memorisation"].verdict == "bad"


@pytest.mark.parametrize(
    ("side", "options", "quality", "words"),
    [
        (16, {}, "32x32x3", ["16x16", "32x32", "size of the real images"]),
        (64, {}, "32x32x3", ["64x64", "32x32", "size of the real images"]),
        (7, {}, "7x7x3", ["7x7", "32x32", "size of the samples"]),  # more than four times smaller
        (16, {"size": 16}, "16x16x3", []),  # asked for
        (32, {}, "32x32x3", []),
    ],
)
def test_files_of_another_size(side: int, options: Any, quality: str, words: list[str], tmp_path: Path) -> None:
    audit = judged(tmp_path, pictures(1, side), pictures(2, 32), **options)
    above = [note for note in audit.notes[: audit.above] if "Nobody" not in note]
    assert len(above) == bool(words)
    assert all(word in above[0] for word in words)
    assert audit.answers["quality"].protocol.size == quality
    assert audit.answers["collapse"].protocol.size == f"{side}x{side}x3"


def test_grey_and_small_is_one_shape(tmp_path: Path) -> None:
    audit = judged(tmp_path, pictures(1, 16, 1), pictures(2, 32))
    assert audit.above == 3
    assert audit.answers["quality"].protocol.size == "32x32x3"
    assert audit.answers["artifacts"].protocol.size == "16x16x1"


def test_a_run_of_one_channel_on_colour_photographs(tmp_path: Path) -> None:
    """Its size is its owner's choice, and no mismatch; that the split of the data is the same in colour is checked."""
    real = put(tmp_path / "real.npy", pictures(2, 16, count=400))
    settings = {**SMALL, "path": real, "channels": 1, "fraction": 1.0, "holdout": 0.1, "images": 64}
    run = gansmith.train(**settings, out=str(tmp_path / "run"))
    audit = judge.evaluate(run.path, **FEW)
    assert "grey" in audit.notes[0]
    assert "--channels 3" in audit.notes[0]
    assert audit.above == 2
    assert audit.answers["quality"].protocol.size == "8x8x3"
    assert not any("changed since" in note for note in audit.notes)
    assert audit.counts["real images held out"] == 40


def test_grey_content_stored_in_colour(tmp_path: Path) -> None:
    """Some of it: files that are all grey are of one channel."""
    made = pictures(1, count=40)
    made[:30] = pictures(3, channels=1, count=30).repeat(3, axis=3)
    audit = judged(tmp_path, made, pictures(2))
    assert "75 of 100 samples are grey" in audit.notes[0]
    assert "images 0 of 100" in audit.notes[0]
    assert audit.answers["quality"].protocol.size == "16x16x3"


def test_greyness_by_hand() -> None:
    grey, colour = pictures(1, channels=1).repeat(3, axis=3), pictures(2)
    half = np.concatenate([grey[:30], colour[:30]])
    assert "50 of 100 samples are grey" in greyness(colour, [half])[0]
    assert "100 of 100 samples have colours; of the real images 0 of 100" in greyness(grey, [colour])[0]
    assert greyness(half, [half]) == ()
    assert greyness(half, [np.concatenate([grey[:40], colour[:20]])]) == ()  # 67 beside 50 of 100
    assert greyness(colour[..., :1], [grey]) == ()
    nearly = np.clip(grey.astype(int) + np.array([0, 2, 3]), 0, 255).astype(np.uint8)  # as JPEG leaves grey
    assert greyness(colour, [nearly]) != ()


def test_fitted() -> None:
    images = pictures(1, 8, 1)
    assert fitted(images, None) is images
    np.testing.assert_array_equal(fitted(images, (8, 8, 3)), images.repeat(3, axis=3))
    large = fitted(pictures(1, 8), (16, 16, 3)).astype(int)
    assert np.abs(large - pictures(1, 16)).mean() < 3  # smooth images keep their content
    assert fitted(images, (4, 6, 1)).shape == (60, 4, 6, 1)


def test_nobody_has_judged_by_pixels_whether_they_look_real(tmp_path: Path) -> None:
    audit = judged(tmp_path, pictures(1), pictures(2))
    assert audit.notes[0].startswith("Nobody has judged yet")
    assert "gansmith features install mobilenet" in audit.notes[0]
    assert audit.as_text().startswith("! Nobody has judged yet")
    assert audit.notes[0] in report.page(audit)
    assert audit.answers["quality"].verdict != "good"

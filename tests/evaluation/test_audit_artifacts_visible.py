"""Traces that nobody can see: enlarged images hold next to no fine detail, and what is little is many times it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits

from gansmith.evaluation.audit import artifacts
from gansmith.evaluation.audit.artifacts import answer
from gansmith.evaluation.audit.artifacts_visible import added, visible
from gansmith.evaluation.audit.artifacts_words import Traces
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Extractor, Side

Pixels = NDArray[np.uint8]
NONE = Extractor("none", "0", "", lambda batch: None)  # type: ignore[arg-type,return-value]


@pytest.fixture(autouse=True)
def _fewer_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts.resampled, "__kwdefaults__", {"count": None, "repeats": 200})


def digits(count: int, start: int) -> Pixels:
    """Real images [N, 32, 32, 1], enlarged smoothly from 8 x 8."""
    small = np.rint(load_digits().images[start : start + count] * 255 / 16).astype(np.uint8)
    return np.stack([Image.fromarray(one).resize((32, 32), Image.Resampling.BICUBIC) for one in small])[..., None]


TRAIN, MADE = digits(400, 0), digits(300, 400)
ROWS, COLUMNS = np.mgrid[:32, :32]
CHECKS = ((-1.0) ** (ROWS + COLUMNS))[None, :, :, None]


def with_waves(images: Pixels, waves: NDArray[np.float64]) -> Pixels:
    return np.clip(np.rint(images + waves), 0, 255).astype(np.uint8)


def noise(levels: float) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(0, levels, MADE.shape)


def ask(made: Pixels) -> Answer:
    base = Protocol("", "something", "digits", 0, 0, "32x32x1", "raw")
    return answer(Evidence(Side("real", TRAIN), None, (Side("samples", made),), NONE, NONE, base))


def test_much_more_than_next_to_nothing_is_no_trace() -> None:
    """Uneven edges, three levels strong, as a generator leaves them: five times the detail of enlarged digits."""
    edges = np.abs(MADE - ndimage.uniform_filter(MADE.astype(float), (0, 3, 3, 0))) > 8
    found = ask(with_waves(MADE, edges * noise(5)))
    assert found.numbers["high_frequencies"].low > 4  # type: ignore[operator]  # decibels
    assert 0.2 < found.numbers["fine_detail_noticeable"].value < 0.8
    assert (found.verdict, found.headline) == ("good", "high_frequencies")
    percent = 100 * 10 ** (found.numbers["high_frequencies"].value / 10)
    assert f"{percent:,.0f} %" in found.sentence
    assert "enlarged" in found.sentence
    assert f"{found.numbers['fine_detail_noticeable'].value:.2f}" in found.details[2]


def test_a_pattern_weaker_than_one_grey_level_is_no_trace() -> None:
    dithered = np.random.default_rng(0).uniform(-0.5, 0.5, MADE.shape)
    found = ask(with_waves(MADE, 0.7 * CHECKS + dithered))
    assert found.numbers["checkerboard"].low > 2  # type: ignore[operator]
    assert 0.2 < found.numbers["checkerboard_levels"].value < 1
    assert found.verdict == "good"
    assert "255" in found.sentence


@pytest.mark.parametrize(
    ("made", "word"),
    [
        (with_waves(MADE, noise(12)), "too rough"),
        (with_waves(MADE, 4 * CHECKS), "checkerboard"),
        (with_waves(MADE, 10 * CHECKS), "checkerboard"),
        (np.rint(ndimage.gaussian_filter(MADE.astype(float), (0, 1, 1, 0))).astype(np.uint8), "too smooth"),
        (MADE[:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2), "too rough"),
    ],
    ids=["noise of 12", "checkerboard of 4", "checkerboard of 10", "blur of 1", "halved and doubled"],
)
def test_what_one_sees_is_bad(made: Pixels, word: str) -> None:
    found = ask(made)
    assert found.verdict == "bad"
    assert word in found.sentence


def test_what_is_missing_is_not_asked_about() -> None:
    smooth = Traces(None, 2, -3.0, False)
    assert visible(smooth, TRAIN, MADE, [], 0) == (smooth, (), {})


def test_each_trace_is_weighed_by_itself() -> None:
    """Strong noise and a weak pattern: one stays; the pattern's strongest place counts."""
    both = Traces(5.0, 2, 9.0, True)
    made = with_waves(MADE, noise(12))
    seen = visible(both, TRAIN, made, [0, 1], 0)
    assert seen.traces == Traces(None, 2, 9.0, True)
    assert seen.unseen == ("a checkerboard",)
    two = visible(both, TRAIN, with_waves(MADE, 6 * CHECKS), [0, 1, 2], 0)
    assert two.traces.checkerboard == 5.0
    assert two.numbers["checkerboard_levels"].value == pytest.approx(6, rel=0.15)  # black and white cut it off


def test_added_is_the_root_of_a_difference() -> None:
    real, fake = np.full(50, 7.0), np.full(40, 16.0)
    assert added(real, fake, 0, "").value == pytest.approx(3)
    assert added(fake, real, 0, "").value == pytest.approx(-3)
    spread = np.random.default_rng(0).exponential(4, 1000)
    number = added(np.zeros(1000), spread, 0, "")
    half = 1.96 * spread.std() / np.sqrt(1000)
    assert number.low == pytest.approx(np.sqrt(spread.mean() - half), rel=0.02)
    assert number.high == pytest.approx(np.sqrt(spread.mean() + half), rel=0.02)

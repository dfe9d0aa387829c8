"""Artifacts beside the real images most like each sample: what belongs to a kind of image is no trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from gansmith.evaluation.audit import artifacts
from gansmith.evaluation.audit.artifacts import answer
from gansmith.evaluation.audit.artifacts_matched import Limits, Matched, Neighbours, grain_of, matched, weigh
from gansmith.evaluation.audit.artifacts_words import Traces
from gansmith.evaluation.metrics.spectrum import Readings, readings
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Extractor, Features, Number, Side

Pixels = NDArray[np.uint8]
NONE = Extractor("none", "0", "", lambda batch: None)  # type: ignore[arg-type,return-value]


@pytest.fixture(autouse=True)
def _fewer_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts.resampled, "__kwdefaults__", {"count": None, "repeats": 200})


def pictures(count: int, seed: int, *, soft: float = 0.0) -> Pixels:
    """Images [N, 32, 32, 1] with the spectrum of photographs, 1 / f, blurred by `soft` pixels."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.fftfreq(32)[None])
    radius[0, 0] = np.inf
    waves = np.fft.ifft2(np.fft.fft2(rng.normal(size=(count, 32, 32))) / radius).real
    waves = ndimage.gaussian_filter(35 * waves / waves.std(), (0, soft, soft), mode="wrap")
    return np.clip(np.rint(128 + waves), 0, 255).astype(np.uint8)[..., None]


def features(count: int, kind: int, seed: int) -> Features:
    """Features [N, 3] near the axis of the kind, all others chance."""
    return (np.random.default_rng(seed).normal(0, 0.2, (count, 3)) + 3 * np.eye(3)[kind]).astype(np.float32)


SHARP, SOFT = 0, 1  # two kinds of images: the soft ones have about a sixth of the fine detail
KINDS = ((SHARP, 0.0), (SOFT, 0.8))
TRAIN = Side(
    "real",
    np.concatenate([pictures(200, kind, soft=soft) for kind, soft in KINDS]),
    np.concatenate([features(200, kind, kind) for kind, _ in KINDS]),
)


def ask(images: Pixels, kind: int, points: Features | None = None, **more: Any) -> Answer:
    where = features(len(images), kind, 9) if points is None else points
    base = Protocol("", "something", "pictures", 0, 0, "32x32x1", "raw")
    options: dict[str, Any] = {"directions": True, **more}
    return answer(Evidence(TRAIN, None, (Side("samples", images, where),), NONE, NONE, base, **options))


@pytest.mark.parametrize(("kind", "soft"), KINDS)
def test_one_kind_of_images_is_not_accused_of_its_spectrum(kind: int, soft: float) -> None:
    found = ask(pictures(150, 5, soft=soft), kind)
    assert abs(found.numbers["high_frequencies"].value) > 1.5
    assert (found.verdict, found.headline) == ("good", "high_frequencies")
    assert "most like them" in found.sentence
    assert abs(found.numbers["high_frequencies_matched"].value) < 0.5
    assert answer_without_features(pictures(150, 5, soft=soft)) == "bad"


def answer_without_features(images: Pixels) -> str:
    base = Protocol("", "something", "pictures", 0, 0, "32x32x1", "raw")
    bare = Side("real", TRAIN.images)
    return answer(Evidence(bare, None, (Side("samples", images),), NONE, NONE, base)).verdict


def test_a_trace_beyond_the_kind_is_still_bad() -> None:
    found = ask(pictures(150, 5, soft=0.8), SHARP)
    assert found.verdict == "bad"
    assert "too smooth" in found.sentence
    assert found.numbers["high_frequencies_matched"].high < -5  # type: ignore[operator]
    rows, columns = np.indices((32, 32))
    board = (6 * (1 - 2 * ((rows + columns) % 2)))[None, :, :, None]
    lattice = ask(np.clip(pictures(150, 5, soft=0.8) + board, 0, 255).astype(np.uint8), SOFT)
    assert lattice.verdict == "bad"
    assert "every 2 pixels" in lattice.sentence


def test_a_few_images_again_and_again_are_not_too_smooth() -> None:
    """Their spectrum is that of these few; only what no real image has is a trace."""
    again = np.arange(150) % 3
    chosen = TRAIN.features[[201, 250, 300]]  # type: ignore[index]
    found = ask(TRAIN.images[[201, 250, 300]][again], SOFT, chosen[again])  # type: ignore[index]
    assert found.verdict == "cannot tell"
    assert "nearest to most samples" in found.sentence
    assert found.numbers["nearest_real_images"].value == pytest.approx(3)
    spoilt = ask(pictures(3, 5, soft=2.5)[again], SOFT, chosen[again])
    assert spoilt.verdict == "bad"
    assert "too smooth" in spoilt.sentence


NOTHING = Number(0.0, -0.3, 0.3)


@pytest.mark.parametrize(
    ("fine", "sure", "verdict"),
    [
        (Number(-1.5, -1.8, -1.2), 1, "trace"),
        (Number(-1.5, -1.8, -1.2), 2, "untold"),
        (Number(-2.5, -2.8, -2.2), 2, "trace"),
        (Number(-1.5, -2.2, -0.8), 1, "untold"),
        (Number(-0.9, -1.5, -0.3), 1, "kind"),
        (Number(+3.0, 2.5, 3.5), 1, "kind"),  # the other way
    ],
)
def test_a_trace_must_be_there_beside_the_nearest_as_well(fine: Number, sure: float, verdict: str) -> None:
    """Fine detail that beside all real images is 3 decibels weak; by pixels it must be twice as surely so."""
    beside = Matched(NOTHING, fine, NOTHING, 50, (False, False))
    weighed = weigh(Traces(None, 2, -3.0, False), beside, Limits(2, 1), grain=1.5, sure=sure)
    state = "trace" if weighed.traces else "kind" if weighed.kinds else "untold" if weighed.untold else ""
    assert state == verdict
    assert not weighed.alike


def test_what_nearness_itself_selects_is_taken_away() -> None:
    """By hand: a sample over the mean of its neighbours, less the same of the real images."""
    fine = np.array([0.0, 2.0, 4.0, 6.0])
    real = Readings(np.zeros((4, 1)), fine, np.zeros((32, 32)))
    fake = Readings(np.array([[5.0], [7.0]]), np.array([9.0, 9.0]), np.zeros((32, 32)))
    beside = Neighbours(np.array([[0, 1], [2, 3]]), np.array([[1, 1], [0, 0], [3, 3], [2, 2]]))
    images = pictures(4, 0)
    found = matched(images, real, fake, beside, site=0, seed=0)
    assert found.checkerboard.value == 6
    assert found.fine.value == 9 - 3 - 0
    assert found.effective == 2
    assert found.extreme == (True, True)
    smoother = Neighbours(beside.of_samples, np.array([[0, 0], [0, 0], [1, 1], [2, 2]]))
    assert matched(images, real, fake, smoother, site=0, seed=0).fine.value == 9 - 3 - 1.5


def test_the_interval_counts_repeats_of_one_image_once() -> None:
    """120 samples in 4 groups of one value each: the interval is that of 4 values."""
    values = np.array([-3.0, -1.0, 1.0, 3.0])
    real = Readings(np.zeros((4, 1)), np.zeros(4), np.zeros((32, 32)))
    groups = np.arange(120) % 4
    fake = Readings(np.zeros((120, 1)), values[groups], np.zeros((32, 32)))
    beside = Neighbours(groups[:, None], np.arange(4)[:, None])
    fine = matched(pictures(4, 0), real, fake, beside, site=0, seed=0).fine
    assert fine.high == pytest.approx(1.96 * np.std(values) / 2, rel=0.15)
    assert fine.low == pytest.approx(-fine.high, rel=0.1)  # type: ignore[operator]


def test_grain_is_the_deviation_off_the_grid() -> None:
    peaks = np.random.default_rng(0).normal(0, 2, (32, 32))
    grain = grain_of(peaks)
    assert grain.value == pytest.approx(2, rel=0.1)
    assert grain.low < grain.value < grain.high  # type: ignore[operator]
    many = readings(pictures(200, 3)).peaks - readings(pictures(200, 4)).peaks
    assert grain_of(many).value < 1

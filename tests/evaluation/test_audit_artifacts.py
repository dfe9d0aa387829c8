"""The answer on artifacts: planted traces are found and named, real images are clean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from gansmith.errors import DataError
from gansmith.evaluation.audit import artifacts
from gansmith.evaluation.audit.artifacts import answer, limits
from gansmith.evaluation.metrics.spectrum import Readings, readings
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Extractor, Side

Pixels = NDArray[np.uint8]
NONE = Extractor("none", "0", "", lambda batch: None)  # type: ignore[arg-type,return-value]


@pytest.fixture(autouse=True)
def _fewer_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts.resampled, "__kwdefaults__", {"count": None, "repeats": 200})


def pictures(count: int, seed: int, *, size: tuple[int, int] = (32, 32), channels: int = 1) -> Pixels:
    """Images with the spectrum of photographs: 1 / f."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])[None])
    radius[0, 0] = np.inf
    waves = np.fft.ifft2(np.fft.fft2(rng.normal(size=(count, *size))) / radius).real
    pixels = np.clip(128 + 35 * waves / waves.std(), 0, 255).astype(np.uint8)
    return pixels[..., None].repeat(channels, axis=-1)


def checkered(images: Pixels, amplitude: float, period: int = 2) -> Pixels:
    rows, columns = np.mgrid[: images.shape[1], : images.shape[2]]
    wave = np.cos(2 * np.pi * rows / period) * np.cos(2 * np.pi * columns / period)
    return np.clip(np.rint(images + amplitude * wave[None, :, :, None]), 0, 255).astype(np.uint8)


def blurred(images: Pixels, radius: float) -> Pixels:
    soft = ndimage.gaussian_filter(images.astype(np.float64), (0, radius, radius, 0), mode="mirror")
    return np.rint(soft).astype(np.uint8)


def evidence(train: Pixels, *made: Pixels, held: Pixels | None = None, **more: Any) -> Evidence:
    return Evidence(
        Side("the training images", train),
        None if held is None else Side("the held-out images", held),
        tuple(Side(f"the samples {i}", images) for i, images in enumerate(made)),
        NONE,
        NONE,
        Protocol("", "something", "pictures", 0, 0, "32x32x1", "raw"),
        **more,
    )


TRAIN, MADE, HELD = pictures(300, 0), pictures(300, 1), pictures(120, 2)


def test_clean_images_are_good() -> None:
    found = answer(evidence(TRAIN, MADE[:150], MADE[150:], held=HELD))
    assert (found.question, found.verdict, found.headline) == ("artifacts", "good", "checkerboard")
    assert "No trace" in found.sentence
    assert len(found.details) == 3
    assert "not what an image shows" in found.details[-1]
    assert (found.protocol.real_count, found.protocol.fake_count) == (300, 300)
    assert found.protocol.metric == "artifacts(spectrum: grey, hann)"
    assert found.protocol.features == ""
    assert found.record()["interval"] == [found.numbers["checkerboard"].low, found.numbers["checkerboard"].high]


def test_false_alarms_and_power() -> None:
    """100 splits of one pool of real images; a checkerboard of 4 levels on every fourth."""
    pool = pictures(600, 3)
    clean, planted = readings(pool), readings(checkered(pool, 4))
    rng = np.random.default_rng(4)
    alarms = beyond = seen = 0
    for seed in range(100):
        order = rng.permutation(600)
        one, other = order[:400], order[400:]
        real = Readings(clean.grid[one], clean.fine[one], clean.peaks)
        bounds = limits(real, 400, 200, seed=seed)
        for images in (clean, planted)[: 1 + (seed % 4 == 0)]:
            fake = Readings(images.grid[other], images.fine[other], images.peaks)
            numbers = artifacts._numbers(real, fake, bounds, seed)
            if images is planted:
                seen += artifacts.find_traces(numbers, 2).checkerboard is not None
            else:
                alarms += bool(artifacts.find_traces(numbers, 2))
                grid, fine = numbers["checkerboard"].value, abs(numbers["high_frequencies"].value)
                beyond += grid > bounds.checkerboard or fine > bounds.high_frequencies
    assert alarms <= 1
    assert 1 <= beyond <= 12  # 5 % is the level of both tests together
    assert seen == 25


@pytest.mark.parametrize("period", [2, 4])
def test_a_checkerboard_is_found_and_named(period: int) -> None:
    found = answer(evidence(TRAIN, checkered(MADE, 6 * period, period), held=HELD))
    assert found.verdict == "bad"
    assert f"every {period} pixels" in found.sentence
    number = found.numbers["checkerboard"]
    assert number.low > 2  # type: ignore[operator]
    assert f"{10 ** (number.value / 10):,.0f} times as strong" in found.sentence
    assert f"{number.value:.1f} decibels stronger" in found.details[0]


def test_a_blur_is_too_smooth() -> None:
    found = answer(evidence(TRAIN, blurred(MADE, 0.7), held=HELD))
    assert (found.verdict, found.headline) == ("bad", "high_frequencies")
    left = 100 * 10 ** (found.numbers["high_frequencies"].value / 10)
    assert "too smooth" in found.sentence
    assert f"{left:.0f} %" in found.sentence
    assert f"{-found.numbers['high_frequencies'].value:.1f} decibels less" in found.details[1]
    assert 10 < left < 40


def test_noise_is_too_rough() -> None:
    noisy = np.clip(MADE + np.random.default_rng(0).normal(0, 20, MADE.shape), 0, 255).astype(np.uint8)
    found = answer(evidence(TRAIN, noisy, held=HELD))
    assert (found.verdict, found.headline) == ("bad", "high_frequencies")
    assert "too rough" in found.sentence


def test_both_traces_are_told() -> None:
    found = answer(evidence(TRAIN, checkered(blurred(MADE, 1.5), 3), held=HELD))
    assert found.headline == "checkerboard"
    assert "checkerboard" in found.sentence
    assert "too smooth" in found.sentence


def test_a_few_pictures_again_and_again_share_a_grain() -> None:
    found = answer(evidence(TRAIN, MADE[np.arange(300) % 4], held=HELD))
    assert (found.verdict, found.headline) == ("bad", "shared_grain")
    assert "grain" in found.sentence
    assert found.numbers["shared_grain"].low > 1.5  # type: ignore[operator]


def test_a_faint_trace_is_told_and_is_good() -> None:
    faint = blurred(MADE, 0.36)
    found = answer(evidence(TRAIN, faint, held=HELD))
    assert found.verdict == "good"
    assert "faint" in found.sentence
    assert "fine detail" in found.sentence
    assert "checkerboard" not in found.sentence
    assert -1 < found.numbers["high_frequencies"].value < -0.2


def test_few_images_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    wild = (TRAIN * np.random.default_rng(0).uniform(0.02, 1, (300, 1, 1, 1))).astype(np.uint8)
    found = answer(evidence(wild[:60], wild[200:250]))
    assert found.verdict == "cannot tell"
    assert "too few images" in found.sentence
    assert abs(found.numbers["high_frequencies"].value) < 3
    monkeypatch.setattr(artifacts, "WIDE", 1)
    alike = answer(evidence(TRAIN[:60], MADE[:50]))  # of equal contrast: only the checkerboard is uncertain
    assert alike.verdict == "cannot tell"
    assert alike.numbers["high_frequencies"].high < 1  # type: ignore[operator]


def test_chance_is_drawn_from_training_and_held_out_images() -> None:
    numbers = answer(evidence(TRAIN, MADE[:200], held=HELD)).numbers
    both = readings(np.concatenate([TRAIN, HELD]))
    expected = limits(both, 300, 200)
    assert numbers["checkerboard_by_chance"].value == pytest.approx(expected.checkerboard)
    assert numbers["high_frequencies_by_chance"].value == pytest.approx(expected.high_frequencies)


@pytest.mark.parametrize(
    ("train", "made", "facts"),
    [
        (pictures(60, 0, size=(15, 40)), pictures(60, 1, size=(15, 40)), ["15x40"]),
        (TRAIN, MADE[:49], ["49 samples", "300 real", "50"]),
        (TRAIN[:49], MADE, ["300 samples", "49 real", "50"]),
        (TRAIN, np.zeros_like(MADE), ["empty"]),
    ],
)
def test_where_nothing_can_be_said(train: Pixels, made: Pixels, facts: list[str]) -> None:
    found = answer(evidence(train, made))
    assert found.verdict == "cannot tell"
    assert all(fact in found.sentence for fact in facts)
    assert found.record()["interval"] is None
    assert found.figures == ()


def test_every_small_size_has_an_answer() -> None:
    """At 16x16 all frequencies are multiples of 1/16, and none lies off the grid."""
    for height, width in [(side, side) for side in range(8, 41)] + [(8, 40), (16, 17), (17, 16), (40, 16), (23, 32)]:
        shape = (height, width)
        answered = answer(evidence(pictures(50, 0, size=shape), pictures(50, 1, size=shape)))
        untold = min(shape) < 16 or shape == (16, 16)
        assert (answered.numbers == {}) == untold, shape
        assert not untold or (answered.verdict == "cannot tell" and f"{height}x{width}" in answered.sentence), shape
        assert all(np.isfinite(number.value) for number in answered.numbers.values()), shape


def test_without_held_out_images() -> None:
    assert "No real images were held out" in answer(evidence(TRAIN, MADE)).details[-2]
    assert "49 images were held out" in answer(evidence(TRAIN, MADE, held=HELD[:49])).details[-2]


def test_held_out_images_that_differ_widen_the_limits() -> None:
    """Where the held-out images are as smooth as the made ones, smoothness is no trace of the network."""
    made, held = blurred(MADE, 0.7), blurred(HELD, 0.8)
    found = answer(evidence(TRAIN, made, held=held))
    assert found.verdict == "good"
    assert "held-out images themselves differ" in found.details[-2]
    assert found.numbers["high_frequencies_by_chance"].value > 3


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_and_transparency(channels: int) -> None:
    train, made = TRAIN.repeat(channels, axis=-1), MADE.repeat(channels, axis=-1)
    if channels == 4:
        train[..., 3] = made[..., 3] = 255
    grey = answer(evidence(TRAIN, MADE)).numbers
    for name, number in answer(evidence(train, made)).numbers.items():
        assert number.value == pytest.approx(grey[name].value, abs=1e-4)


def test_figures() -> None:
    found = answer(evidence(TRAIN, checkered(MADE, 8), held=HELD))
    line, peaks, pattern = found.figures
    assert line.svg is not None
    assert line.svg.startswith("<svg")
    assert "made" in line.svg
    assert peaks.image is not None
    dots = np.asarray(peaks.image, dtype=float)
    assert dots.shape == (256, 256)
    assert dots[:8, :8].min() == 255  # (1/2, 1/2) lies in the corner
    assert abs(np.median(dots) - 128) < 10
    assert pattern.image is not None
    lattice = np.asarray(pattern.image, dtype=float)[::8, ::8]
    signs = np.where(np.indices(lattice.shape).sum(axis=0) % 2, -1, 1)
    assert np.corrcoef(lattice.ravel(), signs.ravel())[0, 1] > 0.9
    times = float(pattern.caption.partition("magnified ")[2].partition(" times")[0])
    assert 4 < times < 127 / 8  # 8 levels and the noise on them reach 127


def test_many_images_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "MOST", 100)
    found = answer(evidence(TRAIN, MADE[:150], MADE[150:], held=HELD, seed=3))
    assert (found.protocol.real_count, found.protocol.fake_count) == (100, 100)
    assert found == answer(evidence(TRAIN, MADE[:150], MADE[150:], held=HELD, seed=3))


def test_limits_follow_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of normal values: 97.5 % of a mean's differences lie below 1.96 deviations, and within 2.24 either way."""
    monkeypatch.setattr(artifacts.resampled, "__kwdefaults__", {"count": None, "repeats": 4000})
    rng = np.random.default_rng(0)
    pool = Readings(rng.normal(0, 5, (400, 1)), rng.normal(0, 3, 400), np.zeros((8, 8)))
    spread = np.array([1.960 * pool.grid.std(), 2.241 * pool.fine.std()])
    for real, fake in ((200, 100), (400, 700)):
        np.testing.assert_allclose(limits(pool, real, fake), spread * np.sqrt(1 / real + 1 / fake), rtol=0.06)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (evidence(TRAIN), "samples"),
        (
            evidence(TRAIN, MADE, MADE[:, :30]),
            r"\[\(30, 32, 1\), \(32, 32, 1\)\]",
        ),
        (evidence(TRAIN, MADE[:, :30]), "32x32.*30x32"),
        (evidence(TRAIN, MADE, held=pictures(60, 0, size=(16, 32))), "held-out images.*size"),
    ],
)
def test_errors(given: Evidence, message: str) -> None:
    with pytest.raises(DataError, match=message):
        answer(given)


def test_a_side_without_images() -> None:
    given = evidence(TRAIN, MADE)
    bare = Side("the training images", features=np.zeros((300, 2), np.float32))
    with pytest.raises(DataError, match="the training images"):
        answer(Evidence(bare, None, given.fakes, NONE, NONE, given.base))

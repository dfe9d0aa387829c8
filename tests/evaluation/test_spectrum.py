"""The spectrum sees a checkerboard and a blur, and is clean on real images beside real ones."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.datasets import load_digits

from gansmith.data.open import open_dataset
from gansmith.errors import DataError
from gansmith.evaluation.metrics.spectrum import (
    Readings,
    build,
    compare,
    elsewhere,
    grey,
    readings,
    resampled,
    sites,
    spectral_traces,
    spectrum,
    strengths,
)
from gansmith.evaluation.types import Side

Pixels = NDArray[np.uint8]


def noise(count: int, height: int = 32, width: int = 32, channels: int = 1, *, seed: int = 0) -> Pixels:
    rng = np.random.default_rng(seed)
    return rng.integers(60, 190, (count, height, width, channels)).astype(np.uint8)


def digits() -> Pixels:
    """Real images: 1,797 x 16 x 16 grey, enlarged smoothly from 8 x 8."""
    pictures = ndimage.zoom(load_digits().images, (1, 2, 2), order=3, mode="nearest", grid_mode=True)
    return np.clip(np.rint(pictures * 15), 0, 255).astype(np.uint8)[..., None]


def checkered(images: Pixels, amplitude: float, down: float, across: float) -> Pixels:
    """A wave of this many cycles per pixel down and across, added."""
    rows, columns = np.mgrid[: images.shape[1], : images.shape[2]]
    wave = amplitude * np.cos(2 * np.pi * (down * rows + across * columns))
    return np.clip(np.rint(images + wave[None, :, :, None]), 0, 255).astype(np.uint8)


def blurred(images: Pixels, radius: float) -> Pixels:
    soft = ndimage.gaussian_filter(images.astype(np.float64), (0, radius, radius, 0), mode="mirror")
    return np.rint(soft).astype(np.uint8)


def real(data: Path, name: str, size: int, count: int) -> Pixels:
    source: Any = open_dataset(data / name)
    source = source.take(fraction=min(1.0, count / len(source)), seed=0).resize(size=(size, size), channels=3)
    return np.stack([source.one(index).image for index in range(len(source))])


def test_sites_by_size() -> None:
    assert [site[0] for site in sites(8, 100)] == [2] * 3
    assert [site[0] for site in sites(15, 100)] == [2] * 3
    assert [site[0] for site in sites(100, 16)] == [2] * 3 + [4] * 6
    assert [site[0] for site in sites(32, 32)] == [2] * 3 + [4] * 6 + [8] * 4
    assert all(8 // math.gcd(8, i, j) == period for period, i, j in sites(64, 64))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (28, 28), (17, 40), (33, 21), (64, 48)])
def test_white_noise_is_flat(height: int, width: int) -> None:
    """Power of white noise: its variance times the window's energy, at every frequency; mean of the log at one
    frequency lower by 10 log10(e) times Euler's constant = 2.51, at a ring hardly."""
    images = noise(300, height, width)
    window = np.outer(*(np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in (height, width)))
    expected = 10 * np.log10(images.astype(float).var() * np.square(window).sum())
    frequencies, decibels = spectrum(images)
    assert len(frequencies) == min(height, width) // 2
    assert frequencies[-1] == 0.5
    np.testing.assert_allclose(decibels[2:], expected, atol=1.0)
    read = readings(images)
    assert read.grid.shape == (300, len(sites(height, width)))
    peaks = read.grid.mean(axis=0)
    corner = [min(abs(i), 4 - abs(i)) == 0 and min(abs(j), 4 - abs(j)) == 0 for _, i, j in sites(height, width)]
    # a real number's square has a mean log 3.0 decibels below that of a complex one of equal power
    np.testing.assert_allclose(peaks[corner], -3.01, atol=1.6)
    np.testing.assert_allclose(peaks[~np.array(corner)], 0, atol=1.6)
    shape = [8 * -(-n // 8) for n in (height, width)]
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None])
    np.testing.assert_allclose(read.fine.mean(), expected + 10 * np.log10((radius > 0.25).sum()), atol=0.3)


def test_a_ring_holds_a_wave() -> None:
    """A wave of 1/4 cycle per pixel across peaks at 1/4, and its power there is (a / 2 sum w)^2 over the ring."""
    images = checkered(np.full((2, 64, 64, 1), 128, np.uint8), 40, 0, 0.25)
    frequencies, decibels = spectrum(images)
    assert frequencies[decibels.argmax()] == 0.25
    assert decibels.max() - decibels[len(decibels) // 4] > 40
    slanted = checkered(np.full((2, 64, 64, 1), 128, np.uint8), 40, 11 / 64, 11 / 64)
    frequencies, decibels = spectrum(slanted)
    assert frequencies[decibels.argmax()] == 16 / 64  # the ring next to 11 sqrt(2) = 15.6


def test_readings_beside_sums_written_out() -> None:
    """The Fourier sum at a frequency and at its eight neighbours, term by term."""
    images = noise(3, 17, 26, seed=4)
    read = readings(images)
    window = np.outer(*(np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in (17, 26)))
    rows, columns = np.mgrid[:17, :26]

    def level(image: NDArray[np.float64], down: float, across: float) -> float:
        centred = (image - (image * window).sum() / window.sum()) * window
        power = abs((centred * np.exp(-2j * np.pi * (down * rows + across * columns))).sum()) ** 2
        return float(10 * np.log10(power + np.square(window).sum() / 12))

    def peak(image: NDArray[np.float64], down: float, across: float) -> float:
        steps = 3 / 24, 3 / 32  # 2 / 17 and 2 / 26, in whole steps of the padded sides
        near = [(a * steps[0], b * steps[1]) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]
        around = [level(image, down + a, across + b) for a, b in near]
        return level(image, down, across) - float(np.mean(around))

    pictures = images[..., 0].astype(np.float64)
    expected = [[peak(picture, i / 8, j / 8) for _, i, j in sites(17, 26)] for picture in pictures]
    np.testing.assert_allclose(read.grid, expected, atol=1e-9)
    assert read.peaks.shape == (24, 32)
    np.testing.assert_allclose(read.peaks[5, 30], np.mean([peak(p, 5 / 24, -2 / 32) for p in pictures]))


@pytest.mark.parametrize(("period", "down", "across"), sites(40, 33))
def test_a_wave_shows_at_its_site(period: int, down: int, across: int) -> None:
    """Every site alone, at a size that is no multiple of 8."""
    plain = noise(40, 40, 33)
    found = readings(checkered(plain, 20, down / 8, across / 8)).grid.mean(axis=0) - readings(plain).grid.mean(axis=0)
    here = sites(40, 33).index((period, down, across))
    assert found.argmax() == here
    assert found[here] > 10
    assert np.delete(found, here).max() < 5


def test_elsewhere_leaves_out_the_grid() -> None:
    peaks = np.zeros((64, 64))
    peaks[::4, ::4] = 99  # the multiples of 1/16
    assert elsewhere(peaks).max() == 0
    peaks[5, 20] = 7
    assert elsewhere(peaks).max() == 7
    peaks[1, 2] = 50  # coarse: what the pictures show
    assert elsewhere(peaks).max() == 7
    assert len(elsewhere(np.zeros((24, 24)))) == 24 * 24 - 64 - (29 - 5)  # 29 within 1/8, 5 of them on the grid


def test_edges_do_not_leak() -> None:
    """A ramp jumps where its edges meet; under the window it has no fine detail to speak of."""
    ramp = np.broadcast_to(np.arange(0, 256, 4, dtype=np.uint8)[None, None, :, None], (4, 64, 64, 1))
    without = np.square(np.abs(np.fft.fft2(ramp[0, :, :, 0].astype(float) - ramp.mean())))
    radius = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(64)[None])
    assert readings(ramp).fine.mean() < 10 * np.log10(without[radius > 0.25].sum()) - 25


def test_checkerboard_and_blur_on_digits() -> None:
    images = digits()
    train, held = images[:1200], images[1200:]
    clean = spectral_traces(train, held)
    assert abs(clean["high_frequencies"].value) < 1
    assert clean["checkerboard"].low < 1.5
    board = spectral_traces(train, checkered(held, 4, 0.5, 0.5))
    assert board["checkerboard"].low > 3
    stretched = spectral_traces(train, checkered(held, 8, 0.25, 0))
    assert stretched["checkerboard"].low > 2
    soft = spectral_traces(train, blurred(held, 0.7))
    assert soft["high_frequencies"].high < -3
    rough = np.clip(held + np.random.default_rng(0).normal(0, 25, held.shape), 0, 255).astype(np.uint8)
    assert spectral_traces(train, rough)["high_frequencies"].low > 3


@pytest.mark.parametrize(("name", "size"), [("emoji_google.zip", 32), ("signdigits100_jpg.zip", 33)])
def test_on_real_images(test_data: Path, name: str, size: int) -> None:
    images = real(test_data, name, size, 400)
    train, held = images[::2], images[1::2]
    clean = spectral_traces(train, held)
    assert clean["checkerboard"].low < 1
    assert abs(clean["high_frequencies"].value) < 1
    assert spectral_traces(train, checkered(held, 4, 0.5, 0.5))["checkerboard"].low > 10
    assert spectral_traces(train, blurred(held, 0.7))["high_frequencies"].high < -3


def test_the_blur_takes_what_its_kernel_takes() -> None:
    """On white noise: the kernel's squared response, averaged over the frequencies above 1/4."""
    plain = noise(200, 64, 64, seed=1)
    weights = np.exp(-np.square(np.arange(-2, 3) / 0.5) / 2)
    axis = np.fft.fftfreq(64)
    response = np.cos(2 * np.pi * axis[:, None] * np.arange(-2, 3)) @ (weights / weights.sum())
    radius = np.hypot(axis[:, None], axis[None])
    expected = 10 * np.log10(np.square(np.outer(response, response))[radius > 0.25].mean())
    found = spectral_traces(plain, blurred(plain, 0.5))["high_frequencies"]
    np.testing.assert_allclose(found.value, expected, atol=0.05)


@pytest.mark.parametrize("shift", [[0.0, 3.0, 0.5], [0.0] * 13], ids=["one site", "all sites alike"])
def test_intervals_cover(monkeypatch: pytest.MonkeyPatch, shift: list[float]) -> None:
    """Per-image values of known means, 200 sets: the interval at the largest site, and that of fine detail. Where the
    largest of many equal sites is picked its error is upwards, and the interval holds as for all of them at once."""
    monkeypatch.setattr("gansmith.evaluation.metrics.spectrum.resampled", partial(resampled, repeats=200))
    rng = np.random.default_rng(6)
    inside = np.zeros(2)
    for seed in range(200):
        sets = [
            Readings(rng.gumbel(0, 5, (count, len(shift))) + means, rng.normal(0, 3, count), np.zeros((8, 8)))
            for count, means in ((150, 0.0), (80, np.array(shift)))
        ]
        found = compare(*sets, seed=seed)
        site = int((sets[1].grid.mean(axis=0) - sets[0].grid.mean(axis=0)).argmax())
        inside += [
            found["checkerboard"].low <= shift[site] <= found["checkerboard"].high,
            found["high_frequencies"].low <= 0 <= found["high_frequencies"].high,
        ]
    assert inside[0] / 200 >= 0.95
    assert 0.90 <= inside[1] / 200 <= 0.98


def test_resampled_means() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, (400, 2))
    drawn = resampled(values, np.random.default_rng(1), count=100, repeats=2000)
    assert drawn.shape == (2000, 2)
    np.testing.assert_allclose(drawn.mean(axis=0), values.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(drawn.std(axis=0), values.std(axis=0) / 10, rtol=0.06)
    assert resampled(values, rng, repeats=3).shape == (3, 2)


def test_same_images_and_symmetry() -> None:
    images = digits()[:100]
    same = spectral_traces(images, images)
    assert same["checkerboard"].value == 0
    assert same["high_frequencies"].value == 0
    one, other = images[:50], blurred(images[50:], 1)
    there, back = (spectral_traces(*sides)["high_frequencies"].value for sides in ((one, other), (other, one)))
    np.testing.assert_allclose(there, -back)
    again = spectral_traces(one, other), spectral_traces(one, other)
    assert again[0] == again[1]
    assert spectral_traces(one, other, seed=1) != again[0]
    shuffled = np.random.default_rng(0).permutation(50)
    np.testing.assert_allclose(spectral_traces(one[shuffled], other)["high_frequencies"].value, there)


def test_grey_of_colours_and_transparency() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 20, 30]]], np.uint8)[None]
    expected = [[[76.245, 149.685], [29.07, 18.15]]]
    np.testing.assert_allclose(grey(colours), expected)
    alpha = np.concatenate([colours, np.array([[255, 0], [51, 255]], np.uint8)[None, ..., None]], axis=-1)
    np.testing.assert_allclose(grey(alpha), [[[76.245, 255], [0.2 * 29.07 + 0.8 * 255, 18.15]]])
    np.testing.assert_allclose(grey(colours[..., :1]), colours[..., 0])


def test_grey_images_equal_their_copies_in_colour() -> None:
    images = noise(5)
    opaque = np.concatenate([images.repeat(3, axis=-1), np.full_like(images, 255)], axis=-1)
    for other in (images.repeat(3, axis=-1), opaque):
        np.testing.assert_allclose(readings(other).grid, readings(images).grid, atol=1e-6)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = noise(11, 19, 24)
    whole, line = readings(images), spectrum(images)
    monkeypatch.setattr("gansmith.evaluation.metrics.spectrum._VALUES", 24 * 24 * 4)
    for part, all_ in zip((*readings(images), *spectrum(images)), (*whole, *line), strict=True):
        np.testing.assert_allclose(part, all_)


def test_constant_images_have_numbers() -> None:
    flat = np.full((3, 16, 16, 1), 7, np.uint8)
    found = spectral_traces(flat, flat)
    assert all(np.isfinite([n.value, n.low, n.high]).all() for n in found.values())


def test_build() -> None:
    metric = build()
    assert metric.needs == ("images",)
    assert metric.words == "spectrum(grey, hann)"
    images = noise(6)
    found = metric.measure(Side("real", images=images), Side("fake", images=blurred(images, 1)))
    assert found == spectral_traces(images, blurred(images, 1))
    with pytest.raises(DataError, match=r"spectrum.*made"):
        metric.measure(Side("real", images=images), Side("made", features=np.zeros((6, 2), np.float32)))


@pytest.mark.parametrize(
    ("real_side", "fake_side", "message"),
    [
        (noise(3), noise(3, 16), "32x32.*16x32"),
        (noise(3), noise(1), "at least 2.*fake images are 1"),
        (noise(0), noise(3), "at least 2.*real images are 0"),
        (noise(3, 7), noise(3, 7), "real images are 7x32.*8"),
        (noise(3, channels=2), noise(3), r"the real images are uint8 \[3, 32, 32, 2\]: .* 1, 3 or 4 channels"),
        (noise(3), noise(3).astype(np.float32), r"the fake images are float32 \[3, 32, 32, 1\]"),
        (noise(3)[..., 0], noise(3), r"the real images are uint8 \[3, 32, 32\]"),
    ],
)
def test_errors(real_side: Pixels, fake_side: Pixels, message: str) -> None:
    with pytest.raises(DataError, match=message):
        spectral_traces(real_side, fake_side)


@pytest.mark.parametrize("size", [(32, 32), (37, 50)])
def test_strength_is_the_square_of_the_amplitude(size: tuple[int, int]) -> None:
    """At every place of the grid, of images whose sides are multiples of 8 or not."""
    flat = np.full((2, *size, 1), 120, np.uint8)
    for site, (_, down, across) in enumerate(sites(*size)):
        values = strengths(checkered(flat, 20, down / 8, across / 8), site)
        np.testing.assert_allclose(np.sqrt(values), 20, rtol=0.04)
        assert np.abs(strengths(flat, site)).max() < 0.01

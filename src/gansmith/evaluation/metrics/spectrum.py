"""Power spectrum beside that of real images: checkerboards, and fine detail that is missing or too strong.

spectrum   Durall, Keuper, Keuper 2020, "Watch your Up-Convolution: CNN Based Generative Deep Neural Networks are
           Failing to Reproduce Spectral Distributions": the power spectrum averaged over all directions
the grid   Odena, Dumoulin, Olah 2016, "Deconvolution and Checkerboard Artifacts": a layer that doubles the size can
           leave a pattern of period 2, which later layers stretch to 4 and 8: peaks in the spectrum at multiples of
           1/2, 1/4 and 1/8 cycles per pixel, which photographs do not have

Images are made grey (luma of ITU-R BT.601; alpha is laid on white), their mean is taken out, and a Hann window keeps
their edges, which are no structure of theirs, out of the spectrum. Energies are compared in decibels, averaged over
images, so that every image counts alike; the energy that rounding to 8 bits leaves anyway is added to each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation.preprocess import LUMA
from gansmith.evaluation.types import Images, Metric, Number, Side
from gansmith.system.progress import bar
from gansmith.system.seeding import mix

Array = NDArray[np.float64]

LEAST = 8  # pixels a side: a period of 2 and its neighbourhood
FINE = 0.25  # cycles per pixel: above, the finest half of what pixels can hold
REPEATS = 1000  # of the bootstrap
_CHANNELS = (1, 3, 4)
_VALUES = 1 << 20  # pixels transformed at once
_ROUNDING = 1 / 12  # levels squared: the variance of rounding to whole levels
_SITES: Mapping[int, tuple[tuple[int, int], ...]] = {  # period -> (down, across), in eighths of a cycle per pixel
    2: ((0, 4), (4, 0), (4, 4)),
    4: ((0, 2), (2, 0), (2, 2), (2, -2), (2, 4), (4, 2)),
    8: ((0, 1), (1, 0), (1, 1), (1, -1)),
}


class Spectrum(NamedTuple):
    """frequencies [F] in cycles per pixel, up to 1/2; decibels [F], the power of a typical image at each."""

    frequencies: Array
    decibels: Array


class Readings(NamedTuple):
    """Readings of the spectra of images, in decibels.

    grid [N, S]  of each image, the power at each of `sites` over that of its neighbourhood
    fine [N]     of each image, the energy above 1/4 cycle per pixel
    peaks [P, Q] the power at every frequency over that of its neighbourhood, the mean of all images; in the order of
                 `numpy.fft.fftfreq`, P and Q being the sides rounded up to multiples of 8
    """

    grid: Array
    fine: Array
    peaks: Array


def sites(height: int, width: int) -> list[tuple[int, int, int]]:
    """Frequencies of checkerboards: (period in pixels, down, across), the latter in eighths of a cycle per pixel.

    A period is tested where the shorter side holds it four times: its neighbourhood is then clear of other sites.
    """
    side = min(height, width)
    return [(period, *place) for period, places in _SITES.items() if side >= 4 * period for place in places]


def spectrum(images: Images) -> Spectrum:
    """Images uint8 [N, H, W, C] of any H x W from 8 pixels on -> their azimuthally averaged log power spectrum.

    Raises DataError for anything else.
    """
    height, width = _checked(images, "the").shape[1:3]
    rings = min(height, width) // 2
    total = np.zeros(rings)
    for power, radius in _powers(images):
        ring = np.rint(radius * 2 * rings).astype(np.int64)
        for k in range(1, rings + 1):
            total[k - 1] += _decibels(power[:, ring == k].mean(axis=1)).sum()
    return Spectrum(np.arange(1, rings + 1) / (2 * rings), total / len(images))


def readings(images: Images) -> Readings:
    """Images uint8 [N, H, W, C] -> the readings of each that are compared. Raises DataError as `spectrum` does."""
    height, width = _checked(images, "the").shape[1:3]
    places = np.array([place for _, *place in sites(height, width)])
    grid, fine, total = [], [], np.zeros(1)
    for power, radius in _powers(images):
        peaks = _decibels(power)
        peaks = peaks - _around(peaks, height, width)
        down, across = (places[:, axis] * (radius.shape[axis] // 8) for axis in (0, 1))
        grid.append(peaks[:, down, across])
        fine.append(_decibels(power[:, radius > FINE].sum(axis=1)))
        total = total + peaks.sum(axis=0)
    return Readings(np.concatenate(grid), np.concatenate(fine), total / len(images))


def strengths(images: Images, site: int) -> Array:
    """Images uint8 [N, H, W, C] -> of each [N], the square of the amplitude, in grey levels, of the wave at a place of
    `sites` over its neighbourhood: amplitude 2 is a pattern between 2 levels darker and 2 brighter."""
    height, width = _checked(images, "the").shape[1:3]
    period, down, across = sites(height, width)[site]
    gain = np.outer(_hann(height), _hann(width)).sum() / (1 if period == 2 else 2)  # half at each of f and -f
    values = []
    for power, radius in _powers(images):
        place = (slice(None), down * (radius.shape[0] // 8), across * (radius.shape[1] // 8))
        values.append((power - _around(power, height, width))[place] / gain**2)
    return np.concatenate(values)


def elsewhere(peaks: Array) -> Array:
    """Peaks [P, Q] -> those at frequencies above 1/8 where no checkerboard shows: off the multiples of 1/16."""
    rows, columns = peaks.shape
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None, :])
    on = (16 * np.arange(rows) % rows == 0)[:, None] & (16 * np.arange(columns) % columns == 0)[None, :]
    others: Array = peaks[~on & (radius > 1 / 8)]
    return others


def spectral_traces(real: Images, fake: Images, *, seed: int = 0) -> dict[str, Number]:
    """Images uint8 [N, H, W, C] and [M, H, W, C] -> how far the fakes' spectrum is from the real ones', in decibels.

    checkerboard      by how much the fakes' peak above its neighbourhood exceeds the real images', at the site where it
                      does so most; its interval holds at all sites at once
    high_frequencies  energy above 1/4 cycle per pixel, fake over real: below 0 too smooth, above 0 too rough
    Raises DataError for different or unusable shapes, or fewer than 2 images a side.

    >>> images = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 1), dtype=np.uint8)
    >>> spectral_traces(images, images // 2)["high_frequencies"].value < -5
    True
    """
    real, fake = pair(real, fake)
    return compare(readings(real), readings(fake), seed=seed)


def compare(real: Readings, fake: Readings, *, seed: int = 0) -> dict[str, Number]:
    """`spectral_traces` of images already read."""
    values = [np.column_stack([one.grid, one.fine]) for one in (real, fake)]
    differences = values[1].mean(axis=0) - values[0].mean(axis=0)
    rng = np.random.default_rng(mix(seed, "spectrum"))
    drawn = resampled(values[1], rng) - resampled(values[0], rng)
    site = int(differences[:-1].argmax())
    spread = drawn.std(axis=0)
    off = np.abs(drawn - differences)[:, :-1] / np.maximum(spread[:-1], 1e-12)
    reach = float(np.quantile(off.max(axis=1), 0.95)) * spread[site]
    low, high = np.quantile(drawn[:, -1], (0.025, 0.975))
    return {
        "checkerboard": Number(
            float(differences[site]),
            float(differences[site] - reach),
            float(differences[site] + reach),
            "decibels by which a pattern on the grid of the pixels is stronger than in the real images (0: as in them)",
        ),
        "high_frequencies": Number(
            float(differences[-1]),
            float(low),
            float(high),
            "decibels of the finest detail over that of the real images (below 0: too smooth, above 0: too rough)",
        ),
    }


def resampled(values: Array, rng: np.random.Generator, *, count: int | None = None, repeats: int = REPEATS) -> Array:
    """Values [N, K] -> the means [repeats, K] of `count` rows (as many as there are) drawn with replacement."""
    rows, count = len(values), len(values) if count is None else count
    times = (np.bincount(rng.integers(0, rows, count), minlength=rows) for _ in range(repeats))
    return np.stack([chosen @ values for chosen in times]) / count


def pair(real: Images, fake: Images) -> tuple[Images, Images]:
    """Both sets, checked. Raises DataError."""
    real, fake = _checked(real, "the real", least=2), _checked(fake, "the fake", least=2)
    if real.shape[1:3] != fake.shape[1:3]:
        sizes = [f"{one.shape[1]}x{one.shape[2]}" for one in (real, fake)]
        raise DataError(f"the real images are {sizes[0]} and the fake ones {sizes[1]}: bring both to one size first")
    return real, fake


def grey(images: Images) -> Array:
    """Images uint8 [N, H, W, C] with 1, 3 or 4 channels -> luma float64 [N, H, W] in [0, 255], alpha laid on white."""
    if images.shape[-1] == 1:
        return images[..., 0].astype(np.float64)
    luma: Array = images[..., :3] @ np.array(LUMA)
    if images.shape[-1] == 4:
        share = images[..., 3] / 255
        luma = share * luma + (1 - share) * 255
    return luma


def build() -> Metric:
    """{"checkerboard", "high_frequencies"}, in decibels, of images as they are: `spectral_traces`.

    >>> build().needs
    ('images',)
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        for side in (real, fake):
            if side.images is None:
                raise DataError(f"the spectrum is taken of images, and {side.name} has none")
        assert real.images is not None
        assert fake.images is not None
        return spectral_traces(real.images, fake.images)

    return Metric(
        measure,
        better={"checkerboard": "lower"},
        words="spectrum(grey, hann)",
        needs=("images",),
    )


def _checked(images: Any, whose: str, *, least: int = 1) -> Images:
    array = np.asarray(images)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] not in _CHANNELS:
        raise DataError(
            f"{whose} images are {array.dtype} {list(array.shape)}: the spectrum needs uint8 [N, H, W, C] "
            f"with 1, 3 or 4 channels (grey, RGB, RGBA)"
        )
    if min(array.shape[1:3]) < LEAST:
        raise DataError(
            f"{whose} images are {array.shape[1]}x{array.shape[2]} pixels: "
            f"a spectrum says nothing below {LEAST} pixels a side"
        )
    if len(array) < least:
        raise DataError(f"a spectrum needs at least {least} images, and {whose} images are {len(array)}")
    return array


def _powers(images: Images) -> Any:
    """Yields (power [n, P, Q], radius [P, Q] in cycles per pixel) of a few images at a time. P and Q are the sides
    rounded up to multiples of 8, by zeros: 1/2, 1/4 and 1/8 are then among the frequencies of any size."""
    height, width = images.shape[1:3]
    shape = (8 * -(-height // 8), 8 * -(-width // 8))
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :])
    window = np.outer(_hann(height), _hann(width))
    floor = _ROUNDING * float(np.square(window).sum())
    size = max(1, _VALUES // (shape[0] * shape[1]))
    with bar("taking spectra", len(images)) as advance:
        for start in range(0, len(images), size):
            luma = grey(images[start : start + size])
            luma -= ((luma * window).sum(axis=(1, 2)) / window.sum())[:, None, None]
            power = np.square(np.abs(np.fft.fft2(luma * window, s=shape))) + floor
            yield power, radius
            advance(len(luma))


def _around(values: Array, height: int, width: int) -> Array:
    """Values [n, P, Q] by frequency, of images H x W -> the mean of the eight neighbours of each."""
    around = values
    for axis, side in ((1, height), (2, width)):
        step = -(-2 * values.shape[axis] // side)  # as far away as the window spreads a line
        around = around + np.roll(around, step, axis) + np.roll(around, -step, axis)
    return (around - values) / 8


def _hann(length: int) -> Array:
    return np.square(np.sin(np.pi * (np.arange(length) + 0.5) / length))


def _decibels(power: Array) -> Array:
    return 10 * np.log10(power)

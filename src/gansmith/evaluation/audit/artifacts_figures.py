"""The figures of the answer on artifacts: spectra of both sides, peaks by direction, the common pattern of samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gansmith.evaluation.audit import plots
from gansmith.evaluation.metrics.spectrum import Readings, grey, spectrum
from gansmith.evaluation.types import Figure, Images

_MAGNIFIED = 20  # at most
_SIDE = 256  # pixels of an image, at least


def spectra(train: Images, samples: Images) -> Figure:
    """Strength of detail against its fineness, real beside generated."""
    curves = {}
    for name, images in (("real", train), ("made", samples)):
        frequencies, decibels = spectrum(images)
        curves[name] = list(zip(frequencies.tolist(), decibels.tolist(), strict=True))
    svg = plots.lines(curves, x="fineness of detail (cycles per pixel; 0.5 is the finest)", y="strength (decibels)")
    return Figure(
        "How strong detail of each fineness is, from coarse (left) to fine (right). The two lines should lie on each "
        "other: a line of the samples below means too smooth, above too rough, a peak at 0.125, 0.25 or 0.5 a "
        "checkerboard.",
        svg=svg,
    )


def peaks(real: Readings, fake: Readings) -> Figure:
    """By how much every frequency stands out of its neighbourhood more than in real images."""
    difference = np.fft.fftshift(fake.peaks - real.peaks)
    return Figure(
        "The same for every direction: the finest detail at the edges, the coarsest in the middle. Light is where the "
        "samples are stronger than the real ones compared with what is around (white: 12 decibels). Even grey is "
        "clean; light dots in regular rows are a checkerboard; specks everywhere are one grain shared by all images.",
        image=_enlarged(128 + 127 / 12 * difference),
    )


def pattern(train: Images, samples: Images) -> Figure:
    """The fine detail of the average sample, less that of the average real image."""
    difference = _mean(samples) - _mean(train)
    fine: NDArray[np.float64] = difference - ndimage.gaussian_filter(difference, 2.0, mode="mirror")
    times = min(_MAGNIFIED, 127 / max(float(np.abs(fine).max()), 1e-9))
    return Figure(
        f"What the samples have in common at the scale of a few pixels and the real ones do not, magnified "
        f"{times:.2g} times. Even grey or faint grain is clean; rows, columns or a grid are traces.",
        image=_enlarged(128 + times * fine),
    )


def _enlarged(levels: NDArray[np.float64]) -> Image.Image:
    pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    times = max(1, -(-_SIDE // min(pixels.shape)))
    return Image.fromarray(pixels.repeat(times, axis=0).repeat(times, axis=1))


def _mean(images: Images) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.zeros(images.shape[1:3])
    for start in range(0, len(images), 256):
        total += grey(images[start : start + 256]).sum(axis=0)
    return total / len(images)

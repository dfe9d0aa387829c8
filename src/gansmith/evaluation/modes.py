"""Mode counts of a generator on data whose modes are known: points of toy mixtures, stacked digits.

Points      a sample is good within `radius` deviations of a centre (Srivastava et al. 2017, "VEEGAN: Reducing Mode
            Collapse in GANs using Implicit Variational Learning", section 4.1); a mode is found when enough good
            samples are its own, here 20 of 10,000. Of the truth itself 1 - exp(-radius^2 / 2) are good: 98.9 % at 3
Digits      a classifier reads each channel, and three digits are one of 1,000 modes (Metz et al. 2017, "Unrolled
            Generative Adversarial Networks", section 3.3.1, on 25,600 samples; Lin et al. 2018, "PacGAN", section 4.2).
            A mode is found when one sample is read as it, so the classifier's mistakes find modes too: its count on
            real images, and of real images with few modes, says how far the count can be trusted
Divergence  KL of the samples' shares of the modes from equal shares, in nats: 0 when they are equal, log K when all are
            of one of K modes. Counting alone adds about (K - 1) / 2N: 0.02 for 25,600 samples of 1,000 modes
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gansmith.errors import DataError, OptionError
from gansmith.evaluation.extract import extract
from gansmith.evaluation.feature_matrix import as_floats
from gansmith.evaluation.types import Extractor, Images

DIGITS = 10
_OF = 10_000  # samples, of which a mode needs `least`


class Modes(NamedTuple):
    """found, of `total` modes;  good: the share of good samples, 1 where every sample is of some mode;
    kl: of the samples' shares of the modes from equal ones, in nats, each sample counted for its nearest mode."""

    found: int
    total: int
    good: float
    kl: float


def count_modes(
    points: ArrayLike, centres: ArrayLike, deviation: float, *, least: float = 20, radius: float = 3
) -> Modes:
    """Points [N, 2], centres [K, 2], and the deviation of each mode in each direction -> the modes found.

    least: good samples of 10,000 that a mode needs to be found. radius: within how many deviations a sample is good.
    Raises DataError for no points, a NaN or an infinity, or other shapes; OptionError for numbers out of range.
    """
    samples, middles = (as_floats(rows).astype(np.float64) for rows in (points, centres))
    for name, rows in (("points", samples), ("centres", middles)):
        if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows):
            raise DataError(f"modes are counted of {name} [N, 2] in the plane, at least one, not {list(rows.shape)}")
        if bad := int((~np.isfinite(rows).all(axis=1)).sum()):
            raise DataError(f"{bad:,} of {len(rows):,} {name} are a NaN or an infinity: the generator has diverged")
    for option, value in (("deviation", deviation), ("least", least), ("radius", radius)):
        if not value > 0:
            raise OptionError(f"{option} = {value:g} is not allowed: it must be above 0")
    distance, nearest = cKDTree(middles).query(samples)
    good = distance <= radius * deviation
    own = np.bincount(nearest[good], minlength=len(middles))
    every = np.bincount(nearest, minlength=len(middles))
    return Modes(int((own * _OF >= least * len(samples)).sum()), len(middles), float(good.mean()), divergence(every))


def count_labels(labels: ArrayLike, modes: int) -> Modes:
    """Labels [N], each from 0 to modes - 1 -> the modes that at least one sample has, and their divergence.

    Raises DataError for no labels, or one outside.
    """
    numbers = np.asarray(labels)
    if numbers.ndim != 1 or not len(numbers) or numbers.min() < 0 or numbers.max() >= modes:
        raise DataError(f"labels must be whole numbers [N] from 0 to {modes - 1}, at least one")
    counts = np.bincount(numbers, minlength=modes)
    return Modes(int((counts > 0).sum()), modes, 1.0, divergence(counts))


def divergence(counts: ArrayLike) -> float:
    """Counts [K] -> KL(their shares || 1 / K), in nats."""
    number = np.asarray(counts, dtype=np.float64)
    shares = number[number > 0] / number.sum()
    return float((shares * np.log(shares * len(number))).sum())


def read_stacked(images: Images, classifier: Extractor, *, cache: bool = True) -> NDArray[np.int64]:
    """Stacked digits uint8 [N, H, W, 3] -> the numbers 0 to 999 that a classifier of digits reads in them, int64 [N].

    classifier: with ten classes in the order 0 to 9 (`evaluation.features.classifier`, of a run on digits or MNIST); it
    reads each channel as a grey image. cache: keep its answers. Raises DataError for other images or classes.
    """
    if images.ndim != 4 or images.shape[-1] != 3:
        raise DataError(f"stacked digits are uint8 [N, H, W, 3], not {images.dtype} {list(images.shape)}")
    numbers = np.zeros(len(images), dtype=np.int64)
    for channel, colour in enumerate(("red", "green", "blue")):
        grey = np.ascontiguousarray(images[..., channel : channel + 1])
        probabilities = extract(grey, classifier, what=f"digits in {colour}", cache=cache)[1]
        if probabilities is None or probabilities.shape[1] != DIGITS:
            classes = 0 if probabilities is None else probabilities.shape[1]
            raise DataError(
                f"the extractor {classifier.name} tells {classes} classes apart, and digits are {DIGITS}: "
                f"give a classification run on digits or mnist"
            )
        numbers = DIGITS * numbers + probabilities.argmax(axis=1)
    return numbers


def count_stacked(images: Images, classifier: Extractor, *, cache: bool = True) -> Modes:
    """Stacked digits uint8 [N, H, W, 3] -> how many of the 1,000 are found, and their divergence from equal shares."""
    return count_labels(read_stacked(images, classifier, cache=cache), DIGITS**3)

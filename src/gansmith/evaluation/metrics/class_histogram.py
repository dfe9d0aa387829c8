"""Class histogram of the samples beside that of the data: classes present, KL divergence, total variation, a test.

KL divergence   Kullback, Leibler 1951, "On Information and Sufficiency": of the samples' histogram from the data's. The
                counts' own estimate is too large by about (K - 1) / 2 (1/M + 1/N); the bias is taken out by the
                bootstrap (Efron, Tibshirani 1993, "An Introduction to the Bootstrap", section 10.3)
G-test          Sokal, Rohlf 1981, "Biometry", chapter 17: twice the log likelihood ratio of two histograms against a
                common one. Its p-value is counted over random tables with the same margins (Agresti 1992, "A Survey of
                Exact Inference for Contingency Tables"), so that it holds for rare classes too
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from gansmith.errors import DataError, OptionError
from gansmith.evaluation.feature_matrix import as_floats
from gansmith.evaluation.types import Metric, Number, Side
from gansmith.system.option_types import Fraction
from gansmith.system.seeding import mix

Counts = NDArray[np.int64]
Array = NDArray[np.float64]

REPEATS = 2000  # of the bootstrap and of the random tables
_HALF = 0.5  # added to every count of the data: a class that the data lacks is rare, not impossible (Jeffreys 1946)


def histogram(probabilities: ArrayLike) -> Counts:
    """Class probabilities [N, K] -> how many images fall to each class, int64 [K]: each to its most probable one.

    Raises DataError for anything but finite rows of K >= 2 probabilities that sum to 1.
    """
    rows = _checked(probabilities, "the")
    return np.bincount(rows.argmax(axis=1), minlength=rows.shape[1]).astype(np.int64)


def class_histogram(
    real_probabilities: ArrayLike, fake_probabilities: ArrayLike, *, share: float = 0.1, seed: int = 0
) -> dict[str, Number]:
    """Class probabilities [N, K] of the real images and [M, K] of the samples -> how their classes differ.

    classes_found    classes with at least one sample and at least `share` of the data's share of them
    kl               sum of p log(p / q), in nats, of the samples' shares p from the data's q; 0 when they are equal
    total_variation  half the sum of |p - q|: the share of the samples that fall to the wrong class (not corrected)
    classes_p_value  of the G-test that samples and data have one histogram
    Raises DataError as `histogram` does, or for different numbers of classes; OptionError for a share outside [0, 1].

    >>> class_histogram(np.eye(2)[[0, 0, 1, 1]], np.eye(2)[[0, 0, 0, 0]])["total_variation"].value
    0.5
    """
    rows = _checked(real_probabilities, "the real"), _checked(fake_probabilities, "the fake")
    if rows[0].shape[1] != rows[1].shape[1]:
        raise DataError(
            f"the real images have {rows[0].shape[1]} classes and the fake ones {rows[1].shape[1]}: "
            f"both must come from the same classifier"
        )
    return compare(histogram(rows[0]), histogram(rows[1]), share=share, seed=seed)


def compare(real: Counts, fake: Counts, *, share: float = 0.1, seed: int = 0) -> dict[str, Number]:
    """`class_histogram` of two histograms [K]."""
    if not 0 <= share <= 1:
        raise OptionError(f"share = {share} is not allowed: from 0 (one sample is enough) to 1")
    rng = np.random.default_rng(mix(seed, "class histogram"))
    drawn_real = rng.multinomial(real.sum(), real / real.sum(), size=REPEATS)
    drawn_fake = rng.multinomial(fake.sum(), fake / fake.sum(), size=REPEATS)
    return {
        "classes_found": _classes_present(real, fake, share),
        "kl": _corrected(
            float(_divergence(real, fake)),
            _divergence(drawn_real, drawn_fake),
            "how far the samples' classes are from the data's, in nats (0: equally frequent)",
        ),
        "total_variation": _variation(_shares(fake) - _shares(real), _shares(drawn_fake) - _shares(drawn_real)),
        "classes_p_value": Number(
            _test(real, fake, rng),
            means="how often chance alone makes two histograms differ as much, if the classes are equally frequent",
        ),
    }


def build(*, share: Fraction = 0.1, real: Literal["classifier", "labels"] = "classifier") -> Metric:
    """Classes of samples and data, as `class_histogram`.

    real: the data's histogram from the same classifier as the samples' (its mistakes are then on both sides and
    cancel), or from the true labels, which are also used where no classifier saw the data.

    >>> build(share=0.2).words
    'class_histogram(share=0.2, real=classifier)'
    """

    def measure(real_side: Side, fake_side: Side) -> dict[str, Number]:
        if fake_side.probabilities is None:
            raise DataError(f"no classifier saw {fake_side.name}: classes are counted with --features classifier")
        samples = histogram(fake_side.probabilities)
        if real_side.probabilities is not None and not (real == "labels" and real_side.labels is not None):
            return class_histogram(real_side.probabilities, fake_side.probabilities, share=share)
        if real_side.labels is None:
            raise DataError(f"{real_side.name} has neither labels nor a classifier's probabilities to count classes of")
        return compare(_labelled(real_side.labels, len(samples), real_side.name), samples, share=share)

    return Metric(
        measure,
        better={"classes_found": "higher", "kl": "lower", "total_variation": "lower", "classes_p_value": "higher"},
        words=f"class_histogram(share={share:g}, real={real})",
        needs=("probabilities",),
    )


def _checked(probabilities: Any, whose: str) -> Array:
    rows: Array = as_floats(probabilities, f"{whose} probabilities").astype(np.float64)
    if rows.ndim != 2 or rows.shape[1] < 2 or len(rows) == 0:
        raise DataError(
            f"{whose} probabilities have the shape {list(rows.shape)}: one row for each image and one column for each "
            f"of at least 2 classes is needed, and at least one image"
        )
    if not np.isfinite(rows).all():
        raise DataError(f"{whose} probabilities hold a NaN or an infinity: the classifier is broken")
    if (rows < 0).any() or not np.allclose(rows.sum(axis=1), 1, atol=1e-3):
        raise DataError(f"{whose} probabilities do not sum to 1 in every row: give softmax outputs, not logits")
    return rows


def _labelled(labels: NDArray[np.int64], classes: int, name: str) -> Counts:
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= classes:
        raise DataError(
            f"the labels of {name} must be 0 to {classes - 1}, the classifier's classes"
            f"{f', not {labels.min()} to {labels.max()}' if len(labels) else '; there are none'}"
        )
    return np.bincount(labels, minlength=classes).astype(np.int64)


def _classes_present(real: Counts, fake: Counts, share: float) -> Number:
    """How many classes have at least `share` of their share of the data.

    The interval holds for all classes at once (Clopper and Pearson 1934, divided by their number).
    """
    total, classes = int(fake.sum()), len(fake)
    least = share * real / real.sum()
    tail = 0.05 / (2 * classes)
    low = stats.beta.ppf(tail, np.maximum(fake, 1), total - fake + 1) * (fake > 0)
    high = np.where(fake < total, stats.beta.ppf(1 - tail, fake + 1, np.maximum(total - fake, 1)), 1.0)
    return Number(
        float(((fake > 0) & (fake >= least * total)).sum()),
        float(((fake > 0) & (low >= least)).sum()),
        float(((fake > 0) | (high > 1 / total)).sum() if share == 0 else (high >= least).sum()),
        f"classes of {classes} that are generated at least {share:.0%} as often as they occur in the data"
        if share
        else f"classes of {classes} that are generated at least once",
    )


def _divergence(real: Counts, fake: Counts) -> Array:
    """Counts [..., K] -> KL(fake || real) [...]."""
    q = (real + _HALF) / (real + _HALF).sum(axis=-1, keepdims=True)
    p = _shares(fake)
    return np.asarray(np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / q), 0).sum(axis=-1))


def _variation(differences: Array, drawn: Array) -> Number:
    """Total variation from differences of shares [K] and drawn ones [R, K].

    The interval reaches as far as the differences are from their own mean in 95 % of the drawings: it covers at least
    as often as it says, also near 0, where the sum of absolute values has a corner and the percentiles of a bootstrap
    do not."""
    value = float(np.abs(differences).sum() / 2)
    reach = float(np.quantile(np.abs(drawn - differences).sum(axis=1) / 2, 0.95))
    return Number(
        value,
        max(0.0, value - reach),
        min(1.0, value + reach),
        "share of the samples that would have to change class to be as frequent as in the data",
    )


def _shares(counts: Counts) -> Array:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def _corrected(value: float, drawn: Array, means: str) -> Number:
    """Bootstrap bias correction of a value that counting makes too large: 2 value - mean of the drawings, 0 or more."""
    low, high = np.quantile(drawn, (0.025, 0.975))
    corrected, bottom, top = (max(0.0, float(2 * value - end)) for end in (drawn.mean(), high, low))
    return Number(corrected, bottom, top, means)


def _test(real: Counts, fake: Counts, rng: np.random.Generator) -> float:
    """p value: the share of random tables with these margins, this one included, that differ at least as much."""
    totals = real + fake
    drawn = rng.multivariate_hypergeometric(totals, int(fake.sum()), size=REPEATS, method="marginals")
    observed, chance = _likelihood(fake, totals), _likelihood(drawn, totals)
    return float((1 + (chance >= observed - 1e-9 * max(1.0, abs(float(observed)))).sum()) / (1 + REPEATS))


def _likelihood(fake: Counts, totals: Counts) -> Array:
    """G up to a constant, which the fixed margins make equal for all tables."""
    rest = totals - fake
    return np.asarray(sum((n * np.log(np.maximum(n, 1))).sum(axis=-1) for n in (fake, rest)))

"""Linear probe: the accuracy of a linear classifier on features, with its cost chosen on a part of its own.

Radford, Metz, Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", section 5.1: a regularised linear L2-SVM on the features. Here each feature is standardised on the training
part, the cost C is chosen on a validation part, and the accuracy is that of a test part that chose nothing.

A classifier with an L2 penalty lives in the span of its training rows, so where there are more features than rows, both
are first rotated into that span: the same classifier, in as many dimensions as there are rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.svm import LinearSVC

from gansmith.errors import DataError, NotFiniteError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import as_floats
from gansmith.evaluation.types import Number
from gansmith.system.progress import bar
from gansmith.system.seeding import mix

COSTS = (1e-2, 1e-1, 1.0, 10.0, 100.0)  # of features that are standardised and divided by the root of their number
TEST, VALIDATION = 0.3, 0.2  # shares of the images
LEAST = 3  # images of each class: one for each part

Features = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Which images train, which choose the cost, which test: ascending indices, each class in all three."""

    train: Indices
    validation: Indices
    test: Indices


@dataclass(frozen=True)
class Probe:
    """accuracy: of the test part, with its exact binomial interval; correct: bool [T], in the order of `Parts.test`.

    dimensions: of the features; cost: C as chosen; chosen_by: accuracy on the validation part, of each cost tried
    """

    accuracy: Number
    correct: NDArray[np.bool_]
    dimensions: int
    cost: float
    chosen_by: dict[float, float]


def split(
    labels: ArrayLike,
    *,
    seed: int = 0,
    test: float = TEST,
    validation: float = VALIDATION,
    names: Sequence[str] | None = None,
) -> Parts:
    """Labels [N] -> parts that keep every class's share, and at least one image of each class in each part.

    names: of the classes, for messages.
    Raises DataError for a single class, or naming the classes of fewer than three images.
    """
    truth = np.asarray(labels)
    classes, counts = np.unique(truth, return_counts=True)
    if len(classes) < 2:
        raise DataError(f"all {len(truth):,} images have the same label: a probe needs at least two classes")
    rare = [(int(name), int(count)) for name, count in zip(classes, counts, strict=True) if count < LEAST]
    if rare:
        examples = ", ".join(f"class {names[name] if names else name} has {count}" for name, count in rare[:6])
        more = f" and {len(rare) - 6} more classes have too few" if len(rare) > 6 else ""
        raise DataError(
            f"every class needs at least {LEAST} images, to train, to choose and to test: {examples}{more}. "
            f"Leave them out, or use more images"
        )
    rng = np.random.default_rng(mix(seed, "probe", "split"))
    train, choosing_part, test_part = [], [], []
    for name in classes:
        members = rng.permutation(np.flatnonzero(truth == name))
        tested = max(1, round(test * len(members)))
        choosing = max(1, round(validation * len(members)))
        tested, choosing = min(tested, len(members) - 2), min(choosing, len(members) - 1 - tested)
        test_part.append(members[:tested])
        choosing_part.append(members[tested : tested + choosing])
        train.append(members[tested + choosing :])
    return Parts(*(np.sort(np.concatenate(part)) for part in (train, choosing_part, test_part)))


def linear_probe(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    parts: Parts | None = None,
    seed: int = 0,
    costs: Sequence[float] = COSTS,
    means: str = "of test images, put into their class by a linear classifier on the features",
    what: str = "linear probe",
) -> Probe:
    """Features [N, D] and labels [N] -> the accuracy of a linear classifier on images it never saw.

    Probes that are to be compared get the same `parts`; without, `split` makes them.
    Raises DataError for features and labels that do not fit together or are constant, NotFiniteError for a NaN.
    """
    rows, truth = _checked(features, labels)
    parts = split(truth, seed=seed) if parts is None else parts
    chosen_by = {}
    with bar(what, len(costs) + 1, "fits") as advance:
        train, validation = standardised(rows[parts.train], rows[parts.validation])
        for cost in costs:
            predicted = _fitted(train, truth[parts.train], cost).predict(validation)
            chosen_by[cost] = float((predicted == truth[parts.validation]).mean())
            advance()
        cost = max(costs, key=lambda cost: (chosen_by[cost], -cost))  # the most regularised of equals
        both = np.concatenate([parts.train, parts.validation])
        train, test = standardised(rows[both], rows[parts.test])
        correct = _fitted(train, truth[both], cost).predict(test) == truth[parts.test]
        advance()
    low, high = intervals.share(int(correct.sum()), len(correct))
    return Probe(Number(float(correct.mean()), low, high, means), correct, rows.shape[1], cost, chosen_by)


def majority(labels: ArrayLike, parts: Parts) -> float:
    """The accuracy of always predicting the class most common in training: a floor for any classifier."""
    truth = np.asarray(labels)
    classes, counts = np.unique(truth[np.concatenate([parts.train, parts.validation])], return_counts=True)
    return float((truth[parts.test] == classes[counts.argmax()]).mean())


def difference(one: Probe, other: Probe, *, level: float = 0.95) -> Number:
    """By how much `one` is more accurate than `other` on the same test images.

    Its interval rests on the images that only one classifies rightly (as McNemar's test does): Agresti, Min 2005,
    "Simple improved confidence intervals for comparing matched proportions", which adds 1/2 to each of the four counts.
    """
    if len(one.correct) != len(other.correct):
        raise DataError("the two probes were tested on different images; give both the same parts")
    gained = int((one.correct & ~other.correct).sum())
    lost = int((other.correct & ~one.correct).sum())
    count = len(one.correct) + 2
    shift, width = (gained - lost) / count, (gained + lost + 1) / count
    half = float(stats.norm.ppf(0.5 + level / 2)) * math.sqrt((width - shift**2) / count)
    value = (gained - lost) / len(one.correct)
    means = "difference of the accuracies on the same test images"
    return Number(value, min(value, max(-1.0, shift - half)), max(value, min(1.0, shift + half)), means, level)


def difference_from_several(one: Probe, others: Sequence[Probe], *, level: float = 0.95) -> Number:
    """By how much `one` is more accurate than probes of one kind with different seeds are on average.

    The interval joins two spreads: over test images (paired), and over the seeds (Student's t).
    """
    if len(others) < 2:
        raise DataError(f"{len(others)} seed{'' if len(others) == 1 else 's'}: their spread needs at least two")
    if any(len(other.correct) != len(one.correct) for other in others):
        raise DataError("the probes were tested on different images; give all the same parts")
    correct = np.array([other.correct for other in others], dtype=np.float64)
    by_image = one.correct - correct.mean(axis=0)
    over_seeds = correct.mean(axis=1).std(ddof=1) / math.sqrt(len(others))
    count = len(by_image)
    over_images = math.sqrt((by_image.var(ddof=1) + 1 / count) / count)  # 1 / count: an interval of 0 knows too much
    half = math.hypot(
        float(stats.norm.ppf(0.5 + level / 2)) * over_images,
        float(stats.t.ppf(0.5 + level / 2, len(others) - 1)) * over_seeds,
    )
    value = float(by_image.mean())
    means = f"difference from the mean of {len(others)} seeds, over test images and seeds"
    return Number(value, max(-1.0, value - half), min(1.0, value + half), means, level)


def standardised(train: Features, other: Features) -> tuple[Features, Features]:
    """Both standardised by each feature's mean and deviation in `train`, over the root of the number of features, and
    rotated into the span of `train` where that has fewer dimensions. Features that are constant in `train` give 0."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    varies = deviation > 1e-8 * np.maximum(1e-12, np.abs(mean))
    scale = np.where(varies, 1 / np.where(varies, deviation, 1.0), 0.0) / math.sqrt(max(1, int(varies.sum())))
    train, other = (train - mean) * scale, (other - mean) * scale
    if train.shape[1] <= train.shape[0]:
        return train, other
    values, vectors = np.linalg.eigh(train @ train.T)
    kept = values > 1e-10 * values[-1]
    root = np.sqrt(values[kept])
    return vectors[:, kept] * root, other @ (train.T @ (vectors[:, kept] / root))


def _fitted(rows: Features, labels: NDArray[np.int64], cost: float) -> Any:
    # Squared hinge: the L2-SVM, one class against the others; in the primal, whose solver converges for every cost
    return LinearSVC(C=cost, dual=False, tol=1e-2, max_iter=10_000).fit(rows, labels)


def _checked(features: ArrayLike, labels: ArrayLike) -> tuple[Features, NDArray[np.int64]]:
    rows, truth = as_floats(features, "the features").astype(np.float64), np.asarray(labels)
    if rows.ndim != 2 or rows.shape[1] == 0 or len(rows) != len(truth):
        raise DataError(f"features [N, D] and labels [N] are needed, not {list(rows.shape)} and {list(truth.shape)}")
    if not np.isfinite(rows).all():
        bad = int((~np.isfinite(rows)).any(axis=1).sum())
        raise NotFiniteError(f"{bad} of {len(rows)} rows of features hold a NaN or an infinity")
    if (rows == rows[:1]).all():
        raise DataError("all images have the same features: no classifier can tell them apart")
    return rows, truth.astype(np.int64)

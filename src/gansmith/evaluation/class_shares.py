"""Shares of the classes among samples that have no labels, by a linear classifier on features of labelled real images.

The classifier is the linear discriminant in the main directions of the real images' features. Its mistakes are known
from real images that it did not learn from (cross-validation), and taken out: with C[i, j] the probability that an
image of class i is put into class j, the shares p that make the counts n_j of the samples most likely are found by
expectation maximisation (Saerens, Latinne, Decaestecker 2002, "Adjusting the Outputs of a Classifier to New a Priori
Probabilities"; of counts as Vardi, Lee 1993, "From Image Deblurring to Optimal Investments"). Intervals are a bootstrap
over the samples and over the images that the mistakes are known from, never narrower than the exact binomial one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from gansmith.evaluation import intervals
from gansmith.evaluation.kinds import discriminant
from gansmith.evaluation.types import Features, Labels, Number
from gansmith.system.seeding import mix

MOST = 100  # classes: with more, each has too few images
LEAST = 10  # images of each class, on average
KNOWN = 0.5  # of the real images are put into their class at least, or the classes cannot be told apart
MISSING, SCARCE = 1 / 4, 1 / 2  # of a class's share of the real images
_DIMENSIONS = 128
_IMAGES = 5000  # real images that are learnt from, at most
_FOLDS = 5
_ROUNDS = 300  # of expectation maximisation
_REPEATS = 200

Table = NDArray[np.float64]


def class_shares(
    real: Features, labels: Labels, samples: Features, *, names: Sequence[str] | None = None, seed: int
) -> Mapping[str, tuple[float, Number]]:
    """Real features [N, D] with labels [N], samples [M, D] -> {class: (its share of the real images, of the samples)}.

    names: of the labels 0 to K - 1; their numbers where there are none. Empty where shares cannot be told: fewer than
    two classes, more than MOST, fewer than LEAST images of each on average, or classes that the features do not show.
    """
    rng = np.random.default_rng(mix(seed, "class shares"))
    kept = rng.permutation(len(real))[:_IMAGES]
    real, labels = real[kept], labels[kept]
    classes, truth, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if not 2 <= len(classes) <= MOST or len(real) < LEAST * len(classes) or len(real) < 2 * _FOLDS:
        return {}
    mean = real.mean(axis=0)
    axes = randomized_svd(real - mean, min(_DIMENSIONS, *real.shape), random_state=mix(seed, "axes") % 2**32)[2].T
    places, made = (real - mean) @ axes, (samples - mean) @ axes
    predicted = _cross_validated(places, truth.astype(np.int64), rng)
    if (predicted == truth).mean() < KNOWN:
        return {}
    table = np.zeros((len(classes), len(classes)))
    np.add.at(table, (truth, predicted), 1)
    seen = np.bincount(_classify(places, truth.astype(np.int64), made), minlength=len(classes)).astype(np.float64)
    values = _most_likely(seen[None], _rates(table)[None])[0]
    drawn = _most_likely(*_resampled(seen, table, rng))
    ends = np.quantile(drawn, (0.025, 0.975), axis=0)
    called = [names[number] if names is not None and 0 <= number < len(names) else str(number) for number in classes]
    return {
        name: (float(counts[place] / len(real)), _bounded(float(values[place]), ends[:, place], len(samples)))
        for place, name in enumerate(called)
    }


def _bounded(value: float, ends: Table, count: int) -> Number:
    """A share with the bootstrap's ends [2], or those of a share of `count` samples where they are wider: of a class
    that no sample is of, no bootstrap draws one."""
    low, high = intervals.share(round(value * count), count)
    means = "share of the samples that are of this class, the classifier's mistakes taken out"
    return Number(value, min(low, float(ends[0]), value), max(high, float(ends[1]), value), means)


def fewer(shares: Mapping[str, tuple[float, Number]], than: float) -> tuple[str, ...]:
    """The classes whose share of the samples is surely below `than` times their share of the real images."""
    return tuple(name for name, (real, made) in shares.items() if made.high is not None and made.high < than * real)


def _classify(places: Features, truth: Labels, others: Features) -> Labels:
    """The class [M] of each of `others`, by a discriminant of `places`; truth: 0 to K - 1."""
    learnt = discriminant(places, truth)
    if learnt is None:  # a single class has images enough
        return np.full(len(others), np.bincount(truth).argmax())
    slopes, offsets, classes = learnt
    return np.asarray(classes[(others @ slopes + offsets).argmax(axis=1)])


def _cross_validated(places: Features, truth: Labels, rng: np.random.Generator) -> Labels:
    """The class [N] of each image by a discriminant of the other folds' images."""
    fold = rng.permutation(np.arange(len(truth)) % _FOLDS)
    predicted = np.empty(len(truth), dtype=np.int64)
    for number in range(_FOLDS):
        inside = fold == number
        predicted[inside] = _classify(places[~inside], truth[~inside], places[inside])
    return predicted


def _rates(table: Table) -> Table:
    """Counts [..., K, K] of true and predicted classes -> probabilities of the predicted one. Half of an image is added
    in the place of every true class, and spread over all: none is impossible."""
    size = table.shape[-1]
    smooth = table + 0.5 / size + 0.5 * np.eye(size)
    return np.asarray(smooth / smooth.sum(axis=-1, keepdims=True))


def _resampled(seen: Table, table: Table, rng: np.random.Generator) -> tuple[Table, Table]:
    """Counts of another draw of the samples [R, K], and mistakes of another draw of the real images [R, K, K]."""
    counts = rng.multinomial(int(seen.sum()), seen / seen.sum(), size=_REPEATS).astype(np.float64)
    rates = _rates(table)
    tables = np.stack(
        [rng.multinomial(int(row.sum()), rate, size=_REPEATS) for row, rate in zip(table, rates, strict=True)], axis=1
    )
    return counts, _rates(tables.astype(np.float64))


def _most_likely(counts: Table, rates: Table) -> Table:
    """Counts [R, K] of predicted classes, rates [R, K, K] -> the most likely shares [R, K] of the true ones."""
    shares = np.full(counts.shape, 1 / counts.shape[1])
    for _ in range(_ROUNDS):
        expected = np.einsum("ri,rij->rj", shares, rates)
        shares = shares * np.einsum("rij,rj->ri", rates, counts / np.maximum(expected, 1e-300))
        shares /= shares.sum(axis=1, keepdims=True)
    return np.asarray(shares)

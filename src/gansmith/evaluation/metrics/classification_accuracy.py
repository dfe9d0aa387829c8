"""Classification accuracy score: the accuracy on real images of a classifier that was trained on samples.

Ravuri, Vinyals 2019, "Classification Accuracy Score for Conditional Generative Models", section 3: a classifier fitted
on samples with the labels they were generated for, tested on real images, beside one fitted on as many real images.
What the samples lack (classes, variety, detail) the classifier never learned.

Differs: a logistic regression on features of an extractor instead of a ResNet-50 on pixels, because it takes seconds;
it is blind to what the features are blind to. The whole thing, with a classifier of one's own: write the samples of
each class to a folder, `gansmith train samples/ --recipe mnist_net`, and `gansmith evaluate` that run against the real
images. Differs: the reference learns from half of the real images and is tested on the other half, in turn, because a
test set apart is rarely at hand.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gansmith.errors import DataError
from gansmith.evaluation.feature_matrix import as_floats
from gansmith.evaluation.types import Metric, Number, Side
from gansmith.system.progress import track
from gansmith.system.seeding import mix

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

LEAST = 10  # images a side
REPEATS = 1000  # of the bootstrap
STRENGTHS = (0.01, 0.1, 1.0)  # weights of |w|^2 / 2 beside the mean loss, on standardised features
_STEPS = 300  # of the optimiser at most: more steps change no label


def classification_accuracy(
    train_features: ArrayLike,
    train_labels: ArrayLike,
    test_features: ArrayLike,
    test_labels: ArrayLike,
    *,
    seed: int = 0,
) -> dict[str, Number]:
    """Features [M, D] of samples and the labels [M] of their generation; [N, D], [N] of real images, at least 10 each.

    accuracy       of the real images, the share that a logistic regression fitted on samples puts in the right class
    real_accuracy  the same when it is fitted on as many real images (the half that is not tested)
    ratio          accuracy / real_accuracy: 1 when samples teach as well as real images
    Both learn from the same number of images, on standardised features, with one regularisation: that out of STRENGTHS
    which does best on a fifth of the real half. Intervals: bootstrap over the tested images. They leave out that other
    samples would have taught a little better or worse: a ratio within some percent of 1 says no more than "as well".
    Raises DataError for shapes that do not fit, NaN features, or fewer than two classes to learn.

    >>> features, labels = np.repeat(np.eye(2), 10, axis=0), np.repeat([0, 1], 10)
    >>> classification_accuracy(features, labels, features, labels)["ratio"].value
    1.0
    """
    samples, made_for = _checked(train_features, train_labels, "the samples")
    real, true = _checked(test_features, test_labels, "the real images")
    if samples.shape[1] != real.shape[1]:
        raise DataError(
            f"features of the samples have {samples.shape[1]:,} dimensions and those of the real images "
            f"{real.shape[1]:,}: both must come from the same extractor"
        )
    rng = np.random.default_rng(mix(seed, "classification accuracy"))
    for labels, whose in ((made_for, "the samples"), (true, "the real images")):
        if len(np.unique(labels)) < 2:
            raise DataError(
                f"all of {whose} have the label {labels[0]}: a classifier needs at least 2 classes to learn"
            )
    order = rng.permutation(len(real))
    folds = order[::2], order[1::2]
    count = min(len(samples), len(folds[1]))
    subset = rng.permutation(len(samples))[:count]
    strength = best_strength(real[folds[0]], true[folds[0]])
    right = np.zeros((2, len(real)))
    jobs = [(0, samples[subset], made_for[subset], order)]
    jobs += [(1, real[learn[:count]], true[learn[:count]], test) for learn, test in (folds, folds[::-1])]
    for row, features, labels, test in track(jobs, "fitting classifiers", len(jobs), "fits"):
        right[row, test] = predicted(features, labels, real[test], strength) == true[test]
    return _numbers(right, rng)


def build() -> Metric:
    """{"accuracy", "real_accuracy", "ratio"}, higher for a better generator. Reads features and labels of both sides.

    >>> build().needs
    ('features', 'labels')
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        for side, why in ((fake, "they come from a conditional generator"), (real, "the data must be labelled")):
            if side.features is None:
                raise DataError(f"the classification accuracy score reads features, and {side.name} has none")
            if side.labels is None:
                raise DataError(f"the classification accuracy score needs labels, and {side.name} has none: {why}")
        assert fake.features is not None
        assert fake.labels is not None
        assert real.features is not None
        assert real.labels is not None
        return classification_accuracy(fake.features, fake.labels, real.features, real.labels)

    return Metric(
        measure,
        better={"accuracy": "higher", "real_accuracy": "higher", "ratio": "higher"},
        words="classification_accuracy(logistic regression)",
        needs=("features", "labels"),
        least=LEAST,
        draws=True,
    )


def best_strength(features: Array, labels: Labels) -> float:
    """The one of STRENGTHS with which four fifths of these images tell the classes of the last fifth best."""
    last = -(-len(labels) // 5)
    right = [(predicted(features[last:], labels[last:], features[:last], s) == labels[:last]).sum() for s in STRENGTHS]
    return STRENGTHS[len(STRENGTHS) - 1 - int(np.argmax(right[::-1]))]  # of equals the strongest


def predicted(features: Array, labels: Labels, tested: Array, strength: float) -> Labels:
    """The labels of `tested` [T, D] by a classifier fitted on `features` [N, D] and `labels` [N]."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(labels)) == 1:  # a few images of a large set can lack all classes but one
        return np.full(len(tested), labels[0])
    mean = features.mean(axis=0)
    spread = features.std(axis=0)
    spread[spread == 0] = 1
    model = LogisticRegression(C=1 / (strength * len(labels)), max_iter=_STEPS, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit((features - mean) / spread, labels)
    predicted: Labels = model.predict((tested - mean) / spread)
    return predicted


def _numbers(right: NDArray[np.float64], rng: np.random.Generator) -> dict[str, Number]:
    """Right or wrong [2, N], by the classifiers fitted on samples and on real images, of the same N tested images."""
    count = right.shape[1]
    drawn = np.stack([right[:, rng.integers(0, count, count)].mean(axis=1) for _ in range(REPEATS)], axis=1)
    accuracies = right.mean(axis=1)
    if accuracies[1] == 0:
        raise DataError(
            "a classifier fitted on real images puts none of the others in the right class: "
            "these features or labels say nothing about the images"
        )
    ratio = drawn[0] / np.maximum(drawn[1], 1 / count)
    kinds = {
        "accuracy": (
            accuracies[0],
            drawn[0],
            "share of real images classified rightly by what was learned from samples",
        ),
        "real_accuracy": (accuracies[1], drawn[1], "the same, learned from as many real images"),
        "ratio": (accuracies[0] / accuracies[1], ratio, "how well samples teach, beside real images (1: as well)"),
    }
    return {name: _number(float(value), values, means) for name, (value, values, means) in kinds.items()}


def _number(value: float, drawn: Array, means: str) -> Number:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Number(value, float(low), float(high), means)


def _checked(features: ArrayLike, labels: ArrayLike | None, whose: str) -> tuple[Array, Labels]:
    matrix: Array = as_floats(features, f"features of {whose}").astype(np.float64)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise DataError(f"features of {whose} have the shape {list(matrix.shape)}: one row for each image is needed")
    if len(matrix) < LEAST:
        raise DataError(f"features of {whose} are of {len(matrix)} images: at least {LEAST} are needed")
    if not np.isfinite(matrix).all():
        raise DataError(f"features of {whose} hold a NaN or an infinity: the extractor or the images are broken")
    if labels is None:
        raise DataError(f"{whose} have no labels, and a classifier cannot be fitted without them")
    kinds = np.asarray(labels)
    if kinds.shape != (len(matrix),) or kinds.dtype.kind not in "iu":
        raise DataError(
            f"the labels of {whose} are {kinds.dtype} {list(kinds.shape)}: {len(matrix)} whole numbers are needed"
        )
    return matrix, kinds.astype(np.int64)

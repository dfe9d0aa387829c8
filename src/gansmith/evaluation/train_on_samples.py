"""Train on samples, test on real images: how much of the classes a conditional generator's samples teach.

Ravuri, Vinyals 2019, "Classification Accuracy Score for Conditional Generative Models", section 3 (GAN-train of
Shmelkov, Schmid, Alahari 2018, "How good is my GAN?"): a classifier fitted on samples with the labels they were made
for, tested on held-out real images, beside one fitted on as many real training images.

Differs: a logistic regression on features of an extractor instead of a ResNet on pixels, because it takes seconds. It
is blind to what the features are blind to, and a network that knows photographs needs few images to tell classes apart:
samples may teach it nearly as much as real images do, and a network from scratch much less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.metrics.classification_accuracy import LEAST, best_strength, predicted
from gansmith.evaluation.types import Features, Labels, Number
from gansmith.system.progress import track
from gansmith.system.seeding import mix

Side = tuple[Features, Labels]


def train_on_samples(samples: Side, train: Side, test: Side, *, seed: int = 0) -> dict[str, Number]:
    """(Features [., D], labels [.]) of samples, of real training images, of held-out real images, at least 10 each.

    accuracy       of the held-out images, the share that a classifier fitted on samples puts in the right class
    real_accuracy  the same when it is fitted on as many real training images
    difference, ratio  the first less the second, and over it: 0 and 1 when samples teach as well
    majority       the share of the commonest class of the held-out images: what a classifier that learned nothing gets

    Both learn from equally many images, with the one regularisation that does best on a fifth of the training images.
    Intervals: exact binomial for the accuracies; bootstrap over held-out images, both classifiers on the same ones, for
    difference and ratio. How other samples would have taught is not in them.
    Raises DataError for too few images, or fewer than two classes to learn.

    >>> rows, labels = np.repeat(np.eye(2, dtype=np.float32), 10, axis=0), np.repeat([0, 1], 10)
    >>> train_on_samples((rows, labels), (rows, labels), (rows, labels))["difference"].value
    0.0
    """
    for (features, labels), whose in ((samples, "samples"), (train, "training images"), (test, "held-out images")):
        if len(features) < LEAST:
            raise DataError(f"there are {len(features)} {whose}, and at least {LEAST} are needed")
        if whose != "held-out images" and len(np.unique(labels)) < 2:
            raise DataError(f"all {whose} are of one class: a classifier needs at least 2 to learn")
    rng = np.random.default_rng(mix(seed, "train on samples"))
    count = min(len(samples[0]), len(train[0]))
    fitted = []
    for features, labels in (samples, train):
        chosen = rng.permutation(len(features))[:count]
        fitted.append((features[chosen].astype(np.float64), labels[chosen]))
    strength = best_strength(*fitted[1])
    tested = test[0].astype(np.float64)
    right = np.stack(
        [
            predicted(features, labels, tested, strength) == test[1]
            for features, labels in track(fitted, "fitting classifiers", 2, "fits")
        ]
    )
    return _numbers(right, test[1], seed)


def _numbers(right: NDArray[np.bool_], labels: Labels, seed: int) -> dict[str, Number]:
    """Right or wrong [2, T], by the classifiers fitted on samples and on real images, of the same T tested images."""
    count = right.shape[1]
    hits = [int(row.sum()) for row in right]
    if not hits[1]:
        raise DataError(
            "a classifier fitted on real images puts none of the held-out ones in the right class: "
            "these features or labels say nothing about the images"
        )

    def difference(indices: NDArray[np.int64]) -> float:
        return float(right[0, indices].mean() - right[1, indices].mean())

    def ratio(indices: NDArray[np.int64]) -> float:
        return float(right[0, indices].sum() / max(1, right[1, indices].sum()))

    means = "share of held-out real images put into their class by what was learned from "
    commonest = float(np.unique(labels, return_counts=True)[1].max()) / count
    return {
        "accuracy": Number(hits[0] / count, *intervals.share(hits[0], count), f"{means}samples"),
        "real_accuracy": Number(hits[1] / count, *intervals.share(hits[1], count), f"{means}as many real images"),
        "difference": Number(
            (hits[0] - hits[1]) / count,
            *intervals.bootstrap(count, difference, seed=seed),
            "how much more samples teach than real images do: below 0, less",
        ),
        "ratio": Number(
            hits[0] / hits[1],
            *intervals.bootstrap(count, ratio, seed=seed),
            "how well samples teach, beside real images",
        ),
        "majority": Number(commonest, means="share of the commonest class among the held-out images"),
    }

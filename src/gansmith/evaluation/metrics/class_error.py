"""Class error and cross-entropy of a classifier, on images with known labels: the metric of a classification run.

As a metric, the real side holds the labels and the other side the classifier's answers to the same images, in order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import as_floats
from gansmith.evaluation.types import Metric, Number, Side


def build() -> Metric:
    """{"class_error": share whose likeliest class is wrong, "cross_entropy": in nats}, both lower for a better one.

    >>> build().better["class_error"]
    'lower'
    """
    return Metric(
        measure=_measure,
        better={"class_error": "lower", "cross_entropy": "lower"},
        words="class_error",
        needs=("probabilities", "labels"),
    )


def class_error(labels: ArrayLike, probabilities: ArrayLike) -> Mapping[str, Number]:
    """True classes [N], N >= 2, and class probabilities [N, K] -> the share that is wrong, with its exact binomial
    interval, and the mean cross-entropy. Raises DataError when the two do not belong together.

    >>> class_error([0, 1], [[0.9, 0.1], [0.8, 0.2]])["class_error"].value
    0.5
    """
    true, rows = np.asarray(labels), as_floats(probabilities, "the probabilities").astype(np.float64)
    if rows.ndim != 2 or true.shape != (len(rows),) or true.dtype.kind not in "iu":
        raise DataError("class_error needs the classifier's answer to each labelled image, in the same order")
    number, classes = rows.shape
    if number < 2:
        raise DataError(f"class_error needs at least 2 labelled images, not {number}")
    if true.min() < 0 or true.max() >= classes:
        raise DataError(f"the labels go from {true.min()} to {true.max()}: 0 to {classes - 1} are the classes")
    wrong = int((rows.argmax(1) != true).sum())
    of_the_true = np.take_along_axis(rows, true[:, None], 1)[:, 0]
    surprise = -np.log(np.maximum(of_the_true, np.finfo(np.float32).tiny))
    return {
        "class_error": Number(
            wrong / number, *intervals.share(wrong, number), "share of held-out images put into a wrong class"
        ),
        "cross_entropy": Number(
            float(surprise.mean()), *intervals.mean(surprise), "mean surprise at the true class, in nats"
        ),
    }


def _measure(real: Side, fake: Side) -> Mapping[str, Number]:
    if real.labels is None:
        raise DataError(f"{real.name} has no labels, and class_error needs them: images in one folder a class")
    if fake.probabilities is None:
        raise DataError("class_error needs the classifier's answer to each labelled image, in the same order")
    return class_error(real.labels, fake.probabilities)

"""How often a classifier is wrong: the metric of a classification run, on images with known labels.

Here the real side holds the labels and the other side the classifier's answers to the same images, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.answers import Number
from gansmith.evaluation.evidence import Metric, Side


def build() -> Metric:
    """{"class_error": share whose likeliest class is wrong, "cross_entropy": in nats}, both lower for a better one."""
    return Metric(
        measure=class_error,
        better={"class_error": "lower", "cross_entropy": "lower"},
        words="class_error",
        needs=("probabilities", "labels"),
    )


def class_error(real: Side, fake: Side) -> Mapping[str, Number]:
    """`real.labels` [N] and `fake.probabilities` [N, K] -> the share that is wrong, with its exact binomial interval,
    and the mean cross-entropy. Raises DataError without labels, or when the two do not belong together."""
    if real.labels is None:
        raise DataError(f"{real.name} has no labels, and class_error needs them: images in one folder a class")
    if fake.probabilities is None or len(fake.probabilities) != len(real.labels):
        raise DataError("class_error needs the classifier's answer to each labelled image, in the same order")
    wrong = int((fake.probabilities.argmax(1) != real.labels).sum())
    number = len(real.labels)
    chosen = np.take_along_axis(fake.probabilities.astype(np.float64), real.labels[:, None], 1)[:, 0]
    surprise = -np.log(np.maximum(chosen, np.finfo(np.float32).tiny))
    low, high = intervals.share(wrong, number)
    least, most = intervals.mean(surprise)
    return {
        "class_error": Number(wrong / number, low, high, "share of held-out images put into a wrong class"),
        "cross_entropy": Number(float(surprise.mean()), least, most, "mean surprise at the true class, in nats"),
    }

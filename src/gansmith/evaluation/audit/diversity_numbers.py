"""The numbers of the answer on diversity: kinds that are missing, coverage, precision, and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gansmith.evaluation import intervals
from gansmith.evaluation.audit.ratio_verdict import GOOD, ratio
from gansmith.evaluation.metrics import class_histogram
from gansmith.evaluation.planted_losses import HALF, MOST_GONE, SETS, THIRD, Variety
from gansmith.evaluation.types import Evidence, Features, Number

LEFT_OUT = 0.5  # of the data's classes
ALIKE = 0.5  # of real images must have a held-out one near, or the two are of different kinds
POWER = 0.8  # with which the loss of half of the kinds must be noticed, for the verdict to be good
MISSED = 0.05  # of the sets without half of the kinds may pass for good
ENOUGH = 100  # samples, for the verdict to be good: of fewer, a kind has a handful
POWERS: Mapping[float, str] = {THIRD: "power_third", HALF: "power_half", MOST_GONE: "power_three_quarters"}
_PARTS: Mapping[float, str] = {THIRD: "a third", HALF: "half", MOST_GONE: "three quarters"}
KINDS, LAYOUTS = "kinds_missing", "layouts_missing"  # by features, by thumbnails
_MISSING = {
    "": "share of their kinds that real images would have to lose to look like the samples: 0 is none",
    "_moved": "the same with what all samples have in common taken out",
}
_MOST_CLASSES = 30  # shares among the numbers
_RESAMPLINGS = 1000

Classes = Mapping[str, tuple[float, Number]]  # {class: (its share of the real images, of the samples)}
Views = Mapping[str, Variety]  # of KINDS, and of LAYOUTS where there are images
Members = NDArray[np.bool_]


def kinds(views: Views) -> dict[str, Number]:
    """How many kinds are missing, as planted losses say, and how surely losses would have been noticed: by the view
    that notices least."""
    numbers = {}
    for name, variety in views.items():
        by = "" if name == KINDS else ", by colour and layout"
        for column, (suffix, means) in enumerate(_MISSING.items()):
            ends = variety.scale.equivalent(float(variety.lacking[column]), column)
            numbers[f"{name}{suffix}"] = Number(*ends, f"{means}{by}")
    for share, name in POWERS.items():
        power = least_power(views, share)
        low, high = intervals.share(round(power * SETS), SETS)
        means = f"how surely it is noticed when {_PARTS[share]} of the kinds are gone"
        numbers[name] = Number(power, low, high, means)
    return numbers


def least_power(views: Views, share: float) -> float:
    """How surely the loss of this share of the kinds is noticed, by the view that notices its own kinds' least."""
    return min(variety.scale.power(share) for variety in views.values())


def most_missed(views: Views, share: float) -> float:
    """How often the loss of this share of the kinds passes for good, by the view by which it does most."""
    return max(variety.scale.missed(share) for variety in views.values())


def coverage(near: Sequence[Members], about: str, seed: int) -> dict[str, Number]:
    """bool [N] of each real image, whether one of the control lies near it, and one of each repeat's samples.

    Intervals are bootstraps over the real images, which are the same for samples and control, widened by the spread
    over the repeats; what another draw of the control would change is not in them."""
    control, *each = near
    covered = np.mean(each, axis=0)
    numbers = {
        "coverage": _mean(covered, "share of the real images that have a sample near them"),
        "coverage_held_out": _mean(control, f"the same share for as many {about}: what can be reached"),
    }

    def quotient(indices: NDArray[np.int64]) -> float:
        return float(covered[indices].sum() / max(1, control[indices].sum()))

    value = quotient(np.arange(len(covered)))
    low, high = intervals.bootstrap(len(covered), quotient, seed=seed, repeats=_RESAMPLINGS)
    shares = [float(one.mean()) for one in each]
    spread = 2 * float(np.std(shares, ddof=1)) / max(float(control.mean()), 1e-9) if len(shares) > 1 else 0.0
    numbers["coverage_ratio"] = Number(
        value,
        max(0.0, value - float(np.hypot(value - low, spread))),
        value + float(np.hypot(high - value, spread)),
        "how many real images have a sample near, of those that have one of as many real images near: 1 is as real",
    )
    return numbers


def precision(passing: Sequence[Members], about: str) -> dict[str, Number]:
    """bool [M] of control images and of each repeat's samples, whether they lie near a real image -> precision."""
    control, *each = passing
    of_samples = _mean(np.concatenate(each), "share of the samples that lie near a real image")
    attainable = _mean(control, f"the same share of {about}")
    means = "how many samples lie near a real image, for each held-out one that does"
    return {"precision_ratio": ratio(of_samples, attainable, means)}


def classes(evidence: Evidence) -> dict[str, Number]:
    """The classes of samples and real images by a classifier that saw both; nothing without one."""
    both = probabilities(evidence)
    if both is None:
        return {}
    numbers = class_histogram.class_histogram(*both, seed=evidence.seed)
    count = int((class_histogram.histogram(both[0]) > 0).sum())
    return {**numbers, "classes_in_data": Number(float(count), means="classes that the real images are of")}


def probabilities(evidence: Evidence) -> tuple[Features, Features] | None:
    """Class probabilities of the real images and of all samples; None where either side has none."""
    samples = [side.probabilities for side in evidence.fakes if side.probabilities is not None]
    real = evidence.train.probabilities
    if evidence.classes is None or real is None or len(samples) < len(evidence.fakes):
        return None
    return real, np.concatenate(samples)


def shares(classes: Classes) -> dict[str, Number]:
    """The share of each class among the samples, under a name of its own."""
    return {f"share_of_{name}": made for name, (_, made) in classes.items()} if len(classes) <= _MOST_CLASSES else {}


def unlike(numbers: Mapping[str, Number]) -> bool:
    """Whether the held-out images are surely of another kind than the training images."""
    high = numbers["coverage_held_out"].high
    return high is not None and high < ALIKE


def look_real(numbers: Mapping[str, Number]) -> bool:
    """Whether samples may lie among the real images about as often as held-out ones do: not surely below 2/3."""
    high = numbers["precision_ratio"].high
    return high is None or high >= GOOD


def lacking_classes(numbers: Mapping[str, Number]) -> bool:
    """Whether a classifier surely finds half of the data's classes or fewer among the samples."""
    generated = numbers.get("classes_found")
    if generated is None:
        return False
    most = generated.value if generated.high is None else generated.high
    return most <= LEFT_OUT * numbers["classes_in_data"].value


def _mean(values: NDArray[Any], means: str) -> Number:
    """The mean of values in [0, 1], one for each image, with the exact binomial interval of as many trials."""
    low, high = intervals.share(round(float(values.sum())), len(values))
    return Number(float(values.mean()), low, high, means)

"""Does it cover the variety of the real images? The share of real images with a sample near them (coverage).

Coverage (Naeem et al. 2020) decides: the share of real images in whose neighbourhood a sample lies, as a ratio to the
same share for as many other real images. The whole interval above 2/3 is good, below 1/3 bad. Where a classifier saw
both, a generator that leaves out half of the data's classes or more is bad too, whatever its coverage. Recall
(Kynkaanniemi et al. 2019), whose balls are drawn round the samples, stands beside it and decides nothing: a single
odd sample has a ball that holds everything.

Both shares grow with the number of samples, so everything is measured at one count: samples, real images, and the other
real images that are the control. Samples that look like nothing real cover nothing: where quality is bad, so is this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.evaluation import intervals
from gansmith.evaluation.audit import plots
from gansmith.evaluation.audit.ratio_verdict import of_a_hundred, surely_between, verdict_of, why_undecided
from gansmith.evaluation.audit.reference_split import (
    ReferenceSplit,
    features_of,
    places_of,
    random_subset,
    split_reference,
)
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.metrics import class_histogram
from gansmith.evaluation.metrics.precision_recall import members
from gansmith.evaluation.pairwise_distances import nearest, radii, within
from gansmith.evaluation.types import Answer, Evidence, Features, Figure, Number, Side, Verdict

NEIGHBOURS = 5  # Naeem et al.; recall's three are Kynkaanniemi et al.'s
HALF = 0.5  # of the data's classes
ALIKE = 0.5  # of real images must have a held-out one near, or the two are of different kinds
_RESAMPLINGS = 1000
_SHOWN = 16
_MOST_BARS = 30

Members = NDArray[np.bool_]


class Reached(NamedTuple):
    """bool [N] of each real image: whether one of the images lies in its ball, and whether it lies in one of theirs."""

    covered: Members
    recalled: Members


def answer(evidence: Evidence) -> Answer:
    """The answer to "diversity". Raises DataError for too few images, or features that cannot be used."""
    split = split_reference(evidence, "diversity")
    count = min(len(split.reference), len(split.control), *map(len, split.samples))
    reference, control, *samples = (
        random_subset(side, count, evidence.seed) for side in (split.reference, split.control, *split.samples)
    )
    among = places_of(reference, evidence)
    balls = radii(among, count=NEIGHBOURS, what="diversity: real images among themselves")
    attainable = _reached(places_of(control, evidence), among, balls)
    each = [_reached(places_of(side, evidence), among, balls) for side in samples]
    numbers = _numbers(each, attainable, split.about, evidence.seed)
    numbers |= _classes(evidence)
    verdict = _verdict(numbers)
    times = "once" if len(each) == 1 else f"{len(each)} times"
    return Answer(
        "diversity",
        verdict,
        _sentence(verdict, numbers, split),
        "classes_found" if _lacking(numbers) and verdict_of(numbers["coverage_ratio"]) != "bad" else "coverage_ratio",
        numbers,
        evidence.base.of(
            f"diversity(coverage, neighbours={NEIGHBOURS}; recall, neighbours=3)", real_count=count, fake_count=count
        ),
        details=(
            f"Measured {times} with {count:,} samples against {count:,} real images, beside {count:,} {split.about}.",
            "Real images that no sample comes near may be of a kind that is never generated, or generated badly.",
            *split.notes,
        ),
        advice=_advice(verdict, numbers),
        figures=(*_never_generated(reference, samples, balls), *_histogram(evidence)),
    )


def _reached(images: Features, reference: Features, balls: NDArray[np.float32]) -> Reached:
    inside = within(images, reference, base_radii=balls, what="diversity: images near a real one").inside
    return Reached(inside > 0, members(reference, images).reached)


def _numbers(each: list[Reached], control: Reached, about: str, seed: int) -> dict[str, Number]:
    """Intervals are bootstraps over the real images, which are the same for samples and control, widened by the spread
    over the repeats; what another draw of the control would change is not in them."""
    covered, recalled = (np.mean([getattr(one, field) for one in each], axis=0) for field in Reached._fields)
    numbers = {
        "coverage": _mean(covered, "share of the real images that have a sample near them"),
        "coverage_held_out": _mean(control.covered, f"the same share for as many {about}: what can be reached"),
        "recall": _mean(recalled, "share of the real images that lie among the samples"),
        "recall_held_out": _mean(control.recalled, f"the same share for as many {about}: what can be reached"),
    }

    def quotient(indices: NDArray[np.int64]) -> float:
        return float(covered[indices].sum() / max(1, control.covered[indices].sum()))

    value = quotient(np.arange(len(covered)))
    low, high = intervals.bootstrap(len(covered), quotient, seed=seed, repeats=_RESAMPLINGS)
    shares = [float(one.covered.mean()) for one in each]
    spread = 2 * float(np.std(shares, ddof=1)) / max(float(control.covered.mean()), 1e-9) if len(shares) > 1 else 0.0
    numbers["coverage_ratio"] = Number(
        value,
        max(0.0, value - float(np.hypot(value - low, spread))),
        value + float(np.hypot(high - value, spread)),
        "how much of the variety is covered, of what as many real images cover: 1 is as varied as real",
    )
    return numbers


def _mean(values: NDArray[Any], means: str) -> Number:
    """The mean of values in [0, 1], one for each real image, with the exact binomial interval of as many trials."""
    low, high = intervals.share(round(float(values.sum())), len(values))
    return Number(float(values.mean()), low, high, means)


def _probabilities(evidence: Evidence) -> tuple[Features, Features] | None:
    """Class probabilities of the real images and of all samples; None where either side has none."""
    samples = [side.probabilities for side in evidence.fakes if side.probabilities is not None]
    real = evidence.train.probabilities
    if evidence.classes is None or real is None or len(samples) < len(evidence.fakes):
        return None
    return real, np.concatenate(samples)


def _classes(evidence: Evidence) -> dict[str, Number]:
    probabilities = _probabilities(evidence)
    if probabilities is None:
        return {}
    numbers = class_histogram.class_histogram(*probabilities, seed=evidence.seed)
    count = int((class_histogram.histogram(probabilities[0]) > 0).sum())
    return {**numbers, "classes_in_data": Number(float(count), means="classes that the real images are of")}


def _lacking(numbers: Mapping[str, Number]) -> bool:
    """Whether half of the data's classes or more are surely left out."""
    classes = numbers.get("classes_found")
    if classes is None:
        return False
    return (classes.value if classes.high is None else classes.high) <= HALF * numbers["classes_in_data"].value


def _verdict(numbers: Mapping[str, Number]) -> Verdict:
    if _unlike(numbers):
        return "cannot tell"
    return "bad" if _lacking(numbers) else verdict_of(numbers["coverage_ratio"])


def _unlike(numbers: Mapping[str, Number]) -> bool:
    """Whether the held-out images are surely of another kind than the training images."""
    high = numbers["coverage_held_out"].high
    return high is not None and high < ALIKE


def _sentence(verdict: Verdict, numbers: Mapping[str, Number], split: ReferenceSplit) -> str:
    reached, control = (of_a_hundred(numbers[name]) for name in ("coverage", "coverage_held_out"))
    shares = (
        f"Of 100 real images, {reached} {'has' if reached == '1' else 'have'} a sample near; "
        f"{control} have one of as many {split.about} near"
    )
    if _unlike(numbers):
        return (
            f"Of 100 real images, only {control} have one of as many {split.about} near: the two are of different "
            f"kinds, and nothing can be judged by them."
        )
    if _lacking(numbers):
        generated, count = (f"{numbers[name].value:.0f}" for name in ("classes_found", "classes_in_data"))
        return f"{shares}. Of {count} classes, {generated} {'is' if generated == '1' else 'are'} made."
    return f"{shares}: {why_undecided(numbers['coverage_ratio'])}." if verdict == "cannot tell" else f"{shares}."


def _advice(verdict: Verdict, numbers: Mapping[str, Number]) -> tuple[str, ...]:
    if verdict == "good":
        return ()
    if _unlike(numbers):
        return ("hold out images of the kind that was trained on (--holdout)",)
    if verdict == "cannot tell" and surely_between(numbers["coverage_ratio"]):
        return ("train longer, if the samples of the run were still getting better at its end",)
    if verdict == "cannot tell":
        return ("give more samples (--samples), and hold out more real images, for a narrower interval",)
    return (
        "look at the answers on quality and collapse first: images that look like nothing real cover nothing",
        "try another objective or a penalty (gansmith list objectives): some leave fewer kinds out",
        "train with a larger batch, so that every kind is seen at every step",
    )


def _never_generated(reference: Side, samples: list[Side], balls: NDArray[np.float32]) -> tuple[Figure, ...]:
    """The real images that the samples stay farthest from, measured by how far their own neighbours are."""
    if reference.images is None:
        return ()
    everything = np.concatenate([features_of(side) for side in samples])
    distances = nearest(features_of(reference), everything, what="diversity: the sample nearest to each real image")[0]
    away = distances[:, 0] / np.maximum(balls, np.finfo(np.float32).tiny)
    farthest = np.argsort(-away, kind="stable")[: min(_SHOWN, int((away > 1).sum()))]
    if not len(farthest):
        return ()
    return (
        Figure(
            f"What it makes least: the {len(farthest)} of {len(reference):,} real images that all samples stay "
            f"farthest from."
            if len(farthest) > 1
            else f"What it makes least: the one of {len(reference):,} real images that no sample comes near.",
            image=picture(reference.images[farthest], columns=_SHOWN // 2),
        ),
    )


def _histogram(evidence: Evidence) -> tuple[Figure, ...]:
    probabilities = _probabilities(evidence)
    if probabilities is None or evidence.classes is None or len(evidence.classes) > _MOST_BARS:
        return ()
    shares = {}
    for name, rows in zip(("real", "made"), probabilities, strict=True):
        counts = class_histogram.histogram(rows)
        shares[name] = dict(zip(evidence.classes, (100 * counts / counts.sum()).tolist(), strict=True))
    return (Figure("How often each class occurs, by the classifier.", svg=plots.bars(shares, y="share (%)")),)

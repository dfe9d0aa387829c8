"""Does it cover the variety of the real images? Which share of the kinds of real images the samples make too rarely.

**Kinds** decide (`evaluation/kinds.py`): the real images fall into groups by their features, and what is measured is
the share of them whose group samples visit less than half as often; once more by thumbnails of 8 x 8 areas, for colour
and layout, which a network may not see. Sets of real images with a share of their kinds
taken away (`evaluation/planted_losses.py`) say what such a number means: more than a loss of a quarter typically gives
is bad; as little as chance gives is good, where the loss of half would have been noticed with probability POWER.

Beside it stand **coverage** (Naeem et al. 2020), the share of real images in whose neighbourhood a sample lies, as a
ratio to that of as many other real images: it sees samples that are of all kinds, but few of each. Surely below 1/3 is
bad, good needs surely above 2/3. And **classes**: where the real images have labels, the share of each among the
samples (`evaluation/class_shares.py`); where a classifier saw both, the classes that it puts no sample into.

Samples that look like nothing real visit kinds by accident: where surely fewer than 2/3 as many of them lie among the
real images as held-out ones do, there is no answer. By pixels nothing is good.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gansmith.evaluation.audit import diversity_numbers as measure
from gansmith.evaluation.audit import diversity_words as words
from gansmith.evaluation.audit.diversity_figures import class_bars, histogram, never_generated
from gansmith.evaluation.audit.diversity_numbers import (
    ENOUGH,
    KINDS,
    LAYOUTS,
    MISSED,
    POWER,
    Classes,
    Views,
    lacking_classes,
    least_power,
    look_real,
    most_missed,
    unlike,
)
from gansmith.evaluation.audit.diversity_words import Found, Reason
from gansmith.evaluation.audit.ratio_verdict import verdict_of
from gansmith.evaluation.audit.reference_split import ReferenceSplit, places_of, random_subset, split_reference
from gansmith.evaluation.class_shares import SCARCE, class_shares, fewer
from gansmith.evaluation.kinds import thumbnails
from gansmith.evaluation.pairwise_distances import radii, within
from gansmith.evaluation.planted_losses import HALF, LITTLE, Variety, variety
from gansmith.evaluation.types import Answer, Evidence, Features, Labels, Number, Side, Verdict

NEIGHBOURS = 5  # Naeem et al.
_HEADLINES: Mapping[Reason, str] = {  # the number that the verdict rests on, where it is not the kinds
    "unlike": "coverage_held_out",
    "unreal": "precision_ratio",
    "never": "classes_found",
    "layouts": LAYOUTS,
    "covered": "coverage_ratio",
}


def answer(evidence: Evidence) -> Answer:
    """The answer to "diversity". Raises DataError for too few images, or features that cannot be used."""
    split = split_reference(evidence, "diversity")
    count = min(len(split.reference), len(split.control), *map(len, split.samples))
    reference, control, *samples = (
        random_subset(side, count, evidence.seed) for side in (split.reference, split.control, *split.samples)
    )
    among = places_of(reference, evidence)
    balls = radii(among, count=NEIGHBOURS, what="diversity: real images among themselves")
    sides = [_near(places_of(side, evidence), among, balls) for side in (control, *samples)]
    numbers = measure.coverage([near for near, _ in sides], split.about, evidence.seed)
    numbers |= measure.precision([passing for _, passing in sides], split.about) | measure.classes(evidence)
    views = _views(split, evidence)
    numbers |= measure.kinds(views)
    classes = {} if unlike(numbers) or not look_real(numbers) else _classes(split, evidence)
    verdict, why = _verdict(numbers, views, classes, samples=sum(map(len, split.samples)), evidence=evidence)
    found = Found(numbers, views, classes, split.about)
    by = " and thumbnails" * (LAYOUTS in views)
    return Answer(
        "diversity",
        verdict,
        words.sentence(verdict, why, found),
        _HEADLINES.get(why, KINDS),
        numbers | measure.shares(classes),
        evidence.base.of(
            f"diversity({views[KINDS].scale.kinds} of features{by}; coverage, neighbours={NEIGHBOURS})",
            real_count=count,
            fake_count=count,
        ),
        details=(*words.details(found, repeats=len(samples), count=count), *split.notes),
        needs=("other held-out images",) if why == "unlike" else (),
        figures=(
            *never_generated(
                (reference, among), np.concatenate([places_of(side, evidence) for side in samples]), balls
            ),
            *class_bars(classes),
            *histogram(evidence.classes, measure.probabilities(evidence)),
        ),
    )


def _near(
    images: Features, reference: Features, balls: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each real image [N], whether one of the images lies near it; of each of the images [M], whether it lies near
    a real one."""
    inside = within(images, reference, base_radii=balls, what="diversity: images near a real one")
    return inside.inside > 0, inside.balls > 0


def _views(split: ReferenceSplit, evidence: Evidence) -> dict[str, Variety]:
    """Variety by features, and by thumbnails where all sides are images of one shape and features are not pixels."""

    def of(side: Side) -> tuple[Features, Labels | None]:
        return places_of(side, evidence), side.labels

    made = np.concatenate([places_of(side, evidence) for side in split.samples])
    views = {KINDS: variety(of(split.reference), of(split.control), made, seed=evidence.seed)}
    images = [side.images for side in (split.reference, split.control, *split.samples) if side.images is not None]
    if len(images) < 2 + len(split.samples) or len({part.shape[1:] for part in images}) > 1:
        return views
    if evidence.extractor.name != "pixels":
        real, others, *small = (thumbnails(part) for part in images)
        views[LAYOUTS] = variety((real, None), (others, None), np.concatenate(small), seed=evidence.seed)
    return views


def _classes(split: ReferenceSplit, evidence: Evidence) -> Classes:
    if split.reference.labels is None:
        return {}
    made = np.concatenate([places_of(side, evidence) for side in split.samples])
    return class_shares(
        places_of(split.reference, evidence),
        split.reference.labels,
        made,
        names=evidence.label_names,
        seed=evidence.seed,
    )


def _verdict(
    numbers: Mapping[str, Number], views: Views, classes: Classes, *, samples: int, evidence: Evidence
) -> tuple[Verdict, Reason]:
    """The verdict, and what it rests on: the first rule that holds."""
    scarce, covered = fewer(classes, SCARCE), verdict_of(numbers["coverage_ratio"])
    layouts = views.get(LAYOUTS)
    rules: tuple[tuple[bool, Verdict, Reason], ...] = (
        (unlike(numbers), "cannot tell", "unlike"),
        (not look_real(numbers), "cannot tell", "unreal"),
        (lacking_classes(numbers), "bad", "never"),
        (sum(classes[name][0] for name in scarce) > LITTLE, "bad", "scarce"),
        (views[KINDS].bad, "bad", "kinds"),
        (layouts is not None and layouts.bad, "bad", "layouts"),
        (covered == "bad", "bad", "covered"),
        (evidence.extractor.name == "pixels", "cannot tell", "pixels"),
        (least_power(views, HALF) < POWER, "cannot tell", "power"),
        (most_missed(views, HALF) > MISSED, "cannot tell", "missed"),
        (samples < ENOUGH, "cannot tell", "few"),
        (len(scarce) > 0, "cannot tell", "scarce"),
        (not views[KINDS].good, "cannot tell", "kinds"),
        (layouts is not None and not layouts.good, "cannot tell", "layouts"),
        (covered != "good", "cannot tell", "covered"),
    )
    return next(((verdict, why) for holds, verdict, why in rules if holds), ("good", "whole"))

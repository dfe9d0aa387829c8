"""Does the generator repeat itself? How many different pictures it makes, and how many kinds of them.

Two radii are set by the real images (`evaluation.duplicates`): of their pairs one in 10,000 is the same picture, one in
100 the same kind. Within the first, the pairs among the samples give the number of different pictures
(`evaluation.birthday`); within the second, the variety of the samples over that of the real images: a generator of
blobs that are alike but not equal has little of it. Every verdict rests on an interval. docs/collapse.md has the
formulas, how often the intervals hold, and what they cannot see.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError, GansmithError
from gansmith.evaluation import duplicates, support_size
from gansmith.evaluation.audit import plots
from gansmith.evaluation.audit.reference_split import features, some
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.duplicates import Distances
from gansmith.evaluation.metrics.class_histogram import class_histogram
from gansmith.evaluation.metrics.density_coverage import density_coverage
from gansmith.evaluation.metrics.precision_recall import precision_recall
from gansmith.evaluation.number_format import number
from gansmith.evaluation.types import Answer, Evidence, Figure, Images, Number, Side, Verdict
from gansmith.system.seeding import mix

MOST = 2000  # images a side: two million pairs
FEWEST = 20  # images a side: 190 pairs
HALF = 0.5  # of the variety of the real images: clearly less is collapse, clearly more is none
_GROUPS = 3  # sheets of repeats
_SHOWN, _COLUMNS = 16, 8  # pictures a sheet, and across
_DRAWN = 20_000  # pairs in a plot


@dataclass(frozen=True)
class Seen:
    """What the distances say. pictures, kinds, spread: of the samples; real: of the real images, within `same`."""

    same: float
    kind: float
    pictures: Number
    real: Number
    kinds: Number
    spread: Number
    enough: float


def answer(evidence: Evidence) -> Answer:
    """The answer to "collapse", from images and the copy-sensitive extractor.

    Raises DataError for fewer than FEWEST images a side, sides without images or of unequal size.
    """
    real = _some("the real images", evidence.seed, evidence.train, evidence.holdout)
    made = _some("the samples", evidence.seed, *evidence.fakes)
    if real.shape[1:] != made.shape[1:]:
        raise DataError(
            f"the samples are of {_size(made)} and the real images of {_size(real)}: bring them to one size first"
        )
    ours = duplicates.compared(real, evidence.copies, what="the real images")
    theirs = duplicates.compared(made, evidence.copies, what="the samples")
    seen = look(ours, theirs, trained=len(evidence.train))
    groups = duplicates.clusters(theirs, seen.same)
    verdict = judge(seen, len(made))
    largest = Number(len(groups[0]) / len(made) if groups else 0.0, means="share of the samples in the largest group")
    beside = _beside(evidence)
    numbers: dict[str, Number] = {
        "different_pictures": seen.pictures,
        "different_pictures_of_the_real_images": seen.real,
        "variety": seen.kinds,
        "mean_difference": seen.spread,
        "largest_group": largest,
        **beside,
    }
    return Answer(
        "collapse",
        verdict,
        _sentence(verdict, seen, len(made)),
        _headline(verdict, seen),
        numbers,
        evidence.base.of(
            f"collapse(radii={duplicates.PICTURE:g},{duplicates.KIND:g})",
            features=f"{evidence.copies}{f'; recall, coverage: {evidence.extractor}' if 'recall' in beside else ''}",
            real_count=len(real),
            fake_count=len(made),
        ),
        details=_details(seen, len(real), len(made), evidence),
        advice=_advice(verdict),
        figures=(*_sheets(made, groups), *_plots(ours, theirs, seen)),
    )


def look(real: Distances, made: Distances, *, trained: int) -> Seen:
    """Distances [R, R] between real images and [N, N] between samples -> how often each side repeats itself.

    trained: how many images the generator was shown; of as many different ones it is not asked for more.
    """
    share, wide = (duplicates.rate(wanted, len(real)) for wanted in (duplicates.PICTURE, duplicates.KIND))
    same, kind = duplicates.radii(real, share, wide)
    real_repeats = duplicates.degrees(real, same)
    chance = support_size.collisions(real_repeats)
    repeats = support_size.collisions(duplicates.degrees(made, same))
    real_kinds = support_size.collisions(duplicates.degrees(real, kind))
    made_kinds = support_size.collisions(duplicates.degrees(made, kind))
    (middle, error), (made_middle, made_error) = duplicates.spread(real), duplicates.spread(made)
    ratio = made_middle / middle
    half = 1.96 * np.hypot(made_error, ratio * error) / middle
    return Seen(
        same,
        kind,
        support_size.beyond(repeats, chance),
        support_size.support(real_repeats),
        support_size.ratio(made_kinds, real_kinds),
        Number(ratio, max(0.0, ratio - half), ratio + half, "how much two samples differ, over two real images"),
        HALF * min(1 / chance.value, trained),
    )


def judge(seen: Seen, count: int) -> Verdict:
    """Bad where an interval lies below half of what the real images show, good where both lie above.

    Samples that repeat themselves no more than real images can only show so much: there, at least twice as many
    pictures as samples is enough.
    """
    if _few_pictures(seen) or _few_kinds(seen):
        return "bad"
    enough = seen.enough if seen.pictures.high is not None else min(seen.enough, 2 * count)
    many = (seen.pictures.low or 0.0) >= enough
    return "good" if many and (seen.kinds.low or 0.0) >= HALF else "cannot tell"


def _few_pictures(seen: Seen) -> bool:
    return seen.pictures.high is not None and seen.pictures.high < seen.enough


def _few_kinds(seen: Seen) -> bool:
    return seen.kinds.high is not None and seen.kinds.high < HALF


def _headline(verdict: Verdict, seen: Seen) -> str:
    return "variety" if verdict == "bad" and not _few_pictures(seen) else "different_pictures"


def _sentence(verdict: Verdict, seen: Seen, count: int) -> str:
    least, most = seen.pictures.low or 1.0, seen.pictures.high
    if verdict == "good":
        return (
            f"No: {count:,} samples are as different from each other as real images are, as from a generator of at "
            f"least {number(_round(least))} pictures."
        )
    if verdict == "cannot tell":
        return (
            f"{count:,} samples do not settle it: at least {number(_round(least))} different pictures, and "
            f"{_percent(seen.kinds)} of the variety of the real images."
        )
    if _few_pictures(seen) and most is not None:
        low, high = number(_round(least)), number(_round(most))
        about = low if low == high else f"{low} to {high}"
        pictures = "one picture" if about == "1" else f"{about} pictures"
        return f"Yes: its {count:,} samples repeat themselves as if it knew only {pictures}."
    return f"Yes, in part: few samples are equal, but together they have {_percent(seen.kinds)} of the real variety."


def _details(seen: Seen, real: int, made: int, evidence: Evidence) -> tuple[str, ...]:
    chance = 1 / seen.real.value
    how = "by their pixels, moved by up to two" if evidence.copies.name == "pixels" else "to the extractor"
    found = [
        f"Two pictures count as the same when they are as close ({how}) as the closest {100 * chance:.2g} % of the "
        f"pairs of {real:,} different real images. By that measure the real images repeat themselves as if there "
        f"were {number(_round(seen.real.value))}.",
        f"Two samples differ {_percent(seen.spread)} as much as two real images do.",
    ]
    if seen.pictures.high is None:
        found.append(
            f"{made:,} samples show no more: {number(_round(seen.pictures.low or 1.0))} pictures, or any number above. "
            f"Twice the samples see about twice to four times as far."
        )
    found.append("Pictures that are rare among the samples hardly count: a few very frequent ones are what is seen.")
    return tuple(found)


def _advice(verdict: Verdict) -> tuple[str, ...]:
    if verdict == "cannot tell":
        return ("give more samples (--samples 2000)", "look at the sheets of this answer: what repeats is on them")
    if verdict == "good":
        return ()
    return (
        "look through the run's samples/: the last sheet whose pictures still differ tells when it happened",
        "train again with a slower discriminator (--set optimizer.discriminator.lr=0.0001) or larger batches (--batch)",
        "train again with another --seed: collapse is often one run's bad luck",
        "give more images, or mirror them (--flip): a discriminator that knows its images by heart drives this",
    )


def _beside(evidence: Evidence) -> dict[str, Number]:
    """Recall, coverage and the classes, where the main extractor was asked. They do not decide here."""
    real, fakes = evidence.holdout or evidence.train, evidence.fakes
    found: dict[str, Number] = {}
    made = [side.features for side in fakes if side.features is not None]
    if real.features is not None and len(made) == len(fakes):
        sides = Side("real images", features=real.features), Side("samples", features=np.concatenate(made))
        ours, theirs = (features(some(side, MOST, evidence.seed)) for side in sides)
        with suppress(GansmithError):  # what stops them is said where they decide: quality and diversity
            found["recall"] = precision_recall(ours, theirs).recall
            found["coverage"] = density_coverage(ours, theirs).coverage
    chances = [side.probabilities for side in fakes if side.probabilities is not None]
    if real.probabilities is not None and len(chances) == len(fakes):
        with suppress(GansmithError):
            found |= class_histogram(real.probabilities, np.concatenate(chances), seed=evidence.seed)
    return found


def _sheets(made: Images, groups: list[NDArray[np.int64]]) -> tuple[Figure, ...]:
    found = []
    for members in groups[:_GROUPS]:
        shown = members[np.unique(np.linspace(0, len(members) - 1, _SHOWN).astype(int))]  # from the middle to the edge
        part = "" if len(shown) == len(members) else f"; {len(shown)} of them are shown"
        caption = f"These {len(members):,} of {len(made):,} samples count as the same picture{part}"
        found.append(Figure(caption, image=picture(made[shown], columns=_COLUMNS)))
    return tuple(found)


def _plots(real: Distances, made: Distances, seen: Seen) -> tuple[Figure, ...]:
    marks = {"same picture": seen.same, "same kind": seen.kind}
    pairs = {"samples": duplicates.upper(made), "real images": duplicates.upper(real)}
    thinned = {name: values[:: max(1, len(values) // _DRAWN)].tolist() for name, values in pairs.items()}
    count = min(len(real), len(made))
    closest = {"samples": _closest(made[:count, :count]), "real images": _closest(real[:count, :count])}
    return (
        Figure(
            f"How far each picture is from the one most like it, among {count:,} of a side. Samples to the left of "
            f"the real images repeat themselves.",
            svg=plots.histogram(closest, x="distance to the most similar picture", marks=marks),
        ),
        Figure(
            "How far any two pictures are from each other. Samples that are all alike lie to the left.",
            svg=plots.histogram(thinned, x="distance between two pictures", marks=marks),
        ),
    )


def _closest(found: Distances) -> list[float]:
    others = found + np.diag(np.full(len(found), np.inf, dtype=np.float32))
    nearest: list[float] = others.min(axis=1).tolist()
    return nearest


def _some(whose: str, seed: int, *sides: Side | None) -> Images:
    """The images of several sides together, or MOST of them drawn at random (the whole may not fit into memory)."""
    found = [side.images for side in sides if side is not None and side.images is not None]
    if not found:
        raise DataError(f"repeats are looked for in images, and {whose} were not given as images")
    shapes = sorted({images.shape[1:] for images in found})
    if len(shapes) > 1:
        raise DataError(f"{whose} are of different shapes: {shapes}. Bring them to one size first")
    ends = np.cumsum([len(images) for images in found])
    if ends[-1] < FEWEST:
        raise DataError(
            f"{whose} are {ends[-1]}, and whether a generator repeats itself shows in at least {FEWEST}: give hundreds"
        )
    drawn = np.random.default_rng(mix(seed, "collapse", whose)).permutation(ends[-1])[:MOST]
    parts = np.split(np.sort(drawn), np.searchsorted(np.sort(drawn), ends[:-1]))
    starts = ends - [len(images) for images in found]
    return np.concatenate(
        [images[part - start] for images, part, start in zip(found, parts, starts, strict=True)], dtype=np.uint8
    )


def _size(images: Images) -> str:
    return "x".join(map(str, images.shape[1:3])) + f" pixels with {images.shape[3]} channels"


def _round(value: float) -> float:
    """Two digits: more were pretended. Whole numbers below a hundred."""
    return float(round(value)) if value < 100 else float(f"{value:.1e}")


def _percent(share: Number) -> str:
    low, high = (round(100 * end) if end is not None else None for end in (share.low, share.high))
    if high is None:
        return f"at least {low} %"
    return f"{round(100 * share.value)} % ({low} to {high} %)"

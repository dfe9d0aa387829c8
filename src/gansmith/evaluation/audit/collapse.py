"""Does the generator repeat itself? How many different images it makes, and how many kinds of them.

Two radii are set by the real images (`evaluation.duplicates`): of their pairs one in 10,000 is the same image, one in
100 the same kind. Within the first, the pairs among the samples give the number of different images
(`evaluation.support_size`); within the second, the variety of the samples over that of the real images: a generator of
blobs that are alike but not equal has little of it. Every verdict rests on an interval. docs/collapse.md has the
formulas, how often the intervals hold, and what they cannot see.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError, GansmithError
from gansmith.evaluation import duplicates, support_size
from gansmith.evaluation.audit import collapse_words as words
from gansmith.evaluation.audit import plots
from gansmith.evaluation.audit.collapse_words import HALF, Repetition, few_images, few_kinds
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.duplicates import Distances
from gansmith.evaluation.metrics.class_histogram import class_histogram
from gansmith.evaluation.types import Answer, Evidence, Figure, Images, Number, Side, Verdict
from gansmith.system.seeding import mix

MOST = 2000  # images a side: two million pairs
FEWEST = 20  # images a side: 190 pairs
ENOUGH = 100  # samples, for the verdict to be good
POWER = 0.8  # with which a generator of so few images is noticed, in the words
_GROUPS = 3  # sheets of repeats
_SHOWN, _COLUMNS = 16, 8  # images a sheet, and across
_DRAWN = 20_000  # pairs in a plot
_PLANTED = 50  # generators of each number of images


def answer(evidence: Evidence) -> Answer:
    """The answer to "collapse", from images and the copy-sensitive extractor.

    Raises DataError for fewer than FEWEST images a side, sides without images or of unequal size.
    """
    real = _random_subset("the real images", evidence.seed, evidence.train, evidence.holdout)
    samples = _random_subset("the samples", evidence.seed, *evidence.fakes)
    if real.shape[1:] != samples.shape[1:]:
        raise DataError(
            f"the samples are of {_size(samples)} and the real images of {_size(real)}: bring them to one size first"
        )
    between_real = duplicates.compared(real, evidence.copies, what="the real images")
    between_samples = duplicates.compared(samples, evidence.copies, what="the samples")
    repetition = measure(between_real, between_samples, trained=len(evidence.train))
    groups = duplicates.clusters(between_samples, repetition.same)
    verdict = verdict_of(repetition, len(samples))
    blind = verdict == "good" and evidence.extractor.name == "pixels"
    verdict = "cannot tell" if blind else verdict
    noticed = most_noticed(repetition, len(samples), seed=evidence.seed)
    share = len(groups[0]) / len(samples) if groups else 0.0
    beside = _beside(evidence)
    return Answer(
        "collapse",
        verdict,
        words.by_pixels(len(samples)) if blind else words.sentence(verdict, repetition, len(samples)),
        _headline(verdict, repetition),
        {
            "different_pictures": repetition.images,
            "different_pictures_of_the_real_images": repetition.real,
            "variety": repetition.kinds,
            "mean_difference": repetition.spread,
            "largest_group": Number(share, means="share of the samples in the largest group"),
            "images_noticed": Number(
                float(noticed), means=f"a generator of at most so many images is called bad with probability {POWER:g}"
            ),
            **beside,
        },
        evidence.base.of(
            f"collapse(radii={duplicates.PICTURE:g},{duplicates.KIND:g})",
            features=str(evidence.copies),
            real_count=len(real),
            fake_count=len(samples),
        ),
        details=words.details(repetition, len(real), len(samples), evidence, noticed=noticed),
        figures=(*_sheets(samples, groups), *_plots(between_real, between_samples, repetition)),
    )


def measure(real: Distances, samples: Distances, *, trained: int) -> Repetition:
    """Distances [R, R] between real images and [N, N] between samples -> how often each side repeats itself.

    trained: how many images the generator was shown; of as many different ones it is not asked for more.
    """
    share, wide = (duplicates.rate(wanted, len(real)) for wanted in (duplicates.PICTURE, duplicates.KIND))
    same, kind = duplicates.radii(real, share, wide)
    real_repeats = duplicates.degrees(real, same)
    chance = support_size.collisions(real_repeats)
    repeats = support_size.collisions(duplicates.degrees(samples, same))
    real_kinds = support_size.collisions(duplicates.degrees(real, kind))
    samples_kinds = support_size.collisions(duplicates.degrees(samples, kind))
    (mean, error), (samples_mean, samples_error) = duplicates.spread(real), duplicates.spread(samples)
    ratio = samples_mean / mean
    half = 1.96 * np.hypot(samples_error, ratio * error) / mean
    return Repetition(
        same,
        kind,
        support_size.beyond(repeats, chance),
        support_size.support(real_repeats),
        support_size.ratio(samples_kinds, real_kinds),
        Number(ratio, max(0.0, ratio - half), ratio + half, "how much two samples differ, over two real images"),
        HALF * min(1 / chance.value, trained),
        chance,
    )


def verdict_of(repetition: Repetition, count: int) -> Verdict:
    """Bad where an interval lies below half of what the real images show, good where both lie above.

    Samples that repeat themselves no more than real images can only show so much: there, at least twice as many
    images as samples is enough. Fewer than ENOUGH samples are never good.
    """
    if few_images(repetition) or few_kinds(repetition):
        return "bad"
    enough = repetition.enough if repetition.images.high is not None else min(repetition.enough, 2 * count)
    many = count >= ENOUGH and (repetition.images.low or 0.0) >= enough
    return "good" if many and (repetition.kinds.low or 0.0) >= HALF else "cannot tell"


def most_noticed(repetition: Repetition, count: int, *, seed: int) -> int:
    """The largest number of images, of those tried, up to which a generator that makes each equally often would be
    called bad from `count` samples with probability POWER; 0 where not even one of a single image would."""
    rng = np.random.default_rng(mix(seed, "planted collapse"))
    largest = 0
    for images in np.unique(np.geomspace(1, max(2.0, repetition.enough), 16).astype(int)):
        drawn = rng.multinomial(count, np.full(images, 1 / images), size=_PLANTED)
        highs = [
            support_size.beyond(support_size.collisions(np.repeat(sizes - 1, sizes)), repetition.chance).high
            for sizes in drawn
        ]
        if np.mean([high is not None and high < repetition.enough for high in highs]) < POWER:
            break
        largest = int(images)
    return largest


def _headline(verdict: Verdict, repetition: Repetition) -> str:
    return "variety" if verdict == "bad" and not few_images(repetition) else "different_pictures"


def _beside(evidence: Evidence) -> dict[str, Number]:
    """The classes, where a classifier saw both sides. They do not decide here."""
    real, fakes = evidence.holdout or evidence.train, evidence.fakes
    probabilities = [side.probabilities for side in fakes if side.probabilities is not None]
    if real.probabilities is None or len(probabilities) < len(fakes):
        return {}
    with suppress(GansmithError):  # the reason is told where they decide: diversity
        return class_histogram(real.probabilities, np.concatenate(probabilities), seed=evidence.seed)
    return {}


def _sheets(samples: Images, groups: list[NDArray[np.int64]]) -> tuple[Figure, ...]:
    sheets = []
    for members in groups[:_GROUPS]:
        indices = members[
            np.unique(np.linspace(0, len(members) - 1, _SHOWN).astype(int))
        ]  # from the middle to the edge
        part = "" if len(indices) == len(members) else f"; {len(indices)} of them are shown"
        caption = f"These {len(members):,} of {len(samples):,} samples count as the same image by this measure{part}"
        sheets.append(Figure(caption, image=picture(samples[indices], columns=_COLUMNS)))
    return tuple(sheets)


def _plots(real: Distances, samples: Distances, repetition: Repetition) -> tuple[Figure, ...]:
    marks = {"same image": repetition.same, "same kind": repetition.kind}
    pairs = {"samples": duplicates.upper(samples), "real images": duplicates.upper(real)}
    thinned = {name: values[:: max(1, len(values) // _DRAWN)].tolist() for name, values in pairs.items()}
    count = min(len(real), len(samples))
    closest = {"samples": _closest(samples[:count, :count]), "real images": _closest(real[:count, :count])}
    return (
        Figure(
            f"How far each image is from the one most like it, among {count:,} of a side. Samples to the left of "
            f"the real images repeat themselves.",
            svg=plots.histogram(closest, x="distance to the most similar image", marks=marks),
        ),
        Figure(
            "How far any two images are from each other. Samples that are all alike lie to the left.",
            svg=plots.histogram(thinned, x="distance between two images", marks=marks),
        ),
    )


def _closest(distances: Distances) -> list[float]:
    others = distances + np.diag(np.full(len(distances), np.inf, dtype=np.float32))
    nearest: list[float] = others.min(axis=1).tolist()
    return nearest


def _random_subset(whose: str, seed: int, *sides: Side | None) -> Images:
    """The images of several sides together, or MOST of them drawn at random (the whole may not fit into memory)."""
    sets = [side.images for side in sides if side is not None and side.images is not None]
    if not sets:
        raise DataError(f"repeats are looked for in images, and {whose} were not given as images")
    shapes = sorted({images.shape[1:] for images in sets})
    if len(shapes) > 1:
        raise DataError(f"{whose} are of different shapes: {shapes}. Bring them to one size first")
    ends = np.cumsum([len(images) for images in sets])
    if ends[-1] < FEWEST:
        raise DataError(
            f"{whose} are {ends[-1]}, and whether a generator repeats itself shows in at least {FEWEST}: give hundreds"
        )
    drawn = np.random.default_rng(mix(seed, "collapse", whose)).permutation(ends[-1])[:MOST]
    parts = np.split(np.sort(drawn), np.searchsorted(np.sort(drawn), ends[:-1]))
    starts = ends - [len(images) for images in sets]
    return np.concatenate(
        [images[part - start] for images, part, start in zip(sets, parts, starts, strict=True)], dtype=np.uint8
    )


def _size(images: Images) -> str:
    return "x".join(map(str, images.shape[1:3])) + f" pixels with {images.shape[3]} channels"

"""Do the images look like the real ones? How many samples lie among the real images, beside how many real ones do.

Three measurements decide.

- The share of samples that lie among the real images (precision, Kynkaanniemi et al. 2019), as a ratio to the same
  share of real images that were held out: the whole interval above 2/3 is good, below 1/3 bad. Between, the answer is
  "cannot tell", with the number.
- How densely the real images lie where the samples are (density, Naeem et al. 2020, eq. 4), as a ratio to held-out ones
  again: surely below 1/3 is bad, and good needs 2/3. One odd real image draws a ball that is wide enough for much
  rubbish to lie in it, and precision counts that; density counts how many balls there are.
- What all samples have in common that the real images nearest to them have not: the kernel distance (KID, Binkowski et
  al. 2018) between samples and the training images nearest to them, each training image at most once, as a share of the
  distance of a single real image from all of them. It sees what each image by itself hides: stripes or grain on
  every sample that precision, whose balls reach far round odd real images, lets pass. Surely above FLAW is bad; a
  value above it is no longer good. Because each sample is held against its own neighbour, samples of few kinds are not
  blamed here: that is the question of diversity. But where all samples lie near the same few real images, a flaw cannot
  be told from what is particular to these few, and the answer is at best "cannot tell".

KID and FID against all real images stand beside them, for comparison with other runs; they mix quality and diversity
and decide nothing but where the features are plain pixels. Those see layout and brightness, not whether a garment looks
like one: by precision they put clean runs below striped ones. There a KID that is surely more than FAR of a single real
image's own distance is bad, and nothing is good. Where even the held-out images lie far from the training ones
(ALIKE), they are images of another kind, and no answer is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.audit.reference_split import (
    GOOD,
    Ground,
    between,
    features,
    ground,
    judge,
    of_a_hundred,
    ratio,
    undecided,
)
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.metrics.density_coverage import density_coverage
from gansmith.evaluation.metrics.fid import fid
from gansmith.evaluation.metrics.fid_infinity import fid_infinity
from gansmith.evaluation.metrics.kid import Kernel, estimate, kernel_sums, kid
from gansmith.evaluation.pairwise_distances import nearest, radii, within
from gansmith.evaluation.types import Answer, Evidence, Features, Figure, Number, Verdict
from gansmith.system.seeding import mix

NEIGHBOURS = 3  # Kynkaanniemi et al.
FLAW = 0.08  # half again what a short but honest training leaves on garments of 28 pixels (docs/metrics.md)
LEAST_DISTINCT = 20  # training images that are nearest to some sample: below, their mean is chance
FAR = 0.05  # of the distance of one real image from all: honest runs reach .02, broken ones .08 and more
ALIKE = 0.3  # of held-out images must pass for training images, or the two are of different kinds
_SHOWN = 8


def answer(evidence: Evidence) -> Answer:
    """The answer to "quality". Raises DataError for too few images, or features that cannot be used."""
    given = ground(evidence, "quality")
    reference, anchor = features(given.reference), features(given.anchor)
    made = np.concatenate([features(side) for side in given.made])
    balls = radii(reference, count=NEIGHBOURS, what="quality: real images among themselves")
    passes = within(made, reference, base_radii=balls, what="quality: samples among real images").balls > 0
    held = within(anchor, reference, base_radii=balls, what="quality: held-out among real images").balls > 0
    numbers = {
        "precision": _share(passes, "share of the samples that lie among the real images, and so would pass for one"),
        "precision_held_out": _share(held, f"the same share of {given.about}: what can be reached"),
    }
    numbers["precision_ratio"] = ratio(
        numbers["precision"],
        numbers["precision_held_out"],
        "how many samples pass for a real image, for each real one that does: 1 is as good as real",
    )
    numbers |= _density(reference, anchor, made, given.about)
    places = nearest(made, reference, what="quality: the real image nearest to each sample")[1][:, 0]
    flaw = common_flaw(made, reference, places)
    if flaw is not None:
        numbers["common_flaw"] = flaw
    numbers |= _distances(reference, anchor, made)
    if evidence.extractor.name == "pixels":
        numbers["kid_share"] = _share_of_one(numbers["kid"], reference)
    verdict = _verdict(numbers)
    return Answer(
        "quality",
        verdict,
        _sentence(verdict, numbers, given),
        _headline(verdict, numbers),
        numbers,
        evidence.base.of(
            f"quality(precision and density, neighbours={NEIGHBOURS}; flaw < {FLAW})",
            real_count=len(reference),
            fake_count=len(made),
        ),
        details=(_repeats(given, passes), *_remarks(numbers), *given.notes),
        advice=_advice(verdict, numbers),
        figures=_figures(given, made, balls),
    )


def common_flaw(made: Features, reference: Features, places: NDArray[np.int64]) -> Number | None:
    """[M, D], [N, D], and for each sample the index of its nearest real image -> what sets all samples off from them.

    0: nothing; 1: as much as one typical real image, repeated, is off from all of them: half of the squared distance
    of two. None where fewer than LEAST_DISTINCT real images are nearest to any sample.
    """
    matched, first = np.unique(places, return_index=True)
    if len(matched) < LEAST_DISTINCT:
        return None
    value, error = estimate(kernel_sums(reference[matched], made[first], Kernel()))
    scale = _of_one(reference)
    half = intervals.student(error, len(matched) - 1)
    return Number(
        value / scale,
        (value - half) / scale,
        (value + half) / scale,
        "what all samples have in common and the real images nearest to them have not: 0 is nothing",
    )


def _of_one(reference: Features) -> float:
    """The kernel distance of a typical real image, repeated, from all of them: half of that of two."""
    order = np.random.default_rng(mix(0, "pairs of real images")).permutation(len(reference))
    one, other = (reference[half].astype(np.float64) for half in (order[0::2], np.roll(order, -1)[0::2]))
    kernels = [((a * b).mean(axis=1) + 1) ** 3 for a, b in ((one, one), (other, other), (one, other))]
    return float(np.median((kernels[0] + kernels[1] - 2 * kernels[2]) / 2))  # the median: odd images do not count


def _share_of_one(found: Number, reference: Features) -> Number:
    scale = _of_one(reference)
    low, high = (None if end is None else end / scale for end in (found.low, found.high))
    return Number(
        found.value / scale, low, high, "KID as a share of the distance of one real image, repeated, from all"
    )


def _density(reference: Features, anchor: Features, made: Features, about: str) -> dict[str, Number]:
    means = "how densely the real images lie where the samples are: real ones reach about 1"
    found = replace(density_coverage(reference, made).density, means=means)
    held = replace(density_coverage(reference, anchor).density, means=f"the same of {about}: what can be reached")
    means = "how densely real images lie round a sample, for once round a real one: 1 is as good as real"
    return {"density": found, "density_held_out": held, "density_ratio": ratio(_bounded(found), _bounded(held), means)}


def _bounded(number: Number) -> Number:
    """With an interval of no width where none could be given: all images lie in equally many balls."""
    return number if number.low is not None else replace(number, low=number.value, high=number.value)


def _share(members: NDArray[np.bool_], means: str) -> Number:
    low, high = intervals.share(int(members.sum()), len(members))
    return Number(float(members.mean()), low, high, means)


def _distances(reference: Features, anchor: Features, made: Features) -> dict[str, Number]:
    """KID and FID to all real images, and what held-out ones have; FID only where there are images enough."""
    numbers = {"kid": kid(reference, made), "kid_held_out": kid(reference, anchor)}
    with suppress(DataError):  # too few images for so many features: KID is there
        numbers["fid"] = fid(reference, made)
        numbers["fid_infinity"] = fid_infinity(reference, made)
    with suppress(DataError):
        if "fid" in numbers:
            numbers["fid_held_out"] = fid(reference, anchor)
    return {
        name: replace(number, means=f"{number.means}; of held-out images") if name.endswith("held_out") else number
        for name, number in numbers.items()
    }


def _verdict(numbers: Mapping[str, Number]) -> Verdict:
    density, flaw, share = numbers["density_ratio"], numbers.get("common_flaw"), numbers.get("kid_share")
    if _unlike(numbers):
        return "cannot tell"
    if share is not None:
        return "bad" if share.low is not None and share.low > FAR else "cannot tell"
    verdict = judge(numbers["precision_ratio"])
    if judge(density) == "bad" or _flawed(numbers):
        return "bad"
    sure = density.value > GOOD and flaw is not None and flaw.value <= FLAW
    return verdict if verdict != "good" or sure else "cannot tell"


def _unlike(numbers: Mapping[str, Number]) -> bool:
    """Are the held-out images surely of another kind than the training images?"""
    high = numbers["precision_held_out"].high
    return high is not None and high < ALIKE


def _flawed(numbers: Mapping[str, Number]) -> bool:
    flaw = numbers.get("common_flaw")
    return flaw is not None and flaw.low is not None and flaw.low > FLAW


def _headline(verdict: Verdict, numbers: Mapping[str, Number]) -> str:
    """What the verdict mainly rests on."""
    if "kid_share" in numbers:
        return "kid_share"
    if verdict != "bad" or judge(numbers["precision_ratio"]) == "bad":
        return "precision_ratio"
    return "common_flaw" if _flawed(numbers) else "density_ratio"


def _sentence(verdict: Verdict, numbers: Mapping[str, Number], given: Ground) -> str:
    passing, held = (of_a_hundred(numbers[name]) for name in ("precision", "precision_held_out"))
    if _unlike(numbers):
        return (
            f"Of 100 {given.about}, only {held} would pass for training images: the two are of different kinds, and "
            f"nothing can be judged by them."
        )
    if "kid_share" in numbers:
        return _by_pixels(verdict, numbers["kid_share"])
    said = f"Of 100 samples, {passing} would pass for a real image; of 100 {given.about}, {held} do"
    found, density, flaw = numbers["precision_ratio"], numbers["density_ratio"], numbers.get("common_flaw")
    few = f"{100 * density.value:.0f} % as many as round a real one"
    reasons = {
        "": judge(found) == "bad" or verdict == "good",
        "But all samples share a flaw that real images have not.": _flawed(numbers),
        f"But few real images are near any sample ({few}): most pass by lying where real images are rare.": (
            verdict == "bad"
        ),
        "But all samples lie near the same few real images, and so look real or broken all alike.": flaw is None,
        "But the samples seem to share a flaw that real images have not.": flaw is not None and flaw.value > FLAW,
        f"But few real images are near any sample ({few}).": judge(found) == "good",
    }
    reason = next((reason for reason, holds in reasons.items() if holds), None)
    return f"{said}: {undecided(found)}." if reason is None else f"{said}. {reason}".rstrip()


def _by_pixels(verdict: Verdict, share: Number) -> str:
    far = f"{100 * share.value:.2g} % of the way from real images to a single one, repeated"
    if verdict == "bad":
        return (
            f"Not even in layout and brightness: by their pixels the samples are {far}, where {100 * FAR:.0f} % is far."
        )
    return (
        "In layout and brightness the samples are like the real images. Whether they look real, pixels cannot tell: "
        "that takes the features of a network (--features)."
    )


def _repeats(given: Ground, passes: NDArray[np.bool_]) -> str:
    ends = np.cumsum([len(side) for side in given.made])[:-1]
    shares = [float(part.mean()) for part in np.split(passes, ends)]
    if len(shares) == 1:
        return f"Measured once, with {len(passes):,} samples."
    each = ", ".join(f"{100 * share:.0f}" for share in shares)
    return (
        f"Measured {len(shares)} times with different seeds: {each} of 100 pass "
        f"(mean {100 * np.mean(shares):.1f}, spread {100 * np.std(shares, ddof=1):.1f})."
    )


def _remarks(numbers: Mapping[str, Number]) -> list[str]:
    found = []
    if "common_flaw" not in numbers:
        found.append("So few real images are near any sample that no flaw common to all could be looked for.")
    if "fid" not in numbers:
        found.append("There are too few images for a FID; KID, which is fair to few images, stands in its place.")
    found.append("A sample that the extractor takes for real may still look wrong to a person: look at the pictures.")
    return found


def _advice(verdict: Verdict, numbers: Mapping[str, Number]) -> tuple[str, ...]:
    if verdict == "good":
        return ()
    if _unlike(numbers):
        return ("hold out images of the kind that was trained on (--holdout)",)
    found = ("train longer, if the pictures of the run were still getting better at its end",)
    if verdict == "bad":
        return (
            *found,
            "look at the health line of the training: a discriminator that always wins or loses teaches nothing",
            "give both networks more room (--set generator.width=128 --set discriminator.width=128)",
        )
    if "kid_share" in numbers:
        return ("judge again by the features of a network (--features, --weights): docs/features.md says which", *found)
    if between(numbers["precision_ratio"]):
        return found
    return (*found, "give more samples (--samples), and hold out more real images, for a narrower interval")


def _figures(given: Ground, made: Features, balls: NDArray[np.float32]) -> tuple[Figure, ...]:
    """The most and the least real samples, each above the real image nearest to it.

    By the realism of Kynkaanniemi et al. 2019, eq. 3: the radius of a real image's ball over the distance to it, where
    only the narrower half of the balls count. # Differs: of the nearest such image, not the largest over all of them.
    """
    real = given.reference.images
    images = [side.images for side in given.made if side.images is not None]
    if real is None or len(images) < len(given.made) or len({part.shape[1:] for part in (*images, real)}) > 1:
        return ()
    narrow = np.flatnonzero(balls <= np.median(balls))
    distances, places = nearest(made, features(given.reference)[narrow], what="quality: the best and the worst")
    realism = balls[narrow[places[:, 0]]] / np.maximum(distances[:, 0], np.finfo(np.float32).tiny)
    order, everything = np.argsort(-realism, kind="stable"), np.concatenate(images)
    shown = min(_SHOWN, len(order) // 2)
    return tuple(
        Figure(
            f"The {shown} samples that look {which} real (upper row), each above the real image nearest to it.",
            image=picture(np.concatenate([everything[chosen], real[narrow[places[chosen, 0]]]]), columns=shown),
        )
        for which, chosen in (("most", order[:shown]), ("least", order[::-1][:shown]))
    )

"""The answer on quality in words: sentence, remarks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gansmith.evaluation.audit.quality_numbers import FLAW, flawed, unlike, unlike_on_ruler
from gansmith.evaluation.audit.ratio_verdict import of_a_hundred, verdict_of, why_undecided
from gansmith.evaluation.audit.reference_split import ReferenceSplit
from gansmith.evaluation.number_format import percent
from gansmith.evaluation.ruler import BAD, GOOD
from gansmith.evaluation.types import Number, Ruler, Verdict

FAR = 0.05  # of the distance of one real image from all: honest runs reach .02, broken ones .08 and more


def sentence(
    verdict: Verdict, numbers: Mapping[str, Number], about: str, ruler: Ruler | None = None, fine: str = ""
) -> str:
    """The verdict in one sentence, with the reason where precision alone does not decide. about: the control; fine:
    which real images have as much fine detail, as `evaluation.fine_detail` says it, empty where it is not known."""
    passing, control = (of_a_hundred(numbers[name]) for name in ("precision", "precision_held_out"))
    if unlike_on_ruler(numbers):
        return _unlike_on_ruler(numbers["ruler_held_out"], ruler)
    if unlike(numbers):
        return (
            f"Of 100 {about}, only {control} would pass for training images: the two are of different kinds, and "
            f"nothing can be judged by them."
        )
    if ruler is not None:
        return _on_ruler(verdict, ruler, fine)
    if "kid_share" in numbers:
        return _by_pixels(verdict, numbers["kid_share"])
    shares = f"Of 100 samples, {passing} would pass for a real image; of 100 {about}, {control} do"
    quotient, density, flaw = numbers["precision_ratio"], numbers["density_ratio"], numbers.get("common_flaw")
    few = f"{100 * density.value:.0f} % as many as round a real one"
    reasons = {
        "": verdict_of(quotient) == "bad" or verdict == "good",
        "But all samples share a flaw that real images do not have.": flawed(numbers),
        f"But few real images are near any sample ({few}): most pass by lying where real images are rare.": (
            verdict == "bad"
        ),
        "But all samples lie near the same few real images, and so look real or broken all alike.": flaw is None,
        "But the samples seem to share a flaw that real images do not have.": flaw is not None and flaw.value > FLAW,
        f"But few real images are near any sample ({few}).": verdict_of(quotient) == "good",
    }
    reason = next((reason for reason, holds in reasons.items() if holds), None)
    return f"{shares}: {why_undecided(quotient)}." if reason is None else f"{shares}. {reason}".rstrip()


def repeats(split: ReferenceSplit, passing: NDArray[np.bool_]) -> str:
    """Precision of each repeat, with mean and spread. passing: bool of the samples of all repeats."""
    ends = np.cumsum([len(side) for side in split.samples])[:-1]
    shares = [float(part.mean()) for part in np.split(passing, ends)]
    if len(shares) == 1:
        return f"Measured once, with {len(passing):,} samples."
    each = ", ".join(f"{100 * share:.0f}" for share in shares)
    return (
        f"Measured {len(shares)} times with different seeds: {each} of 100 pass "
        f"(mean {100 * np.mean(shares):.1f}, spread {100 * np.std(shares, ddof=1):.1f})."
    )


def remarks(numbers: Mapping[str, Number]) -> list[str]:
    """Plain sentences: what could not be measured, and what the extractor may not see."""
    lines = []
    if "common_flaw" not in numbers:
        lines.append("So few real images are near any sample that no flaw common to all could be looked for.")
    if "fid" not in numbers:
        lines.append("There are too few images for a FID; KID, which is fair to few images, stands in its place.")
    lines.append("A sample that the extractor takes for real may still look wrong to a person: look at the images.")
    return lines


def _on_ruler(verdict: Verdict, ruler: Ruler, fine: str) -> str:
    layout, texture = ruler.nearest
    value = round(ruler.samples.value, 2) + 0.0  # no -0.00
    if verdict == "good":
        return (
            f"No farther from the real images than real ones that were not trained on: {value:.2f}, where 0 is "
            f"held-out images and 1 the real images {ruler.unit_name}."
        )
    if ruler.samples.high is not None and ruler.samples.high < GOOD:
        return (
            "As a set no farther from the real images than real ones that were not trained on, but one by one the "
            "samples are not like them."
        )
    like = (
        f", with about as much fine detail as {fine.replace('undamaged', 'undamaged ones')}"
        if fine
        else f", or {texture}"
    )
    scrambled = " (their layout scrambled)" * (layout == "with random phases")
    far = f"About as far from the real images as these are {layout}{scrambled}{like}"
    if verdict == "bad":
        return f"{far}."
    if ruler.samples.low is not None and ruler.samples.low > BAD:
        return f"{far}; but each sample is like the real images nearest to it: it may be the variety that is wrong."
    if GOOD <= value <= BAD:
        return f"{far}: {value:.2f}, between good (below {GOOD:g}) and bad (above {BAD:g})."
    line = f"bad ({BAD:g})" if value > BAD else f"good ({GOOD:g})"
    return f"{far}: {_with_ends(ruler.samples)}, too near the line of {line} to call."


def _with_ends(place: Number) -> str:
    """`0.25 (0.15 to 0.35)`"""
    said = [f"{round(end, 2) + 0.0:.2f}" for end in (place.value, place.low, place.high) if end is not None]
    return f"{said[0]} ({said[1]} to {said[2]})" if len(said) == 3 else said[0]


def _unlike_on_ruler(place: Number, ruler: Ruler | None) -> str:
    one = "" if ruler is None else f", and 1 the real images {ruler.unit_name}"
    return (
        f"The held-out images are themselves far from the training images: {_with_ends(place)}, where real images of "
        f"the same kind lie at 0{one}. The two are of different kinds, and nothing can be judged by them."
    )


def _by_pixels(verdict: Verdict, share: Number) -> str:
    far = f"{percent(share.value)} of the way from real images to a single one, repeated"
    if verdict == "bad":
        return (
            f"Not even in layout and brightness: by their pixels the samples are {far}, where {100 * FAR:.0f} % is far."
        )
    return (
        "In layout and brightness the samples are like the real images. Whether they look real, pixels cannot tell: "
        "that takes the features of a network (--features)."
    )

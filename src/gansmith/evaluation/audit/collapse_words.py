"""The answer on collapse in words: sentence, details."""

from __future__ import annotations

from dataclasses import dataclass

from gansmith.evaluation.number_format import counted, number, percent
from gansmith.evaluation.types import Evidence, Number, Verdict

HALF = 0.5  # of the variety of the real images: clearly less is collapse, clearly more is none


@dataclass(frozen=True)
class Repetition:
    """Measurements of how often each side repeats itself.

    same, kind  the radii of "the same image" and "the same kind of image"
    images      effective number of different images that the generator makes;  real  the same of the real images
    kinds       variety of the samples over that of the real images;  spread  mean distance of two samples, likewise
    enough      how many different images are asked of the generator
    chance      the chance that two real images are the same
    """

    same: float
    kind: float
    images: Number
    real: Number
    kinds: Number
    spread: Number
    enough: float
    chance: Number


def few_images(repetition: Repetition) -> bool:
    """Whether the generator surely makes fewer different images than are asked of it."""
    return repetition.images.high is not None and repetition.images.high < repetition.enough


def few_kinds(repetition: Repetition) -> bool:
    """Whether the samples surely have less than half of the variety of the real images."""
    return repetition.kinds.high is not None and repetition.kinds.high < HALF


def sentence(verdict: Verdict, repetition: Repetition, count: int) -> str:
    """The verdict in one sentence. count: of the samples."""
    least, most = repetition.images.low or 1.0, repetition.images.high
    if verdict == "good":
        return (
            f"No: {count:,} samples are as different from each other as real images are, as from a generator of at "
            f"least {number(_round(least))} images."
        )
    if verdict == "cannot tell":
        return (
            f"{count:,} samples do not settle it. They have {_percent(repetition.kinds)} of the variety of the real "
            f"images: surely more than half would be good, surely less bad. And so few of them repeat another that the "
            f"generator makes at least {counted(_round(least), 'different image')}, an estimate from the repeats among "
            f"the samples (the birthday paradox)."
        )
    if few_images(repetition) and most is not None:
        low, high = number(_round(least)), number(_round(most))
        about = low if low == high else f"{low} to {high}"
        images = "one image" if about == "1" else f"{about} images"
        return f"Yes: its {count:,} samples repeat themselves as if it knew only {images}."
    return (
        f"Yes, in part: few samples are equal, but together they have {_percent(repetition.kinds)} of the real variety."
    )


def by_pixels(count: int) -> str:
    """The sentence where nothing is wrong by pixels, and features of a network were not asked."""
    return (
        f"By pixels {count:,} samples do not repeat themselves, but pixels take the same thing, moved or shaded, for "
        f"another image: features of a network would tell."
    )


def details(repetition: Repetition, real: int, samples: int, evidence: Evidence, *, noticed: int) -> tuple[str, ...]:
    """Plain sentences: what counted as the same image, what could not be seen. real, samples: their counts.

    noticed: of how many images at most a generator would be called bad.
    """
    chance = 1 / repetition.real.value
    how = "by their pixels, moved by up to two" if evidence.copies.name == "pixels" else "to the extractor"
    lines = [
        f"Two images count as the same when they are as close ({how}) as the closest {percent(chance)} of the "
        f"pairs of {real:,} different real images. By that measure the real images repeat themselves as if there "
        f"were {number(_round(repetition.real.value))}.",
        f"Two samples differ {_percent(repetition.spread)} as much as two real images do.",
    ]
    if repetition.images.high is None:
        lines.append(
            f"{samples:,} samples show no more: {number(_round(repetition.images.low or 1.0))} images, or any number "
            f"above. Twice the samples see about twice to four times as far."
        )
    if noticed:
        lines.append(
            f"A generator of {number(noticed)} images or fewer, each equally often, would have been noticed from "
            f"{samples:,} samples with probability .8 or more."
        )
    lines.append("Images that are rare among the samples hardly count: a few very frequent ones are what is seen.")
    return tuple(lines)


def _round(value: float) -> float:
    """Two significant digits, which is all that is known; whole numbers below a hundred."""
    return float(round(value)) if value < 100 else float(f"{value:.1e}")


def _percent(share: Number) -> str:
    low, high = (round(100 * end) if end is not None else None for end in (share.low, share.high))
    if high is None:
        return f"at least {low} %"
    return f"{round(100 * share.value)} % ({low} to {high} %)"

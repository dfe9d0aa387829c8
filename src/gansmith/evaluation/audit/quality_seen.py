"""What is seen in the samples: a layout, and the thing that the real images show; numbers, words, what they rule out.

A share surely below NEARLY of held-out images' is too small for "good"; surely below a third of it, the samples are bad
where they are not like the real images one by one. That holds where held-out images are often taken for shuffled ones
too, as textures are: a classifier that knows nothing gives both the same share. But then it is not called a layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gansmith.evaluation.audit.ratio_verdict import of_a_hundred, ratio, verdict_of
from gansmith.evaluation.types import Evidence, Number, Seen

NEARLY = 0.8  # of the share of held-out images
NAMES = ("layout", "thing")


def shares(evidence: Evidence) -> dict[str, Number]:
    """Of each that can be asked: the share of samples, that of held-out images, and their ratio."""
    numbers: dict[str, Number] = {}
    for name, seen in _asked(evidence):
        means = f"{seen.what} in the samples, for each in held-out images: 1 is as often"
        numbers |= {name: seen.samples, f"{name}_held_out": seen.held_out}
        numbers[f"{name}_ratio"] = ratio(seen.samples, seen.held_out, means)
    return numbers


def missing(numbers: Mapping[str, Number]) -> tuple[str, ...]:
    """Which of NAMES is seen surely less often than NEARLY as in held-out images."""
    return tuple(name for name in NAMES if _below(numbers.get(f"{name}_ratio"), NEARLY))


def gone(numbers: Mapping[str, Number]) -> bool:
    """Whether one is seen surely less than a third as often as in held-out images."""
    return any(f"{name}_ratio" in numbers and verdict_of(numbers[f"{name}_ratio"]) == "bad" for name in NAMES)


def sentence(evidence: Evidence, numbers: Mapping[str, Number]) -> str:
    """`A cat is seen in 2 of 100 samples; in real ones that were not trained on, in 63 of 100.` The same of a
    layout where it is missing."""
    lines = []
    for name, seen in _asked(evidence):
        if name == "thing" or name in missing(numbers):
            what = "a whole image, not a shuffled one," if seen.unclear else seen.what
            lines.append(
                f"{what[0].upper()}{what[1:]} is seen in {of_a_hundred(seen.samples)} of 100 samples; in real ones "
                f"that were not trained on, in {of_a_hundred(seen.held_out)} of 100."
            )
    return " ".join(lines)


def remarks(evidence: Evidence) -> list[str]:
    """How sure the shares are, or why nothing is asked."""
    lines = []
    for _, seen in _asked(evidence):
        if seen.unclear:
            lines.append(seen.unclear)
            continue
        sure = ""
        if seen.accuracy is not None:
            of_all = of_a_hundred(seen.accuracy)
            sure = f" The classifier tells held-out images from their tiles in {of_all} of 100 cases."
        lines.append(
            f"In {_between(seen.samples)} of 100 samples {seen.what} is seen, in {_between(seen.held_out)} of 100 "
            f"held-out images.{sure}"
        )
    return lines


def _asked(evidence: Evidence) -> Iterator[tuple[str, Seen]]:
    for name, seen in zip(NAMES, (evidence.layout, evidence.thing), strict=True):
        if seen is not None:
            yield name, seen


def _below(quotient: Number | None, bound: float) -> bool:
    return quotient is not None and quotient.high is not None and quotient.high < bound


def _between(share: Number) -> str:
    ends = [of_a_hundred(Number(end)) for end in (share.low, share.high) if end is not None]
    return of_a_hundred(share) if len(ends) < 2 else f"{of_a_hundred(share)} ({ends[0]} to {ends[1]})"

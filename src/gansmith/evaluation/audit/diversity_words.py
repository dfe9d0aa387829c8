"""The answer on diversity in words: sentence, details."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from gansmith.evaluation.audit.diversity_numbers import (
    ENOUGH,
    KINDS,
    LAYOUTS,
    MISSED,
    Classes,
    Views,
    least_power,
    most_missed,
)
from gansmith.evaluation.audit.ratio_verdict import of_a_hundred
from gansmith.evaluation.class_shares import MISSING, SCARCE, fewer
from gansmith.evaluation.number_format import percent
from gansmith.evaluation.planted_losses import HALF, HONEST_SETS, MOST_GONE, SETS, THIRD
from gansmith.evaluation.types import Number, Verdict

Reason = Literal[
    "unlike", "unreal", "never", "scarce", "kinds", "layouts", "covered", "pixels", "power", "missed", "few", "whole"
]
_NAMED = 6  # classes in a sentence


@dataclass(frozen=True)
class Found:
    """What the words are about: the numbers, kinds beside planted losses, the classes, and the control in words."""

    numbers: Mapping[str, Number]
    views: Views
    classes: Classes
    about: str


def sentence(verdict: Verdict, why: Reason, found: Found) -> str:
    """The verdict in one or two sentences."""
    bad, numbers = verdict == "bad", found.numbers
    said: Mapping[Reason, Callable[[], str]] = {
        "unlike": lambda: (
            f"Of 100 real images, only {of_a_hundred(numbers['coverage_held_out'])} have one of as many {found.about} "
            f"near: the two are of different kinds, and nothing can be judged by them."
        ),
        "unreal": lambda: (
            f"The samples look too little like the real images to tell which kinds they are of: for every 100 "
            f"{found.about} that lie among the real images, {of_a_hundred(numbers['precision_ratio'])} samples do."
        ),
        "never": lambda: _never(numbers),
        "scarce": lambda: (
            f"{'No: these' if bad else 'Not settled, but these'} classes are made less than half as often as they "
            f"occur: {_scarce(found.classes)}."
        ),
        "covered": lambda: f"{'No' if bad else 'Not settled'}: {_covered(numbers, found.about)}.",
        "pixels": lambda: (
            "Cannot tell by pixels, which see layout and brightness and not what is shown: half of the kinds could be "
            "missing without being noticed."
        ),
        "power": lambda: (
            f"Cannot tell: half of the kinds could be missing without being noticed. With so few images it would be "
            f"noticed with probability {_power(found, HALF)}."
        ),
        "missed": lambda: (
            f"Cannot tell: of sets of real images without half of their kinds, "
            f"{100 * most_missed(found.views, HALF):.0f} of 100 pass for whole; at most {100 * MISSED:.0f} may."
        ),
        "few": lambda: f"Cannot tell: fewer than {ENOUGH} samples are a handful of each kind, too few for a yes.",
        "whole": lambda: f"Yes: no kind of real image is missing by what can be seen. {_noticed(found)}",
        "kinds": lambda: _kinds(bad, numbers, KINDS),
        "layouts": lambda: _kinds(bad, numbers, LAYOUTS),
    }
    return said[why]()


def _kinds(bad: bool, numbers: Mapping[str, Number], view: str) -> str:
    kinds = "kinds" if view == KINDS else "kinds of colour and layout"
    share = _missing(numbers, view, bad)
    if bad:
        return f"No: {kinds} of real images are made too rarely, as if {share} of them were missing."
    return f"Not settled: as if {share} of the {kinds} were missing, too near the line to call."


def _never(numbers: Mapping[str, Number]) -> str:
    generated, count = (f"{numbers[name].value:.0f}" for name in ("classes_found", "classes_in_data"))
    return f"No: of {count} classes, {generated} {'is' if generated == '1' else 'are'} made."


def details(found: Found, *, repeats: int, count: int) -> tuple[str, ...]:
    """Further sentences: what would have been noticed, coverage, and how it was measured."""
    times = "once" if repeats == 1 else f"{repeats} times"
    lines = [
        _noticed(found),
        f"Planted: {HONEST_SETS} sets of real images as large as the samples, and {SETS} each from which "
        f"{found.views[KINDS].scale.kinds} were taken away. A kind counts as missing where samples are of it less than "
        f"half as often as real images are.",
        f"{_upper(_covered(found.numbers, found.about))}. Measured {times} with {count:,} samples against {count:,} "
        f"real images, beside {count:,} {found.about}.",
    ]
    missing, scarce = fewer(found.classes, MISSING), fewer(found.classes, SCARCE)
    if missing:
        lines.append(f"Made less than a quarter as often as they occur: {', '.join(missing)}.")
    elif found.classes and not scarce:
        lines.append(f"Of {len(found.classes)} classes, none is surely made less than half as often as it occurs.")
    lines.append("Real images that no sample comes near may be of a kind that is never generated, or generated badly.")
    return tuple(lines)


def _noticed(found: Found) -> str:
    return (
        f"If half of the kinds were missing, it would have been noticed with probability {_power(found, HALF)}; "
        f"a third {_power(found, THIRD)}, three quarters {_power(found, MOST_GONE)}."
    )


def _power(found: Found, share: float) -> str:
    power = least_power(found.views, share)
    return "above .99" if power > 0.99 else f"{power:.2f}".removeprefix("0")


def _missing(numbers: Mapping[str, Number], view: str, bad: bool) -> str:
    """The smaller of the two numbers where both must be large, for bad; the larger where one is enough, not to be
    good."""
    which = min if bad else max
    decisive = which(numbers[view], numbers[f"{view}_moved"], key=lambda number: number.value)
    assert decisive.low is not None
    assert decisive.high is not None
    value, low, high = (f"{100 * end:.0f}" for end in (decisive.value, decisive.low, decisive.high))
    return f"{value} % ({low} to {high} %)"


def _covered(numbers: Mapping[str, Number], about: str) -> str:
    reached, control = (of_a_hundred(numbers[name]) for name in ("coverage", "coverage_held_out"))
    return (
        f"of 100 real images, {reached} {'has' if reached == '1' else 'have'} a sample near; "
        f"{control} have one of as many {about} near"
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _scarce(classes: Classes) -> str:
    names = fewer(classes, SCARCE)
    said = ", ".join(
        f"{name} ({percent(round(made.value, 3))} of the samples, {percent(real)} of the real images)"
        for name, (real, made) in ((name, classes[name]) for name in names[:_NAMED])
    )
    return said if len(names) <= _NAMED else f"{said} and {len(names) - _NAMED} more"

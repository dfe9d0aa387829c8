"""Sum of several people's answers in one blind test, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gansmith.errors import OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.blind.code import Kind, Sitting
from gansmith.evaluation.types import Number

ENOUGH = 3  # people, for an interval over people


@dataclass(frozen=True)
class Tally:
    """The answers of all people to one test.

    rate    real or made: share of looks answered wrongly; a or b: share of looks in which the first run was chosen.
            .5 is what guessing gives; the interval is exact binomial over looks, for these people and these images
    people  the same of each person, in order
    over_people  the same as the mean of the people's rates, Student's interval; None for fewer than ENOUGH people
    made_for_real, real_for_made  real or made: the two ways to be wrong; None where there was no such look
    """

    kind: Kind
    test: str
    rate: Number
    looks: int
    people: tuple[Number, ...]
    over_people: Number | None
    made_for_real: Number | None = None
    real_for_made: Number | None = None

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        numbers = {name: getattr(self, name) for name in ("rate", "over_people", "made_for_real", "real_for_made")}
        return {
            "kind": self.kind,
            "test": self.test,
            "looks": self.looks,
            **{name: None if number is None else number.record() for name, number in numbers.items()},
            "people": [number.record() for number in self.people],
        }


def tally(sittings: Sequence[Sitting]) -> list[Tally]:
    """One sum for each test that the sittings belong to, in the order in which tests first appear.

    Raises OptionError for sittings of one test that differ in its images.

    >>> one = Sitting("real or made", "00000001", 7, (True,) * 10, (True,) * 8 + (False,) * 2)
    >>> tally([one])[0].rate.value
    0.2
    """
    tests = dict.fromkeys((one.kind, one.test) for one in sittings)
    return [_sum([one for one in sittings if (one.kind, one.test) == key]) for key in tests]


def share(count: int, of: int, means: str) -> Number:
    """`count` of `of` looks, with the exact binomial interval."""
    return Number(count / of, *intervals.share(count, of), means)


def conclusion(kind: Kind, low: float, high: float) -> str:
    """What the interval of a rate says: `apart`, `fooled`, `first`, `second`, or `open` where it holds one half."""
    below, above = ("apart", "fooled") if kind == "real or made" else ("second", "first")
    return below if high < 0.5 else above if low > 0.5 else "open"


def _sum(sittings: Sequence[Sitting]) -> Tally:
    first = sittings[0]
    for one in sittings:
        if one.truth != first.truth:
            raise OptionError(
                f"two codes of the test {first.test} are not of the same {len(first.truth)} images in one order "
                f"(the other has {len(one.truth)}): they cannot be added up. Give codes of one page"
            )
    guessing = first.kind == "real or made"
    means = "share of looks answered wrongly" if guessing else "share of looks in which the first run looked more real"
    counts = [len(one.truth) - one.agreeing if guessing else one.agreeing for one in sittings]
    looks = sum(len(one.truth) for one in sittings)
    people = tuple(share(count, len(one.truth), means) for count, one in zip(counts, sittings, strict=True))
    rates = [number.value for number in people]
    over = None
    if len(people) >= ENOUGH:
        low, high = intervals.mean(rates)
        over = Number(sum(rates) / len(rates), max(0.0, low), min(1.0, high), f"{means}, the mean of the people")
    pairs = [pair for one in sittings for pair in zip(one.truth, one.chosen, strict=True)] if guessing else []
    made, real = ([chosen for truth, chosen in pairs if truth is which] for which in (True, False))
    return Tally(
        first.kind,
        first.test,
        share(sum(counts), looks, means),
        looks,
        people,
        over,
        share(made.count(False), len(made), "share of made images taken for real") if made else None,
        share(real.count(True), len(real), "share of real images taken for made") if real else None,
    )

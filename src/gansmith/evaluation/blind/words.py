"""What the codes of people say together, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from gansmith.evaluation.blind.code import decode
from gansmith.evaluation.blind.tally import Tally, conclusion, tally
from gansmith.evaluation.types import Number


def summary(codes: Sequence[str]) -> list[str]:
    """What these codes say, each counted once. Raises OptionError for one that is no code, or not whole."""
    sittings = [decode(code) for code in codes]
    once = list(dict.fromkeys(sittings))
    lines = [f"note: {len(sittings) - len(once)} given twice, counted once"] if len(once) < len(sittings) else []
    tallies = tally(once)
    if len(tallies) > 1:
        lines.append(f"note: these codes belong to {len(tallies)} different tests, which are not added up")
    return lines + [line for one in tallies for line in lines_of(one)]


def lines_of(tally: Tally) -> list[str]:
    """One test: the sum, the two ways to be wrong, the conclusion, and each person."""
    people = f"{len(tally.people)} {'person' if len(tally.people) == 1 else 'people'}"
    guessing = tally.kind == "real or made"
    what = "wrong in" if guessing else "the first run chosen in"
    lines = [
        f"test {tally.test}, {tally.kind}: {people}, {tally.looks:,} looks",
        f"{what} {_percent(tally.rate)} of the looks (50 % is guessing)",
    ]
    for name, number in (("made taken for real", tally.made_for_real), ("real taken for made", tally.real_for_made)):
        if number is not None:
            lines.append(f"   {name}: {_percent(number)}")
    said = {
        "apart": "They can tell them apart.",
        "fooled": "The made ones look more real to them than the real ones.",
        "first": "The first run looks more real to them.",
        "second": "The second run looks more real to them.",
        "open": "These looks do not show that they can tell them apart."
        if guessing
        else "These looks do not show that one of the runs looks more real to them.",
    }
    assert tally.rate.low is not None
    assert tally.rate.high is not None
    lines.append(said[conclusion(tally.kind, tally.rate.low, tally.rate.high)])
    if tally.over_people is not None:
        lines.append(f"over people: {_percent(tally.over_people)}, which is about other people looking at these images")
    return lines + [f"person {number}: {_percent(one)}" for number, one in enumerate(tally.people, 1)]


def _percent(number: Number) -> str:
    assert number.low is not None
    assert number.high is not None
    return f"{100 * number.value:.0f} % ({100 * number.low:.0f} to {100 * number.high:.0f})"

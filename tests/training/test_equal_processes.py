"""Several processes train what one process trains: to rounding, and equal to the bit among themselves.

Losses and gradients of the first step, then, after all steps, losses and what the players make of fixed inputs.
"""

from __future__ import annotations

from typing import Any

import pytest
from equal_cases import CASES
from equal_playing import Gap, Outcome, all_played, mutated

from processes import together

FIRST, LATE = 1e-12, 1e-7  # in float64: relative to the values, of gradients to the length of all of a player
FEW = {"steps": 4}  # of every case in every run of the tests; all of their steps are a slow proof
STEEP = ("model darknet",)  # forty normalisations of few values one behind the other: a rounding is a thousand
SEARCHED = ("the whole set, evaluated again", "conjugate gradients")  # a line search compares losses, which are rounded
MISSING = ("sum of gradients", "weights of unequal shares", "one seed for all")


def compared(names: tuple[str, ...], world: int, changes: dict[str, Any]) -> dict[str, tuple[Outcome, list[Outcome]]]:
    """{case: what one process came to, what each of several did}."""
    alone = all_played(names, changes)
    ranks = together(all_played, names, changes, world=world, limit=600)
    return {name: (alone[number], [rank[number] for rank in ranks]) for number, name in enumerate(names)}


def wrong(alone: Outcome, ranks: list[Outcome]) -> str:
    """Where they are not equal, or nothing."""
    gap = Gap(alone, ranks[0])
    far = {"gradients": FIRST, "first": FIRST, "last": LATE, "shown": LATE}
    parts = [f"{part} {getattr(gap, part):.1e}" for part, most in far.items() if not getattr(gap, part) <= most]
    return " ".join([*parts, *(["ranks differ"] if len({rank.digest for rank in ranks}) > 1 else [])])


def require_equal(outcomes: dict[str, tuple[Outcome, list[Outcome]]]) -> None:
    assert {name: text for name, both in outcomes.items() if (text := wrong(*both))} == {}


def test_two_processes_train_what_one_trains() -> None:
    require_equal(compared(tuple(CASES), 2, FEW))


def test_what_is_left_out_is_seen() -> None:
    """Without one of the things that make them equal, or by statistics of each process, they are not."""
    name, changes = "unequal shares", {"steps": 2}
    (alone,) = all_played((name,), changes)
    for what, *ranks in zip(MISSING, *together(mutated, name, changes, MISSING, world=2), strict=True):
        gap = Gap(alone, ranks[0])
        assert max(gap.gradients, gap.first) > 1e-6, what
        assert len({rank.digest for rank in ranks}) == (2 if what == "sum of gradients" else 1), what


def test_local_statistics_are_another_training_and_the_same_on_every_rank() -> None:
    name, changes = "batch norm in both", {"steps": 2, "statistics": "local"}
    (alone,) = all_played((name,), changes)
    ranks = [rank for (rank,) in together(all_played, (name,), changes, world=2)]
    assert ranks[0].digest == ranks[1].digest
    assert Gap(alone, ranks[0]).gradients > 1e-3


def test_a_training_goes_on_in_another_number_of_processes() -> None:
    """A state of two goes on in one and in three, within rounding, and in two to the bit."""
    name = "accumulated"
    alone, (whole, _) = compared((name,), 2, FEW)[name]
    (one,) = all_played((name,), FEW, (whole.saved,))
    two = [rank for (rank,) in together(all_played, (name,), FEW, (whole.saved,), world=2)]
    three = [rank for (rank,) in together(all_played, (name,), FEW, (alone.saved,), world=3)]
    assert {rank.digest for rank in two} == {whole.digest}
    for late in (one, three[0]):
        gap = Gap(late, whole)
        assert max(gap.last, gap.shown) <= LATE
    assert one.digest != whole.digest  # or the bounds would not have been needed


@pytest.mark.prove
@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("group", range(8))
def test_every_case_at_full_length(group: int, world: int) -> None:
    require_equal(compared(tuple(CASES)[group::8], world, {}))


@pytest.mark.prove
@pytest.mark.parametrize("group", range(8))
def test_a_state_of_four_goes_on_with_one_two_and_four(group: int) -> None:
    names = tuple(CASES)[group::8]
    changes = {"steps": 10}
    four = together(all_played, names, changes, world=4, limit=600)[0]
    saved = tuple(outcome.saved for outcome in four)
    for world in (1, 2, 4):
        late = together(all_played, names, changes, saved, world=world, limit=600)[0]
        for name, whole, other in zip(names, four, late, strict=True):
            gap = Gap(whole, other)
            assert max(gap.last, gap.shown) <= (0 if world == 4 else LATE), (name, world)
            assert world < 4 or whole.digest == other.digest, name


@pytest.mark.prove
@pytest.mark.parametrize("group", range(8))
def test_in_float32(group: int) -> None:
    """Gradients of the first step to 1e-5 of their length, and late values as near as one process is to itself in the
    other memory layout, or where its weights begin one rounding away: chance decides, hence 4 times as near."""
    names = tuple(CASES)[group::8]
    changes = {"precise": False}
    others = [all_played(names, changes | other) for other in ({"layout": "channels_last"}, {"nudge": 2**-23})]
    for number, (name, (alone, ranks)) in enumerate(compared(names, 2, changes).items()):
        assert len({rank.digest for rank in ranks}) == 1, name
        gap, yardsticks = Gap(alone, ranks[0]), [Gap(alone, other[number]) for other in others]
        gradients, shown = (max(getattr(one, key) for one in yardsticks) for key in ("gradients", "shown"))
        assert gap.gradients <= (1e-5 if name not in STEEP else 4 * gradients), (name, gap.gradients, gradients)
        assert name in SEARCHED or gap.shown <= max(4 * shown, 1e-6), (name, gap.shown, shown)

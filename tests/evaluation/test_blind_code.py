"""Codes of a blind test, and the sum over people."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith.errors import OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.blind.code import KINDS, LETTERS, Kind, Sitting, decode, encode
from gansmith.evaluation.blind.tally import conclusion, tally


def sitting(
    wrong: int, of: int = 40, *, kind: Kind = "real or made", test: str = "GEVK91XP", person: int = 5, made: int = 20
) -> Sitting:
    truth = tuple(at < made for at in range(of))
    return Sitting(kind, test, person, truth, tuple(one != (at < wrong) for at, one in enumerate(truth)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", [10, 16, 40, 199, 200])
def test_a_code_comes_back(kind: Kind, looks: int) -> None:
    rng = np.random.default_rng(looks)
    truth, chosen = (tuple(bool(bit) for bit in rng.integers(0, 2, looks)) for _ in range(2))
    given = Sitting(kind, "ZZZZZZZZ", 65_535, truth, chosen)
    code = encode(given)
    assert decode(code) == given
    assert decode(code.lower().replace("-", " ")) == given
    assert set(code.replace("-", "")) <= {*LETTERS, "S"}


def test_letters_that_look_alike_are_one() -> None:
    code = encode(sitting(3))
    assert decode("GS" + code[2:].replace("0", "O").replace("1", "l")) == decode(code)


def test_a_slip_of_the_hand_is_found() -> None:
    """Every single letter changed to every other one, one left out, two neighbours swapped."""
    code = encode(sitting(3)).replace("-", "")
    for at in range(2, len(code) - 1):  # the last letter holds bits that fill up
        for letter in LETTERS:
            if letter != code[at]:
                with pytest.raises(OptionError):
                    decode(code[:at] + letter + code[at + 1 :])
        with pytest.raises(OptionError):
            decode(code[:at] + code[at + 1 :])
        if at + 2 < len(code) and code[at] != code[at + 1]:
            with pytest.raises(OptionError):
                decode(code[:at] + code[at + 1] + code[at] + code[at + 2 :])


@pytest.mark.parametrize("text", ["", "GS", "hello", "GS-", "GS-!!!!!", "runs/photos", "GS-00000-00000-00000-00000"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="code"):
        decode(text)


def test_the_sum_over_people() -> None:
    people = [sitting(4, person=1), sitting(8, person=2), sitting(18, person=3)]
    (one,) = tally(people)
    assert (one.looks, one.rate.value) == (120, 30 / 120)
    assert (one.rate.low, one.rate.high) == intervals.share(30, 120)
    assert [number.value for number in one.people] == [0.1, 0.2, 0.45]
    assert (one.people[0].low, one.people[0].high) == intervals.share(4, 40)
    assert one.over_people is not None
    assert one.over_people.value == pytest.approx(0.25)
    assert one.over_people.high == pytest.approx(intervals.mean([0.1, 0.2, 0.45])[1])
    assert tally(people[:2])[0].over_people is None


def test_the_two_ways_to_be_wrong() -> None:
    """Looks 0 to 19 are made and the first `wrong` of all are answered wrongly: 25 wrong are 20 made and 5 real."""
    (one,) = tally([sitting(25)])
    assert one.made_for_real is not None
    assert one.real_for_made is not None
    assert (one.made_for_real.value, one.real_for_made.value) == (1.0, 5 / 20)
    (one,) = tally([sitting(3, 12, made=12)])
    assert one.real_for_made is None


def test_of_two_runs_the_choice_of_the_first_is_counted() -> None:
    (one,) = tally([sitting(10, kind="a or b")])
    assert one.rate.value == 30 / 40
    assert one.made_for_real is None


def test_tests_are_kept_apart() -> None:
    sums = tally([sitting(4), sitting(9, test="00000001"), sitting(6, person=6)])
    assert [(one.test, one.looks) for one in sums] == [("GEVK91XP", 80), ("00000001", 40)]


@pytest.mark.parametrize("count", [0, 9, 201, 255])
def test_a_code_of_a_count_that_no_test_has_is_refused(count: int) -> None:
    with pytest.raises(OptionError, match=rf"{count} .*10 to 200"):
        decode(encode(sitting(0, count)))


def test_codes_of_one_test_with_other_images_are_not_added_up() -> None:
    for other in (sitting(4, made=19, person=6), sitting(4, 24, person=6)):
        with pytest.raises(OptionError, match="GEVK91XP"):
            tally([sitting(4), other])


def test_conclusions() -> None:
    assert [conclusion("real or made", *ends) for ends in ((0.1, 0.4), (0.6, 0.9), (0.3, 0.7))] == [
        "apart",
        "fooled",
        "open",
    ]
    assert [conclusion("a or b", *ends) for ends in ((0.1, 0.4), (0.6, 0.9), (0.5, 0.9))] == ["second", "first", "open"]

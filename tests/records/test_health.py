"""The words for a training's health, at the corners of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gansmith.records.health import Health


def words(records: Sequence[dict[str, Any]]) -> list[str]:
    health = Health()
    return [health.add({"images": 1000 * (number + 1), **record}) for number, record in enumerate(records)]


def accuracies(*values: float) -> list[dict[str, Any]]:
    return [{"discriminator/accuracy": value} for value in values]


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        (0.0, "discriminator losing"),
        (0.45, "discriminator losing"),
        (0.46, "balanced"),
        (0.5, "balanced"),
        (0.97, "balanced"),
        (0.98, "discriminator winning"),
        (1.0, "discriminator winning"),
    ],
)
def test_who_is_winning(accuracy: float, expected: str) -> None:
    assert words(accuracies(*[accuracy] * 6)) == [""] * 4 + [expected] * 2


def test_the_balance_is_that_of_the_last_five_records() -> None:
    assert words(accuracies(1, 1, 1, 1, 1, 0.6))[-2:] == ["discriminator winning", "balanced"]
    assert words(accuracies(0.5, 1, 1, 1, 1, 1))[-2:] == ["balanced", "discriminator winning"]


def test_before_five_records_nothing_is_said_good_or_bad() -> None:
    bad = {"discriminator/accuracy": 1.0, "told_apart": 0.9, "waiting": 0.5, "spread": 0.1, "generator/loss": 1e9}
    assert words([bad] * 5) == [""] * 4 + ["discriminator winning, memorising, starved loader"]


def test_balanced_is_not_said_of_samples_that_are_nearly_all_alike() -> None:
    def said(accuracy: float, spread: float) -> str:
        return words([{"discriminator/accuracy": accuracy, "spread": spread}] * 5)[-1]

    assert [said(0.7, spread) for spread in (0.24, 0.25)] == ["", "balanced"]
    assert said(1.0, 0.1) == "discriminator winning"


def test_a_game_without_a_discriminator_has_no_balance() -> None:
    assert words([{"classifier/loss": 2.3}] * 6) == [""] * 6


def spreads(*values: float, every: int = 1000) -> list[str]:
    health = Health()
    return [health.add({"images": every * (n + 1), "spread": value}) for n, value in enumerate(values)]


def test_collapsing_is_a_fall_below_half_of_the_widest_spread() -> None:
    assert spreads(0.1, 0.5, 0.8, 0.41, 0.39, 0.39) == ["", "", "", "", "", "collapsing"]
    assert spreads(0.1, 0.5, 0.8, 0.39, 0.41, 0.41) == [""] * 6  # one record alone is noise
    assert spreads(1.0, 3.0, 3.0, 0.6, 0.6) == [""] * 5  # wider than the real images is no measure to fall from
    assert spreads(1.0, 3.0, 3.0, 0.4, 0.4)[-1] == "collapsing"


def test_collapsing_is_also_never_having_become_varied() -> None:
    assert spreads(*[0.2] * 19) == [""] * 19  # the beginning of every training
    assert spreads(*[0.2] * 20)[-1] == "collapsing"
    assert spreads(*[0.26] * 30)[-1] == ""


def test_memorising_is_told_by_the_mean_of_five_records() -> None:
    def told(*values: float) -> list[str]:
        return words([{"told_apart": value} for value in values])

    assert told(*[0.9] * 5) == [""] * 4 + ["memorising"]
    assert told(0.5, 0.66, 0.66, 0.66, 0.66, 0.66) == [""] * 5 + ["memorising"]
    assert told(*[0.64] * 9) == [""] * 9


def test_oscillating_is_three_crossings_from_side_to_side() -> None:
    assert words(accuracies(0.8, 0.8, 0.8, 0.2, 0.8))[-1] == "balanced"
    assert words(accuracies(0.8, 0.8, 0.2, 0.8, 0.2))[-1] == "balanced, oscillating"
    assert words(accuracies(0.8, 0.5, 0.2, 0.5, 0.8, 0.6, 0.2))[-1] == "balanced, oscillating"
    assert words(accuracies(0.69, 0.31, 0.69, 0.31, 0.69))[-1] == "balanced"
    steady = [0.5] * 20
    assert words(accuracies(0.8, 0.2, 0.8, 0.2, *steady))[-1] == "balanced"  # long ago


def test_diverging_is_large_and_many_times_what_was_calm() -> None:
    def sizes(*values: float, name: str = "discriminator/score_real") -> list[str]:
        return words([{name: value} for value in values])

    calm = [2.0] * 7
    assert sizes(*calm, 21, 22, 23)[-3:] == ["", "", "diverging"]
    assert sizes(*calm, 19, 19, 19)[-1] == ""  # not large
    assert sizes(*[3.0] * 7, 29, 29, 29)[-1] == ""  # not many times
    assert sizes(*calm, 50, 3, 50)[-1] == ""  # not all of the latest
    assert sizes(*calm, -21, -22, -23, name="generator/loss")[-1] == "diverging"
    assert sizes(2, 2, 2, 30, 30, 30)[-1] == ""  # too early to know what is calm


def test_starved_is_waiting_in_two_records_in_a_row() -> None:
    def waits(*values: float) -> list[str]:
        return words([{"waiting": value} for value in values])

    assert waits(0, 0, 0.9, 0.1, 0.9)[-1] == ""
    assert waits(0, 0, 0, 0.9, 0.31)[-1] == "starved loader"
    assert waits(0, 0, 0, 0.3, 0.3)[-1] == ""


def test_several_words_and_their_order() -> None:
    record = {"discriminator/accuracy": 1.0, "told_apart": 0.9, "waiting": 0.5}
    assert words([record] * 5)[-1] == "discriminator winning, memorising, starved loader"


def test_a_resumed_run_goes_on_where_it_was() -> None:
    records = [
        {"images": 1000 * n, "discriminator/accuracy": (0.9, 0.1)[n % 2], "spread": 1 / n, "generator/loss": 3.0**n}
        for n in range(1, 15)
    ]
    resumed = Health(records[:8])
    assert [resumed.add(record) for record in records[8:]] == [
        Health(records[:n]).add(records[n]) for n in range(8, 14)
    ]

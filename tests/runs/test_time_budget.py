"""How many images a time is: closed forms by a clock that the test turns."""

from __future__ import annotations

import pytest

from gansmith.runs.time_budget import WINDOW, TimeBudget


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1e6

    def __call__(self) -> float:
        return self.now


def measured(seconds: float, *, step: float, batch: int = 64, first: float | None = None, sheet: float = 0.0):  # type: ignore[no-untyped-def]
    """A budget after its window: steps of `step` seconds, the first of `first`, a sheet of `sheet` seconds each
    tenth step. Returns it, its clock and the images drawn."""
    clock, images = Clock(), 0
    budget = TimeBudget(seconds, clock=clock)
    budget.start(0)
    while not budget.over:
        clock.now += step if images or first is None else first
        images += batch
        if sheet and images % (10 * batch) == 0:
            with budget.cost("sheet"):
                clock.now += sheet
        budget.after_step(images)
    return budget, clock, images


def test_the_rate_leaves_out_the_warm_up_and_what_comes_now_and_then() -> None:
    budget, clock, images = measured(900, step=0.1, first=2.9, sheet=1.0)
    assert budget.rate == pytest.approx(640)
    assert WINDOW <= clock.now - 1e6 < WINDOW + 1.2
    assert budget.images(images, {}) == pytest.approx(images + 640 * (900 - (clock.now - 1e6)), rel=0.01)


@pytest.mark.parametrize(("seconds", "window"), [(900, 30), (120, 30), (60, 15), (4, 1)])
def test_the_window_is_half_a_minute_and_at_most_a_quarter_of_the_time(seconds: float, window: float) -> None:
    _, clock, _ = measured(seconds, step=0.01)
    assert clock.now - 1e6 == pytest.approx(window, abs=0.011)


def test_steps_that_are_longer_than_the_window() -> None:
    """The first is a warm-up, the second the measurement."""
    budget, _, images = measured(900, step=40.0, first=70.0)
    assert images == 128
    assert budget.rate == pytest.approx(64 / 40)
    assert budget.images(images, {}) == 1390  # 128, (900 - 110) * 1.6 more, to three digits


def test_costs_count_as_often_as_they_come() -> None:
    budget, clock, images = measured(1030, step=0.1)
    for kind, cost in (("sheet", 2.0), ("sheet", 3.0), ("checkpoint", 5.0)):
        with budget.cost(kind):
            clock.now += cost
    left = 1030 - (clock.now - 1e6) - 2.0 - 5.0  # both once more at the end; the shortest sheet counts
    each = 1 / 640 + 2.0 / 10_000 + 5.0 / 25_000
    every = {"sheet": 10_000, "checkpoint": 25_000, "metrics": 100}  # metrics: not known, costs nothing
    assert budget.images(images, every) == pytest.approx(images + left / each, rel=0.005)
    assert str(budget.images(images, every))[3:].strip("0") == ""  # three digits
    assert budget.known("sheet")
    assert not budget.known("metrics")


def test_a_time_that_has_gone_by_ends_where_it_is() -> None:
    budget, clock, images = measured(20, step=0.1)
    clock.now += 100
    assert budget.images(images, {}) == images


def test_what_is_known_before_the_window_has_gone_by() -> None:
    """A signal ends the training early: the steps so far say what they can."""
    clock = Clock()
    budget = TimeBudget(100, clock=clock)
    budget.start(0)
    for images in (64, 128):
        clock.now += 1.0
        budget.after_step(images)
    assert budget.rate == pytest.approx(64)
    assert not budget.over
    assert "100 images" not in budget.words(6_000)
    assert "6,000 images" in budget.words(6_000)
    assert "64 a second" in budget.words(6_000)

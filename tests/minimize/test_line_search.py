"""The line search against the strong Wolfe conditions, and against SciPy's."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from known_functions import Counted
from scipy.optimize import line_search

from gansmith.minimize.line_search import Point, StrongWolfe, cubic_minimum

LINES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {  # value and slope along a line
    "quadratic": (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    "quartic": (lambda t: (t - 2) ** 4, lambda t: 4 * (t - 2) ** 3),
    "more_thuente_1": (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
    "more_thuente_2": (
        lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
        lambda t: 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3,
    ),
    "waves": (lambda t: math.cos(3 * t + 1) - t + 0.05 * t * t, lambda t: -3 * math.sin(3 * t + 1) - 1 + 0.1 * t),
    "exponential": (lambda t: math.exp(t) - 5 * t, lambda t: math.exp(t) - 5),
    "far": (lambda t: math.log1p((t - 100) ** 2), lambda t: 2 * (t - 100) / (1 + (t - 100) ** 2)),
}


def holds(name: str, point: Point, c1: float, c2: float) -> bool:
    value, slope = LINES[name]
    return value(point.step) <= value(0) + c1 * point.step * slope(0) and abs(slope(point.step)) <= c2 * abs(slope(0))


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("curvature", [0.9, 0.4, 0.1, 0.01])
@pytest.mark.parametrize("first", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("refine", [False, True])
def test_the_conditions_hold(name: str, curvature: float, first: float, refine: bool) -> None:
    value, slope = LINES[name]
    steps: list[float] = []

    def at(step: float) -> tuple[float, float]:
        steps.append(step)
        return value(step), slope(step)

    point = StrongWolfe(curvature=curvature, refine=refine).search(at, value(0), slope(0), first)
    assert holds(name, point, 1e-4, curvature)
    assert point == Point(point.step, value(point.step), slope(point.step))
    assert point.step in steps
    assert len(steps) == len(set(steps)) <= 25


@pytest.mark.parametrize("curvature", [0.9, 0.4, 0.1])
@pytest.mark.filterwarnings("ignore:The line search algorithm did not converge")
@pytest.mark.filterwarnings("ignore:Rounding errors prevent")
def test_where_scipys_ends_well_this_asks_no_more_often(curvature: float) -> None:
    """From a first trial of 1, as SciPy's: no more evaluations over all lines on which SciPy's meets the conditions,
    and this one meets them on all."""
    ours = theirs = ended = 0
    for name, (value, slope) in LINES.items():
        with np.errstate(all="ignore"):
            step, calls, *_ = line_search(
                lambda x, value=value: value(float(x[0])),
                lambda x, slope=slope: np.array([slope(float(x[0]))]),
                *(np.zeros(1), np.ones(1)),
                c1=1e-4,
                c2=curvature,
                maxiter=25,
            )
        at = Counted(lambda step, value=value, slope=slope: (value(step), slope(step)))
        point = StrongWolfe(curvature=curvature, refine=False).search(at, value(0), slope(0), 1.0)
        assert holds(name, point, 1e-4, curvature)
        if step is not None and abs(slope(step)) <= curvature * abs(slope(0)):
            ours, theirs, ended = ours + at.calls, theirs + calls - 1, ended + 1  # SciPy's count has the value at 0
    assert ended >= 4
    assert ours <= theirs


def test_a_quadratic_is_met_exactly_in_two_evaluations() -> None:
    for first in (0.5, 2.0, 3.0, 5.9):
        calls: list[float] = []

        def at(step: float, calls: list[float] = calls) -> tuple[float, float]:
            calls.append(step)
            return (step - 3) ** 2, 2 * (step - 3)

        assert StrongWolfe(curvature=0.9).search(at, 9.0, -6.0, first).step == pytest.approx(3.0, rel=1e-14)
        assert len(calls) <= 2


def test_cubic_minimum_is_that_of_the_cubic() -> None:
    """t^3 - 12 t has its minimum at 2; two points of it suffice."""
    for a, b in ((0.0, 1.0), (5.0, 1.0), (-1.0, 3.0)):
        points = [Point(t, t**3 - 12 * t, 3 * t * t - 12) for t in (a, b)]
        assert cubic_minimum(*points) == pytest.approx(2.0)
    assert math.isnan(cubic_minimum(Point(0, 0, -1), Point(0, 0, -1)))


def test_an_infinite_or_absent_value_is_too_far() -> None:
    def at(step: float) -> tuple[float, float]:
        return (step - 1) ** 2 if step < 1.5 else math.nan, 2 * (step - 1)

    point = StrongWolfe().search(at, 1.0, -2.0, 100.0)
    assert abs(2 * (point.step - 1)) <= 0.2


def test_nothing_lower_is_the_beginning() -> None:
    assert StrongWolfe(trials=5).search(lambda t: (1.0 + t, 1.0), 1.0, -1.0, 1.0).step == 0.0

"""Line search for the strong Wolfe conditions, by cubic interpolation.

Nocedal, Wright 2006, "Numerical Optimization", Algorithms 3.5 (bracket) and 3.6 (zoom), conditions (3.7), cubic
(3.59). Where rounding hides a decrease, the slope alone decides, as in Hager, Zhang 2005, "A new conjugate gradient
method with guaranteed descent and an efficient line search", section 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

_EXPAND = 10.0  # at most so many times the step before, while no minimum is bracketed
_MARGIN = 0.01  # share of a bracket within which no trial comes to its ends
_SAME = 1e-3  # share of the interval: a cubic's minimum and a parabola's as near as that are one
_ROUNDING = 8  # resolutions of the value at 0 by which a trial may lie above


class Point(NamedTuple):
    """A place on the line: the step, the value there, and the slope along the line."""

    step: float
    value: float
    slope: float


@dataclass(frozen=True)
class StrongWolfe:
    """value <= value(0) + decrease * step * slope(0), and |slope| <= curvature * |slope(0)|.

    decrease, curvature: c1 and c2 of (3.7); 0.1 is (section 5.2) for conjugate gradients, 0.9 for quasi-Newton methods.
    epsilon: relative resolution of the values. trials: evaluations at most. refine: one interpolation more where
    the first trial is accepted, so that the minimum of a quadratic is met exactly.
    """

    decrease: float = 1e-4
    curvature: float = 0.1
    epsilon: float = 2.0**-52
    trials: int = 25
    refine: bool = True

    def search(self, at: Callable[[float], tuple[float, float]], value: float, slope: float, first: float) -> Point:
        """The point that was accepted, from the trial step `first` > 0 on; `at` gives (value, slope) at a step.

        If the trials are spent before, the lowest of them; that of step 0 if none is lower.

        >>> StrongWolfe().search(lambda t: ((t - 3) ** 2, 2 * (t - 3)), 9.0, -6.0, 1.0)
        Point(step=3.0, value=0.0, slope=0.0)
        """
        begin = Point(0.0, value, slope)
        line = _Line(self, at, begin, [begin])
        previous, step = begin, first
        while line.left:
            point = line.trial(step)
            if line.too_high(point) or (previous is not begin and point.value > previous.value + line.slack):
                return line.zoom(previous, point)
            if line.flat(point):
                return line.refined(previous, point) if self.refine and previous is begin else point
            if point.slope >= 0:
                return line.zoom(point, previous)
            step = line.minimum(previous, point)
            step = min(max(step, 1.1 * point.step), _EXPAND * point.step) if step > 0 else 3 * point.step
            previous = point
        return line.lowest()


@dataclass
class _Line:
    rule: StrongWolfe
    at: Callable[[float], tuple[float, float]]
    begin: Point
    seen: list[Point]

    @property
    def left(self) -> int:
        return self.rule.trials - len(self.seen) + 1

    @property
    def slack(self) -> float:
        return _ROUNDING * self.rule.epsilon * abs(self.begin.value)

    def trial(self, step: float) -> Point:
        value, slope = self.at(step)
        finite = math.isfinite(value) and math.isfinite(slope)
        self.seen.append(Point(step, value, slope) if finite else Point(step, math.inf, math.nan))
        return self.seen[-1]

    def too_high(self, point: Point) -> bool:
        highest = self.begin.value + self.rule.decrease * point.step * self.begin.slope
        return point.value > highest + self.slack

    def flat(self, point: Point) -> bool:
        return abs(point.slope) <= -self.rule.curvature * self.begin.slope

    def accepts(self, point: Point) -> bool:
        return not self.too_high(point) and self.flat(point)

    def minimum(self, a: Point, b: Point) -> float:
        """Of the cubic through both; or, where that is the same but for rounding, or rounding hides how the values
        differ, the zero of the line through their slopes: both are exact for a quadratic. NaN if there is none."""
        bend = b.slope - a.slope
        secant = a.step - a.slope * (b.step - a.step) / bend if bend else math.nan
        cubic = cubic_minimum(a, b) if abs(a.value - b.value) > self.slack else secant
        return secant if abs(cubic - secant) <= _SAME * abs(b.step - a.step) else cubic

    def refined(self, previous: Point, point: Point) -> Point:
        """The better of an accepted point and the minimum of the cubic through it."""
        step = self.minimum(previous, point)
        if not self.left or not 0 < step <= _EXPAND * point.step or abs(step - point.step) <= 1e-12 * point.step:
            return point
        closer = self.trial(step)
        better = self.accepts(closer) and abs(closer.slope) < abs(point.slope)
        return closer if better and closer.value <= point.value + self.slack else point

    def zoom(self, low: Point, high: Point) -> Point:
        """Shrink the interval between `low`, the lowest point so far that decreases enough, and `high`."""
        while self.left:
            width = high.step - low.step
            step = self.minimum(low, high)
            inside = min(low.step, high.step) + _MARGIN * abs(width), max(low.step, high.step) - _MARGIN * abs(width)
            step = min(max(step, inside[0]), inside[1]) if math.isfinite(step) else low.step + width / 2
            if step in (low.step, high.step):
                break
            point = self.trial(step)
            if self.too_high(point) or point.value > low.value + self.slack:
                shrunk = low, point
            elif self.flat(point):
                return point
            else:
                shrunk = point, low if point.slope * width >= 0 else high
            if abs(shrunk[1].step - shrunk[0].step) > 2 / 3 * abs(width):  # interpolation creeps: bisect
                shrunk = self._halved(*shrunk)
                if self.accepts(shrunk[0]) and shrunk[0] is not self.begin:
                    return shrunk[0]
            low, high = shrunk
        return self.lowest()

    def _halved(self, low: Point, high: Point) -> tuple[Point, Point]:
        if not self.left:
            return low, high
        point = self.trial((low.step + high.step) / 2)
        if self.too_high(point) or point.value > low.value + self.slack:
            return low, point
        return point, low if point.slope * (high.step - low.step) >= 0 else high

    def lowest(self) -> Point:
        return min(self.seen, key=lambda point: point.value)


def cubic_minimum(a: Point, b: Point) -> float:
    """Minimum of the cubic with the values and slopes of two points (3.59); NaN where it has none.

    >>> cubic_minimum(Point(0, 4, -4), Point(1, 1, -2))
    2.0
    """
    if b.step == a.step:
        return math.nan
    first = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
    inner = first * first - a.slope * b.slope
    if not inner >= 0 or not math.isfinite(inner):
        return math.nan
    second = math.copysign(math.sqrt(inner), b.step - a.step)
    below = b.slope - a.slope + 2 * second
    return b.step - (b.step - a.step) * (b.slope + second - first) / below if below else math.nan

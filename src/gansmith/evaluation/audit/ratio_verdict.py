"""Verdict on a ratio: a share of the samples over the same share of real images, with the interval of the quotient."""

from __future__ import annotations

import math

from gansmith.evaluation.types import Number, Verdict

GOOD, BAD = 2 / 3, 1 / 3  # of what real images reach: surely above the one is good, surely below the other is bad


def ratio(numerator: Number, denominator: Number, means: str) -> Number:
    """The ratio of two shares that were measured independently of each other, with an interval from theirs.

    Donner and Zou 2012, "Closed-form confidence intervals for functions of the normal mean and standard deviation",
    section 3 (MOVER-R). Without an upper end where the denominator may be 0; not a number where it is.
    """
    above, below = numerator, denominator
    assert above.low is not None
    assert above.high is not None
    assert below.low is not None
    assert below.high is not None
    if below.value <= 0:
        return Number(math.nan, means=means)
    product = above.value * below.value
    lower = product**2 - above.low * below.high * (2 * above.value - above.low) * (2 * below.value - below.high)
    upper = product**2 - above.high * below.low * (2 * above.value - above.high) * (2 * below.value - below.low)
    divisors = below.high * (2 * below.value - below.high), below.low * (2 * below.value - below.low)
    low = (product - math.sqrt(max(0.0, lower))) / divisors[0] if divisors[0] > 0 else 0.0
    high = (product + math.sqrt(max(0.0, upper))) / divisors[1] if divisors[1] > 0 else None
    return Number(above.value / below.value, max(0.0, low), high, means)


def verdict_of(quotient: Number) -> Verdict:
    """Good or bad where the whole interval of the ratio is, cannot tell otherwise."""
    if math.isnan(quotient.value):
        return "cannot tell"
    if quotient.low is not None and quotient.low > GOOD:
        return "good"
    return "bad" if quotient.high is not None and quotient.high < BAD else "cannot tell"


def surely_between(quotient: Number) -> bool:
    """Whether the whole interval of the ratio lies between bad and good."""
    low, high = quotient.low, quotient.high
    return low is not None and low >= BAD and high is not None and high <= GOOD


def why_undecided(quotient: Number) -> str:
    """Why a ratio is neither good nor bad, in words: it lies between, or its interval is too wide."""
    if surely_between(quotient):
        return "surely between bad and good"
    return "too near the line between two verdicts to call with so few images"


def of_a_hundred(share: Number) -> str:
    """A share as people say it: `71`, or `fewer than 1`, of 100."""
    hundred = 100 * share.value
    return "fewer than 1" if 0 < hundred < 0.5 else f"{hundred:.0f}"

"""Visibility of traces: detail that was added to images that hold next to none is many times theirs, and unseen.

Images enlarged from few pixels have nothing but rounding at the finest frequencies; a ratio to it condemns what nobody
can see. So detail that was *added* is a trace only where it may reach a just noticeable difference
(`just_noticeable`), and a pattern only where it may be as strong as one of the 255 steps of grey. What is *missing*
stays a trace: a blur that takes the finest detail takes some of the coarser too, which is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gansmith.evaluation.audit.artifacts_words import Traces
from gansmith.evaluation.just_noticeable import noticeable_detail
from gansmith.evaluation.metrics.spectrum import Array, resampled, strengths
from gansmith.evaluation.types import Images, Number
from gansmith.system.seeding import mix

SEEN = 1.0  # just noticeable differences
STEP = 1.0  # grey levels of amplitude


class Visible(NamedTuple):
    """traces: those that may be seen;  unseen: the others, in words;  numbers: how strong they are."""

    traces: Traces
    unseen: tuple[str, ...]
    numbers: dict[str, Number]


def visible(traces: Traces, real: Images, fake: Images, places: Sequence[int], seed: int) -> Visible:
    """Which of the traces may be seen: images uint8 [N, H, W, C] and [M, H, W, C], places: those of `sites` at which
    there may be a pattern; the one of the largest amplitude counts."""
    numbers: dict[str, Number] = {}
    if traces.fine is not None and traces.fine > 0:
        numbers["fine_detail_noticeable"] = added(
            noticeable_detail(real),
            noticeable_detail(fake),
            seed,
            "just noticeable differences (root of the mean square) by which the finest detail exceeds the real images'",
        )
    if traces.checkerboard is not None:
        patterns = [
            added(strengths(real, place), strengths(fake, place), seed, "grey levels of 255: amplitude of the pattern")
            for place in places
        ]
        numbers["checkerboard_levels"] = max(patterns, key=lambda number: number.value)
    fine = _hidden(numbers.get("fine_detail_noticeable"), SEEN)
    patterned = _hidden(numbers.get("checkerboard_levels"), STEP)
    left = traces._replace(checkerboard=None if patterned else traces.checkerboard, fine=None if fine else traces.fine)
    return Visible(left, ("a checkerboard",) * patterned + ("fine detail",) * fine, numbers)


def added(real: Array, fake: Array, seed: int, means: str) -> Number:
    """Mean squares [N] and [M] of images -> the root of their difference, negative where the fakes have less."""
    rng = np.random.default_rng(mix(seed, "artifacts", "visible"))
    drawn = resampled(fake[:, None], rng) - resampled(real[:, None], rng)
    ends = [float(fake.mean() - real.mean()), *np.quantile(drawn, (0.025, 0.975))]
    value, low, high = (float(np.sign(end) * np.sqrt(abs(end))) for end in ends)
    return Number(value, low, high, means)


def _hidden(number: Number | None, least: float) -> bool:
    """Is the whole interval below what can be seen?"""
    return number is not None and number.high is not None and number.high < least

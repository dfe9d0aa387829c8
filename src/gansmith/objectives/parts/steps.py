"""A constant number of discriminator updates in each step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial


def always(steps: int) -> Callable[[int], int]:
    """The function (step -> `steps`)."""
    return partial(_constant, steps)


def _constant(steps: int, step: int) -> int:
    return steps

"""How often the discriminator plays in a step, where that is always as often."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from pydantic import Field

Steps = Annotated[int, Field(ge=1)]


def always(steps: int) -> Callable[[int], int]:
    """`steps` of the discriminator in every step of the game."""
    return partial(_constant, steps)


def _constant(steps: int, step: int) -> int:
    return steps

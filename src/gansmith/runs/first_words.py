"""What a training says of itself in its first seconds: where its samples are, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from gansmith.system.console import say
from gansmith.system.durations import rate_words
from gansmith.system.text import printable

_SHEET_AFTER = 5.0  # seconds: sheets of the first moments show nothing yet
_FORECAST_AFTER = 10.0  # seconds


class FirstWords:
    """Call `start`, then `after_step` after each step, and `saved` with each sheet.

    images: of the whole training, None while a time stands for it. Each line is said once, and those of the sheet only
    in a run that begins.
    """

    def __init__(self, images: int | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._images, self._clock = images, clock
        self._begun, self._first = 0.0, 0
        self._sheet_said = self._forecast_said = True  # before the start nothing is said

    def start(self, drawn: int) -> None:
        """The training begins or goes on, with `drawn` images behind."""
        self._begun, self._first = self._clock(), drawn
        self._sheet_said = drawn > 0
        self._forecast_said = self._images is None

    def saved(self, sheet: Path) -> None:
        if not self._sheet_said and self._clock() - self._begun >= _SHEET_AFTER:
            self._sheet_said = True
            say(f"samples so far: {printable(sheet)}; newer ones come beside it, and progress.webp is their film")

    def after_step(self, drawn: int) -> None:
        gone = self._clock() - self._begun
        if self._forecast_said or gone < _FORECAST_AFTER or self._images is None:
            return
        self._forecast_said = True
        rate = (drawn - self._first) / gone
        if drawn < self._images and rate > 0:
            whole = f"about {about((self._images - drawn) / rate)} more at {rate_words(rate)} a second"
            say(f"to {self._images:,} images: {whole}. Another length: --time 15m")


def about(seconds: float) -> str:
    """A time in words for a person.

    >>> about(40), about(100), about(3000), about(10_000)
    ('40 seconds', '2 minutes', '50 minutes', '2.8 hours')
    """
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"

"""What `gansmith evaluate` says on the way where no terminal shows bars, for a log and for the page, which reads it:
how much is done, and the answers of the first look as they come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gansmith.system.console import say

if TYPE_CHECKING:
    from gansmith.evaluation.types import Answer
    from gansmith.judge.outlook import Done

_STEP, _SOON, _LATE = 0.02, 1.0, 10.0  # of the whole; seconds between two lines at least, and at most


@dataclass
class EvaluationLines:
    """A line where a part begins, where two hundredths more are done, or after ten seconds."""

    _part: str = ""
    _share: float = -1.0
    _at: float = 0.0

    def progress(self, done: Done) -> None:
        """`31 %, 40 s left: making the samples`."""
        now, part = time.monotonic(), done.what.partition(" (")[0]
        passed = now - self._at
        if part != self._part or (passed >= _SOON and done.share >= self._share + _STEP) or passed >= _LATE:
            self._part, self._share, self._at = part, done.share, now
            say(done.as_line())

    def answer(self, answer: Answer) -> None:
        """An answer of the first look, before the others are known."""
        from gansmith.evaluation.audit.audit import line_of
        from gansmith.evaluation.number_format import for_terminals

        say(f"first answers, at {answer.protocol.fake_count:,} samples:", for_terminals(line_of(answer)), "")

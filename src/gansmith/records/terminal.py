"""Progress bar of a training on the terminal: rate, time left, and the most important terms."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack

from gansmith.records.recorder import Record
from gansmith.system.progress import bar


class Terminal:
    """Progress bar, advanced at every step; its note is updated at every record.

    What the last batch draws beyond `images` is not shown: the count ends at its total.
    """

    def __init__(self, *, images: int, done: int = 0) -> None:
        self._stack, self._left = ExitStack(), max(0, images - done)
        self._advance = self._stack.enter_context(bar("training", images, done=done))

    def step(self, drawn: int) -> None:
        drawn = min(drawn, self._left)
        self._left -= drawn
        self._advance(drawn)

    def record(self, record: Record) -> None:
        self._advance(0, terms(record))

    def close(self) -> None:
        self._stack.close()


class Stopwatch:
    """Progress bar of the first `seconds` of a training whose number of images is not known yet.

    Once closed it shows nothing: what is said next is the number.
    """

    def __init__(self, seconds: float) -> None:
        self._stack, self._begun, self._shown, self._open = ExitStack(), time.monotonic(), 0, True
        self._whole = math.ceil(seconds)
        self._advance = self._stack.enter_context(bar("measuring", self._whole, unit="seconds"))

    def step(self, drawn: int) -> None:
        if not self._open:
            return
        gone = min(int(time.monotonic() - self._begun), self._whole)
        self._advance(gone - self._shown)
        self._shown = gone

    def record(self, record: Record) -> None:
        if self._open:
            self._advance(0, terms(record))

    def close(self) -> None:
        self._open = False
        self._stack.close()


def terms(record: Record) -> list[str]:
    """`balanced`, `D 1.21`, `G 0.86`, `accuracy 0.63`: health, each turn's loss by its initial, and accuracies;
    `kid 0.0213` for a record of metrics. The most important first."""
    words = [word for word in str(record.get("health") or "").split(", ") if word]
    words += [f"{name.removeprefix('metric/')} {record[name]:.4g}" for name in record if name.count("/") == 1
              and name.startswith("metric/")]  # fmt: skip
    words += [f"{name[0].upper()}{_domain(name)} {record[name]:.2f}" for name in record if name.endswith("/loss")]
    return words + [
        f"accuracy{_domain(name)} {value:.2f}" for name, value in record.items() if name.endswith("/accuracy")
    ]


def _domain(name: str) -> str:
    """`_a` of `discriminator_a/loss`, where a game has several of a kind."""
    turn = name.partition("/")[0]
    return "_" + turn.rpartition("_")[2] if "_" in turn else ""

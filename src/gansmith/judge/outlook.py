"""How much of an evaluation is done, and how long the rest takes, in seconds: planned, then measured.

Each part is planned as a time on one machine, for so many images. A part that has been done once, in the first look,
tells by its time how long it takes in the whole audit; all parts that are done tell how much slower or faster this
machine is than the plan. Of the part under way its progress bar tells what is left. The share is that of the time: what
has passed, over what has passed and what is left. It never falls: where the rest turns out longer, it waits.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gansmith.evaluation.types import QUESTIONS
from gansmith.system.progress import watched_bars

MAKING, FEATURES = "making the samples", "comparing features"
OPENING = "opening the images"
EARLY = "first answers, by pixels"
_OF_PIXELS = {  # seconds of one core for 32 pixels: fixed, for each sample, for each real image
    MAKING: (0.2, 0.0006, 0.0),
    FEATURES: (0.1, 0.0001, 0.00005),
    "quality": (0.3, 0.0004, 0.0002),
    "memorisation": (1.3, 0.0017, 0.0005),
    "collapse": (2.0, 0.0008, 0.0005),
    "diversity": (0.4, 0.0006, 0.0003),
    "artifacts": (0.1, 0.0002, 0.0001),
}
_OF_NETWORK = {
    MAKING: _OF_PIXELS[MAKING],
    EARLY: (3.3, 0.0025, 0.001),  # collapse, which is not asked again in the first look, and memorisation
    FEATURES: (15.0, 0.006, 0.006),
    **{name: rates for name, rates in _OF_PIXELS.items() if name not in (MAKING, FEATURES)},
}
_LINE = re.compile(r"^(\d{1,2}) %(?:, (\d+) s left)?: (.*)$")
_SMALLEST = 0.1  # of a part that takes longer than planned: so much of its time so far is still to come


@dataclass(frozen=True)
class Part:
    """A part of the work. name: which;  first: of a first look;  seconds: as planned."""

    name: str
    first: bool
    seconds: float

    @property
    def words(self) -> str:
        words = QUESTIONS.get(self.name, self.name)
        return f"first look: {words[0].lower()}{words[1:]}" if self.first else words


@dataclass(frozen=True)
class Done:
    """share: of the time, 0 to 1;  left: seconds, None while nothing was measured yet;  what: is done now, in words."""

    share: float
    left: float | None
    what: str

    def as_line(self) -> str:
        """
        >>> Done(0.314, 40.2, "making the samples").as_line()
        '31 %, 40 s left: making the samples'
        """
        left = "" if self.left is None else f", {self.left:.0f} s left"
        return f"{min(99, int(100 * self.share))} %{left}: {self.what}"


def read_line(line: str) -> Done | None:
    """What `as_line` wrote; None for any other line.

    >>> read_line("31 %, 40 s left: making the samples")
    Done(share=0.31, left=40.0, what='making the samples')
    """
    match = _LINE.match(line)
    if match is None:
        return None
    return Done(int(match[1]) / 100, None if match[2] is None else float(match[2]), match[3])


@dataclass
class Outlook:
    """Told when a part begins and how a bar within it advances, it tells `tell` what is done.

    >>> told = []
    >>> clock = iter([0.0, 0.0, 2.0, 3.0])
    >>> outlook = Outlook(told.append, clock=lambda: next(clock))
    >>> outlook.plan([Part("making the samples", False, 1.0), Part("quality", False, 1.0)])
    >>> outlook.begin("making the samples", first=False)
    >>> outlook.begin("quality", first=False)  # after two seconds, which were planned as one
    >>> outlook.bar("searching", 1, 2)
    >>> [(round(done.share, 2), done.left) for done in told]
    [(0.0, None), (0.0, None), (0.5, 2.0), (0.75, 1.0)]
    """

    tell: Callable[[Done], None]
    clock: Callable[[], float] = time.monotonic
    _parts: list[Part] = field(default_factory=list)
    _times: dict[Part, float] = field(default_factory=dict)  # of those that are done
    _now: Part | None = None
    _since: float = 0.0
    _bar: tuple[str, float, int, int] | None = None  # what, when it began, done, of how many
    _share: float = 0.0

    def __post_init__(self) -> None:
        self._began = self.clock()
        self.tell(Done(0.0, None, OPENING))

    def plan(self, parts: Iterable[Part]) -> None:
        """All parts, in their order."""
        self._parts = list(parts)

    def begin(self, name: str, *, first: bool) -> None:
        """A part begins, and the one before it ends. One that is not planned is part of what is done now."""
        part = next((one for one in self._parts if (one.name, one.first) == (name, first)), None)
        if part is None:
            return
        now = self.clock()
        if self._now is not None:
            self._times[self._now] = now - self._since
        self._now, self._since, self._bar = part, now, None
        self._say(now)

    def bar(self, what: str, done: int, total: int) -> None:
        """A progress bar within the part: so many of so many."""
        now = self.clock()
        if self._bar is None or self._bar[0] != what or done < self._bar[2]:
            self._bar = (what, self._since if self._bar is None else now, 0, total)
        self._bar = (what, self._bar[1], done, total)
        self._say(now)

    def _say(self, now: float) -> None:
        detail = ""
        if self._bar is not None and self._bar[2] < self._bar[3]:
            detail = f" ({self._bar[0]}, {self._bar[2]:,} of {self._bar[3]:,})"
        if self._now is None:
            self.tell(Done(0.0, None, OPENING + detail))
            return
        pace = self._pace(now)
        left = None
        if pace is not None:
            passed, left = now - self._began, self._rest(now, pace)
            self._share = max(self._share, passed / (passed + left) if passed + left > 0 else 0.0)
        self.tell(Done(self._share, left, f"{self._now.words}{detail}"))

    def _pace(self, now: float) -> float | None:
        """Seconds for one that was planned, by all parts that were measured; None before there is one. The samples' bar
        is the only one of its part, and measures it while it lasts."""
        measured = {part: (spent, part.seconds) for part, spent in self._times.items()}
        if self._now is not None and self._now.name == MAKING and (rest := self._of_bar(now)) is not None:
            measured[self._now] = (now - self._since + rest, self._now.seconds)
        planned = sum(seconds for _, seconds in measured.values())
        return sum(spent for spent, _ in measured.values()) / planned if planned > 0 else None

    def _rest(self, now: float, pace: float) -> float:
        """Seconds from now on: of the part under way, and of those that come after it."""
        assert self._now is not None
        after = self._parts[self._parts.index(self._now) + 1 :]
        return self._of_this(now, self._now, pace) + sum(self._expected(part, pace) for part in after)

    def _of_bar(self, now: float) -> float | None:
        """Seconds that the progress bar has to go; None where it has not begun."""
        if self._bar is None or self._bar[2] <= 0:
            return None
        _, since, done, total = self._bar
        return (now - since) * (total - done) / done

    def _of_this(self, now: float, part: Part, pace: float) -> float:
        spent, of_bar = now - self._since, self._of_bar(now)
        planned = self._expected(part, pace) - spent
        if part.name == MAKING and of_bar is not None:
            return of_bar
        return max(planned, of_bar or 0.0, 0.0 if of_bar is not None else _SMALLEST * spent)

    def _expected(self, part: Part, pace: float) -> float:
        """Seconds of a part, by the plan and by what was measured: of the same part in the first look, else of all."""
        done = self._times.get(Part(part.name, True, self._planned(part.name)))
        if done is not None and not part.first:
            return done * part.seconds / max(self._planned(part.name), 1e-9)
        return part.seconds * pace

    def _planned(self, name: str) -> float:
        """Seconds of this part in the first look, as planned."""
        return next((one.seconds for one in self._parts if one.name == name and one.first), 0.0)


def parts_of(looks: Iterable[tuple[bool, int, int]], *, network: bool) -> list[Part]:
    """The parts of a first look (True) and of a whole audit (False), of so many samples and real images each.

    network: one looks at the images."""
    rates = _OF_NETWORK if network else _OF_PIXELS
    parts, seen = [], 0
    for first, samples, real in looks:
        for name, (fixed, each_sample, each_real) in rates.items():
            seconds = fixed + each_sample * samples + each_real * real
            if name == FEATURES and seen:  # those of the first look's images, and of damaged ones, are known
                seconds = each_sample * samples + each_real * max(0, real - seen)
            if first or name != EARLY:
                parts.append(Part(name, first, seconds))
        seen = real
    return parts


@contextmanager
def watched(progress: Callable[[Done], None] | None) -> Iterator[Outlook]:
    """An outlook that tells `progress`, in the place of progress bars; with None the bars are shown."""
    if progress is None:
        yield Outlook(lambda done: None)
        return
    outlook = Outlook(progress)
    with watched_bars(outlook.bar):
        yield outlook

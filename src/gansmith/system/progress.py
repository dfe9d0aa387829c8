"""Progress with rate and time left: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, cast

from gansmith.system.console import ProgressStream, is_quiet, is_terminal, say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

T = TypeVar("T")
Note: TypeAlias = str | Sequence[str]
Picture: TypeAlias = Callable[[], Any]  # -> pixels uint8 [H, W, 3], or None while there are none

_PLAIN_EVERY = 10.0  # seconds between plain lines, so that logs stay readable
_CELLS = 8  # characters of the bar
_ROWS = 32  # lines of a picture at most, of two pixels each
_RECENT = 30.0  # seconds over which a rate is a mean: long enough to be steady, short enough to be true


class Advance(Protocol):
    """Called with how much was done since the last call, and a note to show beside the bar: one term, or several, the
    most important first."""

    def __call__(self, amount: int = 1, note: Note = ()) -> None: ...


def format_duration(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss.

    >>> format_duration(75.2), format_duration(3725)
    ('1:15', '1:02:05')
    """
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


_here = threading.local()


@contextmanager
def hidden_bars() -> Iterator[None]:
    """Show no progress of what this thread does inside: a terminal has room for one bar, a server has many threads."""
    before, _here.hidden = getattr(_here, "hidden", False), True
    try:
        yield
    finally:
        _here.hidden = before


@contextmanager
def watched_bars(watch: Callable[[str, int, int], None]) -> Iterator[None]:
    """Show no progress of what this thread does inside, but call `watch(what, done, total)` as it goes on."""
    before, _here.watch = getattr(_here, "watch", None), watch
    try:
        with hidden_bars():
            yield
    finally:
        _here.watch = before


@contextmanager
def bar(
    what: str, total: int, unit: str = "images", done: int = 0, *, picture: Picture | None = None
) -> Iterator[Advance]:
    """A progress display of `total` units, of which `done` were done before. Writes to standard error only.

    picture: drawn above the line, in half blocks, on a terminal of 24-bit colours; asked again at each refresh."""
    if is_quiet() or getattr(_here, "hidden", False):
        yield _watching(getattr(_here, "watch", None), what, total, done)
        return
    show = _terminal if is_terminal() else _plain
    with show(what, total, unit, done, picture) as advance:
        yield advance


def _watching(watch: Callable[[str, int, int], None] | None, what: str, total: int, done: int) -> Advance:
    """What a hidden bar is advanced by."""

    def advance(amount: int = 1, note: Note = ()) -> None:
        nonlocal done
        done += amount
        if watch is not None:
            watch(what, done, total)

    return advance


def track(items: Iterable[T], what: str, total: int, unit: str = "images") -> Iterator[T]:
    """Iterate over `items` under a bar."""
    with bar(what, total, unit) as advance:
        for item in items:
            yield item
            advance()


class RecentRate:
    """Units a second over the last `window` seconds, or since the start where that is nearer.

    >>> rate = RecentRate(now=0.0, done=10, window=15.0)
    >>> [rate(10.0, 110), rate(20.0, 120), rate(30.0, 130)]  # 10 a second, then 1
    [10.0, 5.5, 1.0]
    """

    def __init__(self, now: float, done: int = 0, *, window: float = _RECENT) -> None:
        self._window = window
        self._marks = deque([(now, done)])  # a second apart at least

    def __call__(self, now: float, count: int) -> float:
        """The rate, with `count` units done by `now`, in seconds."""
        while len(self._marks) > 1 and self._marks[1][0] <= now - self._window:
            self._marks.popleft()
        since, before = self._marks[0]
        if now - self._marks[-1][0] >= 1.0:
            self._marks.append((now, count))
        return (count - before) / (now - since) if now > since else 0.0


@contextmanager
def _terminal(what: str, total: int, unit: str, done: int, picture: Picture | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    rate_of, count, terms = RecentRate(time.monotonic(), done), done, tuple[str, ...]()
    console = Console(file=cast(IO[str], ProgressStream()))

    def line() -> Text:
        rate = rate_of(time.monotonic(), count)
        width = console.width - 1  # a full line makes some terminals begin the next
        text = bar_line(width, what, count, total, unit=unit, rate=rate, terms=terms)
        plain = text if console.encoding.startswith("utf") else text.replace("━", "=").replace("─", "-")
        return Text(plain, no_wrap=True, overflow="crop")

    def display() -> RenderableType:
        return line() if picture is None else with_picture(console, picture(), line())

    with Live(console=console, get_renderable=display, refresh_per_second=4):

        def advance(amount: int = 1, note: Note = ()) -> None:
            nonlocal count, terms
            count += amount
            terms = _terms(note) or terms

        yield advance


def with_picture(console: Console, pixels: Any, line: RenderableType) -> RenderableType:
    """The line below the pixels uint8 [H, W, 3], on a console that has 24-bit colours and room; else the line."""
    from rich.console import Group

    from gansmith.system.half_blocks import half_blocks

    colours = console.color_system == "truecolor" and not console.no_color and console.encoding.startswith("utf")
    rows = min(_ROWS, console.height - 2)
    if pixels is None or not colours or rows < 4:
        return line
    return Group(half_blocks(pixels, console.width - 1, rows), line)


def bar_line(
    width: int, what: str, count: int, total: int, *, unit: str, rate: float, terms: Sequence[str] = ()
) -> str:
    """One line of at most `width` characters: what, bar, count, rate, time left, terms (most important first).

    What has no room is left out whole, the least important first: nothing is cut.

    >>> bar_line(60, "training", 500, 1000, unit="images", rate=50.0, terms=["balanced", "accuracy 0.63"])
    'training ━━━━──── 500/1,000  50/s  0:10 left  balanced'
    >>> bar_line(30, "training", 500, 1000, unit="images", rate=50.0, terms=["balanced", "accuracy 0.63"])
    '500/1,000  50/s  0:10 left'
    """
    left = f"{format_duration((total - count) / rate if rate > 0 else 0.0)} left"
    part = min(1.0, count / total) if total else 1.0
    full = round(_CELLS * part)
    # in the order of the line; the number is the rank, 0 the most important
    cells = [
        (4, what),
        (3, "━" * full + "─" * (_CELLS - full)),
        (0, f"{count:,}/{total:,}"),
        (8, unit),
        *([] if unit == "seconds" else [(2, f" {_rate(rate)}/s")]),
        (1, f" {left}"),
        *((5 + rank, f" {term}") for rank, term in enumerate(terms)),
    ]
    room, kept = width, set[int]()
    for place in sorted(range(len(cells)), key=lambda place: cells[place][0]):
        needed = len(cells[place][1]) + (1 if kept else 0)
        if needed <= room:
            kept.add(place)
            room -= needed
    return " ".join(text for place, (_, text) in enumerate(cells) if place in kept).strip()


def _terms(note: Note) -> tuple[str, ...]:
    return ((note,) if note else ()) if isinstance(note, str) else tuple(note)


@contextmanager
def _plain(what: str, total: int, unit: str, done: int, picture: Picture | None = None) -> Iterator[Advance]:
    start = last = time.monotonic()
    count, rate_of = done, RecentRate(start, done)
    written: int | None = None  # the count of the latest line
    latest = ""

    def line() -> None:
        nonlocal written
        written = count
        spent = time.monotonic() - start
        rate = rate_of(time.monotonic(), count) if count < total else (count - done) / max(spent, 1e-9)
        left = f", {format_duration((total - count) / rate)} left" if rate > 0 and count < total else ""
        pace = "" if unit == "seconds" else f" {_rate(rate)} {unit}/s,"
        done_so_far = f"{count:,}/{total:,} {unit},{pace} {format_duration(spent)} gone"
        say(f"{what}: {done_so_far}{left}  {latest}".rstrip())

    def advance(amount: int = 1, note: Note = ()) -> None:
        nonlocal count, last, latest
        count += amount
        latest = "  ".join(_terms(note)) or latest
        if time.monotonic() - last >= _PLAIN_EVERY:
            last = time.monotonic()
            line()

    yield advance
    whole = written == count >= total  # the latest line has said it all
    if time.monotonic() - start >= 1.0 and not whole:  # what took less than a second needs no line
        line()


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"

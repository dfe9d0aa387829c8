"""Progress with rate and time left: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")

_PLAIN_EVERY = 10.0  # seconds between plain lines, so that logs stay readable


class Advance(Protocol):
    """Called with how much was done since the last call, and a note to show beside the bar."""

    def __call__(self, amount: int = 1, note: str = "") -> None: ...


def format_duration(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss.

    >>> format_duration(75.2), format_duration(3725)
    ('1:15', '1:02:05')
    """
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


@contextmanager
def bar(what: str, total: int, unit: str = "images", done: int = 0) -> Iterator[Advance]:
    """A progress display of `total` units, of which `done` were done before. Writes to standard error only."""
    show = _terminal if sys.stderr.isatty() else _plain
    with show(what, total, unit, done) as advance:
        yield advance


def track(items: Iterable[T], what: str, total: int, unit: str = "images") -> Iterator[T]:
    """Iterate over `items` under a bar."""
    with bar(what, total, unit) as advance:
        for item in items:
            yield item
            advance()


@contextmanager
def _terminal(what: str, total: int, unit: str, done: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.progress import Task as RichTask
    from rich.table import Column
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: RichTask) -> Text:
            spent = task.elapsed or 0.0
            fresh = task.completed - done
            rate = fresh / spent if spent > 0 else 0.0
            left = (total - task.completed) / rate if rate > 0 else 0.0
            return Text(f"{_rate(rate)}/s  {format_duration(left)} left", no_wrap=True)

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=8),
        TextColumn(f"{{task.completed:,.0f}}/{total:,} {unit}", table_column=Column(no_wrap=True)),
        Rate(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[note]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=Console(stderr=True),
        refresh_per_second=4,
    ) as progress:
        task = progress.add_task(what, total=total, completed=done, note="")

        def advance(amount: int = 1, note: str = "") -> None:
            if note:
                progress.update(task, advance=amount, note=note)
            else:
                progress.update(task, advance=amount)

        yield advance


@contextmanager
def _plain(what: str, total: int, unit: str, done: int) -> Iterator[Advance]:
    start = last = time.monotonic()
    count = done
    latest = ""

    def line() -> None:
        spent = time.monotonic() - start
        rate = (count - done) / spent if spent > 0 else 0.0
        left = f", {format_duration((total - count) / rate)} left" if rate > 0 and count < total else ""
        done_so_far = f"{count:,}/{total:,} {unit}, {_rate(rate)} {unit}/s, {format_duration(spent)} gone"
        print(f"{what}: {done_so_far}{left}  {latest}".rstrip(), file=sys.stderr, flush=True)

    def advance(amount: int = 1, note: str = "") -> None:
        nonlocal count, last, latest
        count += amount
        latest = note or latest
        if time.monotonic() - last >= _PLAIN_EVERY:
            last = time.monotonic()
            line()

    yield advance
    if time.monotonic() - start >= 1.0:  # what took less than a second needs no line
        line()


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"

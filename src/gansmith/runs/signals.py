"""Ctrl-C, SIGTERM and SIGHUP while training: the first ends it after the step, a second Ctrl-C or SIGTERM at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SAME_WISH = 1.0  # seconds: what follows sooner is the same wish (a shell and a wrapper both pass one Ctrl-C on)
_SIGHUP: int | None = getattr(signal, "SIGHUP", None)  # the terminal was closed; Windows has no such signal


@contextmanager
def stop_on_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP calls `stop` with its number, and a SIGINT or SIGTERM that follows
    more than a second later raises KeyboardInterrupt.

    SIGHUP never insists: a closed terminal sends it more than once, and a shutdown sends SIGTERM after it. Where it was
    ignored (`nohup`) it stays ignored. The handlers of before are put back at the end. Without effect outside the main
    thread, where Python has no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopped = insisted = False
    asked: float | None = None  # when the first signal came of those that insist when they come again

    def wake(number: int, frame: FrameType | None) -> None:
        """Each second after the first signal. A second one that came just before a sleep or a wait is then noticed,
        and raised once more where Python dropped what its handler raised (inside a `__del__`)."""
        if insisted:
            raise KeyboardInterrupt

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal stopped, asked, insisted
        if number != _SIGHUP:
            if asked is not None and time.monotonic() - asked > SAME_WISH:
                insisted = True
                raise KeyboardInterrupt
            asked = asked or time.monotonic()
        if stopped:
            return
        stopped = True
        if hasattr(signal, "setitimer"):
            before.setdefault(signal.SIGALRM, signal.signal(signal.SIGALRM, wake))
            signal.siginterrupt(signal.SIGALRM, False)
            signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
        stop(number)

    numbers: list[int] = [signal.SIGINT, signal.SIGTERM]
    if _SIGHUP is not None and signal.getsignal(_SIGHUP) is not signal.SIG_IGN:
        numbers.append(_SIGHUP)
    before: dict[int, Any] = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        if hasattr(signal, "SIGALRM") and signal.SIGALRM in before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)

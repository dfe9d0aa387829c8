"""Ctrl-C and SIGTERM while training: the first ends it after the step, the second at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def stop_on_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Inside, the first SIGINT or SIGTERM calls `stop` with its number, and the next raises KeyboardInterrupt.

    The handlers of before are put back at the end. Without effect outside the main thread, where Python has no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopped = insisted = False

    def wake(number: int, frame: FrameType | None) -> None:
        """Each second after the first signal. A second one that came just before a sleep or a wait is then noticed,
        and raised once more where Python dropped what its handler raised (inside a `__del__`)."""
        if insisted:
            raise KeyboardInterrupt

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal stopped, insisted
        if stopped:
            insisted = True
            raise KeyboardInterrupt
        stopped = True
        if hasattr(signal, "setitimer"):
            before.setdefault(signal.SIGALRM, signal.signal(signal.SIGALRM, wake))
            signal.siginterrupt(signal.SIGALRM, False)
            signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
        stop(number)

    before: dict[int, Any] = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if len(before) > 2:  # the alarm is set
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)

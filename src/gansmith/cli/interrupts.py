"""Ctrl-C, SIGTERM and SIGHUP (a terminal that was closed) of a command; while training, `runs/signals.py` hears them.

The first one ends the command by an exception, by way of every `finally`, so that nothing half made is left: exit
status 130, 143 or 129. While a command imports its modules, which takes seconds and leaves nothing to tidy up, it ends
the process at once; in an import of another function it waits for the end of that, since an exception would be
reported as a fault of the module, or be dropped. Where Python drops it all the same (in a `__del__`), it comes again.
What follows within a second is the same wish (a shell and a wrapper both pass Ctrl-C on); later, it ends the process
at once, which no checkpoint and no file that is written whole minds. A signal that was ignored before stays ignored
(`nohup`).

Imports next to nothing: the command line begins with it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

from gansmith.runs.signals import SAME_WISH

_AGAIN = 0.02  # seconds, until one looks again whether the import has ended
_IMPORT = "<frozen importlib._bootstrap>"


class _State:
    """What has happened so far in this process."""

    working = False  # has the command begun, so that something may have to be tidied up?
    ending: int | None = None  # the signal that ends it
    since = 0.0  # when that came
    process = 0  # its number: a child that was forked has another


def hear() -> None:
    """End this process tidily on each of the three signals, from here on; those that are ignored stay so."""
    _State.process = os.getpid()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _unraisable


@contextmanager
def heard() -> Iterator[None]:
    """Inside, a signal raises; before and after it, when nothing has to be tidied up, it ends the process."""
    hear()
    _State.working, _State.ending = True, None
    try:
        yield
    finally:
        _State.working = False


def ended_by() -> int | None:
    """The signal that was to end the command, even where that had ended before."""
    return _State.ending


def _handle(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _State.process:
        os._exit(128 + number)
    if not _State.working:
        _leave(number)
    if _State.ending is None:
        _State.ending, _State.since = number, time.monotonic()
        _end(frame)
    elif number != getattr(signal, "SIGHUP", None) and time.monotonic() - _State.since > SAME_WISH:
        _leave(number)


def _end(frame: FrameType | None) -> None:
    """Raise the end of the command, or come back when the import that runs has ended."""
    number = _State.ending
    if number is None or not _State.working:
        return
    importer = _importer(frame)
    if importer is not None and importer.f_globals.get("__name__", "").startswith("gansmith.cli."):
        _leave(number)
    if importer is not None and hasattr(signal, "setitimer"):
        _come_back()
    elif number == signal.SIGINT:
        raise KeyboardInterrupt
    else:
        sys.exit(128 + number)


def _come_back() -> None:
    signal.signal(signal.SIGALRM, lambda number, frame: _end(frame))
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def _importer(frame: FrameType | None) -> FrameType | None:
    """What waits for the outermost import that runs; None while none does."""
    importer = None
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT and (frame.f_back is None or frame.f_back.f_code.co_filename != _IMPORT):
            importer = frame.f_back
        frame = frame.f_back
    return importer


def _leave(number: int) -> NoReturn:
    with suppress(OSError):
        os.write(2, b"stopped\n")
    os._exit(128 + number)


def _unraisable(dropped: Any) -> None:
    """`sys.unraisablehook`: the end of the command, dropped by Python where no exception can be raised, comes again."""
    if _State.ending is not None and dropped.exc_type in (KeyboardInterrupt, SystemExit):
        if hasattr(signal, "setitimer"):
            _come_back()
        return
    sys.__unraisablehook__(dropped)

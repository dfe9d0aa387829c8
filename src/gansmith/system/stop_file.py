"""A request to end this process as by Ctrl-C: a file, at the path that whoever started it put into the environment.

`GANSMITH_STOP_FILE` is read once and taken out of the environment, so that no child obeys it too. Only that the file is
there counts: nothing is read of it, and no process is named anywhere. The signal goes to the main thread of this
process alone, which hears it between two batches of its work: a call into torch that is under way ends first.
"""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "GANSMITH_STOP_FILE"
EVERY = 0.5  # seconds between two looks: one call of lstat each


@contextmanager
def heeded() -> Iterator[None]:
    """Inside, the file ends the process as Ctrl-C does; without the variable, nothing is watched.

    >>> with heeded():
    ...     print(VARIABLE in os.environ)
    False
    """
    path = os.environ.pop(VARIABLE, None)
    if path is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    over = threading.Event()
    threading.Thread(target=_watch, args=(path, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def is_there(path: str | os.PathLike[str]) -> bool:
    """Is the request there? A folder or a link of this name is none.

    >>> is_there("/nowhere/stop.request")
    False
    """
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _watch(path: str, over: threading.Event) -> None:
    while not is_there(path):
        if over.wait(EVERY):
            return
    ignored = signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None)  # of what a shell put into the background
    number = signal.SIGTERM if ignored else signal.SIGINT
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(int(threading.main_thread().ident or 0), number)
    else:  # Windows
        signal.raise_signal(number)

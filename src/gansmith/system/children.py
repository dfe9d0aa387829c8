"""Child processes that end with their parent, whatever they are doing when it is killed.

Two means, as neither covers every case:

- `prctl(PR_SET_PDEATHSIG, SIGKILL)`, prctl(2), on Linux: the kernel kills the child, even inside a call that holds the
  interpreter's lock. It is sent when the *thread* that forked ends, so that it is only for children of a main thread.
- a thread that asks for the parent a few times a second and ends the process by `os._exit`: every system and thread.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from typing import NamedTuple

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_EVERY = 0.25  # seconds between two questions


class Parent(NamedTuple):
    """A process that is about to start children.

    direct   whether they are its children for the system too: not those of a fork server, nor on Windows
    main     whether its main thread starts them
    """

    process: int
    direct: bool
    main: bool


def this_process(method: str | None = None) -> Parent:
    """The calling process, to be handed to the children that this thread starts by `method` (None: the default one).

    >>> this_process().process == os.getpid()
    True
    """
    direct = sys.platform != "win32" and (method or multiprocessing.get_start_method()) != "forkserver"
    return Parent(os.getpid(), direct, threading.current_thread() is threading.main_thread())


def end_with(parent: Parent) -> None:
    """End this process when `parent` has ended; at once where it has ended already. Called first in a child."""
    if parent.direct and parent.main and sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if not _alive(parent):  # it ended before prctl took effect
        os._exit(1)
    threading.Thread(target=_watch, args=(parent,), name="end with parent", daemon=True).start()


def _watch(parent: Parent) -> None:
    while _alive(parent):
        time.sleep(_EVERY)
    os._exit(1)


def _alive(parent: Parent) -> bool:
    if parent.direct:
        return os.getppid() == parent.process
    known = multiprocessing.parent_process()
    return known is not None and known.is_alive()

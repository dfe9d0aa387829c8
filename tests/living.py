"""The processes that a test has left running."""

from __future__ import annotations

import psutil

_SERVERS = ("multiprocessing.forkserver", "multiprocessing.resource_tracker")  # of the tests' own `forked.py`


def living_children() -> list[psutil.Process]:
    """Children of this process and theirs, but for zombies and for what serves other tests' forks."""
    return [child for child in psutil.Process().children(recursive=True) if not _apart(child)]


def _apart(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE or any(name in " ".join(process.cmdline()) for name in _SERVERS)
    except psutil.NoSuchProcess:
        return True

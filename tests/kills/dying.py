"""A training in a session of its own, which kills itself where it is told to, and counts the places where it could."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

OPERATIONS = ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir")  # Python's audit events


def train(settings: dict[str, Any], kind: str, place: int, cache: str, log: str) -> None:
    """To be called in a process of its own. kind: 'operation' or 'write' ends it before operation number `place` on a
    file of the run or the cache, or when `place` bytes of checkpoints are written; anything else does not end it.

    log: the file that receives what it prints; LOG.json receives what `Places` counted, at the end.
    """
    os.setsid()
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ["GANSMITH_CACHE"] = cache
    import torch

    import gansmith

    torch.set_num_threads(1)
    places = Places(kind, place, [cache, settings["out"]])
    gansmith.train(**settings)
    places.watching = False
    Path(f"{log}.json").write_text(json.dumps({"operation": places.operations, "write": places.bytes}))


class Places:
    """Counts operations on the files below `folders`, and the bytes of checkpoints."""

    def __init__(self, kind: str, place: int, folders: list[str]) -> None:
        self.kind, self.place, self.folders = kind, place, tuple(folders)
        self.operations = self.bytes = 0
        self.watching = True
        self.process = os.getpid()
        sys.addaudithook(self._operation)
        self._watch_writes()

    def _operation(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in OPERATIONS or not self.watching or os.getpid() != self.process:
            return
        if event == "open" and not _writes(arguments):
            return
        if str(arguments[0]).startswith(self.folders):
            self.operations += 1
            if self.kind == "operation" and self.operations == self.place:
                die()

    def _watch_writes(self) -> None:
        from gansmith.training import checkpoint

        write: Callable[..., int] = checkpoint._Watched.write

        def counted(watched: Any, data: Any) -> int:
            size = memoryview(data).nbytes
            if self.kind == "write" and self.bytes + size >= self.place:
                write(watched, memoryview(data).cast("B")[: self.place - self.bytes])
                watched.flush()
                die()
            self.bytes += size
            return write(watched, data)

        checkpoint._Watched.write = counted  # type: ignore[method-assign]


def _writes(arguments: tuple[Any, ...]) -> bool:
    """Does an audit event `open` (path, mode, flags) write?"""
    return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":  # an interpreter of its own
    train(*json.loads(sys.argv[1]))

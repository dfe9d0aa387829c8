"""Commands in processes that are forked from one which has torch loaded and has trained nothing: they begin at once."""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

import gansmith
import undurable  # noqa: F401

LATE = ("torch._dynamo", "torch.utils.flop_counter", "sklearn.datasets")  # what a training imports late
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([*(m.name for m in pkgutil.walk_packages(gansmith.__path__, "gansmith.")), *LATE])


class Forked:
    """What the tests need of subprocess.Popen."""

    def __init__(self, before: str, arguments: tuple[Any, ...]) -> None:
        pipes = [os.pipe(), os.pipe()]
        self.stdout, self.stderr = (os.fdopen(reading, encoding="utf-8") for reading, _ in pipes)
        self._call = (before, tuple(map(str, arguments)), dict(os.environ))
        self._writing = [writing for _, writing in pipes]
        self.process = CONTEXT.Process(target=self)
        self.process.start()
        for writing in self._writing:
            os.close(writing)

    def __reduce__(self) -> Any:
        return _Command, (*self._call, *(DupFd(writing) for writing in self._writing))

    def poll(self) -> int | None:
        return self.process.exitcode

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def communicate(self, timeout: float = 240) -> tuple[str, str]:
        with ThreadPoolExecutor(2) as pool:
            texts = [pool.submit(stream.read) for stream in (self.stdout, self.stderr)]
            self.process.join(timeout)
            if self.process.exitcode is None:
                self.process.kill()
                raise TimeoutError(f"the process had not ended after {timeout} s")
            return texts[0].result(), texts[1].result()


class _Command:
    """The command line, called in the new process."""

    def __init__(self, before: str, arguments: tuple[str, ...], environment: dict[str, str], *streams: Any) -> None:
        self.before, self.arguments, self.environment, self.streams = before, arguments, environment, streams

    def __call__(self) -> None:
        for number, stream in zip((1, 2), self.streams, strict=True):
            os.dup2(stream.detach(), number)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.path.insert(0, str(Path(__file__).parent))  # the toys
        sys.argv = ["gansmith", *self.arguments]
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell began the tests with &
        exec(self.before, {})
        from gansmith.__main__ import main

        sys.exit(main())


@contextmanager
def fork(*arguments: Any, before: str = "") -> Iterator[Forked]:
    """The command line after `before`, in a process of its own that is killed at the end of the block."""
    command = Forked(before, arguments)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.join()
        command.stdout.close()
        command.stderr.close()

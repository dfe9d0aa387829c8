"""One invocation of the command line: a fork of this process, which has torch loaded, under limits, and watched.

The child has a session of its own, an empty input, no capabilities (so that permissions count for a superuser too), at
most MEMORY bytes beyond what the parent maps, and files of at most FILE bytes. One that works for longer than
`patience` is told to end; one that then does not is killed, with all of its session.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MEMORY = 4 * 2**30
FILE = 2**30
PROCESSES = 40


@dataclass
class Ended:
    """status: the exit status, or minus the signal; told: whether it was told to end; orphans: what it left running."""

    status: int
    seconds: float
    peak: int  # bytes: of the process, or of it and its children together, whichever is more
    worked: float  # seconds of a processor
    told: bool
    killed: str  # why it was killed, or ""
    orphans: list[str] = field(default_factory=list)


class Invocation:
    """A command line that runs in `folder`, or `call` of it; its output goes to the two files."""

    def __init__(
        self,
        argv: list[str],
        folder: Path,
        outputs: tuple[Path, Path],
        variables: dict[str, str],
        patience: float,
        call: Callable[[list[str]], int] | None = None,
    ) -> None:
        self.started, self.patience = time.monotonic(), patience
        self.told, self.killed, self.family = 0.0, "", 0
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _child(argv, folder, outputs, variables, call or _call)

    def poll(self) -> Ended | None:
        """None while it runs; tells or kills it when it is time."""
        pid, status, used = os.wait4(self.pid, os.WNOHANG)
        now = time.monotonic()
        if pid:
            code = os.waitstatus_to_exitcode(status)
            peak = max(used.ru_maxrss * 1024, self.family)
            worked = used.ru_utime + used.ru_stime
            return Ended(code, now - self.started, peak, worked, bool(self.told), self.killed, self._orphans())
        self._watch()
        if not self.told and now - self.started > self.patience:
            self.told = now
            os.kill(self.pid, signal.SIGTERM)
        elif self.told and now - self.told > self.patience + 20 and not self.killed:
            self._kill("did not end when it was told to")
        return None

    def _watch(self) -> None:
        try:
            family = psutil.Process(self.pid).children(recursive=True)
            if len(family) > PROCESSES:
                self._kill(f"{len(family)} processes")
            if family:
                self.family = max(self.family, sum(one.memory_info().rss for one in family))
        except psutil.Error:
            return

    def _session(self) -> list[psutil.Process]:
        members = []
        for one in psutil.process_iter():
            try:
                if one.pid != self.pid and os.getsid(one.pid) == self.pid and one.status() != psutil.STATUS_ZOMBIE:
                    members.append(one)
            except (psutil.Error, OSError):
                continue
        return members

    def _kill(self, why: str) -> None:
        self.killed = why
        for one in [*self._session(), psutil.Process(self.pid)]:
            try:
                one.kill()
            except psutil.Error:
                continue

    def _orphans(self) -> list[str]:
        """Processes of its session that are still there twenty seconds later; they are killed."""
        for _ in range(200):
            left = self._session()
            if not left:
                return []
            time.sleep(0.1)
        names = []
        for one in left:
            try:
                names.append(" ".join(one.cmdline())[:200])
                one.kill()
            except psutil.Error:
                continue
        return names


def _child(
    argv: list[str],
    folder: Path,
    outputs: tuple[Path, Path],
    variables: dict[str, str],
    call: Callable[[list[str]], int],
) -> None:
    status = 99
    try:
        os.setsid()
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for number, path in zip((1, 2), outputs, strict=True):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
        for name in [name for name in os.environ if name.startswith("GANSMITH_")]:
            del os.environ[name]
        os.environ.update(variables)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _limit()
        status = call(argv)
    except BaseException:
        traceback.print_exc()
        status = 98
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                status = status or 120
        os._exit(status)


def _call(argv: list[str]) -> int:
    """What a new interpreter would do with the command line: the status at its end, handlers of exit included."""
    import atexit
    import multiprocessing.util

    from gansmith.cli.main import main

    atexit._clear()  # those of the parent
    sys.argv = ["gansmith", *argv]
    try:
        main()
        status = 0
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
        status = code if isinstance(code, int) else 0 if code is None else 1
    except KeyboardInterrupt:
        traceback.print_exc()
        status = 130
    except BaseException:
        traceback.print_exc()
        status = 1
    multiprocessing.util._exit_function()
    atexit._run_exitfuncs()
    return status & 0xFF


def _limit() -> None:
    mapped = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.geteuid() == 0:  # capset(2), version 3: none effective, permitted or inherited
        system = {"x86_64": 126, "aarch64": 91}.get(os.uname().machine)
        if system is not None:
            header = ctypes.create_string_buffer(struct.pack("<Ii", 0x20080522, 0))
            ctypes.CDLL(None).syscall(system, header, ctypes.create_string_buffer(24))

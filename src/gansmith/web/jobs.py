"""Work that a request starts as a process of its own: one at a time, by a fixed list of arguments, never with --trust.

The process outlives the page. It holds a lock on `FOLDER/.page/lock` as long as it lives, because it inherits the open
file; whoever comes later sees by the lock that something runs, and reads in `job.json` what it is. No number of a
process is kept: nothing that lies in a folder can make this server signal a process.

To stop it, `stop.request` is written beside these, which the process looks for (`system/stop_file.py`).

    FOLDER/.page/lock, job.json, job.log        beside the runs; in the run's folder where one run is opened
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gansmith.errors import GansmithError
from gansmith.system import stop_file
from gansmith.system.files import write_json, write_text
from gansmith.system.paths import resolved
from gansmith.system.text import printable, printable_lines
from gansmith.web.audit_words import progress
from gansmith.web.errors import BusyError, NotFoundError, RefusedError
from gansmith.web.pictures import command_line
from gansmith.web.settings import Settings

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_FOLDER = ".page"
_MOST_BYTES = 1 << 16  # of job.json, and of the log's end that is read
_LINES = 40
_STOPPED = (130, 143)  # the status after Ctrl-C, or a request to stop; where Ctrl-C is ignored, after SIGTERM
_REQUEST = "stop.request"
_FIELDS = ("what", "run", "command", "begun")
_started: list[subprocess.Popen[bytes]] = []  # kept: they outlive whoever started them
_BAR = re.compile(r"[^\n]*\r(?!\n)")  # what a progress bar has written over


@dataclass
class Jobs:
    """The job of one opened folder."""

    settings: Settings
    _process: subprocess.Popen[bytes] | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def folder(self) -> Path:
        return self.settings.opened / _FOLDER

    def start(self, what: str, run: str, arguments: Sequence[str]) -> dict[str, Any]:
        """Start `gansmith ARGUMENTS`, which works on `run`; the job. Raises BusyError while another one runs."""
        with self._starting:
            now = self.current()
            if now is not None and now["state"] == "running":
                raise BusyError(
                    f"{now['what']} of {now['run']} is running, and one thing runs at a time: wait for its end, or "
                    f"stop it"
                )
            if self.folder.is_symlink():
                raise RefusedError(f"{printable(self.folder)} is a link, which may lead anywhere: remove it")
            self.folder.mkdir(parents=True, exist_ok=True)
            job = {"what": what, "run": run, "command": command_line(*arguments), "begun": round(time.time(), 3)}
            with _opened(self.folder / "lock", "ab") as held:
                if not _lock(held):
                    raise BusyError("another page has just started something: one thing runs at a time")
                self._remove_request()
                write_json(self.folder / "job.json", job)
                with _opened(self.folder / "job.log", "wb") as log:
                    self._process = _process(arguments, log, held, stop=self.folder / _REQUEST)
                    _started[:] = [*(one for one in _started if one.poll() is None), self._process]
        return self.current() or job

    def stop(self, job: str) -> None:
        """Ask the job of this id to end, as Ctrl-C does. Raises NotFoundError where the newest job is another one,
        GansmithError where it has ended."""
        with self._starting:
            now = self.current()
            if now is None or now["id"] != job:
                raise NotFoundError("this job is no longer the newest one: reload the page")
            if now["state"] != "running":
                raise GansmithError(f"{now['what']} of {now['run']} has ended: there is nothing to stop")
            if self.folder.is_symlink():
                raise RefusedError(f"{printable(self.folder)} is a link, which may lead anywhere: remove it")
            write_text(self.folder / _REQUEST, "stop\n", create_folder=False)

    def _remove_request(self) -> None:
        """That of a job before. Raises RefusedError where it cannot be removed: the new job would obey it."""
        try:
            (self.folder / _REQUEST).unlink(missing_ok=True)
        except OSError as error:
            raise RefusedError(f"{printable(self.folder / _REQUEST)} is in the way: {error.strerror}") from error

    def current(self) -> dict[str, Any] | None:
        """{id, what, run, command, begun, seconds, state, stopping, log} of the newest job; None where there was none.

        state: running; ended; stopped, on request; or failed, which only the server that started it knows by its
        status. seconds: since it began, of one that runs; stopping: it was asked to end. log: the last lines of what it
        said. Of an evaluation also step, share and first_look (`audit_words.progress`).
        """
        job = self._stored()
        if job is None:
            return None
        state, seconds = "ended", None
        if self._runs():
            state, seconds = "running", round(max(0.0, time.time() - job["begun"]), 1)
        elif self._process is not None and self._process.poll() != 0:
            state = "stopped" if self._process.poll() in _STOPPED else "failed"
        elif self._process is None and stop_file.is_there(self.folder / _REQUEST):
            state = "stopped"
        said = self._said()
        stopping = state == "running" and stop_file.is_there(self.folder / _REQUEST)
        told = {"seconds": seconds, "state": state, "stopping": stopping, "log": "\n".join(said[-_LINES:])}
        if job["what"] == "evaluate":
            told |= progress("\n".join(said))
        return {"id": f"{job['begun']:.3f}", **job, **told}

    def _stored(self) -> dict[str, Any] | None:
        with suppress(OSError, ValueError, RecursionError), _opened(self.folder / "job.json", "rb") as file:
            job = json.loads(file.read(_MOST_BYTES))
            if isinstance(job, dict) and set(_FIELDS) == set(job):
                texts = {name: printable(str(job[name]))[:2000] for name in _FIELDS[:3]}
                begun = job["begun"]
                return {**texts, "begun": float(begun) if isinstance(begun, (int, float)) else 0.0}
        return None

    def _runs(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return True
        with suppress(OSError), _opened(self.folder / "lock", "rb") as file:
            return not _lock(file, shared=True)
        return False

    def _said(self) -> list[str]:
        """The lines of the log's end; of a progress bar its newest state."""
        with suppress(OSError), _opened(self.folder / "job.log", "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_BYTES))
            text = _BAR.sub("", file.read(_MOST_BYTES).decode("utf-8", "replace"))
            return printable_lines(text).splitlines()
        return []


def _process(arguments: Sequence[str], log: IO[bytes], held: IO[bytes], *, stop: Path) -> subprocess.Popen[bytes]:
    """`gansmith ARGUMENTS` in a session of its own: neither a closed terminal nor the page's end reaches it, but a file
    at `stop` does."""
    inherited = () if fcntl is None else (held.fileno(),)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "gansmith", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            start_new_session=True,
            env={**os.environ, stop_file.VARIABLE: str(resolved(stop))},
        )
    except OSError as error:
        raise GansmithError(f"no process could be started: {error.strerror or error}") from error


def _opened(path: Path, mode: str) -> IO[bytes]:
    """A file that is no link and no pipe. Raises OSError."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o600)

    return open(path, mode, opener=opener)


def _lock(file: IO[bytes], *, shared: bool = False) -> bool:
    """Take the lock of an open file; whether nobody else holds it. shared: beside others who only ask."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def run_argument(path: Path) -> str:
    """A run's folder as an argument that no command line takes for an option."""
    return str(resolved(path))

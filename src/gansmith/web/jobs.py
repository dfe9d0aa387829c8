"""Work that a request starts as a process of its own: one at a time, by a fixed list of arguments, never with --trust.

The process outlives the page. It holds a lock as long as it lives, because it inherits the open file; whoever comes
later sees by the lock that something runs, and reads what it is and what it says (`runs/page_work.py`). To stop it, a
file is written that the process looks for (`system/stop_file.py`).
"""

from __future__ import annotations

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
from gansmith.runs import page_work
from gansmith.runs.page_work import FOLDER, MOST_BYTES, REQUEST, open_plain, take_lock
from gansmith.system import stop_file
from gansmith.system.files import write_json
from gansmith.system.paths import resolved
from gansmith.system.text import printable, printable_lines
from gansmith.web import weights
from gansmith.web.audit_words import progress
from gansmith.web.errors import BusyError, NotFoundError, RefusedError
from gansmith.web.pictures import command_line
from gansmith.web.settings import Settings

_LINES = 40
_STOPPED = (130, 143)  # the status after Ctrl-C, or a request to stop; where Ctrl-C is ignored, after SIGTERM
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
        return self.settings.opened / FOLDER

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
            with open_plain(self.folder / "lock", "ab") as held:
                if not take_lock(held):
                    raise BusyError("another page has just started something: one thing runs at a time")
                self._remove_request()
                write_json(self.folder / "job.json", job)
                with open_plain(self.folder / "job.log", "wb") as log:
                    self._process = _process(arguments, log, held, stop=self.folder / REQUEST)
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
            page_work.request_stop(self.settings.opened)

    def _remove_request(self) -> None:
        """That of a job before. Raises RefusedError where it cannot be removed: the new job would obey it."""
        try:
            (self.folder / REQUEST).unlink(missing_ok=True)
        except OSError as error:
            raise RefusedError(f"{printable(self.folder / REQUEST)} is in the way: {error.strerror}") from error

    def current(self) -> dict[str, Any] | None:
        """{id, what, run, command, begun, seconds, state, stopping, log} of the newest job; None where there was none.

        state: running; ended; stopped, on request; or failed, which only the server that started it knows by its
        status. seconds: since it began, of one that runs; stopping: it was asked to end. log: the last lines of what it
        said. Of an evaluation also what `audit_words.progress` reads of it; of a download its share and problem.
        """
        job = page_work.note(self.settings.opened)
        if job is None:
            return None
        state, seconds = "ended", None
        if self._runs():
            state, seconds = "running", round(max(0.0, time.time() - job["begun"]), 1)
        elif self._process is not None and self._process.poll() != 0:
            state = "stopped" if self._process.poll() in _STOPPED else "failed"
        elif self._process is None and stop_file.is_there(self.folder / REQUEST):
            state = "stopped"
        said = self._said()
        stopping = state == "running" and stop_file.is_there(self.folder / REQUEST)
        told = {"seconds": seconds, "state": state, "stopping": stopping, "log": "\n".join(said[-_LINES:])}
        whole = "\n".join(said)
        if job["what"] == "evaluate":
            told |= progress(whole)
        elif job["what"] == "features":
            told |= {"share": weights.share(whole), "problem": weights.problem(whole) if state == "failed" else None}
        return {"id": f"{job['begun']:.3f}", **job, **told}

    def _runs(self) -> bool:
        started = self._process is not None and self._process.poll() is None
        return started or page_work.is_running(self.settings.opened)

    def _said(self) -> list[str]:
        """The lines of the log's end; of a progress bar its newest state."""
        with suppress(OSError), open_plain(self.folder / "job.log", "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - MOST_BYTES))
            text = _BAR.sub("", file.read(MOST_BYTES).decode("utf-8", "replace"))
            return printable_lines(text).splitlines()
        return []


def _process(arguments: Sequence[str], log: IO[bytes], held: IO[bytes], *, stop: Path) -> subprocess.Popen[bytes]:
    """`gansmith ARGUMENTS` in a session of its own: neither a closed terminal nor the page's end reaches it, but a file
    at `stop` does."""
    inherited = (held.fileno(),) if os.name == "posix" else ()
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


def run_argument(path: Path) -> str:
    """A run's folder as an argument that no command line takes for an option."""
    return str(resolved(path))

"""What a page has started on the folder that it has open, as files: what it is, whether it runs, how it is stopped.

    FOLDER/.page/lock           held by the work as long as it lives: whoever comes later sees by it that something runs
    FOLDER/.page/job.json       {what, run, command, begun}
    FOLDER/.page/job.log        what it says
    FOLDER/.page/stop.request   what it looks for (`system/stop_file.py`), and ends by as by Ctrl-C

FOLDER is the folder of runs, or the one run that is open. No number of a process is kept: nothing that lies in a folder
can make anybody signal a process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from gansmith.errors import RunError
from gansmith.runs.lock import is_locked
from gansmith.system.files import write_text
from gansmith.system.paths import shell_word
from gansmith.system.text import printable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FOLDER, REQUEST = ".page", "stop.request"
MOST_BYTES = 1 << 16  # of job.json, and of the log's end that is read
FIELDS = ("what", "run", "command", "begun")
WORDS: Mapping[str, str] = {
    "train": "training",
    "resume": "training",
    "evaluate": "evaluating",
    "encoder": "training the encoder of",
    "features": "downloading the weights of",
}
_SAVES = ("train", "resume")


def note(opened: Path) -> dict[str, Any] | None:
    """{what, run, command, begun} of the newest work on `opened`; None where there was none, or its note is damaged."""
    with suppress(OSError, ValueError, RecursionError), open_plain(opened / FOLDER / "job.json", "rb") as file:
        job = json.loads(file.read(MOST_BYTES))
        if isinstance(job, dict) and set(FIELDS) == set(job):
            texts = {name: printable(str(job[name]))[:2000] for name in FIELDS[:3]}
            begun = job["begun"]
            return {**texts, "begun": float(begun) if isinstance(begun, (int, float)) else 0.0}
    return None


def is_running(opened: Path) -> bool:
    """Does it still run? By its lock, which nothing is written to."""
    with suppress(OSError), open_plain(opened / FOLDER / "lock", "rb") as file:
        return not take_lock(file, shared=True)
    return False


def running(opened: Path) -> dict[str, Any] | None:
    """The note of the work that runs on `opened`; None where nothing does."""
    return note(opened) if is_running(opened) else None


def request_stop(opened: Path) -> None:
    """Ask it to end, as Ctrl-C does. Raises RunError where the page's folder is a link."""
    if (opened / FOLDER).is_symlink():
        raise RunError(f"{printable(opened / FOLDER)} is a link, which may lead anywhere: remove it")
    write_text(opened / FOLDER / REQUEST, "stop\n", create_folder=False)


def running_on(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """The folder that a page has open, and the note of the work that runs there, where `path` is that folder or the run
    that is worked on; else None."""
    whole = path.absolute()
    for opened in (whole, whole.parent):
        job = running(opened)
        if job is not None and (opened == whole or job["run"] == printable(whole.name)):
            return opened, job
    return None


def stop_command(opened: Path, job: Mapping[str, Any]) -> str:
    """The command that stops the work of this note. A run that is in training too is not what it names then."""
    run = opened / job["run"]
    of_run = run.is_dir() and (job["what"] in _SAVES or not is_locked(run))
    return f"gansmith stop {shell_word(printable(run if of_run else opened))}"


def said(job: Mapping[str, Any]) -> str:
    """`evaluating toy`."""
    return f"{WORDS.get(job['what'], 'work on')} {job['run']}"


def ending(job: Mapping[str, Any]) -> str:
    """What is left of it when it was stopped."""
    return "everything is saved" if job["what"] in _SAVES else "nothing of it is kept"


def open_plain(path: Path, mode: str) -> IO[Any]:
    """A file that is no link and no pipe. Raises OSError."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o600)

    return open(path, mode, opener=opener)


def take_lock(file: IO[Any], *, shared: bool = False) -> bool:
    """Take the lock of an open file; whether nobody else holds it. shared: beside others who only ask."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

"""Where the folder of a run is, while a process trains in it: it can be renamed, moved or removed meanwhile."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gansmith.errors import GansmithError, RunError
from gansmith.system.outputs import free_output
from gansmith.system.paths import shell_word

UNDER_WAY = 3.0  # seconds that the removal of a folder may take, from the first file that is missing


class Whereabouts:
    """Of the folder that lies at `folder` now. It stays open, so that no other one is mistaken for it; see `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._identity = _identity(folder)
        self._descriptor = None if sys.platform == "win32" else os.open(folder, os.O_RDONLY)

    def lost(self) -> bool:
        """Is the folder no longer where it was?"""
        return _identity(self.folder) != self._identity

    def require(self) -> None:
        """Raises RunError where the folder is no longer there: before something is written that would begin it anew."""
        if self.lost():
            raise RunError(f"{self.folder} is no longer there")

    def now(self) -> Path | None:
        """Where the folder is now; None where it was removed, or this system does not tell."""
        place = self._by_descriptor()
        return place if place is not None and _identity(place) == self._identity else None

    @contextmanager
    def guarded(self, move_to: Callable[[Path], str]) -> Iterator[None]:
        """Write inside, between two steps. Where the folder is no longer there, before or after, `move_to` is called
        once with the folder where it is now, or with a new one beside where it was: it saves everything there, and
        returns how far the training came. Raises RunError that says so."""
        self._move_if_lost(move_to)
        try:
            yield
        except GansmithError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                self._wait_for_removal()
            self._move_if_lost(move_to)
            raise
        self._move_if_lost(move_to)

    def _wait_for_removal(self) -> None:
        """What is removed goes file by file, the folder last."""
        deadline = time.monotonic() + UNDER_WAY
        while not self.lost() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _move_if_lost(self, move_to: Callable[[Path], str]) -> None:
        if not self.lost():
            return
        then, now = self.folder, self.now()
        self.close()
        place = now or free_output(then.with_name(f"{then.name}-saved"))
        place.mkdir(parents=True, exist_ok=True)
        self.folder, self._identity = place, _identity(place)
        done = move_to(place)
        what = f"was moved to {now}" if now else "was removed"
        saved = "everything is saved there" if now else f"the networks and the whole state are saved in {place}"
        lost = "" if now else "; earlier records and sheets are gone"
        raise RunError(
            f"{then} {what} while it was trained: stopped at {done}; {saved}{lost}. "
            f"Continue with: gansmith resume {shell_word(place)}"
        )

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _by_descriptor(self) -> Path | None:
        if self._descriptor is None:
            return None
        if sys.platform == "darwin":
            import fcntl

            return Path(os.fsdecode(fcntl.fcntl(self._descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")))
        try:
            return Path(f"/proc/self/fd/{self._descriptor}").readlink()
        except OSError:  # no /proc
            return None


def _identity(folder: Path) -> tuple[int, int] | None:
    """The device and the number of the folder there; None where there is none."""
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino

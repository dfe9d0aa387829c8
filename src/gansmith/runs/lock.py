"""One process for each run folder: a file lock, and a folder that is removed when nothing came of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from gansmith.errors import RunError
from gansmith.system.text import printable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"  # the file in the folder
_PATIENCE = 1.0  # seconds: `is_locked` of another process holds it for an instant, on a busy machine a longer one


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Work alone in `folder`, which is created where it is absent. What was created, and left empty, is removed.

    Raises RunError when another process works there, or it cannot be written.
    """
    lock = FileLock(folder / LOCK)
    created = _absent(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _names(folder) == [LOCK]:  # of a process that was killed before it wrote anything
            created = created or [folder]
        lock.acquire(timeout=_PATIENCE, poll_interval=0.01)
    except Timeout:
        raise RunError(f"another process is working on {folder}; wait for it, or choose another --out") from None
    except (FileExistsError, NotADirectoryError):
        raise RunError(f"{folder} cannot be a run folder: there is a file in its place. Choose another --out") from None
    except ValueError as error:  # a NUL in it
        raise RunError(f"{printable(folder)} cannot be a run folder: {error}. Choose another --out") from error
    except OSError as error:
        _remove_empty(created)
        raise RunError(f"{folder} cannot be written: {error.strerror}. Choose another --out") from error
    try:
        yield
    finally:
        with suppress(OSError):  # the folder itself may be gone
            if _names(folder) == [LOCK]:
                (folder / LOCK).unlink()
        lock.release()
        _remove_empty(created)


def is_locked(folder: Path) -> bool:
    """Does a process work in `folder`, this one included? Nothing is written there, and nothing but the lock read."""
    if fcntl is None:
        return _refused(folder)
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (OSError, ValueError):  # no such file, or a link in its place
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def _refused(folder: Path) -> bool:
    """Whether the lock cannot be taken, where there is one."""
    if not (folder / LOCK).is_file():
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _absent(folder: Path) -> list[Path]:
    """`folder` and its parents, as far as they do not exist, from the innermost on."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _remove_empty(folders: list[Path]) -> None:
    with suppress(OSError):  # it holds files
        for folder in folders:
            folder.rmdir()

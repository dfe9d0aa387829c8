"""One process for each run folder: a file lock, and a folder that is removed when nothing came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from gansmith.errors import RunError

LOCK = ".lock"  # the file in the folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Work alone in `folder`, which is created where it is absent, and removed if it is left empty.

    Raises RunError when another process works there, or it cannot be written.
    """
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(f"another process is working on {folder}; wait for it, or choose another --out") from None
    except (FileExistsError, NotADirectoryError):
        raise RunError(f"{folder} cannot be a run folder: there is a file in its place. Choose another --out") from None
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}. Choose another --out") from error
    try:
        yield
    finally:
        if [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
            folder.rmdir()
        lock.release()

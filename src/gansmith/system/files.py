"""Files that are never half written: a temporary name beside the target, fsync, rename.

A writer holds a lock (flock) on its temporary file. A temporary file without a lock was left by a process that was
killed, on this host or another one, and is removed: by the next writer of the same target, and by `remove_stale` in the
folders that belong to gansmith.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from gansmith.errors import GansmithError, OutputError
from gansmith.system.outputs import free_output

try:
    import fcntl
except ImportError:  # Windows, where nobody can remove a file that another process has open
    fcntl = None  # type: ignore[assignment]

_TEMPORARY = re.compile(r"\.(.+)\.\d+\.(?:tmp|link)")  # the target's name between


@contextmanager
def atomic(path: Path, *, replace: bool = True, create_folder: bool = True) -> Iterator[IO[bytes]]:
    """A binary file to write; `path` is replaced when the block ends well and untouched when it does not.

    create_folder: with its parents; else it must be there.
    replace: False where a file that appeared meanwhile must stay as it is: then the new one gets the next free name,
    and OutputError says which.

    Raises GansmithError naming `path` when the disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary = temporary_name(path)
    try:
        if create_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale(path.parent, path.name)
        placed = path
        with _claimed(temporary):
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if replace:
                temporary.replace(path)
            else:
                placed = _place(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise GansmithError(f"could not write {path}: {reason}. What was there before is untouched") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    if placed != path:
        raise OutputError(f"{path} appeared meanwhile and is left as it is; what was made is in {placed}")


def _place(temporary: Path, path: Path) -> Path:
    """Give a whole file the name `path`, or the next that nobody has; returns it."""
    while True:
        free = free_output(path)
        try:
            try:
                os.link(temporary, free)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links: take the name, then fill it
                os.close(os.open(free, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                temporary.replace(free)
        except FileExistsError:
            continue
        return free


def require_folder(folder: Path) -> None:
    """Create the folder and its parents where they are absent. Raises GansmithError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GansmithError(f"could not write {folder}: {error.strerror}") from error


def unreadable(path: Path) -> str | None:
    """Why the file or folder at `path` cannot be opened, in the system's words; None where it can, or is absent.

    A pipe is not opened: it would wait for its other end.
    """
    try:
        if path.is_dir():
            os.scandir(path).close()
        elif path.is_fifo():
            return "it is a pipe and no file"
        else:
            path.open("rb").close()
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.strerror or str(error)
    return None


def refused(path: Path) -> str | None:
    """Why the system refuses a name (too long, in a folder that may not be searched) or what lies there; None else.

    A pipe is not opened: it would wait for its other end.
    """
    try:
        return unreadable(path) if path.is_dir() or path.is_file() else None
    except OSError as error:
        return error.strerror or str(error)


def temporary_name(path: Path) -> Path:
    """Where this process writes what `path` becomes."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def target_of(temporary: str) -> str | None:
    """The name of the file that a temporary file was to become; None for the name of anything else.

    >>> target_of(".latest.pt.4711.tmp"), target_of("latest.pt")
    ('latest.pt', None)
    """
    match = _TEMPORARY.fullmatch(temporary)
    return match and match[1]


def remove_stale(folder: Path, target: str | None = None) -> None:
    """Remove the temporary files in `folder` whose writers were killed: those of the file `target`, or all of them,
    which is for folders where nobody else keeps files."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = target_of(entry.name)
            if name is not None and name == (target or name) and entry.is_file(follow_symlinks=False):
                _remove_unclaimed(Path(entry.path))


def _remove_unclaimed(temporary: Path) -> None:
    with suppress(OSError):  # claimed by its writer, gone, or not ours to remove
        if fcntl is None:
            temporary.unlink()
            return
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            temporary.unlink()
        finally:
            os.close(descriptor)


@contextmanager
def _claimed(temporary: Path) -> Iterator[None]:
    """The temporary file, created and locked. A file system without locks has none, and keeps what killed writers
    leave."""
    if fcntl is None:
        yield
        return
    descriptor = _create_and_lock(temporary)
    try:
        yield
    finally:
        os.close(descriptor)


def _create_and_lock(temporary: Path) -> int:
    while True:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT, 0o666)
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if temporary.exists():
            return descriptor
        os.close(descriptor)  # removed as stale between the two lines above


def lock(file: IO[bytes]) -> None:
    """Wait until no other process or thread holds this file, and hold it until it is closed; where the system can."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)


def sync_folder(folder: Path) -> None:
    """Make the renames inside `folder` survive a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_text(path: Path, text: str, **options: bool) -> None:
    """Write `text` as UTF-8, atomically; `options` are those of `atomic`. Bytes of names that are no UTF-8 are
    escaped."""
    with atomic(path, **options) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any, **options: bool) -> None:
    """Write `value` as indented JSON, atomically; `options` are those of `atomic`."""
    write_text(path, json.dumps(value, indent=1, sort_keys=False) + "\n", **options)

"""Outputs that a user names: refused before any work where something would be lost, and never written over a file.

One rule for every command and function that writes where a user says:

    the files of `--out` exist             refused; `--force` replaces them
    the files of a default name exist      the next free name is taken: samples-2.png
    an input would be written over         refused, also with `--force`
    an image would lie inside a data set   refused, because it would be read as one of its images; `--force` writes it
    a report in the run's own audit/       replaced

A file that appears while a command works stays as it is (`system.files.atomic` with `replace=False`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from gansmith.errors import OutputError
from gansmith.system.paths import resolved

Files = Callable[[Path], Sequence[Path]]  # an output -> the files that are written for it

_NAMED = 3  # files named in a message
_TEMPORARY = 20  # letters that the name of a temporary file is longer


def itself(out: Path) -> Sequence[Path]:
    """The files of an output that is one file."""
    return (out,)


def inside(*names: str) -> Files:
    """The files of an output that is a folder.

    >>> [file.as_posix() for file in inside("a.json", "a.png")(Path("out"))]
    ['out/a.json', 'out/a.png']
    """
    return lambda folder: [folder / name for name in names]


def free_output(out: Path, files: Files = itself) -> Path:
    """`out` where none of its files exists, else the first such of NAME-2, NAME-3 ...

    >>> Path("grid.png").touch()
    >>> free_output(Path("grid.png")).name, free_output(Path("other.png")).name
    ('grid-2.png', 'other.png')
    """
    if not _existing(files(out)):
        return out
    return next(name for number in count(2) if not _existing(files(name := _numbered(out, number))))


def require_output(
    out: Path, files: Files = itself, *, force: bool = False, inputs: Sequence[Path] = (), data: Sequence[Path] = ()
) -> None:
    """Raises OutputError where writing the files of `out` would lose something, or cannot succeed.

    inputs: files that are read, and never written over. data: data sets, whose folders take no further image.
    """
    written = files(out)
    try:
        _refuse_inputs(written, inputs)
        if not force:
            _refuse_data(written, data)
            _refuse_existing(out, written, files)
        for file in written:
            _require_writable(file)
    except OSError as error:  # a name too long, a folder that cannot be searched
        raise OutputError(f"cannot write to {out}: {error.strerror}. Choose another name") from None


def _refuse_inputs(written: Sequence[Path], inputs: Sequence[Path]) -> None:
    read = {resolved(path) for path in inputs}
    over = next((file for file in written if resolved(file) in read), None)
    if over is not None:
        raise OutputError(f"{over} is read by this command and would be overwritten. Choose another name")


def _refuse_data(written: Sequence[Path], data: Sequence[Path]) -> None:
    for folder in data:
        whole = resolved(folder)
        within = next((file for file in written if whole.is_dir() and resolved(file).is_relative_to(whole)), None)
        if within is not None:
            raise OutputError(
                f"{within} would lie in {folder}, whose images are all read, and become one of them. Write it "
                f"elsewhere, or insist with --force (force=True in Python)"
            )


def _refuse_existing(out: Path, written: Sequence[Path], files: Files) -> None:
    existing = _existing(written)
    if not existing:
        return
    more = f" and {len(existing) - _NAMED:,} more" if len(existing) > _NAMED else ""
    verb, them = ("exists", "it") if len(existing) == 1 else ("exist", "them")
    free = f"{free_output(out, files)}{'/' if out.is_dir() else ''}"
    raise OutputError(
        f"{', '.join(map(str, existing[:_NAMED]))}{more} {verb} and would be overwritten. Write to {free}, or replace "
        f"{them} with --force (force=True in Python)"
    )


def _require_writable(file: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        os.lstat(file.with_name(f"{file.name}{'x' * _TEMPORARY}"))  # raises OSError for a name too long
    if os.path.lexists(file):
        if file.is_dir():
            raise OutputError(f"{file} is a folder, and a file is to be written. Choose another name")
        if file.exists() and not file.is_file():
            raise OutputError(f"{file} is no regular file and cannot be replaced. Choose another name")
    nearest = next(path for path in file.absolute().parents if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        why = "cannot be written to" if nearest.is_dir() else "is a file"
        raise OutputError(f"cannot write {file}: {nearest} {why}. Choose another place")


def _existing(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if os.path.lexists(file)]  # a link to nothing is somebody's too


def _numbered(out: Path, number: int) -> Path:
    if out.is_dir():
        whole = out if out.name and out.name != ".." else resolved(out)
        return whole.with_name(f"{whole.name}-{number}")
    return out.with_name(f"{out.stem}-{number}{out.suffix}")

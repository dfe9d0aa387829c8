"""Standard output and standard error that cannot stop the work.

A terminal that was closed, a reader that went away (`| head -3`), a full disk under a log, a stream that was closed
from the start: what is written there is lost, the work goes on. Imports what Python has loaded at its start, and no
more, so that the command line can begin with it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any

_WENT_AWAY = (errno.EPIPE, errno.EIO)  # a reader that has read enough; a terminal that was closed

# A ValueError: the stream was closed. A RuntimeError: a signal handler writes while its process writes the same stream
_UNWRITABLE = (OSError, ValueError, RuntimeError)


class _State:
    quiet = False  # another process says what this one does


def quiet(now: bool = True) -> None:
    """From now on this process says nothing and shows no progress: one of several speaks for all."""
    _State.quiet = now


def is_quiet() -> bool:
    """Was this process told to be quiet?"""
    return _State.quiet


def say(*lines: str) -> None:
    """Print lines of progress on standard error; a line that cannot be written is left out, and signs that a terminal
    would obey are written as their codes. A quiet process says nothing."""
    from gansmith.system.text import printable_lines

    for line in lines if sys.stderr is not None and not _State.quiet else ():
        with suppress(*_UNWRITABLE):
            try:
                print(printable_lines(line), file=sys.stderr, flush=True)
            except RuntimeError:  # past the stream
                os.write(sys.stderr.fileno(), f"{printable_lines(line)}\n".encode(errors="backslashreplace"))


def is_terminal() -> bool:
    """Is standard error a terminal?"""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it was closed
        return False


class ProgressStream(io.TextIOBase):
    """Standard error as it is now, for a library that draws on it: nothing that fails there is raised."""

    def __init__(self) -> None:
        self.stream = sys.stderr  # kept: the library puts a stream of its own in that place, which writes to this one

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a variable in its place
        return getattr(self.stream, "encoding", "utf-8")

    def write(self, text: str) -> int:
        with suppress(*_UNWRITABLE):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(*_UNWRITABLE):
            self.stream.flush()

    def isatty(self) -> bool:
        with suppress(ValueError):
            return self.stream.isatty()
        return False

    def fileno(self) -> int:
        return self.stream.fileno()


class _Descriptor(io.RawIOBase):
    """A file descriptor to write to; what cannot be written is left out, and the first reason kept."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return os.write(self.number, data)
        except BlockingIOError:
            raise
        except OSError as error:
            self.failure = self.failure or error
            return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.number

    def isatty(self) -> bool:
        return os.isatty(self.number)


def keep_streams() -> None:
    """Replace this process's standard streams by ones whose writing cannot fail. For a program, not for a library.

    A descriptor that is closed becomes the null device, so that no file of ours is opened under its number and then
    written to as if it were a terminal. Streams that somebody replaced already (tests, notebooks) are left alone.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__"):
            continue
        if stream is not None:
            with suppress(OSError):
                stream.flush()
        setattr(sys, name, _text(number, stream))


def output_failure() -> str | None:
    """Why a part of standard output could not be written, for a message; None where all was, or the reader or the
    terminal went away."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    failure = raw.failure if isinstance(raw, _Descriptor) else None
    return None if failure is None or failure.errno in _WENT_AWAY else failure.strerror


def _text(number: int, before: Any) -> io.TextIOWrapper:
    """The text stream of a descriptor, with the encoding and buffering of the one before it. What the encoding cannot
    say is written as an escape sequence."""
    errors = getattr(before, "errors", "strict")
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(number)),
        encoding=getattr(before, "encoding", "utf-8"),
        errors="backslashreplace" if errors == "strict" else errors,
        line_buffering=number == 2 or getattr(before, "line_buffering", False),
        write_through=getattr(before, "write_through", False),
    )

"""Paths without links, with the home folder written out (also of paths that do not exist), and as words of a shell."""

from __future__ import annotations

import os
import shlex
from pathlib import Path


def resolved(path: str | os.PathLike[str]) -> Path:
    """The absolute path without links and `..`. Links in a circle stay as they are: `Path.resolve` raises RuntimeError.

    >>> resolved("/usr/../usr") == resolved("/usr")
    True
    """
    return Path(os.path.realpath(path))


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path with `~` and `~user` written out; of an unknown user as it is (`Path.expanduser` raises RuntimeError).

    >>> expanded("~nobody-of-that-name/x").parts
    ('~nobody-of-that-name', 'x')
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111  (pathlib's raises)


def shell_word(path: str | os.PathLike[str]) -> str:
    """The path as one word of a command line that a message advises, in quotes where a shell would split or expand it.

    >>> print(shell_word("runs/a"), shell_word("my runs/a"))
    runs/a 'my runs/a'
    """
    return shlex.quote(os.fspath(path))

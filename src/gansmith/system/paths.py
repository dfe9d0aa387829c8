"""Paths without links, and with the home folder written out, for paths that nothing answers to too."""

from __future__ import annotations

import os
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

"""Paths without links."""

from __future__ import annotations

import os
from pathlib import Path


def resolved(path: str | os.PathLike[str]) -> Path:
    """The absolute path without links and `..`. Links in a circle stay as they are: `Path.resolve` raises RuntimeError.

    >>> resolved("/usr/../usr") == resolved("/usr")
    True
    """
    return Path(os.path.realpath(path))

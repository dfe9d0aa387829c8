"""Directions of open runs, read once for each state of their file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from gansmith.latent.directions.direction_file import load_directions
from gansmith.runs.folder import directions_file

if TYPE_CHECKING:
    from gansmith.latent.directions.direction import Directions
    from gansmith.latent.renderer import Renderer
    from gansmith.runs.run import Run


def directions_of(run: Run, renderer: Renderer) -> Directions:
    """The directions of a run, which must belong to the renderer's weights. Raises RunError where there are none, and
    says how to make them; OptionError for those of other weights."""
    path = directions_file(run.path)
    try:
        known = path.stat()
    except FileNotFoundError:
        return run.directions  # raises
    return _read(path, (known.st_mtime_ns, known.st_size, known.st_ino), renderer.digest)


@lru_cache(maxsize=32)
def _read(path: Path, stamp: tuple[int, int, int], digest: str) -> Directions:
    return load_directions(path, digest=digest)

"""The runs of the opened folder, by name: a name in a request is compared with those, and no path is built of it."""

from __future__ import annotations

from pathlib import Path

from gansmith.errors import GansmithError, nearest
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run
from gansmith.system.paths import resolved
from gansmith.system.text import printable
from gansmith.web.errors import NotFoundError


class OpenedRuns:
    """The runs of a folder, or the one run that the folder is.

    A link whose target lies outside is none of them, nor is a folder whose name begins with a dot.
    """

    def __init__(self, opened: Path) -> None:
        self.opened = opened
        self.single = is_models(opened)
        self._known: dict[str, Path] = {}  # as the folder was listed last

    def all(self) -> dict[str, Path]:
        """{name: folder}, sorted by name. A name is printable text: what is not, is written as its code."""
        if self.single:
            whole = self.opened if self.opened.name not in ("", "..") else resolved(self.opened)
            return {printable(whole.name): self.opened}
        if not self.opened.is_dir():
            return {}
        inside = [path for path in self.opened.iterdir() if not path.name.startswith(".")]
        runs = list(filter(self._is_open, inside))
        return {printable(path.name): path for path in sorted(runs)}

    def path_of(self, name: str) -> Path:
        """The folder of the run called `name`. Raises NotFoundError."""
        known = self._known.get(name)
        if known is not None and self._is_open(known):
            return known
        runs = self._known = self.all()
        if name not in runs:
            few = ", ".join(list(runs)[:8]) or "none"
            raise NotFoundError(f"no run called {name[:200]!r} is open. {nearest(name[:200], runs)}Open: {few}")
        return runs[name]

    def _is_open(self, path: Path) -> bool:
        """Is this path of the listing still a run, or a folder of models, and inside?"""
        return (self.single or resolved(path).is_relative_to(resolved(self.opened))) and is_models(path)

    def run_of(self, name: str) -> Run:
        """The run called `name`. Raises NotFoundError."""
        return Run(self.path_of(name))


def is_models(path: Path) -> bool:
    """Is this a run, or a folder of models?"""
    try:
        return path.is_dir() and (is_run(path) or any(path.glob("*.safetensors")))
    except (OSError, GansmithError):
        return False


def file_inside(folder: Path, *parts: str) -> Path:
    """The file `parts` inside a folder. Raises NotFoundError where there is none, or where it lies outside: by `..`, by
    an absolute path, by a link."""
    path = folder.joinpath(*parts)
    try:
        inside = resolved(path).is_relative_to(resolved(folder)) and path.is_file()
    except (OSError, ValueError):  # a name too long, a NUL in it
        inside = False
    if not inside:
        raise NotFoundError(f"there is no {'/'.join(parts)[:200]!r} here")
    return path

"""Checkpoints: the whole state of a run in one file, written atomically and verified when it is read.

    latest.pt      the newest            previous.pt    the one before it, should the newest be damaged
    000123456.pt   kept for good, named by the real images drawn

A state is tensors, numbers, strings, lists and dictionaries, so loading it executes nothing (`weights_only`).
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import torch

from gansmith.errors import CheckpointError, nearest
from gansmith.system.files import atomic, temporary_name
from gansmith.system.text import whole_number

State = dict[str, Any]


class Checkpoints:
    """The checkpoints in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def save(self, state: State, *, keep_as: Sequence[str] = ()) -> None:
        """Write latest.pt, the old one becoming previous.pt; and under each name in `keep_as` for good.

        Killed at any moment, there is a whole latest.pt, or at least a whole previous.pt.
        """
        latest = self.folder / "latest.pt"
        with atomic(latest) as file:
            _write(state, file)
            file.flush()
            if latest.exists():
                self._link(latest, "previous.pt")
        self.keep(keep_as)

    def keep(self, names: Sequence[str]) -> None:
        """Give latest.pt these further names."""
        for name in names:
            self._link(self.folder / "latest.pt", f"{name}.pt")

    def load(self, name: str | None = None) -> tuple[State, list[str]]:
        """The state called `name` or, without one, the newest that is whole; and warnings about those that are not.

        Raises CheckpointError when there is none.
        """
        if name is not None:
            path = self.folder / f"{name.removesuffix('.pt')}.pt"
            if not path.is_file():
                known = self.names()
                raise CheckpointError(
                    f"there is no checkpoint {name!r} in {self.folder}. {nearest(name, known)}"
                    f"There are: {', '.join(known) or 'none'}"
                )
            return self._read(path), []
        latest = self.folder / "latest.pt"
        warnings = [f"the checkpoint {latest} is gone"] if self.names() and not latest.is_file() else []
        for path in self._newest_first():
            try:
                return self._read(path), [f"{warning}; going back to the one before it" for warning in warnings]
            except CheckpointError as error:
                warnings.append(str(error))
        reasons = "; ".join(warnings) or "the folder holds none"
        raise CheckpointError(f"no checkpoint in {self.folder} can be read: {reasons}")

    def set_aside(self) -> None:
        """Give a damaged latest.pt another name, so that it does not become the new previous.pt."""
        latest = self.folder / "latest.pt"
        if latest.is_file():
            latest.replace(latest.with_suffix(".damaged"))

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.pt") if not path.name.startswith("."))

    def _newest_first(self) -> Iterator[Path]:
        kept = {number: path for path in self.folder.glob("*.pt") if (number := whole_number(path.stem)) is not None}
        newest = [kept[number] for number in sorted(kept, reverse=True)]
        for path in (self.folder / "latest.pt", self.folder / "previous.pt", *newest):
            if path.is_file():
                yield path

    def _read(self, path: Path) -> State:
        try:
            with zipfile.ZipFile(path) as archive:  # torch's loader does not compare the checksums it wrote
                damaged = archive.testzip()
            if damaged is not None:
                raise CheckpointError(f"the checkpoint {path} is damaged ({damaged})")
            state: State = torch.load(path, map_location="cpu", weights_only=True)
            return state
        except CheckpointError:
            raise
        except Exception as error:  # damaged bytes make the readers raise nearly anything
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise CheckpointError(f"the checkpoint {path} is damaged ({reason})") from error

    def _link(self, path: Path, name: str) -> None:
        """A second name for `path`'s content, replacing what had that name; a copy where there are no links."""
        temporary = temporary_name(self.folder / name)
        temporary.unlink(missing_ok=True)
        try:
            os.link(path, temporary)
        except OSError:
            with atomic(self.folder / name) as file:
                file.write(path.read_bytes())
            return
        temporary.replace(self.folder / name)


class _Watched:
    """A file that keeps the OSError of a failed write, which torch's writer replaces by another."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.file.flush()


def _write(state: State, file: IO[bytes]) -> None:
    watched = _Watched(file)
    try:
        torch.save(state, watched)  # type: ignore[arg-type]
    except RuntimeError as error:
        raise (watched.error or error) from None

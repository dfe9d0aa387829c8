"""Checkpoints: the whole state of a run in one file, written atomically and verified when it is read.

    latest.pt      the newest            previous.pt    the one before it, should the newest be damaged
    000123456.pt   kept for good, named by the real images drawn

A state is tensors, numbers, strings, lists and dictionaries, so loading it executes nothing (`weights_only`).
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import torch

from gansmith.errors import CheckpointError, DamagedCheckpointError, nearest
from gansmith.system.files import atomic, require_folder, temporary_name
from gansmith.system.text import whole_number

State = dict[str, Any]


class Checkpoints:
    """The checkpoints in `folder`.

    check: raises DamagedCheckpointError for a state that cannot be used; it is called with each that was read.
    """

    def __init__(self, folder: Path, check: Callable[[State], object] = lambda state: None) -> None:
        self.folder, self.check = Path(folder), check

    def save(self, state: State, *, keep_as: Sequence[str] = ()) -> None:
        """Write latest.pt, the old one becoming previous.pt; and under each name in `keep_as` for good.

        Killed at any moment, there is a whole latest.pt, or at least a whole previous.pt.
        """
        latest = self.folder / "latest.pt"
        require_folder(self.folder)
        with atomic(latest, create_folder=False) as file:
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

        Raises DamagedCheckpointError when none is whole, CheckpointError when there is none or one cannot be opened.
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
            except DamagedCheckpointError as error:
                warnings.append(str(error))
        reasons = "; ".join(warnings) or "the folder holds none"
        kind = DamagedCheckpointError if warnings else CheckpointError
        raise kind(f"no checkpoint in {self.folder} can be read: {reasons}")

    def set_aside(self) -> None:
        """Give a damaged latest.pt another name, so that it does not become the new previous.pt."""
        latest = self.folder / "latest.pt"
        if latest.is_file():
            latest.replace(latest.with_suffix(".damaged"))

    def names(self) -> list[str]:
        """Of all checkpoints. Raises CheckpointError for a folder that cannot be read."""
        try:
            return sorted(path.stem for path in self.folder.iterdir() if path.suffix == ".pt" and path.name[0] != ".")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise CheckpointError(f"the checkpoints in {self.folder} cannot be read: {error.strerror}") from error

    def _newest_first(self) -> Iterator[Path]:
        """Those kept for good after latest.pt and previous.pt; `best`, which may be any of them, last."""
        names = self.names()
        numbers = {number: name for name in names if (number := whole_number(name)) is not None}
        kept = [numbers[number] for number in sorted(numbers, reverse=True)]
        for name in ("latest", "previous", *kept, "best"):
            if name in names:
                yield self.folder / f"{name}.pt"

    def _read(self, path: Path) -> State:
        try:
            if path.is_fifo():  # whoever opened it would wait for ever
                raise DamagedCheckpointError("it is a pipe and no file")
            state = _content(path)
            if not isinstance(state, dict):
                raise DamagedCheckpointError(f"it holds a {type(state).__name__}")
            self.check(state)
            return state
        except DamagedCheckpointError as error:
            raise DamagedCheckpointError(f"the checkpoint {path} is damaged ({error})") from error
        except _HoldsCodeError as error:
            raise DamagedCheckpointError(f"the checkpoint {path} holds code ({error}) and is not loaded") from error
        except OSError as error:
            raise CheckpointError(f"the checkpoint {path} cannot be read: {error.strerror or error}") from error

    def _link(self, path: Path, name: str) -> None:
        """A second name for `path`'s content, replacing what had that name; a copy where there are no links."""
        temporary = temporary_name(self.folder / name)
        temporary.unlink(missing_ok=True)
        try:
            os.link(path, temporary)
        except OSError:
            with atomic(self.folder / name, create_folder=False) as file:
                file.write(path.read_bytes())
            return
        temporary.replace(self.folder / name)
        temporary.unlink(missing_ok=True)  # POSIX renames nothing where both names are of one file already


class _HoldsCodeError(Exception):
    """A pickle that names a function or class which no checkpoint of ours needs."""


def _content(path: Path) -> Any:
    """Raises DamagedCheckpointError with the reason, _HoldsCodeError, or OSError where the file cannot be opened."""
    with path.open("rb") as file:
        pickled = file.read(1) == b"\x80"
        try:
            with zipfile.ZipFile(file) as archive:  # torch's loader does not compare the checksums it wrote
                damaged = archive.testzip()
            if damaged is not None:
                raise DamagedCheckpointError(damaged)
            return torch.load(path, map_location="cpu", weights_only=True)
        except (DamagedCheckpointError, MemoryError):
            raise
        except Exception as error:  # damaged bytes make the readers raise nearly anything
            named = re.search(r"GLOBAL (\S+)", str(error))
            if named or pickled:
                raise _HoldsCodeError(named[1] if named else "it is a pickle") from None
            if type(error).__name__ == "UnpicklingError":  # torch's words advise to execute it
                raise DamagedCheckpointError("it is not what gansmith writes") from None
            raise DamagedCheckpointError(str(error).partition("\n")[0] or type(error).__name__) from error


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

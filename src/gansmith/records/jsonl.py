"""One record per line in `events.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from gansmith.errors import GansmithError
from gansmith.records.recorder import Record
from gansmith.system.console import say
from gansmith.system.files import atomic, write_text
from gansmith.system.outputs import free_output

_NUMBERS = ("seconds", "images_per_second", "waiting", "spread", "told_apart")  # so is every term, "turn/term"


class JsonLines:
    """Appends each record to a file, flushed at once. The file is begun anew where somebody removed it."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._file = self.path.open("a", encoding="utf-8")

    def record(self, record: Record) -> None:
        try:
            if not self.path.exists():
                self._file.close()
                self._file = self.path.open("a", encoding="utf-8")
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()
        except OSError as error:
            raise GansmithError(
                f"could not write {self.path}: {error.strerror}. What was saved before is untouched"
            ) from error

    def close(self) -> None:
        self._file.close()


class _Content(NamedTuple):
    """Of a file: its records, the numbers of its damaged lines (the first is 1), and all its bytes."""

    records: list[dict[str, Any]]
    damaged: list[int]
    content: bytes


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a file, without its damaged lines. A warning names these, once in a process; a last line that was
    being written when its process was killed is none."""
    found = _read(Path(path))
    _warn_once(Path(path), found.damaged)
    return found.records


def cut(path: Path, step: int) -> None:
    """Remove the records after `step`: a resumed run writes them again. A file with damaged lines is kept beside it."""
    path = Path(path)
    records, damaged, content = _read(path)
    _warn_once(path, damaged)
    if damaged:
        beside = free_output(path.with_suffix(f".damaged{path.suffix}"))
        with atomic(beside) as file:
            file.write(content)
        say(f"the records as they were are kept in {beside}")
    kept = [record for record in records if record["step"] <= step]
    write_text(path, "".join(json.dumps(record) + "\n" for record in kept))


def _read(path: Path) -> _Content:
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise GansmithError(f"{path} cannot be read: {error.strerror or error}") from error
    records: list[dict[str, Any]] = []
    damaged = []
    lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        record = record_of(line)
        begun = number == len(lines) and line.startswith(b"{")  # by a process that was killed while it wrote
        if record is not None:
            records.append(record)
        elif line.strip() and not begun:
            damaged.append(number)
    return _Content(records, damaged, content)


def record_of(line: bytes) -> dict[str, Any] | None:
    """The record in a line; None where it holds none."""
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not all(_is_count(value.get(name)) for name in ("step", "images")):
        return None
    numbers = [number for name, number in value.items() if name in _NUMBERS or "/" in name]
    return value if all(isinstance(number, (int, float)) for number in numbers) else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_warned: set[tuple[Path, tuple[int, ...]]] = set()  # in this process


def _warn_once(path: Path, damaged: Iterable[int]) -> None:
    numbers = tuple(damaged)
    if not numbers or (path.absolute(), numbers) in _warned:
        return
    _warned.add((path.absolute(), numbers))
    named = ", ".join(map(str, numbers[:8])) + (f" and {len(numbers) - 8} more" if len(numbers) > 8 else "")
    lines = f"lines {named} of {path} are" if len(numbers) > 1 else f"line {named} of {path} is"
    say(f"warning: {lines} damaged and left out")

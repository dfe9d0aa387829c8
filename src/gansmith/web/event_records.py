"""The records of runs in training, read on from where they were read before.

A run appends to `events.jsonl`; one that is resumed writes it anew. A line that is being written waits for its end, and
a damaged one is left out.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from gansmith.data.subsets import evenly_spaced
from gansmith.errors import RunError
from gansmith.records.jsonl import record_of
from gansmith.system.files import refused
from gansmith.system.text import printable

Record: TypeAlias = dict[str, Any]

_MOST_BYTES = 1 << 28  # of a file; a record is some 500 bytes
_RUNS = 16  # whose records are kept
_NOTICE = {"sign": "sign", "words": "sentence", "paste": "command"}  # a field of a notice, and its name in an answer
_TEXTS = ("health",)  # fields of a record that are text


@dataclass
class _File:
    identity: tuple[int, int] | None = None  # device and number
    read: int = 0  # bytes
    rest: bytes = b""  # of a line without its end
    records: list[Record] = field(default_factory=list)


@dataclass
class EventRecords:
    """Records by run folder, of the least recently used of sixteen runs let go. Safe for threads."""

    _files: OrderedDict[Path, _File] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, folder: Path) -> list[Record]:
        """All whole records of the run, oldest first: a list that is not to be changed. Raises RunError for a file that
        cannot be read, or is larger than 256 MiB."""
        path = folder / "events.jsonl"
        with self._lock:
            known = self._files.setdefault(folder, _File())
            self._files.move_to_end(folder)
            while len(self._files) > _RUNS:
                self._files.popitem(last=False)
            try:
                _read_on(path, known)
            except FileNotFoundError:
                self._files.pop(folder, None)
                return []
            except OSError as error:
                raise RunError(f"{printable(path)} cannot be read: {error.strerror or error}") from error
            return known.records


def _read_on(path: Path, known: _File) -> None:
    if refused(path) is not None or not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        stat = path.stat()
        identity = (stat.st_dev, stat.st_ino)
        if identity != known.identity or stat.st_size < known.read:
            known.identity, known.read, known.rest, known.records = identity, 0, b"", []
        if stat.st_size > _MOST_BYTES:
            raise RunError(f"{printable(path)} has {stat.st_size:,} bytes, and at most {_MOST_BYTES:,} are read")
        file.seek(known.read)
        content = file.read(_MOST_BYTES - known.read)
    known.read += len(content)
    *lines, known.rest = (known.rest + content).split(b"\n")
    known.records = known.records + [record for line in lines if (record := record_of(line)) is not None]


def thinned(records: list[Record], most: int) -> dict[str, Any]:
    """{images: [...], columns: {name: [number or None, ...]}, health: [...], notices: [...], count, shown}: of each
    kind of record (of training, of a check, of metrics) the same share, evenly, at most `most` in all.

    >>> thinned([{"step": n, "images": 16 * n, "g/loss": n / 2} for n in range(5)], 3)["columns"]
    {'g/loss': [0.0, 1.0, 2.0]}
    """
    kinds: dict[bool, list[int]] = {}
    for place, record in enumerate(records):
        kinds.setdefault("seconds" in record, []).append(place)
    share = min(1.0, most / max(len(records), 1))
    chosen: list[int] = []
    for places in kinds.values():
        chosen += [places[at] for at in evenly_spaced(len(places), max(1, int(share * len(places))))]
    rows = [records[place] for place in sorted(chosen)]
    names = dict.fromkeys(name for row in rows for name, value in row.items() if _is_number(value))
    for name in ("step", "images"):
        names.pop(name, None)
    return {
        "images": [row["images"] for row in rows],
        "columns": {printable(name): [number_of(row.get(name)) for row in rows] for name in names},
        "health": [printable(str(row.get("health", ""))) for row in rows],
        "notices": notices_in(records),
        "count": len(records),
        "shown": len(rows),
    }


def notices_in(records: list[Record]) -> list[dict[str, Any]]:
    """{images, sign, sentence, command} of what the checks said, at most the last hundred."""
    said = []
    for record in records:
        notices = record.get("notices")
        for notice in notices if isinstance(notices, list) else ():
            if isinstance(notice, dict):
                texts = {field: printable(str(notice.get(name, "")))[:1000] for name, field in _NOTICE.items()}
                said.append({**texts, "images": record["images"]})
    return said[-100:]


def plain(record: Record) -> Record:
    """A record's numbers and words, as JSON can hold them."""
    numbers = {printable(name): number_of(value) for name, value in record.items() if _is_number(value)}
    return numbers | {name: printable(str(record[name])) for name in _TEXTS if name in record}


def number_of(value: Any) -> float | int | None:
    """A number that JSON knows; None for anything else."""
    return value if _is_number(value) and math.isfinite(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

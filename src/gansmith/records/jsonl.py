"""One record per line in `events.jsonl`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gansmith.errors import GansmithError
from gansmith.records.recorder import Record
from gansmith.system.files import write_text


class JsonLines:
    """Appends each record to a file, flushed at once."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._file = self.path.open("a", encoding="utf-8")

    def record(self, record: Record) -> None:
        try:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()
        except OSError as error:
            raise GansmithError(
                f"could not write {self.path}: {error.strerror}. What was saved before is untouched"
            ) from error

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a file; a truncated last line is left out."""
    records = []
    for line in Path(path).read_text(encoding="utf-8").splitlines() if Path(path).is_file() else []:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records


def cut(path: Path, step: int) -> None:
    """Remove the records after `step`: a resumed run writes them again."""
    kept = [record for record in read(path) if record["step"] <= step]
    write_text(path, "".join(json.dumps(record) + "\n" for record in kept))

"""History of a run's audits: one line of JSON for each, in the order in which they were made.

    RUN/audit/history.jsonl   {"format": 1, "when": ..., "images": ..., "weights": ..., "averaging": ...,
                               "ruler": {"value", "low", "high", "unit", "unit_name", "layout",
                               "texture"} or null,
                               "verdicts": {question: verdict}, "samples": ..., "protocol": digest,
                               "headlines": {question: {"name", "value", "low", "high"}}}

Two lines are comparable where their protocol's digest is the same: it leaves out whose images were judged, from which
seeds, how many and of which averaging. A line is written in one piece at the end of the file; a damaged one is left
out where the file is read.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gansmith.errors import OutputError
from gansmith.evaluation.audit.audit import Audit
from gansmith.evaluation.audit.plots import lines
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.ruler import BAD, GOOD, UNIT
from gansmith.evaluation.types import Figure, Number, Ruler
from gansmith.system.files import lock

FORMAT = 1
FILE = "history.jsonl"
_MAY_DIFFER = ("fake", "seeds", "averaging", "fake_count", "metric")
_WORDS = {"averaged": "averaged weights", "raw": "weights as trained"}


def line_of(audit: Audit, ruler: Ruler | None, *, images: int, weights: str) -> dict[str, Any]:
    """The line of one audit. images: how many real images were drawn in training;  weights: which of the run's."""
    headlines = {
        question: {"name": answer.headline, **_plain(answer.numbers[answer.headline])}
        for question, answer in audit.answers.items()
        if answer.headline in answer.numbers
    }
    return {
        "format": FORMAT,
        "when": audit.facts.get("when", ""),
        "images": images,
        "weights": weights,
        "averaging": audit.protocol.averaging,
        "ruler": None if ruler is None else _of_ruler(ruler),
        "verdicts": {question: answer.verdict for question, answer in audit.answers.items()},
        "headlines": headlines,
        "samples": audit.counts.get("samples", 0),
        "protocol": digest(audit.protocol),
    }


def digest(protocol: Protocol) -> str:
    """Of all that two points of one curve must have in common."""
    common = {name: value for name, value in asdict(protocol).items() if name not in _MAY_DIFFER}
    return hashlib.blake2b(json.dumps(common, sort_keys=True).encode(), digest_size=8).hexdigest()


def append(folder: Path, line: dict[str, Any]) -> None:
    """Write one line at the end of the history in `folder`, in one piece; a line that was cut off before it stays on a
    line of its own. Raises OutputError."""
    path = folder / FILE
    try:
        with path.open("a+b", buffering=0) as file:
            lock(file)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            begun = size > 0 and file.read(1) != b"\n"
            content = b"\n" * begun + json.dumps(line).encode() + b"\n"
            if file.write(content) != len(content):
                raise OSError("the disk took a part of the line")
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"could not write {path}: {error.strerror or error}") from error


def read(folder: Path) -> list[dict[str, Any]]:
    """The lines of the history in `folder` without damaged ones; none where there is no history that can be read."""
    try:
        content = (folder / FILE).read_bytes()
    except OSError:
        return []
    return [line for line in map(_parsed, content.split(b"\n")) if line is not None]


def figure(past: Iterable[dict[str, Any]], protocol: Protocol) -> Figure | None:
    """How the distance on the ruler moved while the run was trained, of the looks with this protocol; None for fewer
    than two lengths of training. Of several looks at the same weights the last counts."""
    same = digest(protocol)
    measured = [line for line in past if line["ruler"] is not None and line["protocol"] == same]
    unit = measured[-1]["ruler"].get("unit_name", UNIT) if measured else UNIT
    points = {
        (_WORDS.get(line["averaging"], line["averaging"]), line["images"]): line["ruler"]
        for line in measured
        if line["ruler"].get("unit_name", UNIT) == unit
    }
    if len({images for _, images in points}) < 2:
        return None
    series: dict[str, list[tuple[float, float]]] = {}
    bands: dict[str, list[tuple[float, float, float]]] = {}
    for (name, images), mark in sorted(points.items()):
        series.setdefault(name, []).append((images, mark["value"]))
        if mark["low"] is not None and mark["high"] is not None:
            bands.setdefault(name, []).append((images, mark["low"], mark["high"]))
    drawing = lines(series, x="real images drawn in training", y="distance from the real images", bands=bands)
    return Figure(
        f"How the run moved on the ruler, from look to look: 0 is as near as held-out images, 1 as far as real images "
        f"{unit}; good is below {GOOD:g}, bad above {BAD:g}. The band is the 95 % interval.",
        svg=drawing,
    )


def _of_ruler(ruler: Ruler) -> dict[str, Any]:
    layout, texture = ruler.nearest
    return {
        **_plain(ruler.samples),
        "unit": ruler.unit,
        "unit_name": ruler.unit_name,
        "layout": layout,
        "texture": texture,
    }


def _plain(number: Number) -> dict[str, float | None]:
    values = {"value": number.value, "low": number.low, "high": number.high}
    return {name: value if value is not None and math.isfinite(value) else None for name, value in values.items()}


def _ends(mark: dict[str, Any]) -> list[Any]:
    """The value, and the ends of its interval that are known."""
    return [mark["value"], *(mark[name] for name in ("low", "high") if mark[name] is not None)]


def _finite(value: Any) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)


def _parsed(content: bytes) -> dict[str, Any] | None:
    """The line, where it is a whole one of this format."""
    try:
        line = json.loads(content)
        mark = line["ruler"]
        whole = (
            line["format"] == FORMAT
            and isinstance(line["images"], int)
            and isinstance(line["averaging"], str)
            and isinstance(line["protocol"], str)
            and isinstance(line["verdicts"], dict)
            and (mark is None or all(map(_finite, _ends(mark))))
            and (mark is None or isinstance(mark.get("unit_name", UNIT), str))
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None
    return line if whole else None

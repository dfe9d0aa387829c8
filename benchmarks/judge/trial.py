"""One trial: the samples of a condition are judged as `gansmith evaluate` judges them, and a line is kept of it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gansmith
from benchmarks.judge.conditions import ASKED, PARTS, Trial
from benchmarks.judge.subjects import SOURCES, deal
from gansmith import catalog
from gansmith.evaluation.audit.audit import Audit, answer_all
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Extractor, Number
from gansmith.judge.evidence import Extractors, evidence_of, sides_of

SMALL = 32  # pixels: copies are searched for at this size, where a set is larger
KEPT = ("ruler", "layout", "thing", "copies")  # numbers of an answer in a line, beside the one it mainly rests on
_OF = ("evaluation", "judge")  # packages whose code decides


def code() -> str:
    """A digest of the code that decides: lines of other code are measured anew."""
    digest = hashlib.blake2b(digest_size=6)
    root = Path(gansmith.__file__).parent
    for package in _OF:
        for file in sorted((root / package).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def run(part: str, name: str, condition: str, split: int, *, data: Path, extractor: Extractor) -> dict[str, Any] | None:
    """The trial's line; None where the set has not what the condition takes."""
    begun = time.perf_counter()
    size = min(SMALL, SOURCES[name].size) if part == "copies" else 0
    trial = PARTS[part][condition].make(deal(name, data, split, size=size), data)
    if trial is None or len(trial.samples) < 20:
        return None
    evidence = evidence_for(trial, extractor)
    audit = answer_all(evidence, questions=ASKED[part])
    return {
        **{"part": part, "set": name, "condition": condition, "split": split},
        **{
            "samples": len(trial.samples),
            "training": len(trial.dealt.train[0]),
            "held_out": len(trial.dealt.held_out[0]),
        },
        **({} if trial.share is None else {"share": trial.share}),
        "answers": answers_of(audit),
        **({"ruler": _ruler(evidence)} if (part, condition) == ("quality", "honest") else {}),
        "seconds": round(time.perf_counter() - begun, 1),
    }


def evidence_for(trial: Trial, extractor: Extractor) -> Evidence:
    """As in `gansmith evaluate`, but for labels, which the sets without classes have not."""
    dealt = trial.dealt
    labelled = SOURCES[dealt.name].labelled
    train, held_out = ((images, labels if labelled else None) for images, labels in (dealt.train, dealt.held_out))
    extractors = Extractors(extractor, catalog.build("features", "pixels", device="cpu"))
    sides = sides_of(train, held_out, [trial.samples], extractors, cache=False)
    height, width, channels = trial.samples.shape[1:]
    protocol = Protocol(
        metric="",
        features=str(extractor),
        real=dealt.name,
        real_count=len(train[0]),
        fake_count=len(trial.samples),
        size=f"{height}x{width}x{channels}",
        averaging="files",
    )
    return evidence_of(sides, protocol, extractors, seed=0)


def answers_of(audit: Audit) -> dict[str, Any]:
    return {
        question: {
            "verdict": answer.verdict,
            "headline": answer.headline,
            "numbers": {
                name: _number(number) for name, number in answer.numbers.items() if name in (*KEPT, answer.headline)
            },
        }
        for question, answer in audit.answers.items()
    }


def _ruler(evidence: Evidence) -> Mapping[str, Any] | None:
    ruler = evidence.ruler
    if ruler is None:
        return None
    marks = {"samples": ruler.samples, "held-out": ruler.held_out, **ruler.layout, **ruler.texture}
    return {name: _number(mark) for name, mark in marks.items() if mark is not None}


def _number(number: Number) -> Any:
    """[value, low, high] to four digits, or the value alone."""
    ends = (number.value, number.low, number.high)
    rounded = [None if end is None else float(f"{end:.4g}") for end in ends]
    return rounded[0] if number.low is None and number.high is None else rounded


def read(file: Path) -> list[dict[str, Any]]:
    """The lines of the file; a line cut short by a kill is left out."""
    lines = []
    for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines

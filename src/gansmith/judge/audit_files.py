"""The files of an audit: those of a first look, and those of a whole one with its history."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gansmith.evaluation.audit import history
from gansmith.evaluation.audit.audit import Audit
from gansmith.evaluation.audit.report import page, write
from gansmith.evaluation.types import Evidence
from gansmith.judge.image_sets import Generated
from gansmith.system.files import write_json, write_text

FIRST_JSON, FIRST_PAGE = "first_look.json", "first_look.html"


def write_first_look(audit: Audit, folder: Path, again: bool) -> Audit:
    """Write a first look, over another one with `again`."""
    document = page(audit)
    write_json(folder / FIRST_JSON, audit.record(), replace=again)
    write_text(folder / FIRST_PAGE, document, replace=again)
    return audit


def write_whole(
    audit: Audit, evidence: Evidence, generated: Generated, folder: Path, again: bool, *, remember: bool
) -> Audit:
    """Write the audit; with `remember`, put it into the history beside those before, and draw how the run moved."""
    if not remember:
        write(audit, folder, replace=again)
        return audit
    weights = generated.facts.get("weights", "")
    line = history.line_of(audit, evidence.ruler, images=generated.trained or 0, weights=weights)
    moved = None
    with suppress(ValueError, TypeError, KeyError, ArithmeticError):  # an audit without its figure is better than none
        moved = history.figure([*history.read(folder), line], audit.protocol)
    audit = replace(audit, history=() if moved is None else (moved,))
    write(audit, folder, replace=again)
    history.append(folder, line)
    return audit

"""What the audit of a run said, in words that leave with the generator: verdicts and numbers, no name of the data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gansmith.data.open import builtin_name
from gansmith.errors import GansmithError, RunError
from gansmith.evaluation.audit import audit
from gansmith.evaluation.types import QUESTIONS, Verdict
from gansmith.models.saved import Card
from gansmith.runs.folder import is_run
from gansmith.runs.run import Run
from gansmith.system.paths import expanded, resolved

_COPIES: Mapping[Verdict | None, tuple[str, str]] = {
    "good": ("none found", "No copies of training images were found."),
    "bad": ("found", "Some of its images are copies of training images."),
    "cannot tell": ("not settled", "Whether some of its images are copies of training images is not settled."),
    None: ("not examined", "Nobody has examined whether its images are copies of training images."),
}
_SHORTEST = 3  # letters: a shorter name of data occurs in any text


@dataclass(frozen=True)
class AuditWords:
    """copies: a word and a sentence. answers: {question: (verdict, sentence)}, copies first. how: by what, of how many.

    notes: what a reader must know of it; `answers` is empty where there was no audit.
    """

    copies: tuple[str, str]
    answers: Mapping[str, tuple[str, str]]
    how: str = ""
    notes: tuple[str, ...] = ()


def audit_words(run: Run, card: Card, *, raw: bool = False) -> AuditWords:
    """Of the audit in RUN/audit; of none where there is none or it cannot be read."""
    try:
        judged = audit.read(run.path / "audit")
    except RunError:
        return AuditWords(_COPIES[None], {}, notes=("There was no audit: `gansmith evaluate` of the run makes one.",))
    private = names_of_data(run, card)
    first = ("memorisation", *(question for question in QUESTIONS if question != "memorisation"))
    answers = {
        question: (judged.answers[question].verdict, without(judged.answers[question].sentence, private))
        for question in first
        if question in judged.answers
    }
    memory = judged.answers.get("memorisation")
    counts = ", ".join(f"{name} {many:,}" for name, many in judged.counts.items())
    how = without(f"{counts}; by the features {judged.protocol.features}; gansmith {judged.protocol.version}", private)
    notes = []
    of = judged.run
    if of is None or (of.images, of.raw) != (card.images, raw):
        seen = "others" if of is None else f"those after {of.images:,} images{', as trained' if of.raw else ''}"
        notes.append(f"The audit judged other weights than these: {seen}, and these were saved after {card.images:,}.")
    return AuditWords(_COPIES[None if memory is None else memory.verdict], answers, how, tuple(notes))


def names_of_data(run: Run, card: Card) -> list[str]:
    """Paths and names of the images that `run` was trained on and of the run itself, the longest first; a set that
    comes with gansmith has none."""
    named: set[str] = set()
    places: list[str] = [str(card.origin.get("data") or "")]
    if is_run(run.path):
        with suppress(GansmithError):  # a damaged file names nothing
            data = run.experiment.data
            places += [str(place) for place in (data.path, data.other) if place is not None]
    for place in filter(None, places):
        if builtin_name(place) is None:
            named |= _forms(Path(place)) | _forms(expanded(place))
    named |= _forms(run.path) - {run.path.name}
    return sorted((name for name in named if len(name) >= _SHORTEST), key=len, reverse=True)


def without(text: str, private: Iterable[str]) -> str:
    """`text` with names of data replaced.

    >>> without("12 of /home/me/cats are copies", ["/home/me/cats", "cats"])
    '12 of (the data) are copies'
    """
    for name in private:
        text = re.sub(rf"(?<![\w/]){re.escape(name)}(?![\w/])", "(the data)", text)
    return text


def _forms(place: Path) -> set[str]:
    return {str(place), str(resolved(place)), place.name}

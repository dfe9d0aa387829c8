"""Audit: the five questions asked of one set of evidence, and their answers as audit.json and as lines of text.

A question whose data do not allow an answer is answered "cannot tell", with the reason; it never costs the others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import numpy as np

from gansmith import __version__
from gansmith.errors import GansmithError, RunError, UnknownNameError, unknown
from gansmith.evaluation import number_format
from gansmith.evaluation.audit.advice import Step, steps
from gansmith.evaluation.audit.metric_table import Measurement
from gansmith.evaluation.audit.run_facts import RunFacts, read_run_facts
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import QUESTIONS, Answer, Evidence, Figure, Number, Verdict
from gansmith.system.seeding import mix
from gansmith.system.text import wrapped

FORMAT = 1  # of audit.json; raised when a reader of the old one would misread the new one
JSON = "audit.json"
OF_FEATURES = ("quality", "diversity")  # questions that the main extractor answers
OF_PIXELS = ("memorisation", "collapse", "artifacts")  # questions that are asked at the samples' own channels and size
MARKS: Mapping[Verdict, str] = {"good": "+", "bad": "-", "cannot tell": "?"}
_SHOWN = 30  # images on a sheet of the page
_COLUMNS = 6
_HANGING = 29  # columns before a sentence in a line of text


@dataclass(frozen=True)
class Audit:
    """The answers about one subject.

    subject   whose images were judged: the name of a run or of a folder
    protocol  the protocol that the answers share (each has its own as well)
    counts    how many images of each kind there were
    facts     further facts for the reader: images trained, when, on what machine, with which versions
    notes     remarks on how it was measured;  above: how many of them, the first, stand above the answers
    metrics   {name: measurement} of the metrics that were asked for beside the questions
    run       what the run knows of itself; None for images in files
    sheets    samples and real images; not part of audit.json
    training  curves of the training of a run; not part of audit.json
    history   how the run moved on the ruler, from audit to audit; not part of audit.json
    """

    answers: Mapping[str, Answer]
    subject: str
    protocol: Protocol
    title: str = "Audit"
    counts: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    above: int = 0
    metrics: Mapping[str, Measurement] = field(default_factory=dict)
    run: RunFacts | None = None
    sheets: tuple[Figure, ...] = field(default=(), compare=False)
    training: tuple[Figure, ...] = field(default=(), compare=False)
    history: tuple[Figure, ...] = field(default=(), compare=False)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What to do next, by all answers together and the run, the most likely first."""
        return steps(self.answers, run=self.run, counts=self.counts, features=self.protocol.features)

    def record(self) -> dict[str, Any]:
        """The content of audit.json: one object for each question; values that are not finite are null."""
        whole: dict[str, Any] = {
            "format": FORMAT,
            "version": __version__,
            "title": self.title,
            "subject": self.subject,
            "counts": dict(self.counts),
            "facts": dict(self.facts),
            "notes": list(self.notes),
            "above": self.above,
            "protocol": self.protocol.record(),
            **{question: self._record(answer) for question, answer in self.answers.items()},
        }
        if self.run is not None:
            whole["run"] = self.run.record()
        whole["next"] = [asdict(step) for step in self.steps]
        if self.metrics:
            whole["metrics"] = {name: measurement.record() for name, measurement in self.metrics.items()}
        return {key: _plain(value) for key, value in whole.items()}

    def _record(self, answer: Answer) -> dict[str, Any]:
        """The record of an answer, with those of the steps that serve it."""
        return answer.record([step.do for step in self.steps if step.question == answer.question])

    def as_text(self) -> str:
        """The notes that stand above; the five answers (mark, verdict, name, sentence), then the numbers of metrics,
        then the one next step; lines are wrapped, but for commands."""
        lines = list(map(line_of, self.answers.values()))
        lines += [measurement.as_text(name) for name, measurement in self.metrics.items()]
        above = [wrapped(f"! {note}", indent=2) for note in self.notes[: self.above]]
        text = "\n".join([*above, *lines, "", self.steps[0].as_text("next: ")])
        return number_format.for_terminals(text)


def line_of(answer: Answer) -> str:
    """An answer as wrapped text: mark, verdict, name, sentence."""
    text = f"{MARKS[answer.verdict]} {answer.verdict:<11}  {answer.question:<12}  {answer.sentence}"
    return wrapped(text, indent=_HANGING)


def answer_all(
    evidence: Evidence,
    *,
    questions: Iterable[str] = tuple(QUESTIONS),
    subject: str = "",
    title: str = "Audit",
    facts: Mapping[str, str] | None = None,
    notes: Iterable[str] = (),
    above: Iterable[str] = (),
    asking: Callable[[str], None] = lambda question: None,
    answered: Callable[[Answer], None] = lambda answer: None,
    known: Mapping[str, Answer] | None = None,
) -> Audit:
    """Ask `questions`, in the order of the report; `asking` is told each before, `answered` its answer.
    Those that are `known` are not asked again. Raises UnknownNameError for one that does not exist."""
    asked = list(questions)
    for question in asked:
        if question not in QUESTIONS:
            raise UnknownNameError(unknown("question", question, QUESTIONS))
    answers = {}
    for question in (one for one in QUESTIONS if one in asked):
        asking(question)
        answers[question] = (known or {}).get(question) or _ask(question, evidence)
        answered(answers[question])
    return Audit(
        answers=answers,
        subject=subject or evidence.base.fake or "unnamed",
        protocol=evidence.base,
        title=title,
        counts={
            "training images compared": len(evidence.train),
            "real images held out": 0 if evidence.holdout is None else len(evidence.holdout),
            "samples": sum(map(len, evidence.fakes)),
            "repeats": len(evidence.fakes),
        },
        facts=dict(facts or {}),
        notes=(*(first := tuple(above)), *notes),
        above=len(first),
        sheets=_sheets(evidence),
    )


def read(path: str | Path) -> Audit:
    """The audit in an audit.json, or in the folder of one; its figures are in the page only.

    Raises RunError when there is none, or none of this format.
    """
    path = Path(path)
    file = path / JSON if path.is_dir() else path
    try:
        whole = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"no audit at {path}: gansmith evaluate makes one, RUN/audit/{JSON}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{file} cannot be read: {error}. Make it again with gansmith evaluate") from error
    version = whole.get("format") if isinstance(whole, dict) else None
    if version != FORMAT:
        raise RunError(
            f"{file} is of format {version}, this version of gansmith reads format {FORMAT}. "
            f"Make it again with gansmith evaluate"
        )
    try:
        return Audit(
            answers={question: _answer(question, whole[question]) for question in QUESTIONS if question in whole},
            subject=whole["subject"],
            protocol=_protocol(whole["protocol"]),
            title=whole["title"],
            counts=whole["counts"],
            facts=whole["facts"],
            notes=tuple(whole["notes"]),
            above=whole.get("above", 0),  # earlier versions had none
            run=None if whole.get("run") is None else read_run_facts(whole["run"]),
            metrics={name: _measurement(record) for name, record in whole.get("metrics", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"{file} is not a whole audit ({type(error).__name__}: {error}). Make it again with gansmith evaluate"
        ) from error


def _ask(question: str, evidence: Evidence) -> Answer:
    if question in OF_PIXELS and evidence.as_made is not None:
        evidence = evidence.as_made
    module = import_module(f"gansmith.evaluation.audit.{question}")
    try:
        answer: Answer = module.answer(evidence)
    except GansmithError as error:
        return Answer(
            question=question,
            verdict="cannot tell",
            sentence=f"This could not be measured: {error}.".replace("..", "."),
            headline="",
            numbers={},
            protocol=evidence.base,
        )
    return _not_by_its_own(answer, evidence)


def _not_by_its_own(answer: Answer, evidence: Evidence) -> Answer:
    """The answer; "cannot tell" for a "good" by the features of a network that the samples were trained on."""
    name = evidence.extractor.name
    if answer.verdict != "good" or answer.question not in OF_FEATURES or name not in evidence.own_networks:
        return answer
    sentence = (
        f"By the features of {name} this is good, but the samples were trained on these very features, and may satisfy "
        f"them without looking real: another network has to say."
    )
    return replace(answer, verdict="cannot tell", sentence=sentence, details=(answer.sentence, *answer.details))


def _sheets(evidence: Evidence) -> tuple[Figure, ...]:
    sheets = []
    if evidence.fakes and evidence.fakes[0].images is not None:
        images = evidence.fakes[0].images[:_SHOWN]
        sheets.append(Figure(f"Samples: the first {len(images)}, not chosen", image=picture(images, columns=_COLUMNS)))
    if evidence.train.images is not None:
        everything = evidence.train.images
        rng = np.random.default_rng(mix(evidence.seed, "sheet of real images"))
        indices = np.sort(rng.choice(len(everything), size=min(_SHOWN, len(everything)), replace=False))
        sheets.append(
            Figure(f"Real images: {len(indices)} drawn at random", image=picture(everything[indices], columns=_COLUMNS))
        )
    return tuple(sheets)


def _plain(value: Any) -> Any:
    """Values for JSON, which has no NaN and no infinity: None in their place."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _answer(question: str, record: Mapping[str, Any]) -> Answer:
    if record["verdict"] not in get_args(Verdict):
        raise ValueError(f"{question} has the verdict {record['verdict']!r}")
    evidence = record["evidence"]
    return Answer(
        question=question,
        verdict=record["verdict"],
        sentence=record["sentence"],
        headline=evidence["headline"],
        numbers={name: _number(number) for name, number in evidence["numbers"].items()},
        protocol=_protocol(record["protocol"]),
        details=tuple(evidence["details"]),
        needs=tuple(evidence.get("needs", ())),
    )


def _measurement(record: Mapping[str, Any]) -> Measurement:
    numbers = {name: _number(number) for name, number in record["numbers"].items()}
    return Measurement(_protocol(record["protocol"]), numbers, record["better"], record["problem"])


def _number(record: Mapping[str, Any]) -> Number:
    low, high = record["interval"] or (None, None)
    value = math.nan if record["value"] is None else float(record["value"])
    return Number(value, low, high, record["means"], record["level"])


def _protocol(record: Mapping[str, Any]) -> Protocol:
    return Protocol(**{known.name: record[known.name] for known in fields(Protocol)})

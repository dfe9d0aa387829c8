"""What a first look and the whole audit have in common: the questions asked of two or three sets of images.

What a first look computed of an image, the whole audit uses again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gansmith.evaluation.audit.audit import Audit, answer_all
from gansmith.evaluation.audit.metric_table import Measurement, measure_all
from gansmith.evaluation.known_features import KnownFeatures
from gansmith.evaluation.number_format import duration
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Extractor, Figure, Metric
from gansmith.judge.chosen_extractors import why_chosen
from gansmith.judge.evidence import Extractors, Sides, evidence_of, sides_of
from gansmith.judge.first_answers import first_answers
from gansmith.judge.image_sets import Generated, Subject
from gansmith.judge.mismatch import fitted, greyness, with_as_made
from gansmith.judge.outlook import EARLY, FEATURES, MAKING, Outlook, parts_of
from gansmith.judge.reference_images import RealImages
from gansmith.judge.run_facts import run_facts
from gansmith.runs.curves import curves
from gansmith.system import hardware

FIRST = 500  # samples of a first look
FIRST_REAL = 2_000  # real images a side that it is compared with


@dataclass(frozen=True)
class Asked:
    """An audit, the evidence that it rests on, and the samples."""

    audit: Audit
    evidence: Evidence
    generated: Generated


@dataclass(frozen=True)
class Comparison:
    """What a first look and the whole audit have in common.

    notes: on the weights;  run_facts: options of `run_facts`;  begun: when, by the monotonic clock
    own: networks that the samples were trained on;  early: told each answer of the first look as it comes
    outlook: told each part;  known: features of images seen
    """

    judged: Subject
    reals: RealImages
    extractors: Extractors
    seed: int
    notes: tuple[str, ...]
    run_facts: Mapping[str, Any]
    begun: float
    own: tuple[str, ...]
    early: Callable[[Answer], None] | None
    outlook: Outlook
    known: KnownFeatures = field(default_factory=KnownFeatures)

    @property
    def by_network(self) -> bool:
        """Does a network look at the images, which takes most of the time?"""
        return self.extractors.main.name != "pixels"

    def plan(self, *, first: bool, samples: int) -> None:
        """The parts of the work: a first look or none, and of the whole audit so many samples."""
        looks = [(True, FIRST, self._real(self.reals.fewer(FIRST_REAL)))] if first else []
        looks += [(False, samples, self._real(self.reals))] if samples else []
        self.outlook.plan(parts_of(looks, network=self.by_network))

    def _real(self, reals: RealImages) -> int:
        return len(reals.train[0]) + (0 if reals.holdout is None else len(reals.holdout[0]))

    def first_look(self, whole: str, measures: Mapping[str, Metric] | None = None) -> Audit:
        """The questions asked of few images. whole: how to get the whole audit, in words."""
        self.outlook.begin(MAKING, first=True)
        reals, generated = self.reals.fewer(FIRST_REAL), self.judged.generate(first=FIRST)
        known = {}
        if self.early is not None and self.by_network:
            self.outlook.begin(EARLY, first=True)
            base = _protocol(self.judged, reals.as_made or reals, generated, self.extractors)
            for answer in first_answers(reals, generated, self.extractors, base, seed=self.seed):
                self.early(answer)
                if answer.question == "collapse" and self.extractors.classifier is None:
                    known[answer.question] = answer  # no network has a part in it
        return self.ask(reals, generated, measures or {}, whole, known).audit

    def ask(
        self,
        reals: RealImages,
        generated: Generated,
        measures: Mapping[str, Metric],
        whole: str = "",
        known: Mapping[str, Answer] | None = None,
    ) -> Asked:
        """Ask the five questions, but those known, and measure. whole: of a first look, how to get the whole audit."""
        first, cache = bool(whole), self.judged.run is None
        self.outlook.begin(FEATURES, first=first)
        parts = [fitted(part, reals.shape) for part in generated.parts]
        sides = sides_of(
            reals.train, reals.holdout, parts, self.extractors, cache=cache, known=self.known, remember=first
        )
        protocol = _protocol(self.judged, reals, generated, self.extractors)
        told: dict[str, Any] = {"names": reals.classes, "trained_on": reals.trained_on, "own_networks": self.own}
        evidence = evidence_of(sides, protocol, self.extractors, seed=self.seed, **told)
        if reals.as_made is not None:
            base = _protocol(self.judged, reals.as_made, generated, self.extractors)
            evidence = with_as_made(evidence, reals.as_made, generated.parts, base)
        few = [f"A first look, at {len(generated.parts[0]):,} samples: {whole}."] if first else []
        audit = answer_all(
            evidence,
            subject=generated.name,
            title=f"{'First look at' if first else 'Audit of'} {generated.name}",
            above=[*reals.above, *greyness(reals.train[0], generated.parts), *self._judge_words()],
            notes=[*few, *self.notes, *reals.notes],
            asking=lambda question: self.outlook.begin(question, first=first),
            known=known,
            answered=self.early if first and self.early is not None else lambda answer: None,
        )
        numbers = self._measured(measures, sides, protocol)
        audit = replace(audit, facts=_facts(reals, generated, begun=self.begun), metrics=numbers)
        return Asked(self._with_run(audit), evidence, generated)

    def _judge_words(self) -> list[str]:
        return why_chosen(self.extractors.main, self.own) or _not_judged(self.extractors.main)

    def _with_run(self, audit: Audit) -> Audit:
        """The audit with what the run knows of itself, and with its curves."""
        return replace(audit, run=run_facts(self.judged.run, **self.run_facts), training=_training(self.judged))

    def _measured(self, measures: Mapping[str, Metric], sides: Sides, protocol: Protocol) -> Mapping[str, Measurement]:
        described = protocol
        if self.extractors.classifier is not None:
            described = replace(protocol, features=self.extractors.words)
        return measure_all(measures, sides.train, sides.fakes, described)


def _protocol(judged: Subject, reals: RealImages, generated: Generated, extractors: Extractors) -> Protocol:
    return Protocol(
        metric="",
        features=str(extractors.main),
        real=reals.description,
        real_count=len(reals.train[0]),
        fake_count=len(generated.parts[0]),
        size="x".join(map(str, reals.shape or judged.shape)),
        averaging=generated.averaging,
        fake=generated.name,
        seeds=generated.seeds,
    )


def _training(judged: Subject) -> tuple[Figure, ...]:
    """The curves of a run's training."""
    records = [] if judged.run is None else judged.run.records
    return tuple(Figure(name, svg=drawing) for name, drawing in curves(records).items()) if records else ()


def _facts(reals: RealImages, generated: Generated, *, begun: float) -> dict[str, str]:
    return {
        **generated.facts,
        "real images": reals.name,
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "made on": ", ".join(f"{key} {value}" for key, value in hardware.facts().items() if key != "threads"),
        "time taken": duration(time.monotonic() - begun),
    }


def _not_judged(extractor: Extractor) -> list[str]:
    """What pixels leave open."""
    if extractor.name != "pixels":
        return []
    return [
        "Nobody has judged yet whether these look real: images were compared by their pixels, which see layout and "
        "colour, and little of the content. To change that: gansmith features install mobilenet (14 MB)."
    ]

"""Audit of a run, or of images in files, as `gansmith evaluate` does it.

Three kinds of images (trained on, held out, generated) are brought to one size, their features are extracted, and the
five questions of `evaluation/audit` are asked of them; metrics that were asked for by name stand beside the answers.

A first look asks the same of fewer images, within a minute. What it computed of an image is used again. Only the whole
audit is written to audit.json and remembered in history.jsonl.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.evaluation.audit.audit import JSON, Audit, answer_all
from gansmith.evaluation.audit.metric_table import Measurement, measure_all
from gansmith.evaluation.audit.report import PAGE
from gansmith.evaluation.known_features import KnownFeatures
from gansmith.evaluation.metric_needs import require_classes, require_counts, require_unlabelled
from gansmith.evaluation.number_format import duration
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Answer, Evidence, Extractor, Figure, Metric
from gansmith.judge.audit_files import FIRST_JSON, FIRST_PAGE, write_first_look, write_whole
from gansmith.judge.chosen_extractors import extractors_of, why_chosen
from gansmith.judge.evidence import Extractors, Sides, evidence_of, sides_of
from gansmith.judge.first_answers import first_answers
from gansmith.judge.image_sets import LEAST, Generated, Subject, subject_of
from gansmith.judge.mismatch import fitted, greyness, reals_at_their_shape, with_as_made
from gansmith.judge.outlook import EARLY, FEATURES, MAKING, Done, Outlook, parts_of, watched
from gansmith.judge.reference_images import RealImages
from gansmith.judge.report_folder import report_folder
from gansmith.judge.run_facts import run_facts
from gansmith.runs.curves import curves
from gansmith.runs.folder import is_run
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.runs.trained_for import trained_for
from gansmith.system import hardware
from gansmith.system.paths import resolved, shell_word

MOST = 200_000  # samples in all: they are held in memory
SAMPLES, REPEATS = 1_000, 3
THOROUGH = 2_000  # samples a repeat
FIRST = 500  # samples of a first look
FIRST_REAL = 2_000  # real images a side that it is compared with


def evaluate(
    subject: str | Path,
    *,
    against: str | None = None,
    holdout: str | None = None,
    features: str = "auto",
    weights: str | None = None,
    options: Mapping[str, Any] | None = None,
    classifier: str | None = None,
    metrics: Sequence[str] = (),
    samples: int = SAMPLES,
    repeats: int = REPEATS,
    real: int = 10_000,
    quick: bool = False,
    first_look: Callable[[Audit], None] | None = None,
    early: Callable[[Answer], None] | None = None,
    progress: Callable[[Done], None] | None = None,
    checkpoint: str | None = None,
    raw: bool = False,
    size: str | int | None = None,
    skip_unreadable: bool = False,
    device: str = "auto",
    seed: int = 0,
    out: str | Path | None = None,
    force: bool = False,
    trust: bool = False,
) -> Audit:
    """Judge the images of a run, or those in a folder, zip or .npy, and write audit.json and report.html.

    against    the images it was trained on; a run's own when not given
    holdout    real images it was not trained on; those that the run kept aside when not given
    features   of the catalog, or auto: the best whose weights are here;  weights  their file;  options  further ones
    classifier a classification run, for the histogram of classes
    metrics    names of the catalog, measured beside the five questions on all samples together
    samples, repeats  that many images, made that often from other seeds;  real  at most so many real images
    quick      a first look alone, written to first_look.json and first_look.html;  first_look  what to do with it,
               before the audit goes on;  early  what to do with each answer of the first look as it comes
    progress   is told how much is done, in the place of progress bars
    size       image files are brought to, where they are not of one size;  skip_unreadable  leave out broken ones
    out        the report's folder, where `force` replaces one; RUN/audit, where it is replaced, when not given

    Raises GansmithError for whatever cannot be judged; nothing is written then. Long because its options are many.
    """
    samples, repeats = (min(samples, FIRST), 1) if quick else (samples, repeats)
    begun = time.monotonic()
    with watched(progress) as outlook:
        _require_counts(samples, repeats, real)
        place = Path(subject)
        needs = "" if against is not None else ", and which images they are compared with, with --against DATA"
        names = (FIRST_JSON, FIRST_PAGE) if quick else (JSON, PAGE)
        folder, again = report_folder(place, out, names, force=force, needs=needs)
        catalog.vouch([features, *metrics])  # given by hand
        networks = own_networks_at(place)
        options_of: dict[str, Any] = {"options": options or {}, "device": device, "trust": trust, "own": networks}
        extractors = extractors_of(features, weights, classifier, **options_of)
        measures = _metrics(metrics, extractors)
        network: dict[str, Any] = {"checkpoint": checkpoint, "raw": raw, "device": device, "trust": trust}
        judged = subject_of(place, samples, repeats, size=size, skip_unreadable=skip_unreadable, **network)
        where: dict[str, Any] = {"against": against, "holdout": holdout, "most": real, "seed": seed}
        reals = reals_at_their_shape(judged, resized=size is not None, **where)
        require_counts(measures, real=len(reals.train[0]), samples=samples * repeats)
        notes = tuple(_not_at_the_end(judged.run, checkpoint, raw))
        chosen = {"features": features, "weights": weights, "classifier": classifier}
        words = _options(options or {}, against=against, holdout=holdout, **chosen)
        of_run = {"distinct": reals.trained_on, "checkpoint": checkpoint, "raw": raw, "options": words}
        comparison = _Comparison(judged, reals, extractors, seed, notes, of_run, begun, networks, early, outlook)
        look = quick or (first_look is not None and samples * repeats > FIRST)
        comparison.plan(first=look, samples=0 if quick else samples * repeats)
        if quick:
            whole = f"the whole audit is gansmith evaluate {shell_word(place)}"
            return write_first_look(comparison.first_look(whole, measures), folder, again)
        if look and first_look is not None:
            first_look(comparison.first_look("the whole audit follows"))
        outlook.begin(MAKING, first=False)
        asked = comparison.ask(reals, judged.generate(), measures)
        own = judged.run is not None and is_run(place) and resolved(folder) == resolved(place / "audit")
        return write_whole(asked.audit, asked.evidence, asked.generated, folder, again, remember=own)


def _options(options: Mapping[str, Any], **chosen: Any) -> tuple[str, ...]:
    """What decides which images are compared by which features: `--against`, its value, and so on."""
    pairs = [(f"--{name}", str(value)) for name, value in chosen.items() if value not in (None, "auto")]
    pairs += [("--set", f"features.{name}={json.dumps(value)}") for name, value in options.items()]
    return tuple(word for pair in pairs for word in pair)


@dataclass(frozen=True)
class _Asked:
    """An audit, the evidence that it rests on, and the samples."""

    audit: Audit
    evidence: Evidence
    generated: Generated


@dataclass(frozen=True)
class _Comparison:
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
    ) -> _Asked:
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
        return _Asked(self._with_run(audit), evidence, generated)

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


def _require_counts(samples: int, repeats: int, real: int) -> None:
    for name, value, least in (("samples", samples, LEAST), ("repeats", repeats, 1), ("real", real, 2 * LEAST)):
        if value < least:
            raise OptionError(f"{name} = {value} is not allowed: at least {least}")
    if samples * repeats > MOST:
        raise OptionError(f"{repeats} repeats of {samples:,} samples are not allowed: at most {MOST:,} images in all")


def _metrics(names: Sequence[str], extractors: Extractors) -> dict[str, Metric]:
    """The metrics of the catalog. Raises OptionError for one that these extractors do not serve."""
    metrics: dict[str, Metric] = {name: catalog.build("metrics", name) for name in names}
    require_unlabelled(metrics)
    require_classes(metrics, extractors.classifier or extractors.main)
    return metrics


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


def _not_at_the_end(run: Run | None, checkpoint: str | None, raw: bool) -> list[str]:
    """The note on a run that has not ended."""
    trained = None if run is None else trained_for(run, checkpoint=checkpoint, raw=raw)
    if trained is None or trained.at_the_end:
        return []
    return [f"These weights are not those of the run's end: they were saved after {trained}."]


def _not_judged(extractor: Extractor) -> list[str]:
    """What pixels leave open."""
    if extractor.name != "pixels":
        return []
    return [
        "Nobody has judged yet whether these look real: images were compared by their pixels, which see layout and "
        "colour, and little of the content. To change that: gansmith features install mobilenet (14 MB)."
    ]

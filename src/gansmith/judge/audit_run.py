"""Audit of a run, or of images in files, as `gansmith evaluate` does it.

Three kinds of images (trained on, held out, generated) are brought to one size, their features are extracted, and the
five questions of `evaluation/audit` are asked of them; metrics that were asked for by name stand beside the answers.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from gansmith import catalog
from gansmith.errors import GansmithError, OptionError
from gansmith.evaluation.audit.audit import JSON, Audit, answer_all
from gansmith.evaluation.audit.metric_table import measure_all
from gansmith.evaluation.audit.report import PAGE, write
from gansmith.evaluation.metric_needs import require_classes, require_counts, require_unlabelled
from gansmith.evaluation.number_format import duration
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Extractor, Figure, Metric
from gansmith.judge.evidence import Extractors, evidence_of, sides_of
from gansmith.judge.image_sets import LEAST, Generated, Subject, subject_of
from gansmith.judge.reference_images import RealImages, reals_of
from gansmith.judge.report_folder import report_folder
from gansmith.judge.run_facts import run_facts
from gansmith.runs.curves import curves
from gansmith.runs.run import Run
from gansmith.runs.trained_for import trained_for
from gansmith.system import hardware

MOST = 200_000  # samples in all: they are held in memory
BEST_FIRST = ("inception", "dinov2", "mobilenet")  # `auto` takes the first whose weights are here, else pixels


def evaluate(
    subject: str | Path,
    *,
    against: str | None = None,
    holdout: str | None = None,
    features: str = "auto",
    weights: str | None = None,
    classifier: str | None = None,
    metrics: Sequence[str] = (),
    samples: int = 2000,
    repeats: int = 3,
    real: int = 10_000,
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
    features   of the catalog, or auto: the best whose weights are here;  weights  their file
    classifier a classification run, for the histogram of classes
    metrics    names of the catalog, measured beside the five questions on all samples together
    samples, repeats  that many images, made that often from other seeds;  real  at most so many real images
    size       image files are brought to, where they are not of one size;  skip_unreadable  leave out broken ones
    out        the report's folder, where `force` replaces one; RUN/audit, where it is replaced, when not given

    Raises GansmithError for whatever cannot be judged; nothing is written then.
    """
    _require_counts(samples, repeats, real)
    begun = time.monotonic()
    place = Path(subject)
    needs = "" if against is not None else ", and which images they are compared with, with --against DATA"
    folder, again = report_folder(place, out, (JSON, PAGE), force=force, needs=needs)
    catalog.vouch([features, *metrics])  # given by hand
    extractors = _extractors(features, weights, classifier, device=device, trust=trust)
    measures = _metrics(metrics, extractors)
    network: dict[str, Any] = {"checkpoint": checkpoint, "raw": raw, "device": device, "trust": trust}
    judged = subject_of(place, samples, repeats, size=size, skip_unreadable=skip_unreadable, **network)
    reals = reals_of(judged, against=against, holdout=holdout, most=real, seed=seed)
    require_counts(measures, real=len(reals.train[0]), samples=samples * repeats)
    generated = judged.generate()
    sides = sides_of(reals.train, reals.holdout, generated.parts, extractors, cache=judged.run is None)
    protocol = _protocol(judged, reals, generated, extractors)
    audit = answer_all(
        evidence_of(sides, protocol, extractors, seed=seed),
        subject=generated.name,
        title=f"Audit of {generated.name}",
        notes=[*_not_at_the_end(judged.run, checkpoint, raw), *reals.notes, *_notes(extractors.main)],
    )
    described = protocol if extractors.classifier is None else replace(protocol, features=extractors.words)
    measured = measure_all(measures, sides.train, sides.fakes, described)
    audit = replace(audit, facts=_facts(reals, generated, begun=begun), metrics=measured)
    return _written(_with_run(audit, judged, reals, checkpoint=checkpoint, raw=raw), folder, again)


def _with_run(audit: Audit, judged: Subject, reals: RealImages, *, checkpoint: str | None, raw: bool) -> Audit:
    """The audit with what the run knows of itself, and with its curves."""
    known = run_facts(judged.run, distinct=reals.trained_on, checkpoint=checkpoint, raw=raw)
    return replace(audit, run=known, training=_training(judged))


def _written(audit: Audit, folder: Path, again: bool) -> Audit:
    write(audit, folder, replace=again)
    return audit


def _require_counts(samples: int, repeats: int, real: int) -> None:
    for name, value, least in (("samples", samples, LEAST), ("repeats", repeats, 1), ("real", real, 2 * LEAST)):
        if value < least:
            raise OptionError(f"{name} = {value} is not allowed: at least {least}")
    if samples * repeats > MOST:
        raise OptionError(f"{repeats} repeats of {samples:,} samples are not allowed: at most {MOST:,} images in all")


def _extractors(features: str, weights: str | None, classifier: str | None, *, device: str, trust: bool) -> Extractors:
    main = choose(features, weights, device=device, trust=trust)
    copies: Extractor = catalog.build("features", "pixels", device=device)  # the best for copies: docs/memorisation.md
    counting = main if main.name == "classifier" else None
    if classifier is not None:
        counting = catalog.build("features", "classifier", weights=classifier, device=device, trust_model=trust)
    return Extractors(main, copies, counting)


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
        size="x".join(map(str, judged.shape)),
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


def choose(name: str, weights: str | None, *, device: str = "auto", trust: bool = False) -> Extractor:
    """The extractor called `name`, or for `auto` the first whose weights are here. Raises as the extractors do."""
    options: dict[str, Any] = {"weights": weights, "device": device}
    if name == "auto" and weights is not None:
        raise OptionError(f"--weights {weights} belongs to an extractor: say which, for example --features mobilenet")
    if name == "auto":
        for candidate in BEST_FIRST:
            with suppress(GansmithError):  # its weights, or the extra that reads them, are not here
                extractor: Extractor = catalog.build("features", candidate, **options)
                return extractor
        name = "pixels"
    if name == "classifier":
        options["trust_model"] = trust
    built: Extractor = catalog.build("features", name, **options)
    return built


def _not_at_the_end(run: Run | None, checkpoint: str | None, raw: bool) -> list[str]:
    """The note on a run that has not ended."""
    trained = None if run is None else trained_for(run, checkpoint=checkpoint, raw=raw)
    if trained is None or trained.at_the_end:
        return []
    return [f"These weights are not those of the run's end: they were saved after {trained}."]


def _notes(extractor: Extractor) -> list[str]:
    if extractor.name != "pixels":
        return []
    return [
        "Images were compared by their pixels: no network's weights are here. That sees layout and colour, and little "
        "of the content of images. Better features: gansmith features install mobilenet (14 MB)."
    ]

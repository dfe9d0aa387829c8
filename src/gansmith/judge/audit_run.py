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
from pathlib import Path
from typing import Any

from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.evaluation.audit.audit import JSON, Audit
from gansmith.evaluation.audit.report import PAGE
from gansmith.evaluation.metric_needs import require_classes, require_counts, require_unlabelled
from gansmith.evaluation.types import Answer, Metric
from gansmith.judge import comparison as looks
from gansmith.judge.audit_files import FIRST_JSON, FIRST_PAGE, write_first_look, write_whole
from gansmith.judge.chosen_extractors import extractors_of
from gansmith.judge.evidence import Extractors
from gansmith.judge.image_sets import LEAST, subject_of
from gansmith.judge.mismatch import reals_at_their_shape
from gansmith.judge.outlook import MAKING, Done, watched
from gansmith.judge.report_folder import report_folder
from gansmith.runs.folder import is_run
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.runs.trained_for import trained_for
from gansmith.system.paths import resolved, shell_word

MOST = 200_000  # samples in all: they are held in memory
SAMPLES, REPEATS = 1_000, 3
THOROUGH = 2_000  # samples a repeat


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
    samples, repeats = (min(samples, looks.FIRST), 1) if quick else (samples, repeats)
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
        comparison = looks.Comparison(judged, reals, extractors, seed, notes, of_run, begun, networks, early, outlook)
        look = quick or (first_look is not None and samples * repeats > looks.FIRST)
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


def _not_at_the_end(run: Run | None, checkpoint: str | None, raw: bool) -> list[str]:
    """The note on a run that has not ended."""
    trained = None if run is None else trained_for(run, checkpoint=checkpoint, raw=raw)
    if trained is None or trained.at_the_end:
        return []
    return [f"These weights are not those of the run's end: they were saved after {trained}."]

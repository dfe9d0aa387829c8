"""From a run, or images in files, to an audit: what `gansmith evaluate` does.

Gathers three kinds of images at one size (trained on, held out, made), has their features extracted, and hands the
evidence to the questions in `evaluation/audit`.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gansmith import catalog
from gansmith.errors import GansmithError, OptionError
from gansmith.evaluation.audit.audit import Audit, answer_all
from gansmith.evaluation.audit.report import write
from gansmith.evaluation.extract import side_of
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Evidence, Extractor, Images, Labels, Side
from gansmith.judge.image_sets import LEAST, Generated, Subject, subject_of
from gansmith.judge.reference_images import RealImages, reals_of
from gansmith.runs import folder as run_folder
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
    samples: int = 2000,
    repeats: int = 3,
    real: int = 10_000,
    checkpoint: str | None = None,
    raw: bool = False,
    device: str = "auto",
    seed: int = 0,
    out: str | Path | None = None,
    trust: bool = False,
) -> Audit:
    """Judge the images of a run, or those in a folder, zip or .npy, and write audit.json and report.html.

    against    the images it was trained on; a run's own when not given
    holdout    real images it was not trained on; those that the run kept aside when not given
    features   of the catalog, or auto: the best whose weights are here;  weights  their file
    classifier a classification run, for the histogram of classes
    samples, repeats  that many images, made that often from other seeds;  real  at most so many real images

    Raises GansmithError for whatever cannot be judged; nothing is written then.
    """
    _require_counts(samples, repeats, real)
    begun = time.monotonic()
    place = Path(subject)
    folder = _folder(place, out)
    catalog.vouch([features])  # given by hand
    extractors = _extractors(features, weights, classifier, device=device, trust=trust)
    judged = subject_of(place, samples, repeats, checkpoint=checkpoint, raw=raw, device=device, trust=trust)
    reals = reals_of(judged, against=against, holdout=holdout, most=real, seed=seed)
    generated = judged.generate()
    audit = answer_all(
        _evidence(judged, reals, generated, extractors, seed),
        subject=generated.name,
        title=f"Audit of {generated.name}",
        notes=[*reals.notes, *_notes(extractors.main)],
    )
    facts = {
        **generated.facts,
        "real images": reals.name,
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "made on": ", ".join(f"{key} {value}" for key, value in hardware.facts().items() if key != "threads"),
        "time taken": f"{time.monotonic() - begun:,.0f} seconds",
    }
    audit = replace(audit, facts=facts)
    write(audit, folder)
    return audit


@dataclass(frozen=True)
class Extractors:
    """main: of the features that images are compared by;  copies: the one that finds copies;  classifier: the one whose
    classes are counted, None where none was asked for."""

    main: Extractor
    copies: Extractor
    classifier: Extractor | None


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


def _evidence(judged: Subject, reals: RealImages, generated: Generated, extractors: Extractors, seed: int) -> Evidence:
    """All images with their features. Features of files are kept for the next time, those of samples are not."""

    def side(name: str, images: Images, labels: Labels | None = None, *, cache: bool = True) -> Side:
        whole = side_of(name, images, extractors.main, classifier=extractors.classifier, labels=labels, cache=cache)
        return whole if extractors.classifier is not None else replace(whole, probabilities=None)

    height, width, channels = judged.shape
    return Evidence(
        train=side("real images", *reals.train),
        holdout=None if reals.holdout is None else side("held-out", *reals.holdout),
        fakes=tuple(
            side(f"samples {number}", part, cache=judged.run is None) for number, part in enumerate(generated.parts, 1)
        ),
        extractor=extractors.main,
        copies=extractors.copies,
        base=Protocol(
            metric="",
            features=str(extractors.main),
            real=reals.description,
            real_count=len(reals.train[0]),
            fake_count=len(generated.parts[0]),
            size=f"{height}x{width}x{channels}",
            averaging=generated.averaging,
            fake=generated.name,
            seeds=generated.seeds,
        ),
        classes=None if extractors.classifier is None else extractors.classifier.classes,
        seed=seed,
    )


def choose(name: str, weights: str | None, *, device: str = "auto", trust: bool = False) -> Extractor:
    """The extractor called `name`, or for `auto` the first whose weights are here. Raises as the extractors do."""
    options: dict[str, Any] = {"weights": weights, "device": device}
    if name == "auto" and weights is not None:
        raise OptionError(f"--weights {weights} belongs to an extractor: say which, for example --features mobilenet")
    if name == "auto":
        for candidate in BEST_FIRST:
            with suppress(GansmithError):  # its weights, or the extra that reads them, are not here
                found: Extractor = catalog.build("features", candidate, **options)
                return found
        name = "pixels"
    if name == "classifier":
        options["trust_model"] = trust
    built: Extractor = catalog.build("features", name, **options)
    return built


def _folder(place: Path, out: str | Path | None) -> Path:
    """Where the report goes: known to be writable before the work begins."""
    if out is None and not place.exists():
        run_folder.models(place)  # raises, naming the runs beside it
    if out is None and not run_folder.is_run(place):
        raise OptionError(f"{place} is not a run: say where the report is to lie, with --out DIR")
    folder = place / "audit" if out is None else Path(out)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        why = "cannot be written to" if there.is_dir() else "is a file"
        raise OptionError(f"the report cannot go into {folder}: {there} {why}. Choose another --out")
    return folder


def _notes(extractor: Extractor) -> list[str]:
    if extractor.name != "pixels":
        return []
    return [
        "Images were compared by their pixels: no network's weights are here. That sees layout and colour, and little "
        "of what is in the pictures; docs/features.md says how to get better features."
    ]

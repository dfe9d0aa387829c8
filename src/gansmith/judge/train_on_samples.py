"""`gansmith evaluate RUN --train-on-samples`: do the samples of a conditional run teach its classes?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gansmith import catalog
from gansmith.errors import DataError, OptionError, RunError
from gansmith.evaluation.extract import extract
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.train_on_samples import train_on_samples
from gansmith.evaluation.types import Labels, Number
from gansmith.judge.chosen_extractors import choose
from gansmith.judge.image_sets import LEAST, Subject, subject_of
from gansmith.judge.opened import Opened, open_for_judging
from gansmith.judge.reference_images import RealImages, reals_of
from gansmith.judge.report_folder import report_folder
from gansmith.runs.folder import is_run
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.system.files import write_json
from gansmith.system.paths import shell_word

FILE = "train_on_samples.json"


@dataclass(frozen=True)
class Taught:
    """How well samples teach, beside real images: numbers by `evaluation.train_on_samples`, and where they stand."""

    numbers: Mapping[str, Number]
    classes: int
    protocol: Protocol
    file: Path

    def record(self) -> dict[str, Any]:
        """The content of train_on_samples.json."""
        return {
            "numbers": {name: number.record() for name, number in self.numbers.items()},
            "classes": self.classes,
            "protocol": self.protocol.record(),
        }

    def as_text(self) -> str:
        """The two accuracies, their difference, and what it says."""
        made, real, gap = (self.numbers[name] for name in ("accuracy", "real_accuracy", "difference"))
        count, floor = self.protocol.fake_count, self.numbers["majority"].value
        assert gap.low is not None
        assert gap.high is not None
        if gap.high < 0:
            says = "samples teach less than real images"
        elif gap.low > 0:
            says = "samples teach more than as many real images"
        else:
            says = "these held-out images do not show that samples teach less, or more, than real images"
        return "\n".join(
            [
                f"a classifier of {self.classes} classes, tested on {self.protocol.real_count:,} held-out real images:",
                f"   learned from {count:,} samples: {_shown(made)} right",
                f"   learned from {count:,} real images: {_shown(real)} right",
                f"   always the commonest class: {100 * floor:.1f} % right",
                f"difference: {_shown(gap)}: {says}",
            ]
        )


def evaluate(
    place: Path,
    *,
    features: str = "auto",
    weights: str | None = None,
    options: Mapping[str, Any] | None = None,
    samples: int = 1000,
    raw: bool = False,
    checkpoint: str | None = None,
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    force: bool = False,
    trust: bool = False,
) -> Taught:
    """Train a linear classifier on the features of `samples` labelled samples, another on as many training images.

    Raises OptionError for what is no run, RunError for one without classes, DataError where it held no image out.
    """
    if samples < LEAST:
        raise OptionError(f"samples = {samples} is not allowed: at least {LEAST}")
    if not is_run(place):
        raise OptionError(
            f"--train-on-samples needs a run, which knows its classes and the images it held out: {place}"
        )
    folder, again = report_folder(place, out, (FILE,), force=force)
    catalog.vouch([features])  # given by hand
    opened = open_for_judging(Run(place, trust=trust), "generator", checkpoint=checkpoint, raw=raw, device=device)
    labels = _labels_of_samples(opened, samples)
    network: dict[str, Any] = {"checkpoint": checkpoint, "raw": raw, "device": device, "trust": trust}
    judged = subject_of(place, samples, 1, **network)
    reals = reals_of(judged, against=None, holdout=None, most=samples, seed=seed)
    if reals.holdout is None:
        raise DataError(
            f"{place} held out no real images, and a classifier is tested on images that nothing was trained on. "
            f"Train it with a hold-out: --set data.holdout=0.1"
        )
    numbers = [_numbered(side[1], reals, opened.card.classes, place) for side in (reals.train, reals.holdout)]
    own = own_networks_at(place)
    extractor = choose(features, weights, options=options, device=device, trust=trust, own=own)
    made = judged.generate()
    images = (made.parts[0], reals.train[0], reals.holdout[0])
    rows = [
        extract(one, extractor, what=f"{extractor.name} of {name}", cache=name != "samples")[0]
        for one, name in zip(images, ("samples", "training images", "held-out images"), strict=True)
    ]
    sides = list(zip(rows, (labels, *numbers), strict=True))
    counts = min(len(rows[0]), len(rows[1])), len(rows[2])
    taught = Taught(
        train_on_samples(sides[0], sides[1], sides[2], seed=seed),
        len(opened.card.classes or ()) or opened.card.prior.classes,
        _protocol(judged, reals, str(extractor), counts, made.averaging),
        folder / FILE,
    )
    write_json(taught.file, taught.record(), replace=again)
    return taught


def _labels_of_samples(opened: Opened, samples: int) -> Labels:
    labels = opened.renderer().labels(range(samples))
    if labels is None:
        raise RunError(
            f"{opened.run.path} was trained without classes: its samples have no labels, and nothing can be learned "
            f"from them. A conditional run has them: gansmith train DATA --set generator.conditional=true "
            f"--set discriminator.conditional=true"
        )
    return labels.cpu().numpy().astype(np.int64)


def _numbered(labels: Labels | None, reals: RealImages, classes: tuple[str, ...] | None, place: Path) -> Labels:
    """Labels of real images by the generator's numbers of the classes."""
    if labels is None:
        raise DataError(f"the images that {shell_word(place)} was trained on have no labels now, and it has classes")
    if not classes or not reals.classes or classes == reals.classes:
        return labels
    strange = [name for name in reals.classes if name not in classes]
    if strange:
        raise DataError(f"the images have classes that {place} does not know: {', '.join(strange[:5])}")
    return np.array([classes.index(name) for name in reals.classes], dtype=np.int64)[labels]


def _protocol(judged: Subject, reals: RealImages, features: str, counts: tuple[int, int], averaging: str) -> Protocol:
    """counts: of images that each classifier was fitted on, and of those that it was tested on."""
    fitted, tested = counts
    return Protocol(
        metric="train on samples (logistic regression on standardised features)",
        features=features,
        real=reals.description,
        real_count=tested,
        fake_count=fitted,
        size="x".join(map(str, judged.shape)),
        averaging=averaging,
    )


def _shown(number: Number) -> str:
    """`81.2 % (77.0 to 84.9)`."""
    assert number.low is not None
    assert number.high is not None
    return f"{100 * number.value:.1f} % ({100 * number.low:.1f} to {100 * number.high:.1f})"

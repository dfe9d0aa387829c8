"""Ruler of a run that has just ended, within seconds: fewer images than an audit's, as many as the time allows.

Where the samples lie on the ruler, and in what share of them a layout is seen. Copies are an audit's to find: among a
hundred training images nothing was told of them (docs/training.md).
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gansmith import catalog
from gansmith.data.dataset import Dataset
from gansmith.data.subsets import random_subset
from gansmith.errors import GansmithError, OptionError
from gansmith.evaluation.extract import compute
from gansmith.evaluation.generated_images import PART, generated_images
from gansmith.evaluation.types import Extractor, Features, Images, Ruler, Seen, Side
from gansmith.experiment.with_data import with_data
from gansmith.judge.chosen_extractors import INSTEAD
from gansmith.judge.damaged_images import ruler_and_layout
from gansmith.latent.renderer import Renderer
from gansmith.runs.own_networks import own_networks_at
from gansmith.runs.run import Run
from gansmith.system.device import choose_device
from gansmith.system.seeding import mix

SECONDS = 20.0
FEATURES = "mobilenet"  # of the extractors that know things the smallest and the fastest
_DAMAGED, _REFERENCE, _SAMPLES = 100, 600, 320  # images, where there is time
_ALL = 11 * _DAMAGED + _REFERENCE + _SAMPLES  # held-out images and their damages, training images and theirs, samples
_SHARE = 0.7  # of the time that is planned for: another process may take its part of the processor
_LEAST = 0.2  # of the images: from fewer nothing is said


class TooSlowError(GansmithError):
    """What was to be measured takes longer than it may."""


class AtTheEnd(NamedTuple):
    """ruler, layout   as `ruler_and_layout` returns them;  samples: how many were measured"""

    ruler: Ruler | None
    layout: Seen | None
    samples: int


def ruler_at_the_end(path: Path, *, seconds: float = SECONDS) -> AtTheEnd:
    """Of the averaged weights of the run at `path`. Raises OptionError where the weights of the features are not here,
    TooSlowError, and whatever else makes a run unreadable."""
    begun = time.monotonic()
    own = own_networks_at(path)
    extractor = other_than(own) if FEATURES in own else extractor_here()
    deadline = begun + seconds
    run = Run(path)
    _, data = with_data(run.experiment)
    timed = _Timed(extractor, deadline)
    rng = np.random.default_rng(mix(0, "ruler at the end"))
    probe = _images(data.train, extractor.batch, rng)
    timed.features(probe, extractor, "warming up")
    per_image = -timed.spent
    timed.features(probe, extractor, "how fast it is here")
    per_image = (per_image + timed.spent) / extractor.batch  # a batch is filled up
    network, card = run.network("generator")
    device = choose_device("auto")
    renderer = Renderer(network, card.prior, classes=card.classes, device=device, chunk=16)
    asked = time.monotonic()
    samples = generated_images(renderer, range(PART))
    sampling = (time.monotonic() - asked) / PART
    left = _SHARE * (deadline - time.monotonic())
    scale = min(1.0, left / (_ALL * per_image + _SAMPLES * sampling))
    if scale < _LEAST:
        raise TooSlowError(f"it would take more than {seconds:.0f} seconds here")
    for start in range(PART, max(PART, round(scale * _SAMPLES)), PART):
        samples = np.concatenate([samples, generated_images(renderer, range(start, start + PART))])
        timed.require_time()
    train = timed.side("training images", _images(data.train, round(scale * _REFERENCE), rng))
    most = round(scale * _DAMAGED)
    held_out = None
    if data.holdout is not None:
        held_out = timed.side("held-out images", _images(data.holdout, max(most, 100), rng))
    fakes = timed.side("samples", samples)
    measured = ruler_and_layout(train, held_out, (fakes,), extractor, most=most, features_of=timed.features)
    return AtTheEnd(measured.ruler, measured.layout, len(samples))


def extractor_here() -> Extractor:
    """The extractor that measures. Raises OptionError where its weights are not on this machine."""
    extractor: Extractor = catalog.build("features", FEATURES)
    return extractor


def other_than(own: Collection[str]) -> Extractor:
    """The extractor that measures in place of FEATURES where the run was trained on it. Raises GansmithError where
    there is none."""
    if INSTEAD not in own:
        with suppress(OptionError):
            extractor: Extractor = catalog.build("features", INSTEAD)
            return extractor
    raise GansmithError(
        f"it was trained on the features of {FEATURES}, which therefore do not judge it; another network: "
        f"gansmith features install {INSTEAD}"
    )


@dataclass
class _Timed:
    """Features without a bar and without a cache, until `deadline`; spent: seconds so far."""

    extractor: Extractor
    deadline: float
    spent: float = 0.0

    def require_time(self, done: int = 0) -> None:
        if time.monotonic() > self.deadline:
            raise TooSlowError("there was no time left to measure it")

    def features(self, images: Images, extractor: Extractor, what: str) -> Features:
        self.require_time()
        asked = time.monotonic()
        features = compute(images, extractor, what=what, advance=self.require_time)[0]
        self.spent += time.monotonic() - asked
        return features

    def side(self, name: str, images: Images) -> Side:
        return replace(Side(name, images=images), features=self.features(images, self.extractor, name))


def _images(dataset: Dataset, count: int, rng: np.random.Generator) -> Images:
    """So many in a random order: those of one class may lie together."""
    chosen = random_subset(len(dataset), min(count, len(dataset)), rng)
    images: Images = np.ascontiguousarray(dataset[chosen].image)
    return images[rng.permutation(len(images))]

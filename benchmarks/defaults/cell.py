"""One cell: a training of so many seconds of one core, its samples on the ruler, and its sheet."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.defaults.candidates import settings_of
from benchmarks.defaults.sets import SETS
from benchmarks.trained import train
from gansmith import catalog
from gansmith.errors import ExperimentError, GansmithError, NotFiniteError
from gansmith.evaluation.damages import COARSE, LAYOUT, TEXTURE, in_turn
from gansmith.evaluation.extract import extract
from gansmith.evaluation.layout import LayoutClassifier, layout_classifier
from gansmith.evaluation.ruler import ruler
from gansmith.evaluation.things import known_thing, sees
from gansmith.evaluation.types import Extractor, Features, Images
from gansmith.experiment.networks import extractors_read
from gansmith.records.images import draw_sheet, save_image, to_uint8
from gansmith.system.seeding import mix

SAMPLES, REAL, DAMAGED = 1_000, 2_000, 300
SHEET = 64
_ENOUGH = 100  # held-out images, for them to be damaged; else some of the training images are, and not compared with
_WARM, _TIMED = 4, 12  # batches before the rate is measured, and while it is
ALONE = {"threads": 1, "device": "cpu"}


@dataclass(frozen=True)
class Key:
    """seconds: of processor time for the training;  size: pixels a side;  count: of the images, held-out ones too"""

    set: str
    count: int
    size: int
    candidate: str
    seed: int
    seconds: float
    precision: str = "bfloat16"


@dataclass(frozen=True)
class Reals:
    """What samples of one set are measured with: its features, those of its damaged images, and what it shows."""

    train: Features
    held_out: Features
    damaged: dict[str, Features]
    layout: LayoutClassifier
    thing: Any
    thing_held_out: float | None


def measure(key: Key, data: Path, sheets: Path, extractor: Extractor) -> dict[str, Any]:
    """One cell's figures; its sheet is written as a PNG into the folder `sheets`."""
    own = {"data": SETS[key.set].settings(data, key.count, key.size), "seed": key.seed, "precision": key.precision}
    images = 0
    try:
        images = affordable(key, own)
        recipe, chosen = settings_of(key.candidate, images)
        begun = time.monotonic()
        trained = train({**ALONE, **own}, chosen, {"images": images}, recipe=recipe)
    except (NotFiniteError, ExperimentError) as error:
        return {"images": images, "ruler": None, "why": str(error)[:200]}
    if extractor.name in extractors_read(trained.parts.experiment):
        raise GansmithError(f"{key.candidate} trains on the features of {extractor.name}: another network judges it")
    line: dict[str, Any] = {
        "images": images,
        "cpu_seconds": round(trained.seconds, 1),
        "wall_seconds": round(time.monotonic() - begun, 1),
    }
    try:
        made = trained.images(SAMPLES, key.seed)
        samples = to_uint8(made)
    except GansmithError as error:
        return {**line, "ruler": None, "why": str(error)[:200]}
    sheets.mkdir(parents=True, exist_ok=True)
    save_image(draw_sheet(made[:SHEET]), sheets / f"{name_of(key)}.png")
    dataset = trained.parts.data
    assert dataset.holdout is not None
    reals = reals_of(key.set, key.count, key.size, dataset, extractor)
    return {**line, **figures(reals, samples, extractor)}


def figures(reals: Reals, samples: Images, extractor: Extractor) -> dict[str, Any]:
    """Where samples lie on the ruler, in what share a layout is seen, and the thing beside held-out images."""
    features, probabilities = extract(samples, extractor, what="samples")
    place = ruler(reals.train, features, reals.damaged, reals.held_out)
    line: dict[str, Any] = {
        "ruler": round(place.samples.value, 4),
        "interval": [round(place.samples.low or 0.0, 4), round(place.samples.high or 0.0, 4)],
        "unit": round(1000 * place.unit, 1),
        "unit_name": place.unit_name,
        "layout": round(float(reals.layout.sees(features).mean()), 3),
    }
    if reals.thing is not None and probabilities is not None:
        line["thing"] = round(float(sees(probabilities, reals.thing).mean()), 3)
        line["thing_held_out"] = round(float(reals.thing_held_out or 0.0), 3)
    return line


def affordable(key: Key, own: dict[str, Any]) -> int:
    """How many images fit into the seconds of processor time, to three digits."""
    batch = 64
    recipe, chosen = settings_of(key.candidate, 100_000)
    batch = int(chosen.get("batch", batch))
    short, longer = (
        train({**ALONE, **own}, chosen, {"images": batch * count}, recipe=recipe) for count in (_WARM, _WARM + _TIMED)
    )
    drawn = longer.parts.stream.drawn - short.parts.stream.drawn
    rate = drawn / max(longer.seconds - short.seconds, 1e-3)
    return int(float(f"{max(rate * key.seconds, batch):.3g}"))


_REALS: dict[tuple[str, int, int], Reals] = {}


def reals_of(name: str, count: int, size: int, data: Any, extractor: Extractor) -> Reals:
    """Features of the set's training and held-out images, and of the damaged ones, computed once a process."""
    at = (name, count, size)
    if at not in _REALS:
        train_images, held_out = (
            side[np.random.default_rng(mix("defaults", name)).permutation(len(side))[:REAL]].image
            for side in (data.train, data.holdout)
        )
        features, probabilities = extract(train_images, extractor, what="training images")
        held, held_probabilities = extract(held_out, extractor, what="held-out images")
        source, reference = held_out, features
        if len(held_out) < _ENOUGH:
            few = min(DAMAGED, len(features) // 3)
            source, reference = train_images[:few], features[few:]
        damaged = {
            kind: extract(change(source[:DAMAGED]), extractor, what=kind)[0]
            for kind, change in {**LAYOUT, **TEXTURE}.items()
        }
        without = {
            kind: extract(
                change(train_images[:DAMAGED]) if "2 x 2" in kind else in_turn(change(train_images[:DAMAGED]), COARSE),
                extractor,
                what=kind,
            )[0]
            for kind, change in LAYOUT.items()
        }
        thing = None if probabilities is None else known_thing(probabilities)
        seen = None if thing is None or held_probabilities is None else float(sees(held_probabilities, thing).mean())
        _REALS[at] = Reals(reference, held, damaged, layout_classifier(features, without), thing, seen)
    return _REALS[at]


def name_of(key: Key) -> str:
    """A file's name for the cell."""
    words = key.candidate.replace("optimizer.", "").replace("generator", "g").replace("discriminator", "d")
    plain = "".join(letter if letter.isalnum() or letter in ".=-" else "_" for letter in words)
    return f"{key.set}{key.count}-{key.size}px-{key.seconds:.0f}s-{key.seed}-{plain}"[:200]


@lru_cache(maxsize=1)
def extractor_of(weights: str, size: int = 112) -> Extractor:
    """MobileNetV2 on one core."""
    torch.set_num_threads(1)
    extractor: Extractor = catalog.build("features", "mobilenet", weights=weights, device="cpu", size=size)
    return extractor

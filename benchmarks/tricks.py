"""The bag of tricks, measured: a small DCGAN, one option changed at a time, the same budget of images, several seeds.

    python -m benchmarks.tricks --json tricks.json --write docs/tricks.md

The tricks are those of Chintala, Denton, Arjovsky, Mathieu 2016, "How to Train a GAN?", and of Chollet 2017, "Deep
Learning with Python", section 8.5.2, each beside what it advises against. Judged by KID in the features of a small
classifier that was trained on the same images, or of the plain pixels, and by the strongest trace of a checkerboard.
Runs are added to the file of --json as they end: call again to go on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import report
from benchmarks.trained import Record, classifier_of, collect, spread, table, train
from gansmith import catalog
from gansmith.data.open import open_dataset
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, NotFiniteError
from gansmith.evaluation.extract import extract
from gansmith.evaluation.metrics.kid import kid
from gansmith.evaluation.metrics.spectrum import spectral_traces
from gansmith.evaluation.types import Extractor, Images
from gansmith.schedules import parse_count

SAMPLES = 5_000
CLASSIFIER_IMAGES = 100_000  # that the classifier of the features is trained on
BASE: dict[str, Any] = {
    "generator": {"name": "dcgan", "width": 16},
    "discriminator": {"name": "dcgan", "width": 16},
    "objective": "nonsaturating",
    "prior": {"kind": "normal", "size": 64},
    "batch": 64,
    "averaging": {"half_life": 2_000},
    "threads": 1,
    "precision": "float32",
}


@dataclass(frozen=True)
class Trick:
    """changes: laid over BASE. about: what the lists say of it, "+" for, "-" against, "" nothing."""

    changes: Mapping[str, Any]
    about: str


def on(generator: Mapping[str, Any] | None = None, discriminator: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Options of the networks."""
    given = {"generator": generator, "discriminator": discriminator}
    return {role: dict(options) for role, options in given.items() if options}


TRICKS: dict[str, Trick] = {
    "as it is": Trick({}, ""),
    "output: sigmoid": Trick(on({"output": "sigmoid"}), "-"),
    "output: linear": Trick(on({"output": "linear"}), "-"),
    "latents: uniform": Trick({"prior": {"kind": "uniform"}}, "-"),
    "latents: sphere": Trick({"prior": {"kind": "sphere"}}, "+"),
    "labels smoothed by 0.1": Trick({"objective": {"name": "nonsaturating", "smoothing": 0.1}}, "+"),
    "labels flipped, 5 %": Trick({"game": {"name": "two_player", "flips": 0.05}}, "+"),
    "instance noise 0.1, falling": Trick({"augment": {"name": "noise"}}, "+"),
    "dropout 0.5, generator": Trick(on({"dropout": 0.5}), "+"),
    "dropout 0.25, discriminator": Trick(on(None, {"dropout": 0.25}), "+"),
    "leaky ReLU, generator": Trick(on({"activation": "leaky_relu"}), "+"),
    "ReLU, discriminator": Trick(on(None, {"slope": 0.0}), "-"),
    "average pooling": Trick(on(None, {"downsample": "average"}), "+"),
    "max pooling": Trick(on(None, {"downsample": "max"}), "-"),
    "kernel 3": Trick(on({"kernel": 3}, {"kernel": 3}), "-"),
    "kernel 5": Trick(on({"kernel": 5}, {"kernel": 5}), "-"),
    "kernel 6": Trick(on({"kernel": 6}, {"kernel": 6}), "+"),
    "resize and convolution": Trick(on({"upsample": "resize"}), "+"),
    "no normalisation, discriminator": Trick(on(None, {"normalisation": "none"}), "-"),
    "instance normalisation, discriminator": Trick(on(None, {"normalisation": "instance"}), ""),
    "layer normalisation, discriminator": Trick(on(None, {"normalisation": "layer"}), ""),
    "minimax objective": Trick({"objective": "minimax"}, "-"),
}


@dataclass(frozen=True)
class Judge:
    """real: the images compared with, uint8 [N, H, W, C], and their features [N, D]."""

    extractor: Extractor
    real: Images
    features: np.ndarray[Any, Any]

    def figures(self, fake: Images) -> Record:
        """KID x 1000, and the trace of a checkerboard in decibels."""
        features, _ = extract(fake, self.extractor, what="features of the samples", cache=False)
        return {
            "kid": 1000 * kid(self.features, features).value,
            "checkerboard": spectral_traces(self.real, fake)["checkerboard"].value,
        }


def default_data() -> str:
    """Fashion-MNIST where it is on the machine, else the embedded digits."""
    try:
        open_dataset("fashion_mnist")
    except DataError:
        return "digits"
    return "fashion_mnist"


def data_of(name: str) -> dict[str, Any]:
    return {"path": name, "size": 32, "channels": 1}


def judge_of(data: str, features: str, *, images: int = CLASSIFIER_IMAGES, samples: int = SAMPLES) -> Judge:
    """`features` is classifier or pixels. The real images are the first `samples` of those trained on."""
    if features == "classifier":
        extractor, _ = classifier_of({"path": data}, images=images)
    else:
        extractor = catalog.build("features", features, device="cpu")
    kept = prepare(DataSettings(**data_of(data))).train
    real = kept[np.arange(min(samples, len(kept)))].image
    return Judge(extractor, real, extract(real, extractor, what="features of the real images", cache=False)[0])


def measure(*, trick: str, seed: int, data: str, images: int, judge: Judge, **changes: Any) -> Record:
    """One run and its figures."""
    layer = {"data": data_of(data), "images": images, "seed": seed, "device": "cpu", **changes}
    trained = train(BASE, layer, TRICKS[trick].changes)
    try:
        figures = judge.figures(trained.pictures(len(judge.real), seed))
    except NotFiniteError:
        figures = {"kid": None, "checkerboard": None}
    return {**figures, "seconds": round(trained.seconds, 1)}


def tables(runs: Sequence[Record], facts: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """What stands between the comments of docs/tricks.md."""
    by_trick = {name: [run for run in runs if run["trick"] == name] for name in TRICKS}
    by_trick = {name: mine for name, mine in by_trick.items() if mine}
    plain = {run["seed"]: run["kid"] for run in by_trick.get("as it is", [])}
    rows = []
    for name, mine in by_trick.items():
        beside = [
            run["kid"] - plain[run["seed"]]
            for run in mine
            if run["kid"] is not None and plain.get(run["seed"]) is not None
        ]
        rows.append(
            [
                name,
                TRICKS[name].about,
                spread([run["kid"] for run in mine], 1),
                "" if name == "as it is" or not beside else spread(beside, 1),
                spread([run["checkerboard"] for run in mine], 1),
                spread([run["seconds"] for run in mine], 0),
            ]
        )
    seeds = len({run["seed"] for run in runs})
    return "\n".join(
        [
            f"{about['data']} at 32 px, {about['images']:,} images drawn in each run, n = {seeds} seeds, "
            f"{about['samples']:,} samples of the averaged generator beside as many images trained on, features: "
            f"{about['features']}; mean +- standard deviation over seeds. Lower is better; the difference is taken "
            f"seed by seed.",
            "",
            f"Measured on: {', '.join(f'{name} {value}' for name, value in facts.items())}.",
            "",
            table(["", "advice", "KID x 1000", "difference", "checkerboard, dB", "CPU seconds"], rows),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=parse_count, default=100_000, help="of each run")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--tricks", help="some of them, with commas; all when not given")
    parser.add_argument("--data", help="a labelled set; fashion_mnist where it is found, else digits")
    parser.add_argument("--features", choices=("classifier", "pixels"), default="classifier")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures, and where a series goes on")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the comments of this file")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    data = chosen.data or default_data()
    names = [name.strip() for name in chosen.tricks.split(",")] if chosen.tricks else list(TRICKS)
    unknown = sorted(set(names) - TRICKS.keys())
    if unknown:
        raise SystemExit(f"no trick called {unknown[0]!r}. Known: {'; '.join(TRICKS)}")
    judge = judge_of(data, chosen.features)
    features = str(judge.extractor)
    about = {"data": data, "images": chosen.images, "features": features, "samples": len(judge.real)}
    keys = [{"trick": name, "seed": int(seed)} for seed in chosen.seeds.split(",") for name in names]

    def one(**key: Any) -> Record:
        return measure(**key, data=data, images=chosen.images, judge=judge)

    text = tables(collect(chosen.json, keys, one, about), report.facts(), about)
    print(text)
    if chosen.write is not None:
        report.write_between(chosen.write, text)


if __name__ == "__main__":
    main()

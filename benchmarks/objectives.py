"""Every objective on Fashion-MNIST at 32 px, the same number of real images drawn for each, several seeds.

The penalties dragan and lecam take part as methods of their own, on the objectives of their papers.

The networks are the DCGAN pair of width 32 for all, with Adam as DCGAN has it, or the objective's own optimizer where
its authors insist on one; a discriminator under a penalty on each image's gradient has layer instead of batch
normalisation. Below them stand whole methods with networks of their own (the recipes named *_fashion). KID x 1000 of
the averaged generator's samples, seeds 0 to N - 1, against the test images, which nothing was trained on. Each run is
judged at its end.

    python -m benchmarks.objectives --json objectives.json --picture objectives.webp

KID is taken in the features of a small classifier trained on the same set, or of --features NAME and its --weights.

Runs lie in --work and are continued there: two processes with different --seeds share the work, a third call without
--seeds adds up.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from torch import Tensor

import gansmith
from benchmarks.report import facts
from benchmarks.trained import classifier_of, method, methods
from gansmith import catalog
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.evaluation.extract import extract
from gansmith.evaluation.metrics.kid import kid
from gansmith.evaluation.types import Extractor, Images
from gansmith.experiment.assemble import build_objective
from gansmith.experiment.schema import Experiment
from gansmith.records.images import draw_sheet, save_image, to_uint8
from gansmith.schedules import parse_count
from gansmith.system.progress import track

_ADAM = {"name": "adam", "lr": 2e-4, "betas": [0.5, 0.999]}
_CALM = {"name": "adam", "lr": 2e-4, "betas": [0, 0.9]}
_RMS = {"name": "rmsprop", "lr": 2e-4}
OPTIMIZERS = {"wgan": _RMS, "wgan_gp": _CALM, "dragan": _ADAM, "r3gan": {**_CALM, "betas": [0, 0.99]}}
OPTIONS: dict[str, dict[str, Any]] = {
    "wgan": {"warmup_steps": 20, "warmup": 10, "every": 0},  # a hundred steps at a time would be half of such a run
    "r3gan": {"gamma": 1.0},
}
METHODS = ("sngan_fashion", "biggan_fashion", "r3gan_fashion")
CLASSIFIER_IMAGES = 400_000
SHOWN = 20  # samples of each in the picture
_CHUNK = 500


def settings(name: str) -> dict[str, Any]:
    """Arguments of `gansmith.train` for an objective, for a penalty that is a method, or for a recipe."""
    if name in METHODS:
        return {"recipe": name}
    chosen = method(name, OPTIONS.get(name, {}))
    objective = build_objective(Experiment(**chosen))
    asking = any(term.per_sample for term in objective.penalties.values())
    optimizer = OPTIMIZERS.get(name, _ADAM)
    return {
        **chosen,
        "generator": {"name": "dcgan", "width": 32},
        "discriminator": {"name": "dcgan", "width": 32, "normalisation": "layer" if asking else "batch"},
        "optimizer": {"generator": optimizer, "discriminator": optimizer},
        "prior": {"kind": "normal", "size": 64},
        "averaging": {"half_life": 5000},
        "batch": 64,
    }


def train(folder: Path, name: str, *, data: str, images: int, seed: int) -> gansmith.Run:
    """A run to its end; one that is there already is only continued."""
    return gansmith.train(
        data,
        size=32,
        channels=1,
        images=images,
        checkpoint_every=max(images // 4, 1),
        samples_every=max(images // 8, 1),
        record_every=max(images // 50, 1),
        seed=seed,
        device="cpu",
        threads=1,
        precision="float32",
        out=str(folder),
        **settings(name),
    )


def measured(run: gansmith.Run, real: Any, extractor: Extractor, *, samples: int) -> float:
    """KID x 1000 of the images of seeds 0 to samples - 1."""
    renderer = run.renderer(device="cpu")
    renderer.chunk = _CHUNK
    images: Images = to_uint8(renderer.images(range(samples)).images)
    features, _ = extract(images, extractor, what="features of samples", cache=False)
    return 1000 * kid(real, features).value


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=parse_count, default=80_000, help="of each run")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--only", help="objectives and methods, with commas")
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--test", help="test images; of a built-in set its own test split")
    parser.add_argument("--features", default="classifier")
    parser.add_argument("--weights", help="the extractor's weight file")
    parser.add_argument("--samples", type=int, default=5_000)
    parser.add_argument("--work", type=Path, default=Path("runs/objectives"), help="where the runs lie")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="real images, then a row of each, best first")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    options = {"path": chosen.test or chosen.data, "options": {} if chosen.test else {"split": "test"}}
    test = prepare(DataSettings(size=(32, 32), channels=1, holdout=0, **options)).train
    test_images = test[np.arange(min(len(test), chosen.samples))].image
    error = None
    if chosen.features == "classifier" and not chosen.weights:
        extractor, error = classifier_of({"path": chosen.data}, images=CLASSIFIER_IMAGES)
    else:
        weights = {"weights": chosen.weights} if chosen.weights else {}
        extractor = catalog.build("features", chosen.features, **weights)
    real, _ = extract(test_images, extractor, what="features of test images")
    names = chosen.only.split(",") if chosen.only else [*methods(), *METHODS]
    seeds = [int(seed) for seed in chosen.seeds.split(",")]
    found: dict[str, dict[str, Any]] = {}
    rows: dict[str, Tensor] = {}
    todo = [(name, seed) for seed in seeds for name in names]
    for name, seed in track(todo, "training", len(todo), unit="runs"):
        begun = time.process_time()
        run = train(chosen.work / f"{name}-{seed}", name, data=chosen.data, images=chosen.images, seed=seed)
        value = measured(run, real, extractor, samples=chosen.samples)
        one = found.setdefault(name, {"kid": [], "seconds": []})
        one["kid"].append(value)
        one["seconds"].append(run.records[-1]["seconds"])
        print(
            f"{name} seed {seed}: KID x 1000 {value:.2f}, {time.process_time() - begun:.0f} s of this call", flush=True
        )
        if seed == seeds[0]:
            rows[name] = run.sample(range(SHOWN), device="cpu").images
    print(table(found))
    if chosen.picture is not None:
        shown = torch.from_numpy(np.moveaxis(test_images[:SHOWN], 3, 1)) / 127.5 - 1
        all_rows = torch.cat([shown, *(rows[name] for name in best_first(found))])
        save_image(draw_sheet(all_rows, columns=SHOWN), chosen.picture)
    if chosen.json is not None:
        about = {
            "images": chosen.images,
            "samples": chosen.samples,
            "real": len(test_images),
            "features": str(extractor),
            "the classifier's error": error,
            "seeds": seeds,
            "facts": facts(),
        }
        chosen.json.write_text(json.dumps({**about, "found": found}, indent=2) + "\n", encoding="utf-8")


def best_first(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """By the mean over the seeds."""
    return sorted(found, key=lambda name: mean(found[name]["kid"]))


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown, best first."""
    lines = ["| objective | KID x 1000, mean | +- | each seed | seconds of training |", "|---|---|---|---|---|"]
    for name in best_first(found):
        one = found[name]
        values = one["kid"]
        spread = f"{stdev(values):.1f}" if len(values) > 1 else "-"
        each = ", ".join(f"{value:.1f}" for value in values)
        lines.append(f"| {name} | {mean(values):.1f} | {spread} | {each} | {mean(one['seconds']):.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

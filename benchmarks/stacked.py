"""Stacked digits: of 1,000 modes, how many does a DCGAN make under each objective, and how evenly?

    python -m benchmarks.stacked --json stacked.json
    python -m benchmarks.stacked --device cuda --digits mnist --images 3.2M --width 64 --count 128k --json stacked.json

Metz et al. 2017, "Unrolled Generative Adversarial Networks"; Lin et al. 2018, "PacGAN" (whose published code trains on
128,000 stacks for 50 epochs, 6.4M images, and counts in 26,000 samples). The second line is the size for a GPU. The
modes are read by a classifier of the recipe mnist_net, trained here on single digits; its error on held-out ones and
what it reads in real stacks stand beside the table, because its mistakes find modes too.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import report
from benchmarks.trained import Record, classifier_of, collect, spread, table, train
from gansmith.data.open import open_dataset
from gansmith.errors import NotFiniteError
from gansmith.evaluation.modes import count_labels, count_stacked, read_stacked
from gansmith.evaluation.types import Extractor
from gansmith.schedules import parse_count

SAMPLES = 25_600  # Metz et al. 2017
CLASSIFIER_IMAGES = 200_000
MODES = 1000
FEW = 100  # modes of the real stacks that show how many the classifier's mistakes add
ADAM = {"name": "adam", "lr": 2e-4, "betas": [0.5, 0.999]}

# objective -> (its options, the optimizer of both sides, the discriminator's normalisation)
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "nonsaturating": ({}, ADAM, "batch"),
    "lsgan": ({}, ADAM, "batch"),
    "hinge": ({}, ADAM, "batch"),
    "wgan_gp": ({}, {"name": "adam", "lr": 2e-4, "betas": [0.0, 0.9]}, "layer"),
    "r3gan": ({"gamma": 1.0}, {"name": "adam", "lr": 2e-4, "betas": [0.0, 0.99]}, "none"),
}


def layer_of(objective: str, *, width: int, digits: str, count: int) -> dict[str, Any]:
    """The experiment of an objective."""
    options, optimizer, normalisation = SETTINGS[objective]
    return {
        "data": {"path": "stacked_digits", "options": {"digits": digits, "count": count}, "holdout": 0.0},
        "generator": {"name": "dcgan", "width": width},
        "discriminator": {"name": "dcgan", "width": width, "normalisation": normalisation},
        "objective": {"name": objective, **options},
        "optimizer": {"generator": dict(optimizer), "discriminator": dict(optimizer)},
        "prior": {"kind": "normal", "size": 100},
        "batch": 64,
        "averaging": {"half_life": 10_000},
    }


def measure(
    *,
    objective: str,
    seed: int,
    images: int,
    reader: Extractor,
    width: int,
    digits: str,
    count: int,
    samples: int = SAMPLES,
    **changes: Any,
) -> Record:
    """One run and its figures."""
    layer = layer_of(objective, width=width, digits=digits, count=count)
    trained = train(layer, {"images": images, "seed": seed, **changes})
    try:
        modes = count_stacked(trained.pictures(samples, seed), reader, cache=False)
    except NotFiniteError:
        return {"found": 0, "kl": None, "seconds": round(trained.seconds, 1)}
    return {"found": modes.found, "kl": modes.kl, "seconds": round(trained.seconds, 1)}


def controls(reader: Extractor, digits: str, samples: int = SAMPLES, few: int = FEW) -> dict[str, float]:
    """What the classifier makes of as many real stacks: modes and divergence of all of them; the share whose three
    digits it does not all read right; and how many modes it finds in stacks that have `few`."""
    source = open_dataset("stacked_digits", digits=digits, count=samples)
    every = source[np.arange(samples)]
    read = read_stacked(every.image, reader, cache=False)
    all_modes = count_labels(read, MODES)
    return {
        "modes in the real stacks": all_modes.found,
        "their KL": round(all_modes.kl, 4),
        "their true KL": round(count_labels(every.label, MODES).kl, 4),
        "stacks misread": round(float((read != every.label).mean()), 4),
        f"modes found in stacks of {few}": count_labels(read[every.label < few], MODES).found,
    }


def tables(runs: Sequence[Record], facts: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """Markdown: what was asked, the controls, one line for each objective."""
    rows = []
    for objective in dict.fromkeys(run["objective"] for run in runs):
        mine = [run for run in runs if run["objective"] == objective]
        rows.append(
            [
                f"`{objective}`",
                spread([run["found"] for run in mine], 0),
                spread([run["kl"] for run in mine], 2),
                spread([run["seconds"] for run in mine], 0),
            ]
        )
    said = "; ".join(f"{name} {value}" for name, value in about.items())
    return "\n".join(
        [
            f"n = {len({run['seed'] for run in runs})} seeds, mean +- standard deviation. {said}.",
            "",
            f"Measured on: {', '.join(f'{name} {value}' for name, value in facts.items())}.",
            "",
            table(["", f"modes of {MODES}", "KL from uniform, nats", "CPU seconds"], rows),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=parse_count, default=100_000, help="of each run")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--objectives", default=",".join(SETTINGS))
    parser.add_argument("--digits", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--count", type=parse_count, default=20_000, help="of stacks trained on")
    parser.add_argument("--samples", type=parse_count, default=SAMPLES)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures, and where a series goes on")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the comments of this file")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    names = chosen.objectives.split(",")
    unknown = sorted(set(names) - SETTINGS.keys())
    if unknown:
        raise SystemExit(f"no settings for the objective {unknown[0]!r}. Known: {', '.join(SETTINGS)}")
    reader, error = classifier_of({"path": chosen.digits}, images=CLASSIFIER_IMAGES, device=chosen.device)
    about = {
        **{name: getattr(chosen, name) for name in ("digits", "images", "count", "samples", "width", "precision")},
        "classifier's error on held-out digits": round(error, 4),
        **controls(reader, chosen.digits, chosen.samples),
    }
    keys = [{"objective": name, "seed": int(seed)} for seed in chosen.seeds.split(",") for name in names]
    fixed = {name: getattr(chosen, name) for name in ("images", "width", "digits", "count", "samples")}

    def one(**key: Any) -> Record:
        return measure(**key, **fixed, reader=reader, device=chosen.device, precision=chosen.precision)

    text = tables(collect(chosen.json, keys, one, about), report.facts(), about)
    print(text)
    if chosen.write is not None:
        report.write_between(chosen.write, text)


if __name__ == "__main__":
    main()

"""Toy grounds: every objective on the ring of 8 and the grid of 25 Gaussians, equal budgets of images, several seeds.

    python -m benchmarks.toys --json toys.json --write docs/toys.md --picture docs/pictures/toys.webp

The networks are the pair mlp (four hidden layers of 96), the prior 4 normal numbers, the batch 128, the samples those
of the averaged generator; learning rates fall to 0 in a straight line over the budget. What differs between objectives
is in SETTINGS. A budget is of real images drawn: a method whose discriminator plays five times in a step has a fifth of
the generator's updates. `r3gan` is the recipes r3gan_ring and r3gan_grid, whose settings were searched for on the grid;
for the others nothing was searched. Runs are added to the file of --json as they end: call again to go on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from benchmarks import report
from benchmarks.trained import Record, Trained, collect, method, methods, spread, table, train
from gansmith import catalog
from gansmith.data.open import open_dataset
from gansmith.data.points import Points
from gansmith.evaluation.modes import Modes, count_modes
from gansmith.records.images import draw_scatter, save_image
from gansmith.schedules import parse_count

SETS = ("ring", "grid")
SAMPLES = 10_000
SHOWN = 1_500  # points of a panel
ADAM = {"name": "adam", "lr": 1e-3, "betas": [0.5, 0.999]}

BASE: dict[str, Any] = {
    "generator": {"name": "mlp", "width": 96, "depth": 4},
    "discriminator": {"name": "mlp", "width": 96, "depth": 4},
    "prior": {"kind": "normal", "size": 4},
    "batch": 128,
    "averaging": {"half_life": 12_800},
    "threads": 1,
    "device": "cpu",
    "precision": "float32",
}
# objective -> (its options, the optimizer of both sides, why)
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "wgan": (
        {"clamp": 0.1, "warmup": 0, "every": 0},
        {"name": "rmsprop", "lr": 1e-3},
        "RMSprop as in the paper, ten times its bound and no long rounds: the networks are small and so is the budget",
    ),
    "wgan_gp": (
        {"weight": 0.1},
        {"name": "adam", "lr": 1e-3, "betas": [0.5, 0.9]},
        "weight and betas of the authors' toy code",
    ),
}


def layers(objective: str, data: str, images: int) -> tuple[str | None, dict[str, Any]]:
    """(the recipe to begin with, what is set on top of it) for an objective on a set, with a budget of `images`."""
    recipe = f"{objective}_{data}"
    if recipe in catalog.names("recipes"):
        return recipe, {name: BASE[name] for name in ("threads", "device", "precision")}
    options, optimizer, _ = SETTINGS.get(objective, ({}, ADAM, ""))
    falling = {**optimizer, "lr": {"start": optimizer["lr"], "end": 0.0, "decay": images}}
    both = {"generator": falling, "discriminator": falling}
    return None, {**BASE, **method(objective, options), "optimizer": both}


def truth(data: str) -> Points:
    source = open_dataset(data)
    assert isinstance(source, Points)
    return source


def run(objective: str, data: str, *changes: Mapping[str, Any], images: int, seed: int) -> Trained:
    """One training to its end. changes: laid over its settings."""
    recipe, over = layers(objective, data, images)
    return train(over, {"data": {"path": data}, "images": images, "seed": seed}, *changes, recipe=recipe)


def judged(points: np.ndarray[Any, Any], source: Points) -> Modes | None:
    """What was found, or None when the generator has diverged."""
    return count_modes(points, source.centres, source.deviation) if np.isfinite(points).all() else None


def measure(*, objective: str, data: str, seed: int, images: int, keep: Path | None = None) -> Record:
    """One run and its figures; `keep` is a folder for the points that are shown."""
    trained = run(objective, data, images=images, seed=seed)
    points = trained.images(SAMPLES, seed).flatten(1).numpy()
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        np.save(keep / f"{objective}-{data}-{seed}.npy", points[:SHOWN])
    modes = judged(points, truth(data))
    found = {"found": 0, "good": 0.0, "kl": None} if modes is None else modes._asdict()
    return {**found, "seconds": round(trained.seconds, 1), "steps": trained.steps}


def tables(runs: Sequence[Record], facts: Mapping[str, Any], images: int) -> str:
    """What stands between the comments of docs/toys.md."""
    seeds = len({run["seed"] for run in runs})
    parts = [
        f"{images:,} images drawn in each run, n = {seeds} seeds, {SAMPLES:,} samples of the averaged generator of "
        f"each; mean +- standard deviation over seeds.",
        "",
        f"Measured on: {', '.join(f'{name} {value}' for name, value in facts.items())}.",
    ]
    header = ["", "modes found", "least", "good samples", "KL, nats", "steps", "CPU seconds"]
    for data in dict.fromkeys(run["data"] for run in runs):
        total = len(truth(data).centres)
        rows = []
        for objective in dict.fromkeys(run["objective"] for run in runs):
            mine = [run for run in runs if run["data"] == data and run["objective"] == objective]
            found = [run["found"] for run in mine]
            rows.append(
                [
                    f"`{objective}`",
                    f"{spread(found, 1)} of {total}",
                    str(min(found)),
                    spread([run["good"] for run in mine], 1, percent=True),
                    spread([run["kl"] for run in mine], 2),
                    f"{mine[0]['steps']:,}",
                    spread([run["seconds"] for run in mine], 0),
                ]
            )
        parts += ["", f"## {data}, {total} modes", "", table(header, rows)]
    return "\n".join(parts)


def picture(names: Sequence[str], keep: Path, seed: int, *, columns: int = 5, side: int = 190) -> Image.Image:
    """One panel for the truth and for each objective, the sets one below the other."""
    letters = ImageFont.load_default(15)
    panels = ["the truth", *names]
    rows, above, gap = -(-len(panels) // columns), 20, 4
    height = len(SETS) * rows * (side + above + gap) + gap
    canvas = Image.new("RGB", (columns * (side + gap) + gap, height), (222, 226, 232))
    brush = ImageDraw.Draw(canvas)
    for block, data in enumerate(SETS):
        real = truth(data)[np.arange(SHOWN)].image[:, 0, 0]
        for place, name in enumerate(panels):
            row, column = divmod(place, columns)
            points = real if place == 0 else np.load(keep / f"{name}-{data}-{seed}.npy", allow_pickle=False)
            left = gap + column * (side + gap)
            top = gap + (block * rows + row) * (side + above + gap)
            brush.text((left + 2, top), name, fill=(20, 24, 32), font=letters)
            if np.isfinite(points).all():
                panel = draw_scatter(torch.from_numpy(points)).resize((side, side), Image.Resampling.LANCZOS)
                canvas.paste(panel, (left, top + above))
            else:
                brush.text((left + 40, top + side // 2), "diverged", fill=(200, 30, 30), font=letters)
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=parse_count, default=1_000_000, help="of each run")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--objectives", help="some of them, with commas; all when not given")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures, and where a series goes on")
    parser.add_argument("--keep", type=Path, default=Path("runs/toys"), help="folder for the points that are shown")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables between the comments of this file")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    names = chosen.objectives.split(",") if chosen.objectives else methods()
    seeds = [int(seed) for seed in chosen.seeds.split(",")]
    keys = [
        {"objective": name, "data": data, "seed": seed}
        for seed in seeds
        for data in chosen.sets.split(",")
        for name in names
    ]

    def one(**key: Any) -> Record:
        return measure(**key, images=chosen.images, keep=chosen.keep)

    runs = collect(chosen.json, keys, one, {"images": chosen.images})
    text = tables(runs, report.facts(), chosen.images)
    print(text)
    if chosen.write is not None:
        report.write_between(chosen.write, text)
    if chosen.picture is not None:
        save_image(picture(names, chosen.keep, seeds[0]), chosen.picture)


if __name__ == "__main__":
    main()

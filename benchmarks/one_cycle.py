"""One cycle against constant learning rates: the same small Darknet, the same number of images, several seeds.

Smith, Topin 2018, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates". The network
and its settings are the recipe darknet_fashion's; only learning rate and momentum differ. The constant rates are the
peak of the cycle, a third, a tenth and a thirtieth of it, with momentum 0.9. Each run is judged on the test images at
several places, and compared at its end: none is judged by its best moment.

    python -m benchmarks.one_cycle --images 300k --json one_cycle.json --svg one_cycle.svg

Runs lie in --work and are continued there: two processes with different --seeds share the work, a third call without
--seeds adds up.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import gansmith
from benchmarks.report import facts
from gansmith.data.dataset import ImageItem
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.data.stream import normalised
from gansmith.schedules import parse_count
from gansmith.system.progress import track

PEAK = 0.4
MOMENTA = (0.95, 0.85)
SHARES = {"peak": 1, "peak / 3": 3, "peak / 10": 10, "peak / 30": 30}
POINTS = 6  # at which each run is judged, the end included
_AT_ONCE = 500  # images

Curve = list[tuple[int, float]]  # (images trained on, error on the test images)


def schedules(images: int, peak: float) -> dict[str, dict[str, Any]]:
    """{name: the options of SGD that differ}. The cycle is lesson 12's: up and down in 80 % of the images, from and to
    a twentieth, then to a two-thousandth."""
    top, down = round(0.4 * images), round(0.8 * images)
    high, low = MOMENTA
    cycle = {
        "lr": {"points": {0: peak / 20, top: peak, down: peak / 20, images: peak / 2000}},
        "momentum": {"points": {0: high, top: low, down: high}},
    }
    constant = {f"constant {name}": {"lr": peak / share, "momentum": 0.9} for name, share in SHARES.items()}
    return {"one cycle": cycle, **constant}


def train(folder: Path, changes: Mapping[str, Any], *, data: str, images: int, seed: int) -> gansmith.Run:
    """A run to the end, kept at POINTS places; one that is there already is only continued."""
    return gansmith.train(
        data,
        recipe="darknet_fashion",
        optimizer={"classifier": dict(changes)},
        images=images,
        keep_every=images // POINTS,
        checkpoint_every=images // POINTS,
        holdout=0.0,
        seed=seed,
        device="cpu",
        threads=1,
        precision="float32",
        out=str(folder),
    )


def test_pictures(data: str, test: str | None) -> ImageItem:
    """All test images at the size of the recipe: of `test`, or the test split of the built-in set `data`."""
    settings = DataSettings(
        path=test or data, options={} if test else {"split": "test"}, size=(32, 32), channels=1, holdout=0
    )
    kept = prepare(settings).train
    pictures: ImageItem = kept[np.arange(len(kept))]
    return pictures


@torch.no_grad()
def error(network: nn.Module, pictures: ImageItem) -> float:
    """The share of the pictures whose class the network does not say."""
    wrong = 0
    for start in range(0, len(pictures.image), _AT_ONCE):
        some: NDArray[Any] = np.ascontiguousarray(pictures.image[start : start + _AT_ONCE])
        said = network(normalised(torch.from_numpy(some))).argmax(1).numpy()
        wrong += int((said != pictures.label[start : start + _AT_ONCE]).sum())
    return wrong / len(pictures.image)


def curve(run: gansmith.Run, pictures: ImageItem) -> Curve:
    """The error wherever the run was kept."""
    kept = sorted(name for name in run.checkpoints.names() if name.isdigit())
    return [(int(name), error(run.network("classifier", checkpoint=name)[0], pictures)) for name in kept]


def added_up(curves: Mapping[str, list[Curve]]) -> dict[str, Any]:
    """For each schedule: the errors of all seeds, and mean and standard deviation at each place."""
    found: dict[str, Any] = {}
    for name, runs in curves.items():
        places = [images for images, _ in runs[0]]
        errors = [[value for _, value in run] for run in runs]
        columns = list(zip(*errors, strict=True))
        found[name] = {
            "images": places,
            "errors": errors,
            "mean": [mean(column) for column in columns],
            "deviation": [stdev(column) if len(column) > 1 else None for column in columns],
        }
    return found


def picture(found: Mapping[str, Any]) -> str:
    """Test error over images, the mean of the seeds as a line and their range as a band."""
    from gansmith.evaluation.audit.plots import lines

    percent = {name: [100 * value for value in one["mean"]] for name, one in found.items()}
    ranges = {name: list(zip(*one["errors"], strict=True)) for name, one in found.items()}
    return lines(
        {name: list(zip(one["images"], percent[name], strict=True)) for name, one in found.items()},
        bands={
            name: [(at, 100 * min(v), 100 * max(v)) for at, v in zip(one["images"], ranges[name], strict=True)]
            for name, one in found.items()
        },
        x="images trained on",
        y="error on the test images (%)",
        log_y=True,
    )


def said(found: Mapping[str, Any]) -> str:
    """The ends, one line each."""
    rows = []
    for name, one in found.items():
        ends = [100 * run[-1] for run in one["errors"]]
        spread = f" +- {stdev(ends):.2f}" if len(ends) > 1 else ""
        rows.append(f"{name:20} {mean(ends):6.2f}{spread} % wrong at {one['images'][-1]:,} images, n = {len(ends)}")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=parse_count, default=300_000, help="of each run")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--peak", type=float, default=PEAK, help="of the cycle's learning rate")
    parser.add_argument("--data", default="fashion_mnist", help="labelled images")
    parser.add_argument("--test", help="labelled test images; of a built-in set its own test split")
    parser.add_argument("--work", type=Path, default=Path("runs/one_cycle"), help="where the runs lie")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--svg", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    pictures = test_pictures(chosen.data, chosen.test)
    curves: dict[str, list[Curve]] = {}
    seeds = [int(seed) for seed in chosen.seeds.split(",")]
    todo = [(*one, seed) for one in schedules(chosen.images, chosen.peak).items() for seed in seeds]
    for name, changes, seed in track(todo, "training", len(todo), unit="runs"):
        folder = chosen.work / f"{name.replace(' ', '_').replace('/', 'by')}-{seed}"
        run = train(folder, changes, data=chosen.data, images=chosen.images, seed=seed)
        curves.setdefault(name, []).append(curve(run, pictures))
    found = added_up(curves)
    print(said(found))
    if chosen.json is not None:
        about = {"peak": chosen.peak, "seeds": seeds, "test images": len(pictures.image), "facts": facts()}
        chosen.json.write_text(json.dumps({**about, "schedules": found}, indent=2) + "\n", encoding="utf-8")
    if chosen.svg is not None:
        chosen.svg.write_text(picture(found), encoding="utf-8")


if __name__ == "__main__":
    main()

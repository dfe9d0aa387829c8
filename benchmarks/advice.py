"""Which recipe for images of one's own? Equal processor time for each on a small and a larger set, and KID at the end.

    python -m benchmarks.advice --data signs.zip,emoji.zip,fashion_mnist --seconds 300 --weights FILE --json advice.json

Each recipe is timed over a few steps and trained for as many images as then fit into --seconds of one core, with its
schedules as they are. KID x 1000 of --samples of the averaged generator against as many held-out images, in the
features of --features, the mean over --seeds. What `gansmith train photos/` recommends (gansmith.runs.default_recipe)
is read off this table. Runs are added to the file of --json as they end: call again to go on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import report
from benchmarks.trained import Record, collect, spread, table, train
from gansmith import catalog
from gansmith.errors import NotFiniteError
from gansmith.evaluation.extract import extract
from gansmith.evaluation.metrics.kid import kid
from gansmith.evaluation.types import Extractor
from gansmith.schedules import parse_count

RECIPES = ("dcgan_small", "dcgan_augmented", "sngan_small", "r3gan_small")
SAMPLES = 5_000
_WARM, _TIMED = 2, 10  # batches before a recipe is timed, and while it is
ALONE = {"threads": 1, "device": "cpu", "precision": "float32"}


def measure(
    *,
    recipe: str,
    data: str,
    seed: int,
    seconds: float,
    size: int,
    channels: int | None,
    holdout: float,
    extractor: Extractor,
    samples: int = SAMPLES,
) -> Record:
    """One run and its figures."""
    shown: dict[str, Any] = {"path": data, "size": size, "channels": channels, "holdout": holdout}
    layer: dict[str, Any] = {**ALONE, "data": shown, "seed": seed}
    images = affordable(recipe, layer, seconds)
    trained = train(layer, {"images": images}, recipe=recipe)
    held = trained.parts.data.holdout
    assert held is not None
    real = held[np.arange(min(len(held), samples))].image
    found: Record = {"images": images, "held": len(real), "seconds": round(trained.seconds)}
    try:
        fake = trained.pictures(samples, seed)
    except NotFiniteError:
        return {**found, "kid": None}
    features = [
        extract(some, extractor, what=what, cache=some is real)[0]
        for some, what in ((real, "held out"), (fake, "samples"))
    ]
    return {**found, "kid": 1000 * kid(*features).value}


def affordable(recipe: str, layer: Mapping[str, Any], seconds: float) -> int:
    """How many images fit into `seconds` of processor time, to two digits."""
    short = train(layer, {"images": 64 * _WARM}, recipe=recipe)
    begun = short.parts.stream.drawn
    longer = train(layer, {"images": begun + 64 * _TIMED}, recipe=recipe)
    rate = (longer.parts.stream.drawn - begun) / max(longer.seconds - short.seconds, 1e-3)
    return int(float(f"{max(rate * seconds, 64):.2g}"))


def tables(runs: Sequence[Record], facts: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """Markdown: one table for each set, best first."""
    said = "; ".join(f"{name} {value}" for name, value in about.items())
    parts = [f"{said}.", "", f"Measured on: {', '.join(f'{name} {value}' for name, value in facts.items())}."]
    for data in dict.fromkeys(run["data"] for run in runs):
        rows = []
        for recipe in dict.fromkeys(run["recipe"] for run in runs):
            mine = [run for run in runs if run["data"] == data and run["recipe"] == recipe]
            values = [run["kid"] for run in mine]
            known = [value for value in values if value is not None]
            rows.append(
                (
                    sum(known) / len(known) if known else float("inf"),
                    [f"`{recipe}`", spread(values, 1), str(len(mine)), spread([run["images"] for run in mine], 0)],
                )
            )
        ordered = [row for _, row in sorted(rows)]
        parts += ["", f"### {Path(data).stem}", "", table(["", "KID x 1000", "n", "images drawn"], ordered)]
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", default="digits", help="sets of images, with commas")
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--seconds", type=float, default=300, help="of processor time for each run")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--channels", type=int)
    parser.add_argument("--holdout", type=float, default=0.2)
    parser.add_argument("--samples", type=parse_count, default=SAMPLES)
    parser.add_argument("--features", default="pixels")
    parser.add_argument("--weights", help="the extractor's weight file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the figures, and where a series goes on")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables between the comments of this file")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    extractor = catalog.build("features", chosen.features, **({"weights": chosen.weights} if chosen.weights else {}))
    same = {name: getattr(chosen, name) for name in ("seconds", "size", "channels", "holdout", "samples")}
    about = {**same, "features": str(extractor)}
    keys = [
        {"recipe": recipe, "data": data, "seed": int(seed)}
        for seed in chosen.seeds.split(",")
        for data in chosen.data.split(",")
        for recipe in chosen.recipes.split(",")
    ]

    def one(**key: Any) -> Record:
        return measure(**key, **same, extractor=extractor)

    text = tables(collect(chosen.json, keys, one, about), report.facts(), about)
    print(text)
    if chosen.write is not None:
        report.write_between(chosen.write, text)


if __name__ == "__main__":
    main()

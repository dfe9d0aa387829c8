"""Do the directions of `gansmith directions` do what they say? Measured against random ones, by a network of its own.

    python -m benchmarks.directions RUN --judge CLASSIFIER [--data PATH] --name "hand signs"
    python -m benchmarks.directions --write

RUN is unconditional and knows (or --data says) its labelled images; CLASSIFIER is a run of the game `classify` on the
same classes, of images of the same size: it finds nothing, it only says what is in an image. A line for each run is
added to benchmarks/directions.jsonl; --write puts the table into docs/directions.md.

change     of an image: root mean square of the pixels in [-1, 1], mean over 50 seeds
classes    for each class whose separator is usable, the share of 50 seeds whose image is of the class: before, 2 steps
           along its direction, and along each of 10 random directions, so far that the image changes as much
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansmith import Run
from gansmith.judge.class_directions import class_separators
from gansmith.latent.directions.direction import Direction
from gansmith.latent.directions.finish import random_directions
from gansmith.latent.directions.inner import drawn, generate
from gansmith.latent.directions.principal import principal_directions
from gansmith.latent.directions.ranking import root_mean_square
from gansmith.latent.directions.separators import separator_directions
from gansmith.latent.directions.singular import singular_directions
from gansmith.latent.renderer import Renderer

ROOT = Path(__file__).parents[1]
LINES, PAGE = ROOT / "benchmarks" / "directions.jsonl", ROOT / "docs" / "directions.md"
BEGIN, END = "<!-- directions: begin -->", "<!-- directions: end -->"
SEEDS, RANDOM, STEPS = 50, 10, 2.0
_LENGTHS = (0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 13.0, 17.0, 22.0)  # steps along random directions


def changes(renderer: Renderer, starts: Tensor, directions: Sequence[Direction]) -> list[float]:
    """The mean change of an image by a step along each, both ways."""
    before = generate(renderer, starts)
    return [
        float(
            torch.cat(
                [
                    root_mean_square(generate(renderer, starts + sign * one.step * one.vector) - before)
                    for sign in (1, -1)
                ]
            ).mean()
        )
        for one in directions
    ]


@torch.no_grad()
def classes_of(judge: nn.Module, images: Tensor) -> Tensor:
    """Images [N, C, H, W] -> their classes [N]."""
    classes: Tensor = judge(images).argmax(1)
    return classes


def random_curves(
    renderer: Renderer, judge: nn.Module, starts: Tensor, randoms: Sequence[Direction]
) -> list[tuple[list[float], list[Tensor]]]:
    """For each random direction: the mean change, and the classes, at each of the lengths."""
    before, curves = generate(renderer, starts), []
    for one in randoms:
        images = [generate(renderer, starts + length * one.step * one.vector) for length in _LENGTHS]
        change = [float(root_mean_square(made - before).mean()) for made in images]
        curves.append((change, [classes_of(judge, made) for made in images]))
    return curves


def random_share(curves: Sequence[tuple[list[float], list[Tensor]]], number: int, change: float) -> float:
    """The share of images of class `number` where random directions change them by `change`: between the two lengths
    around it, mean over the directions; at the longest where none changes so much."""
    shares = []
    for changed, classes in curves:
        share = [float((one == number).float().mean()) for one in classes]
        rising = np.maximum.accumulate(changed)
        shares.append(float(np.interp(change, rising, share)))
    return float(np.mean(shares))


def measure(
    run: Run,
    judge: nn.Module,
    judge_classes: Sequence[str],
    *,
    data: str | None,
    name: str,
    features: str = "auto",
    weights: str | None = None,
) -> dict[str, Any]:
    """The line of one run."""
    renderer = run.renderer(device="cpu")
    starts, _ = drawn(renderer, SEEDS, "benchmark")
    randoms = random_directions(renderer, RANDOM, seed=1)
    random_change = float(np.mean(changes(renderer, starts, randoms)))
    firsts = {
        method: changes(renderer, starts, made[:5])
        for method, made in (("pca", principal_directions(renderer, 5)), ("svd", singular_directions(renderer, 5)))
    }
    found = class_separators(run, renderer, data=data, features=features, weights=weights, device="cpu")
    directions = separator_directions(renderer, found.separators, found.latents)
    usable = [one.name for one in found.separators if one.usable]
    curves = random_curves(renderer, judge, starts, randoms)
    before = generate(renderer, starts)
    rows = []
    for class_name, one in zip(usable, directions, strict=True):
        number = list(judge_classes).index(class_name)
        after = generate(renderer, starts + STEPS * one.step * one.vector)
        change = float(root_mean_square(after - before).mean())
        rows.append(
            {
                "class": class_name,
                "auc": one.auc,
                "change": change,
                "before": float((classes_of(judge, before) == number).float().mean()),
                "after": float((classes_of(judge, after) == number).float().mean()),
                "random": random_share(curves, number, change),
                "reached": float(np.mean([max(changed) >= change for changed, _ in curves])),
            }
        )
    return {
        "name": name,
        "images": renderer.trained_images,
        "recipe": renderer.recipe,
        "space": "w" if renderer.has_w else "z",
        "random_change": random_change,
        "first_five": firsts,
        "labeller": {"features": found.features, "accuracy": found.accuracy.value},
        "classes": rows,
        "not_found": [[one.name, one.auc] for one in found.separators if not one.usable],
    }


def table(lines: Sequence[dict[str, Any]]) -> str:
    """The Markdown of all lines."""
    text = [
        f"Change by a step of the first five over that of {RANDOM} random directions ({SEEDS} seeds; the aim is 2):",
        "",
        "| | space | random | pca | svd |",
        "|---|---|---|---|---|",
    ]
    for line in lines:
        cells = [f"{np.mean(line['first_five'][way]) / line['random_change']:.2f}" for way in ("pca", "svd")]
        text.append(f"| {line['name']} | {line['space']} | {line['random_change']:.3f} | {' | '.join(cells)} |")
    text += [
        "",
        f"The share of {SEEDS} seeds that is of the class, by another network: before, {STEPS:g} steps along its "
        f"direction, and along random directions that change the image as much (mean of {RANDOM}; the aim is 3 times "
        f"these):",
        "",
        "| | class | AUC | before | after | random | times |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        rows = line["classes"]
        for row in rows:
            cells = [f"{row[key]:.2f}" for key in ("auc", "before", "after", "random")]
            text.append(
                f"| {line['name']} | {row['class']} | {' | '.join(cells)} | {_times(row['after'], row['random'])} |"
            )
        after, random = (float(np.mean([row[key] for row in rows])) for key in ("after", "random"))
        text.append(
            f"| {line['name']} | **all found** | | | {after:.2f} | {random:.2f} | **{_times(after, random)}** |"
        )
        missing = ", ".join(f"{one} ({'few' if auc is None else f'{auc:.2f}'})" for one, auc in line["not_found"])
        text.append(f"| {line['name']} | not found: {missing or 'none'} | | | | | |")
    return "\n".join(text)


def _times(after: float, random: float) -> str:
    return f"{after / random:.1f}" if random > 0 else "none random"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?")
    parser.add_argument("--judge")
    parser.add_argument("--data")
    parser.add_argument("--name", default="")
    parser.add_argument("--features", default="auto")
    parser.add_argument("--weights")
    parser.add_argument("--lines", type=Path, default=LINES)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.run:
        judge, card = Run(arguments.judge).network("classifier")
        options = {key: getattr(arguments, key) for key in ("data", "name", "features", "weights")}
        line = measure(Run(arguments.run), judge.eval(), card.classes, **options)
        print(json.dumps(line))
        with arguments.lines.open("a") as file:
            file.write(json.dumps(line) + "\n")
    if arguments.write:
        lines = [json.loads(line) for line in arguments.lines.read_text().splitlines()]
        head, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n{table(lines)}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()

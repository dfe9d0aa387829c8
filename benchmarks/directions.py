"""Do the directions of `gansmith directions` do what they say? Measured against random ones, by a network of its own.

    python -m benchmarks.directions RUN --judge CLASSIFIER [--data PATH] --name "hand signs"
    python -m benchmarks.directions --write

RUN is unconditional and knows (or --data says) its labelled images; CLASSIFIER is a run of the game `classify` on the
same classes, of images of the same size: it finds nothing, it only says what is in an image. A line for each run is
added to benchmarks/directions.jsonl; --write puts the table into docs/directions.md.

change     of an image: root mean square of the pixels in [-1, 1], mean over 50 seeds
classes    for each class whose separator is usable, the share of 50 seeds whose image is of the class: before, 2 steps
           along its direction, and along each of 10 random directions, so far that the image changes as much; in W
           also along 10 from one sample's w to another's, which, unlike random ones, stay where W is
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
from gansmith.latent.directions.inner import deviation, drawn, generate
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


def between_samples(renderer: Renderer, count: int) -> list[Direction]:
    """Directions of W from one sample to another: random ones, spread as W is."""
    latents, _ = drawn(renderer, 500, "between")
    vectors = latents[:count] - latents[count : 2 * count]
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    steps = deviation(renderer, latents, vectors)
    return [
        Direction(vector.clone(), f"between-{number}", "pca", float(step))
        for number, (vector, step) in enumerate(zip(vectors, steps, strict=True), 1)
    ]


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
    spread = between_samples(renderer, RANDOM) if renderer.has_w else []
    spread_curves = random_curves(renderer, judge, starts, spread)
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
        if spread:
            rows[-1] |= {
                "random_in_w": random_share(spread_curves, number, change),
                "reached_in_w": float(np.mean([max(changed) >= change for changed, _ in spread_curves])),
            }
    return {
        "name": name,
        "images": renderer.trained_images,
        "recipe": renderer.recipe,
        "space": "w" if renderer.has_w else "z",
        "random_change": random_change,
        **({"random_change_in_w": float(np.mean(changes(renderer, starts, spread)))} if spread else {}),
        "first_five": firsts,
        "labeller": {"features": found.features, "accuracy": found.accuracy.value},
        "classes": rows,
        "not_found": [[one.name, one.auc] for one in found.separators if not one.usable],
    }


def table(lines: Sequence[dict[str, Any]]) -> str:
    """The Markdown of all lines."""
    text = [
        f"Change by a step of the first five over that of {RANDOM} random directions, and in W over that of {RANDOM} "
        f"from sample to sample ({SEEDS} seeds; the aim is 2 over random ones):",
        "",
        "| | space | random | pca | svd | sample to sample | pca | svd |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        cells = [line["name"], line["space"]]
        for change in (line["random_change"], line.get("random_change_in_w")):
            firsts = [float(np.mean(line["first_five"][way])) for way in ("pca", "svd")]
            cells += ["", "", ""] if change is None else [f"{change:.3f}", *(f"{one / change:.2f}" for one in firsts)]
        text.append(f"| {' | '.join(cells)} |")
    text += [
        "",
        f"The share of {SEEDS} seeds that is of the class, by another network: before, {STEPS:g} steps along its "
        f"direction, and along random directions that change the image as much (mean of {RANDOM}; the aim is 3 times "
        f"these); in W also along as many from sample to sample:",
        "",
        "| | class | AUC | before | after | random | times | sample to sample | times |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        rows = line["classes"]
        for row in rows:
            cells = [line["name"], row["class"], *(f"{row[key]:.2f}" for key in ("auc", "before"))]
            text.append(f"| {' | '.join([*cells, *_against(row)])} |")
        means = {
            key: float(np.mean([row[key] for row in rows]))
            for key in ("after", "random", "random_in_w")
            if key in rows[0]
        }
        text.append(f"| {line['name']} | **all found** | | | {' | '.join(_against(means))} |")
        missing = ", ".join(f"{one} ({'few' if auc is None else f'{auc:.2f}'})" for one, auc in line["not_found"])
        text.append(f"| {line['name']} | not found: {missing or 'none'} | | | | | | | |")
    return "\n".join(text)


def _against(row: dict[str, Any]) -> list[str]:
    """The cells after, random, times, sample to sample, times."""
    cells = [f"{row['after']:.2f}"]
    for key in ("random", "random_in_w"):
        cells += [f"{row[key]:.2f}", _times(row["after"], row[key])] if key in row else ["", ""]
    return cells


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

"""The picture of each method's page: a short training on freely licensed images, and what came out, none chosen.

    python -m benchmarks.method_pictures munit wrn --data FOLDER --runs runs/pictures
    python -m benchmarks.method_pictures dcgan --of RUN --runs runs/pictures       # of a run that is there already
    python -m benchmarks.method_pictures lsgan --runs runs/pictures                # a row of objectives.webp
    python -m benchmarks.method_pictures lsgan --runs runs/pictures --keep         # look at RUNS/lsgan.webp first

Training leaves a run in RUNS/NAME. Beside RUNS/NAME.webp stands NAME.json, the facts for the caption; `--keep` copies
the picture to docs/pictures/methods/. The photographs of hand signs and the emoji are files of FOLDER.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

import gansmith
from gansmith.data.dataset import Dataset
from gansmith.data.prepare import prepare
from gansmith.data.stream import normalised
from gansmith.records.images import draw_sheet
from gansmith.runs.run import Run

DOCS = Path(__file__).parents[1] / "docs" / "pictures"
COLUMNS, ROWS = 8, 4
HANDS = "signdigits100_jpg.zip"
EMOJI = "emoji_google.zip"
ALLOWED = 60_000  # bytes of a picture


class Plan(NamedTuple):
    """A training: the set's name or file, the recipe, how long, settings on top."""

    data: str
    recipe: str
    images: str
    settings: tuple[str, ...] = ()


COMPARED = ("r3gan", "hinge", "nonsaturating", "lecam", "lsgan", "wgan_gp", "dragan", "wgan")  # rows of objectives.webp
OUTLINES = (
    "data.other=garments",
    "data.disjoint=true",
    "data.holdout=0.3333",
    "data.holdout_by=file",
    "data.channels=1",
)
PLANS = {
    "biggan": Plan("fashion_mnist", "biggan_fashion", "20k"),
    "contrastive_net": Plan("digits", "contrastive_net", "10k"),
    "cut": Plan("garments", "cut_garments", "4k"),
    "cyclegan": Plan("outlines", "cyclegan_emoji", "4k", (*OUTLINES, "game.identity=0")),
    "dcgan": Plan(HANDS, "dcgan_fast", "40k"),
    "fastgan": Plan(EMOJI, "fastgan_small", "20k", ("data.channels=3",)),
    "mnist_net": Plan("digits", "mnist_net", "20k"),
    "munit": Plan("outlines", "munit_emoji", "1200", OUTLINES),
    "pix2pix": Plan("outlines", "pix2pix_emoji", "8k", ("data.other=garments", "data.channels=1")),
    "projected": Plan(HANDS, "projected_small", "10k", ("data.channels=3",)),
    "resnet": Plan("fashion_mnist", "dcgan_small", "20k", ("generator.name=resnet", "discriminator.name=resnet")),
    "sngan": Plan("fashion_mnist", "sngan_fashion", "30k"),
    "stylegan2": Plan(HANDS, "stylegan2_small", "20k"),
    "wrn": Plan(
        "digits",
        "wrn_22",
        "6k",
        (
            "classifier.depth=10",
            "classifier.widen=2",
            "optimizer.classifier.lr=0.05",
            "optimizer.classifier.momentum=0.9",
            "batch=64",
            "game.flip=false",
        ),
    ),
}


def train(name: str, plan: Plan, *, data: Path, runs: Path) -> dict[str, Any]:
    """Train as planned, at 32 pixels and in bfloat16. Returns the facts of a caption; minutes are of the processor."""
    path = data / plan.data if plan.data.endswith(".zip") else plan.data
    settings = ["data.size=32", "seed=0", "threads=1", "precision=bfloat16", *plan.settings]
    began = time.process_time()
    run = gansmith.train(path, recipe=plan.recipe, images=plan.images, assignments=settings, out=str(runs / name))
    minutes = (time.process_time() - began) / 60
    facts = {"data": plan.data, "recipe": plan.recipe, "images": plan.images, "settings": [*plan.settings]}
    return facts | {"minutes": round(minutes, 1)} | draw(run, runs / f"{name}.webp")


def draw(run: Run, path: Path) -> dict[str, Any]:
    """The picture of what the run learned, and facts of it."""
    if "generator" in run.players:
        sheet = draw_sheet(run.sample(range(COLUMNS * ROWS), device="cpu").images, columns=COLUMNS, scale=2)
        facts: dict[str, Any] = {"shows": "samples"}
    elif "classifier" in run.players:
        sheet, facts = mistakes(run)
    else:
        with Image.open(max((run.path / "samples").glob("*.png"))) as opened:
            sheet, facts = opened.convert("RGB"), {"shows": "translations"}
    save(sheet, path)
    return facts


def save(sheet: Image.Image, path: Path) -> None:
    """A webp file as good as fits into what is allowed."""
    for quality in (85, 75, 65, 50):
        sheet.convert("RGB").save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size <= ALLOWED:
            return


def mistakes(run: Run) -> tuple[Image.Image, dict[str, Any]]:
    """The held-out images that the classifier is least sure of, each with what it is and what it was taken for."""
    network, _ = run.network("classifier")
    prepared = prepare(run.experiment.data)
    held_out = prepared.holdout
    assert isinstance(held_out, Dataset)
    block: Any = held_out[np.arange(len(held_out))]
    with torch.inference_mode():
        chances = network(normalised(torch.from_numpy(np.ascontiguousarray(block.image)))).float().softmax(1)
    labels = torch.as_tensor(np.asarray(block.label), dtype=torch.long)
    answers = chances.argmax(1)
    order = chances.gather(1, labels[:, None])[:, 0].argsort()[:16].tolist()
    names = prepared.classes or ()
    side, below = 96, 18
    sheet = Image.new("RGB", (8 * side, 2 * (side + below)), "white")
    draw_text = ImageDraw.Draw(sheet)
    for place, at in enumerate(order):
        image = Image.fromarray(np.asarray(block.image[at]).squeeze()).convert("RGB").resize((side - 4, side - 4), 0)
        x, y = place % 8 * side, place // 8 * (side + below)
        sheet.paste(image, (x + 2, y + 2))
        right = int(labels[at]) == int(answers[at])
        words = f"{names[int(labels[at])]}: {float(chances[at, labels[at]]):.0%}" + (
            "" if right else f", taken for {names[int(answers[at])]}"
        )
        colour = "black" if right else (170, 20, 20)
        draw_text.text((x + 3, y + side), words, fill=colour, font=ImageFont.load_default(11))
    wrong = int((answers != labels).sum())
    return sheet, {"shows": "doubts", "held_out": len(labels), "wrong": wrong}


def row(name: str) -> Image.Image:
    """The samples of an objective in the picture that compares them all, in two rows and twice as large."""
    with Image.open(DOCS / "objectives.webp") as opened:
        every = opened.convert("RGB")
    step = (every.width - 2) // 20
    top = (COMPARED.index(name) + 1) * step
    half = every.width // 2 + 1
    halves = [every.crop((left, top, left + half, top + step + 2)) for left in (0, 10 * step)]
    sheet = Image.new("RGB", (half, 2 * step + 2), "white")
    for at, part in enumerate(halves):
        sheet.paste(part, (0, at * step))
    return sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)


def of_run(run: Run, path: Path) -> dict[str, Any]:
    """The picture of a run that is there already, and its facts."""
    experiment, last = run.experiment, run.records[-1]
    facts = {"data": str(experiment.data.path), "recipe": experiment.recipe, "images": last.get("images")}
    return facts | {"minutes": round(last.get("seconds", 0) / 60, 1)} | draw(run, path)


def keep(name: str, picture: Path) -> None:
    """Copy a picture that was looked at into the documentation."""
    (DOCS / "methods").mkdir(exist_ok=True)
    shutil.copyfile(picture, DOCS / "methods" / f"{name}.webp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted({*PLANS, *COMPARED}))
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--runs", type=Path, default=Path("runs/pictures"))
    parser.add_argument("--of", type=Path)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    runs: Path = arguments.runs
    runs.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        picture = runs / f"{name}.webp"
        if arguments.keep:
            keep(name, picture)
            continue
        if arguments.of is not None:
            facts = of_run(Run(arguments.of), picture)
        elif name in COMPARED:
            facts = {"shows": "a row of objectives.webp"}
            save(row(name), picture)
        else:
            facts = train(name, PLANS[name], data=arguments.data, runs=runs)
        (runs / f"{name}.json").write_text(json.dumps(facts))
        print(name, facts)


if __name__ == "__main__":
    main()

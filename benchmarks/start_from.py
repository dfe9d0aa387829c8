"""Does it help to begin with a model of other images? The same images, length and seeds, from each start and from none.

    python -m benchmarks.start_from SIGNS.zip --runs runs/start --weights mobilenet_v2.pth
    python -m benchmarks.start_from CIFAR10.zip --set horses --cells none,grown --weights mobilenet_v2.pth
    python -m benchmarks.start_from                                   # the table, from the file
    python -m benchmarks.start_from --write docs/start_from.md

500 hand signs, or 375 horses, at 32 px; every run draws the same number of images with the settings of `dcgan_few`, the
default for so few, whose networks are the zoo's emoji model's too, so that only the weights differ. A line of
start_from.jsonl is a run: its start, how many layers of its discriminator were frozen, its seed, its images, and the
ruler of 300 samples (`evaluation.ruler`; 0 is held-out images, 1 images cut into 4 x 4 tiles). What is in the file is
not trained again; a larger number of images continues the runs. 200,000 images are three minutes of one core with
bfloat16.

`grown` begins with a run at 16 px of its own: a third of the time is spent there, and the rest at 32 px. The widths at
16 px are doubled, so that the stages next to the latents and to the score are of one shape in both and stay; those next
to the image are new. (Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs", fade the new ones in.)
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import gansmith
from benchmarks.report import write_between
from gansmith import catalog
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.extract import extract
from gansmith.evaluation.ruler import ruler
from gansmith.evaluation.types import Extractor, Features
from gansmith.judge.image_sets import subject_of
from gansmith.judge.reference_images import reals_of

FILE = Path(__file__).with_name("start_from.jsonl")
BEGIN, END = "<!-- start from: begin -->", "<!-- start from: end -->"
GROWN = "grown"
CELLS = (("none", 0), ("emoji", 0), ("emoji", 3), (GROWN, 0))
SHARE = 1 / 3  # of the time of a grown run, at 16 px
COST = 0.53  # of an image at 16 px with widths of 64, in images at 32 px with 32: 52 ms and 98 ms a batch
SETS: Mapping[str, Sequence[str]] = {
    "hand signs": ("data.fraction=0.25",),
    "horses": ("data.classes=[horse]", "data.fraction=0.1", "data.flip=true"),
}
SETTINGS = ("sheet=36",)
TWICE = ("generator.width=64", "discriminator.width=64")
OPTIONS: Mapping[str, Any] = {"recipe": "dcgan_few", "size": 32, "precision": "bfloat16", "threads": 1}
RARELY: Mapping[str, Any] = {"samples_every": "1M", "checkpoint_every": "1M", "record_every": "20k"}
SAMPLES, REAL, DAMAGED = 300, 400, 150


def run_of(chosen: argparse.Namespace, start: str, frozen: int, seed: int) -> Path:
    """The trained run of a cell."""
    out: Path = chosen.runs / f"{chosen.set} {start}-{frozen}-{seed}"
    settings = [*SETTINGS, *SETS[chosen.set], *([f"freeze.discriminator.first={frozen}"] if frozen else [])]
    options = {**OPTIONS, **RARELY, "seed": seed, "images": chosen.images, "out": str(out)}
    if start == GROWN:
        out = out.with_name(f"{out.name}-{chosen.images}")  # it does not continue a shorter one
        small = out.with_name(f"{out.name}-16px")
        first = {**options, "size": 16, "images": round(chosen.images * SHARE / COST), "out": str(small)}
        gansmith.train(chosen.images_at, assignments=[*settings, *TWICE], **first)
        options |= {"start_from": str(small), "images": round(chosen.images * (1 - SHARE)), "out": str(out)}
    elif start != "none":
        options["start_from"] = start
    gansmith.train(chosen.images_at, assignments=settings, **options)
    return out


class Judge:
    """Features of the real images and of their damages, computed once."""

    def __init__(self, run: Path, extractor: Extractor) -> None:
        self.extractor = extractor
        subject = subject_of(run, SAMPLES, 1, checkpoint=None, raw=False, device="cpu", trust=False)
        images = reals_of(subject, against=None, holdout=None, most=REAL, seed=0).train[0]
        self.real = self.features(images)
        self.damaged = {name: self.features(damage(images[:DAMAGED])) for name, damage in {**LAYOUT, **TEXTURE}.items()}

    def features(self, images: Any) -> Features:
        return extract(images, self.extractor, what="features")[0]

    def of(self, run: Path) -> float:
        subject = subject_of(run, SAMPLES, 1, checkpoint=None, raw=False, device="cpu", trust=False)
        samples = subject.generate().parts[0]
        return ruler(self.real, self.features(samples), self.damaged).samples.value


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    rows = ["| of | images | start | layers frozen | ruler, each seed | mean |", "|---|---|---|---|---|---|"]
    for name, images in dict.fromkeys((name, images) for name in SETS for images in sorted(map(_images, lines))):
        for start, frozen in CELLS:
            cell = (name, images, start, frozen)
            own = [line for line in lines if (line["set"], _images(line), line["start"], line["frozen"]) == cell]
            values = [float(line["ruler"]) for line in sorted(own, key=_seed)]
            if values:
                each, mean = ", ".join(f"{value:.2f}" for value in values), sum(values) / len(values)
                rows.append(f"| {name} | {images:,} | {start} | {frozen} | {each} | {mean:.2f} |")
    return "\n".join(rows)


def _images(line: Mapping[str, Any]) -> int:
    return int(line["images"])


def _seed(line: Mapping[str, Any]) -> int:
    return int(line["seed"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start_from", description=__doc__)
    parser.add_argument("images_at", nargs="?", metavar="IMAGES")
    parser.add_argument("--set", choices=SETS, default="hand signs", help="what IMAGES holds")
    parser.add_argument("--cells", default="none,emoji,grown", help="starts, with commas between them")
    parser.add_argument("--runs", type=Path, default=Path("runs/start"))
    parser.add_argument("--weights")
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the comments of this file")
    chosen = parser.parse_args()
    lines = [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.exists() else []
    if chosen.images_at is not None:
        torch.set_num_threads(1)
        extractor = catalog.build("features", "mobilenet", weights=chosen.weights, device="cpu", size=112)
        judge: Judge | None = None
        done = [{key: line[key] for key in ("set", "start", "frozen", "seed", "images")} for line in lines]
        for seed in range(chosen.seeds):
            for start, frozen in CELLS:
                cell = {"set": chosen.set, "start": start, "frozen": frozen, "seed": seed, "images": chosen.images}
                if cell in done or start not in chosen.cells.split(","):
                    continue
                run = run_of(chosen, start, frozen, seed)
                judge = judge or Judge(run, extractor)
                line = {**cell, "ruler": round(judge.of(run), 4)}
                with FILE.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                lines.append(line)
    text = table(lines)
    print(text)
    if chosen.write is not None:
        write_between(chosen.write, text, begin=BEGIN, end=END)


if __name__ == "__main__":
    main()

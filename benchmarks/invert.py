"""How well a generator's own samples, held-out images and foreign ones are found again by `gansmith invert`.

    python -m benchmarks.invert RUN --lines invert.jsonl            # 20 own samples, pixels
    python -m benchmarks.invert RUN --lines invert.jsonl --own 0 --held 20 --loss lpips
    python -m benchmarks.invert RUN --lines invert.jsonl --own 0 --held 20 --method hybrid --restarts 1
    python -m benchmarks.invert RUN --lines invert.jsonl --own 0 --foreign 20 --of emoji.zip
    python -m benchmarks.invert RUN --lines invert.jsonl --table

A line for each image: the loss, that of the best of 1,000 random samples, LPIPS from the target
(both of images at 64 px), and the processor's seconds of the whole. A later call goes on with what is missing. LPIPS
needs the weights of vgg (gansmith features install vgg), encoder and hybrid the run's encoder (--train-encoder).
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from operator import lt
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansmith import Run, catalog
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.data.stream import normalised
from gansmith.latent.coordinates import Coordinates
from gansmith.latent.encoder import encoder_file, load_encoder
from gansmith.latent.inversion_losses import Metric, discriminator_features, perceptual, pixels
from gansmith.latent.invert import ENCODED, METHODS, invert
from gansmith.pretrained import lpips

OWN = 5000  # the first seed of the own samples


def targets(run: Run, count: int, kind: str, path: str | None = None) -> list[Tensor]:
    """`count` images [1, C, H, W]: own samples; held-out images, or those of the set at `path`, evenly spaced."""
    if kind == "own":
        return [run.sample([seed], device="cpu").images for seed in range(OWN, OWN + count)]
    data = run.experiment.data
    images: Any = prepare(data).holdout
    if kind == "foreign":
        images = prepare(DataSettings(path=str(path), size=data.size, channels=data.channels)).train
    places = np.linspace(0, len(images) - 1, count).round().astype(int)
    return list(normalised(torch.from_numpy(np.ascontiguousarray(images[places].image))).split(1))


def metric_of(name: str, run: Run, network: lpips.Lpips) -> Metric:
    """The distance of images, by its name on the command line."""
    if name == "lpips":
        return lambda target: perceptual(target, network)
    discriminator = run.network("discriminator")[0]
    return pixels if name == "pixels" else lambda target: discriminator_features(target, discriminator)


def table(lines: Path) -> None:
    """A row for each kind of targets and options: n, found again, nearer than the best random sample, medians."""
    rows = defaultdict(list)
    for line in map(json.loads, lines.read_text().splitlines()):
        rows[line["key"][0], *line["key"][2:]].append(line)
    for key, group in rows.items():
        loss, random_loss, apart, seconds = (
            [line[name] for line in group] for name in ("loss", "random_loss", "lpips", "seconds")
        )
        print(
            *key,
            f"n {len(group)}, found again {sum(x <= 0.02 for x in apart)}, "
            f"nearer than random {sum(map(lt, loss, random_loss))}, "
            f"loss {median(loss):.4f} ({min(loss):.4f} to {max(loss):.4f}), of random {median(random_loss):.4f}, "
            f"LPIPS {median(apart):.4f} ({max(apart):.3f}), {median(seconds):.1f} s",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--lines", type=Path, required=True)
    parser.add_argument("--own", type=int, default=20)
    parser.add_argument("--held", type=int, default=0)
    parser.add_argument("--foreign", type=int, default=0)
    parser.add_argument("--of", help="the set of foreign images")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--loss", choices=("pixels", "lpips", "features"), default="pixels")
    parser.add_argument("--method", choices=METHODS, default="adam")
    parser.add_argument("--restarts", type=int, default=8)
    parser.add_argument("--steps", type=int, default=200)
    arguments = parser.parse_args()
    if arguments.table:
        table(arguments.lines)
        return
    torch.set_num_threads(1)
    run = Run(arguments.run)
    renderer, network = run.renderer(device="cpu"), lpips.published()
    extractor = catalog.build("features", "vgg", device="cpu")
    done = (
        [json.loads(line)["key"] for line in arguments.lines.read_text().splitlines()]
        if arguments.lines.exists()
        else []
    )
    encoder, space = None, Coordinates(renderer).space
    if arguments.method in ENCODED:
        command = f"gansmith invert {run.path} --train-encoder"
        encoder = load_encoder(encoder_file(run.path, space), renderer, space, command=command)
    kinds = [("own", arguments.own), ("held", arguments.held), ("foreign", arguments.foreign)]
    for kind, count in kinds:
        for number, target in enumerate(targets(run, count, kind, arguments.of) if count else []):
            options = [arguments.loss, arguments.method, arguments.restarts, arguments.steps]
            key = [kind, number, *options]
            if key in done:
                continue
            begun = time.process_time()
            metric = metric_of(arguments.loss, run, network)
            result = invert(
                renderer, target, metric, method=arguments.method, restarts=arguments.restarts, steps=arguments.steps,
                encoder=encoder,
            )  # fmt: skip
            seconds = time.process_time() - begun
            with torch.no_grad():
                apart = [float(extractor.distance(one[None], target)) for one in (result.image, result.random_image)]
            line = {
                "key": key,
                "loss": result.loss,
                "random_loss": result.random_loss,
                "better": result.better,
                "reached": result.reached,
                "lpips": apart[0],
                "random_lpips": apart[1],
                "seconds": round(seconds, 1),
            }
            with arguments.lines.open("a") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()

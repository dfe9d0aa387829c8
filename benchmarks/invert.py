"""How well a generator's own samples, and held-out images, are found again by `gansmith invert`.

    python -m benchmarks.invert RUN --lines invert.jsonl            # 20 own samples, pixels
    python -m benchmarks.invert RUN --lines invert.jsonl --held 20 --loss lpips

A line for each image: the loss, that of the best of 1,000 random samples, LPIPS from the target (both of images at 64
px), and the processor's seconds of the search and of the whole. A later call goes on with what is missing. LPIPS needs
the weights of vgg (gansmith features install vgg).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gansmith import Run, catalog
from gansmith.data.prepare import prepare
from gansmith.data.stream import normalised
from gansmith.latent.inversion_losses import perceptual
from gansmith.latent.invert import METHODS, invert
from gansmith.pretrained import lpips

OWN = 5000  # the first seed of the own samples


def targets(run: Run, count: int, held: bool) -> list[Tensor]:
    """`count` images [1, C, H, W]: own samples, or held-out images evenly spaced."""
    if not held:
        return [run.sample([seed], device="cpu").images for seed in range(OWN, OWN + count)]
    holdout = prepare(run.experiment.data).holdout
    assert holdout is not None
    places = np.linspace(0, len(holdout) - 1, count).round().astype(int)
    return list(normalised(torch.from_numpy(np.ascontiguousarray(holdout[places].image))).split(1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--lines", type=Path, required=True)
    parser.add_argument("--own", type=int, default=20)
    parser.add_argument("--held", type=int, default=0)
    parser.add_argument("--loss", choices=("pixels", "lpips"), default="pixels")
    parser.add_argument("--method", choices=METHODS, default="adam")
    parser.add_argument("--restarts", type=int, default=4)
    parser.add_argument("--steps", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run = Run(arguments.run)
    renderer, network = run.renderer(device="cpu"), lpips.published()
    extractor = catalog.build("features", "vgg", device="cpu")
    done = (
        [json.loads(line)["key"] for line in arguments.lines.read_text().splitlines()]
        if arguments.lines.exists()
        else []
    )
    kinds = [("own", arguments.own), ("held", arguments.held)]
    for kind, count in kinds:
        for number, target in enumerate(targets(run, count, kind == "held") if count else []):
            options = [arguments.loss, arguments.method, arguments.restarts, arguments.steps]
            key = [kind, number, *options]
            if key in done:
                continue
            begun = time.process_time()
            loss = perceptual(target, network) if arguments.loss == "lpips" else None
            result = invert(
                renderer, target, loss, method=arguments.method, restarts=arguments.restarts, steps=arguments.steps
            )
            seconds = time.process_time() - begun
            with torch.no_grad():
                apart = [float(extractor.distance(one[None], target)) for one in (result.image, result.random_image)]
            line = {
                "key": key,
                "loss": result.loss,
                "random_loss": result.random_loss,
                "better": result.better,
                "lpips": apart[0],
                "random_lpips": apart[1],
                "seconds": round(seconds, 1),
            }
            with arguments.lines.open("a") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()

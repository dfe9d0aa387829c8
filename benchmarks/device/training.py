"""What does a small recipe make of the images in the seconds that are left? Its sheet, and its KID beside real images'.

The recipe is `dcgan_small` with a generator that resizes and convolves, the best of the small ones on photographs
(docs/results.md). KID is measured between 10,000 held-out images and 10,000 samples of the averaged generator, drawn
once.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import gansmith
from benchmarks.device import images
from benchmarks.device.part import Part, main
from gansmith.errors import TrainingInterrupted
from gansmith.evaluation.extract import extract
from gansmith.evaluation.metrics.kid import kid
from gansmith.latent.renderer import Renderer
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run

RECIPE: dict[str, Any] = {"recipe": "dcgan_small", "generator": {"upsample": "resize"}}
_AFTER = 25.0  # seconds for samples and features


def measure(part: Part) -> None:
    with part.attempt("training"):
        run = train(part)
        records = run.records
        steady = sorted(record["images_per_second"] for record in records if "images_per_second" in record)
        told = {"recipe": f"{RECIPE['recipe']}, upsample: resize", "images": records[-1]["images"]}
        told |= {"seconds": records[-1]["seconds"], "precision": run.experiment.precision}
        part.keep("training", {**told, "images per second": steady[len(steady) // 2]})
        with part.attempt("sheet"):
            sample = run.sample(range(16 if part.quick else 100), device=str(part.device))
            sample.save(part.out / "sheet.png")
        with part.attempt("KID"):
            part.keep("KID", distances(part, run))


def train(part: Part) -> Run:
    """Until so much time is left as the rest needs, or in quick mode for a few images."""
    threading.Thread(target=stop_in, args=(part.left() - (0 if part.quick else _AFTER),), daemon=True).start()
    where = part.results.with_name("run")
    settings: dict[str, Any] = {**RECIPE, "images": 512 if part.quick else 10**9, "batch": 64}
    if part.quick:
        settings |= {"generator": {"upsample": "resize", "width": 4}, "discriminator": {"width": 4}}
    every: dict[str, Any] = {"record_every": 256} if part.quick else {"record_every": 50_000, "samples_every": 500_000}
    data = images.settings(part)
    path = data.pop("path")
    try:
        gansmith.train(
            path, **data, **settings, **every, checkpoint_every=10**9, device=str(part.device), out=str(where)
        )
    except TrainingInterrupted as stopped:
        print(stopped, flush=True)
    return Run(where)


def stop_in(seconds: float) -> None:
    """End the training after its step, as Ctrl-C does, once it listens."""
    time.sleep(max(seconds, 1.0))
    while signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, None):
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGTERM)


def distances(part: Part, run: Run) -> dict[str, Any]:
    """KID x 1000 of held-out images against trained-on ones and against samples, with intervals of 95 %."""
    held, others = images.halves(part)
    one = images.extractor(part)
    real = extract(held, one, what="held-out images", cache=True)[0]
    found: dict[str, Any] = {"images a side": len(held), "weights": "given" if part.weights is not None else "random"}

    def thousandths(features: Any) -> list[float]:
        number = kid(real, features)
        assert number.low is not None
        assert number.high is not None
        return [round(1e3 * value, 2) for value in (number.value, number.low, number.high)]

    found["real"] = thousandths(extract(others, one, what="other images", cache=True)[0])
    part.keep("KID", found)
    network, card = run.network("generator")
    begun = time.perf_counter()
    renderer = Renderer(network, card.prior, classes=card.classes, device=part.device, chunk=images.batch(part))
    made = renderer.images(range(len(held))).images
    found["samples per second"] = round(len(made) / (time.perf_counter() - begun))
    found["samples"] = thousandths(extract(to_uint8(made), one, what="samples", cache=False)[0])
    return found


if __name__ == "__main__":
    main(measure, __doc__)

"""What does a small recipe make of the images in the seconds that are left? Its sheet, and its KID beside real images'.

The recipe is `dcgan_augmented` with a generator that resizes and convolves, at twice its batch: on a GPU a step of such
small networks takes as long with 128 images as with 64. KID is measured between the held-out images and as many samples
of the averaged generator, drawn once.
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
from benchmarks.device.rounds import seconds_of
from gansmith.errors import TrainingInterrupted
from gansmith.evaluation.extract import extract
from gansmith.evaluation.metrics.kid import kid
from gansmith.experiment.assemble import assemble
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data
from gansmith.latent.renderer import Renderer
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from gansmith.runs.train import experiment_from
from gansmith.speed.interleave import Ours

RECIPE: dict[str, Any] = {"recipe": "dcgan_augmented", "generator": {"upsample": "resize"}}
BATCH = 128
_AFTER = 14.0  # seconds for samples and features
_ROUGH = 0.9  # of the images that fit by the rate of a few steps


def measure(part: Part) -> None:
    with part.attempt("training"):
        run = train(part)
        records = run.records
        steady = sorted(record["images_per_second"] for record in records if "images_per_second" in record)
        told = {"recipe": f"{RECIPE['recipe']}, upsample: resize, batch: {BATCH}", "images": records[-1]["images"]}
        told |= {"seconds": records[-1]["seconds"], "precision": run.experiment.precision}
        part.keep("training", {**told, "images per second": steady[len(steady) // 2]})
        with part.attempt("sheet"):
            sample = run.sample(range(16 if part.quick else 100), device=str(part.device))
            sample.save(part.out / "sheet.png")
        with part.attempt("KID"):
            part.keep("KID", distances(part, run))


def train(part: Part) -> Run:
    """As many images as fit before the time that the rest needs, and stopped then at the latest; few in quick mode."""
    if not part.quick:
        threading.Thread(target=stop_in, args=(part.left() - _AFTER,), daemon=True).start()
    where = part.results.with_name("run")
    settings: dict[str, Any] = {**RECIPE, "batch": BATCH, "device": str(part.device)}
    if part.quick:
        settings |= {"generator": {"upsample": "resize", "width": 4}, "discriminator": {"width": 4}, "batch": 32}
    every: dict[str, Any] = {"record_every": 256} if part.quick else {"record_every": 50_000, "samples_every": 500_000}
    data = images.settings(part)
    path = data.pop("path")
    fitting = 512
    if not part.quick:
        rate = images_per_second(experiment_from(path, environment={}, **data, **settings)[0])
        fitting = max(BATCH, int(_ROUGH * rate * (part.left() - _AFTER)) // 1000 * 1000)
    try:
        gansmith.train(path, **data, **settings, **every, images=fitting, checkpoint_every=10**9, out=str(where))
    except TrainingInterrupted as stopped:
        print(stopped, flush=True)
    return Run(where)


def images_per_second(experiment: Experiment, *, steps: int = 60) -> float:
    """Of the engine, after as many steps to warm up; nothing of them is kept."""
    loop = Ours(assemble(*with_data(experiment)))
    loop.play(steps)
    return loop.step_images / seconds_of(loop.play, steps, loop.parts.device)


def stop_in(seconds: float) -> None:
    """End the training after its step, as Ctrl-C does, once it listens."""
    time.sleep(max(seconds, 1.0))
    while signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, None):
        time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGTERM)


def distances(part: Part, run: Run) -> dict[str, Any]:
    """KID x 1000 of held-out images against trained-on ones and against samples, with intervals of 95 %."""
    held, others = images.held_and_others(part)
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

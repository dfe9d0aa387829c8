"""Images per second, 64 px RGB in batches of 64, on one core: from the pixel cache, through the stream, from files."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import Figure, main
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.data.stream import Batches, Stream

RATE = 300_000  # uint8 images per second out of the cache
BATCH = 64


def images(folder: Path, *, count: int, size: int = 64) -> Path:
    """`count` random uint8 pictures as one .npy."""
    path = folder / f"pictures-{count}-{size}.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8))
    return path


def photographs(folder: Path, *, count: int, size: int = 128) -> Path:
    """`count` JPEG files of coarse random colours."""
    path = folder / "photographs"
    path.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        coarse.resize((size, size), Image.Resampling.BICUBIC).save(path / f"{number:05}.jpg", quality=90)
    return path


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for files and for the pixel cache, gone afterwards."""
    before = os.environ.get("GANSMITH_CACHE")
    with tempfile.TemporaryDirectory() as name:
        os.environ["GANSMITH_CACHE"] = str(Path(name) / "cache")
        try:
            yield Path(name)
        finally:
            if before is None:
                del os.environ["GANSMITH_CACHE"]
            else:
                os.environ["GANSMITH_CACHE"] = before


def cached(folder: Path, *, count: int, seconds: float, rounds: int) -> tuple[list[float], list[float]]:
    """Images per second: (uint8 batches out of the cache, float batches on the device out of the stream)."""
    settings = DataSettings(path=str(images(folder, count=count)), size=(64, 64), channels=3, holdout=0)
    data = prepare(settings)
    batches = Batches(data.train, batch=BATCH, seed=0)
    stream = Stream(data.train, batch=BATCH)
    numbers = iter(range(1 << 40))
    return (
        rates(lambda: batches.one(next(numbers)), seconds=seconds, rounds=rounds),
        rates(lambda: next(stream), seconds=seconds, rounds=rounds),
    )


def decoded(path: Path, *, workers: int, seconds: float, rounds: int) -> list[float]:
    """Images per second of JPEG files that are decoded as they come."""
    settings = DataSettings(path=str(path), size=(64, 64), channels=3, holdout=0, cache=False)
    stream = Stream(prepare(settings).train, batch=BATCH, workers=workers)
    values = rates(lambda: next(stream), seconds=seconds, rounds=rounds)
    stream.close()
    return values


def rates(draw: Callable[[], object], *, seconds: float, rounds: int) -> list[float]:
    """Images per second in each round of `seconds`, after a warm-up."""
    for _ in range(8):
        draw()
    values = []
    for _ in range(rounds):
        begun, drawn = time.perf_counter(), 0
        while (spent := time.perf_counter() - begun) < seconds:
            draw()
            drawn += BATCH
        values.append(drawn / spent)
    return values


def measure(quick: bool = False) -> list[Figure]:
    seconds, rounds = (0.2, 3) if quick else (0.5, 9)
    with scratch() as folder:
        raw, floats = cached(folder, count=10_000, seconds=seconds, rounds=rounds)
        files = photographs(folder, count=300 if quick else 1_000)
        figures = [
            Figure("loader", "uint8 batches from the cache", "images/s", raw, at_least=RATE, digits=0),
            Figure("loader", "float32 batches from the stream", "images/s", floats, digits=0),
        ]
        for workers in (0, 2):
            values = decoded(files, workers=workers, seconds=2 * seconds, rounds=rounds)
            name = f"128 px JPEG files decoded as they come, {workers} workers"
            figures.append(Figure("loader", name, "images/s", values, digits=0))
    return figures


if __name__ == "__main__":
    main(measure, __doc__)

"""How long does judging take? Features per second, and KID between 10,000 real images and 10,000 others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.device import images
from benchmarks.device.part import Part, main
from gansmith.evaluation.extract import extract
from gansmith.evaluation.features import pixels
from gansmith.evaluation.metrics.kid import kid

_MEASURED = ((112, 256), (224, 256), (224, 32), (112, 32))  # pixels a side, images at once


@contextmanager
def seconds(into: dict[str, Any], name: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    into[name] = round(time.perf_counter() - begun, 3)


def measure(part: Part) -> None:
    found: dict[str, Any] = {}
    with part.attempt("data"):
        with seconds(found, "seconds"):
            held, others = images.halves(part)
        part.keep("data", {**found, "images a side": len(held)})
    with part.attempt("features like the CPU's"):
        part.keep("features like the CPU's", like_the_cpu(part, held[: images.batch(part)]))
    with part.attempt("KID"):
        part.keep("KID", distance(part, held, others))
    rates: dict[str, float] = {}
    for size, batch in ((112, 8),) if part.quick else _MEASURED:
        if part.left() < 2:
            break
        name = f"mobilenet at {size} px, batch {batch}"
        with part.attempt(name):
            few = held[: 16 if part.quick else 4_096 if batch > 32 else 1_024]
            one = replace(images.network(part, size=32 if part.quick else size), batch=batch)
            extract(few[:batch], one, what=name, cache=False)
            begun = time.perf_counter()
            extract(few, one, what=name, cache=False)
            rates[name] = round(len(few) / (time.perf_counter() - begun))
            part.keep("features per second", rates)
    with part.attempt("pixels"):
        begun = time.perf_counter()
        extract(held, pixels.build(device=str(part.device)), what="pixels", cache=False)
        rates["pixels"] = round(len(held) / (time.perf_counter() - begun))
        part.keep("features per second", rates)


def like_the_cpu(part: Part, some: Any) -> float:
    """The largest difference between both devices' features of a few images, by the largest feature."""
    size = 32 if part.quick else 112
    here, there = (
        extract(some, images.network(part, size=size, device=where), what="a few images", cache=False)[0]
        for where in ("cpu", None)
    )
    return float(np.abs(here - there).max() / np.abs(here).max())


def distance(part: Part, held: Any, others: Any) -> dict[str, Any]:
    """Real against real: the features are kept for the part `training`."""
    found: dict[str, Any] = {"weights": "published" if part.weights is not None else "random"}
    one = images.extractor(part)
    with seconds(found, "seconds for features of both"):
        ours = extract(held, one, what="held-out images", cache=True)[0]
        theirs = extract(others, one, what="other images", cache=True)[0]
    with seconds(found, "seconds for the distance"):
        number = kid(ours, theirs)
    return {**found, "images a side": len(held), "KID x 1000": round(1e3 * number.value, 3)}


if __name__ == "__main__":
    main(measure, __doc__)

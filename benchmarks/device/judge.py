"""How long does judging take? Features per second, and KID between two random halves of the real images."""

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

_MEASURED = ((112, 256), (224, 256), (224, 32))  # pixels a side, images at once


@contextmanager
def seconds(into: dict[str, Any], name: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    into[name] = round(time.perf_counter() - begun, 3)


def measure(part: Part) -> None:
    found: dict[str, Any] = {}
    with part.attempt("data"):
        with seconds(found, "seconds"):
            one_half, other = images.halves(part)
        part.keep("data", {**found, "images a side": len(one_half)})
    with part.attempt("features like the CPU's"):
        part.keep("features like the CPU's", like_the_cpu(part, one_half[: images.batch(part)]))
    with part.attempt("KID"):
        part.keep("KID", distance(part, one_half, other))
    rates: dict[str, float] = {}
    for size, batch in ((112, 8),) if part.quick else _MEASURED:
        if part.left() < 2:
            break
        name = f"mobilenet at {size} px, batch {batch}"
        with part.attempt(name):
            few = one_half[: 16 if part.quick else 4_096 if batch > 32 else 1_024]
            one = replace(images.network(part, size=32 if part.quick else size), batch=batch)
            extract(few[:batch], one, what=name, cache=False)
            begun = time.perf_counter()
            extract(few, one, what=name, cache=False)
            rates[name] = round(len(few) / (time.perf_counter() - begun))
            part.keep("features per second", rates)
    with part.attempt("pixels"):
        begun = time.perf_counter()
        extract(one_half, pixels.build(device=str(part.device)), what="pixels", cache=False)
        rates["pixels"] = round(len(one_half) / (time.perf_counter() - begun))
        part.keep("features per second", rates)


def like_the_cpu(part: Part, some: Any) -> float:
    """The largest difference between both devices' features of a few images, by the largest feature."""
    size = 32 if part.quick else 112
    here, there = (
        extract(some, images.network(part, size=size, device=where), what="a few images", cache=False)[0]
        for where in ("cpu", None)
    )
    return float(np.abs(here - there).max() / np.abs(here).max())


def distance(part: Part, one_half: Any, other: Any) -> dict[str, Any]:
    """Real against real, which is 0 but for the noise of the samples."""
    found: dict[str, Any] = {"weights": "published" if part.weights is not None else "random"}
    one = images.extractor(part)
    with seconds(found, "seconds for features of both"):
        first = extract(one_half, one, what="one half", cache=False)[0]
        second = extract(other, one, what="the other", cache=False)[0]
    with seconds(found, "seconds for the distance"):
        number = kid(first, second)
    assert number.low is not None
    assert number.high is not None
    thousandths = [round(1e3 * value, 2) for value in (number.value, number.low, number.high)]
    return {**found, "images a side": len(one_half), "KID x 1000": thousandths}


if __name__ == "__main__":
    main(measure, __doc__)

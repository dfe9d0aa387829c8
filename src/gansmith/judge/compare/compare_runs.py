"""`gansmith compare`: several generators, each judged by the discriminators of the others and by metrics side by side.

What is asked of each: samples of seeds 0, 1, 2 ..., rounded to 8 bits as the real images are, and real images that were
held out from the training of all. Discriminators run in float32 and evaluation mode, with the weights as saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.evaluation.cross_play import cross_play
from gansmith.evaluation.extract import extract
from gansmith.evaluation.protocol import Protocol, require_same
from gansmith.evaluation.types import Extractor, Metric, Side
from gansmith.judge.compare.comparison import Comparison, Measured, notes
from gansmith.judge.compare.contenders import Contender, Images, open_all, sampled, scores
from gansmith.judge.compare.real_images import Reals, reals
from gansmith.system.device import choose_device
from gansmith.system.progress import bar

__all__ = ["Comparison", "compare"]


def compare(
    runs: Sequence[str | Path],
    *,
    against: str | Path | None = None,
    samples: int = 1000,
    raw: bool = False,
    metrics: Sequence[str] = ("kid",),
    features: str = "pixels",
    weights: str | None = None,
    device: str = "auto",
    trust: bool = False,
) -> Comparison:
    """Judge the generators of `runs` by each other's discriminators, on the data their runs held out or on `against`.

    A run is a folder, or folder@checkpoint. metrics: names of the catalog, may be empty.
    Raises RunError, DataError or GansmithError for runs that cannot be compared.
    """
    if samples < 2:
        raise OptionError(f"samples = {samples} is not allowed: at least 2")
    contenders = open_all(runs, raw=raw, device=device, trust=trust)
    real = reals(contenders, against=against, trust=trust)
    ways = {name: catalog.build("metrics", name, trust=True) for name in metrics}
    names = [one.name for one in contenders]
    if real.points and ways:
        raise OptionError("these are points, not images, and no metric reads them. Ask for none: --metrics none")
    bases = [_protocol(one, real, samples) for one in contenders]
    if ways:
        require_same(bases)
    extractor = _extractor(ways, features, weights, device, trust)
    _check_counts(ways, len(real.images), samples)
    made = {one.name: sampled(one, samples) for one in contenders}
    scores = _scored(contenders, real, made, choose_device(device))
    same = [one.digest for one in contenders]
    play = cross_play(names, [row[0] for row in scores], [row[1:] for row in scores], same=same)
    shared = bases[0] if len({base.averaging for base in bases}) == 1 else replace(bases[0], averaging="mixed")
    return Comparison(
        play=play,
        metrics=_measured(ways, extractor, real, made, dict(zip(names, bases, strict=True))),
        protocol=replace(shared, fake=", ".join(names)),
        notes=notes(play, contenders, real),
    )


def _scored(
    contenders: Sequence[Contender], real: Reals, made: Mapping[str, Images], device: torch.device
) -> list[list[NDArray[np.float32]]]:
    """For each discriminator: its scores of the reals, then of each contender's samples."""
    sets = [real.images, *made.values()]
    table = []
    with bar("scoring", len(contenders) * sum(map(len, sets))) as advance:
        for judge in contenders:
            row = []
            for images in sets:
                row.append(scores(judge.discriminator, images, device))
                advance(len(images), judge.name)
            table.append(row)
    return table


def _extractor(
    ways: Mapping[str, Metric], features: str, weights: str | None, device: str, trust: bool
) -> Extractor | None:
    unmet = [name for name, metric in ways.items() if "labels" in metric.needs]
    if unmet:
        raise OptionError(f"the metric {unmet[0]} needs the classes of the images, and samples have none. Leave it out")
    if not any({"features", "probabilities"} & set(metric.needs) for metric in ways.values()):
        return None
    options = {"device": device, **({} if weights is None else {"weights": weights})}
    extractor: Extractor = catalog.build("features", features, trust=True, **options)
    classless = [name for name, metric in ways.items() if "probabilities" in metric.needs and not extractor.classes]
    if classless:
        raise OptionError(
            f"the metric {classless[0]} needs an extractor with classes, and {extractor.name} has none. "
            f"Choose another with --features"
        )
    return extractor


def _check_counts(ways: Mapping[str, Metric], real: int, samples: int) -> None:
    for name, metric in ways.items():
        if min(real, samples) < metric.least:
            what = f"{real:,} real images" if real < samples else f"{samples:,} samples"
            raise OptionError(
                f"the metric {name} needs at least {metric.least:,} images a side, and there are {what}. "
                f"Leave it out, or give more"
            )


def _measured(
    ways: Mapping[str, Metric],
    extractor: Extractor | None,
    real: Reals,
    made: Mapping[str, Images],
    bases: Mapping[str, Protocol],
) -> dict[str, Measured]:
    if not ways:
        return {}
    known = _side(real.name, real.images, extractor)
    sides = {name: _side(name, images, extractor) for name, images in made.items()}
    found = {}
    for way, metric in ways.items():
        protocols = [base.of(metric.words, features=str(extractor or "")) for base in bases.values()]
        require_same(protocols)
        numbers = {name: metric.measure(known, side) for name, side in sides.items()}
        found[way] = Measured(dict(metric.better), numbers, replace(protocols[0], fake=", ".join(bases)))
    return found


def _side(name: str, images: Images, extractor: Extractor | None) -> Side:
    if extractor is None:
        return Side(name, images)
    features, probabilities = extract(images, extractor, what=f"features of {name}")
    return Side(name, images, features, probabilities)


def _protocol(contender: Contender, real: Reals, samples: int) -> Protocol:
    how = "" if real.points else ", 8 bits"
    return Protocol(
        metric="pairwise accuracy of discriminators",
        features="",
        real=real.name,
        real_count=len(real.images),
        fake_count=samples,
        size=f"{contender.size}{how}",
        averaging=contender.averaging,
        fake=contender.name,
        seeds=f"0-{samples - 1}",
    )

"""`gansmith compare`: several generators, each judged by the discriminators of the others and by metrics side by side.

Each contender gives samples of seeds 0, 1, 2 ..., rounded to 8 bits as the real images are; the real images were held
out of the training of all. Discriminators run in float32 and evaluation mode, with the weights as saved.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import OptionError
from gansmith.evaluation.cross_play import cross_play
from gansmith.evaluation.extract import side_of
from gansmith.evaluation.metric_needs import reads_features, require_classes, require_counts, require_unlabelled
from gansmith.evaluation.protocol import Protocol, require_same
from gansmith.evaluation.types import Extractor, Metric
from gansmith.judge.chosen_extractors import choose, why_chosen
from gansmith.judge.compare.comparison import Comparison, Material, Measured, notes
from gansmith.judge.compare.contenders import Contender, Labelled, open_all, own_networks, sampled, scores
from gansmith.judge.compare.real_images import Reals, reals
from gansmith.system.device import choose_device
from gansmith.system.progress import bar

__all__ = ["Comparison", "compare"]

MOST = 200_000  # samples of a generator: they are held in memory


def compare(
    runs: Sequence[str | Path],
    *,
    against: str | Path | None = None,
    samples: int = 1000,
    raw: bool = False,
    metrics: Sequence[str] = ("kid",),
    features: str = "auto",
    weights: str | None = None,
    device: str = "auto",
    trust: bool = False,
) -> Comparison:
    """Judge the generators of `runs` by each other's discriminators, on the data their runs held out or on `against`.

    A run is a folder, or folder@checkpoint. metrics: names of the catalog, may be empty;  features: of the catalog, or
    auto: the best whose weights are here.
    Raises RunError, DataError or GansmithError for runs that cannot be compared.
    """
    if not 2 <= samples <= MOST:
        raise OptionError(f"samples = {samples} is not allowed: at least 2, at most {MOST:,}")
    catalog.vouch([*metrics, features])  # given by hand
    contenders = open_all(runs, raw=raw, device=device, trust=trust)
    real = reals(contenders, against=against)
    measures: dict[str, Metric] = {name: catalog.build("metrics", name) for name in metrics}
    if real.points and measures:
        raise OptionError("these are points, not images, and no metric reads them. Ask for none: --metrics none")
    protocols = {one.name: _protocol(one, real, samples) for one in contenders}
    if measures:
        require_same(protocols.values())
    labelled = real.labels is not None and all(one.renderer.conditional for one in contenders)
    require_unlabelled(measures, labelled=labelled)
    own = own_networks(contenders)
    extractor = _extractor(measures, features, weights, device=device, trust=trust, own=own)
    require_counts(measures, real=len(real.images), samples=samples)
    generated = {one.name: sampled(one, samples) for one in contenders}
    table = _scored(contenders, real, generated, choose_device(device))
    play = cross_play(
        list(generated),
        [row[0] for row in table],
        [row[1:] for row in table],
        same=[one.digest for one in contenders],
    )
    first, *others = protocols.values()
    mixed = any(one.averaging != first.averaging for one in others)
    return Comparison(
        play=play,
        metrics=_measured(measures, extractor, real, generated, protocols),
        protocol=replace(first, fake=", ".join(generated), averaging="mixed" if mixed else first.averaging),
        notes=(*notes(play, contenders, real), *_judge_words(extractor, contenders)),
        material=Material(contenders, real, generated),
    )


def _scored(
    contenders: Sequence[Contender], real: Reals, generated: Mapping[str, Labelled], device: torch.device
) -> list[list[NDArray[np.float32]]]:
    """For each discriminator: its scores of the real images, then of each contender's samples."""
    sets = [real.side, *generated.values()]
    table = []
    with bar("scoring", len(contenders) * sum(len(side.images) for side in sets)) as advance:
        for contender in contenders:
            row = []
            for side in sets:
                row.append(scores(contender.discriminator.network, side, device))
                advance(len(side.images), contender.name)
            table.append(row)
    return table


def _extractor(
    metrics: Mapping[str, Metric],
    features: str,
    weights: str | None,
    *,
    device: str,
    trust: bool,
    own: Collection[str],
) -> Extractor | None:
    """The extractor that the metrics read; None where none does."""
    if not reads_features(metrics):
        return None
    extractor = choose(features, weights, device=device, trust=trust, own=own)
    require_classes(metrics, extractor)
    return extractor


def _judge_words(extractor: Extractor | None, contenders: Sequence[Contender]) -> list[str]:
    """Which samples were trained on a network, and whether it judges them."""
    own = own_networks(contenders)
    who = ", ".join(one.name for one in contenders if own_networks([one]))
    return [] if extractor is None else why_chosen(extractor, own, f"The samples of {who} were")


def _measured(
    metrics: Mapping[str, Metric],
    extractor: Extractor | None,
    real: Reals,
    generated: Mapping[str, Labelled],
    protocols: Mapping[str, Protocol],
) -> dict[str, Measured]:
    """Every metric on every contender, each beside the same real images."""
    if not metrics:
        return {}
    reference = side_of(real.name, real.images, extractor, labels=real.labels)
    sides = {name: side_of(name, one.images, extractor, labels=one.labels) for name, one in generated.items()}
    table = {}
    for name, metric in metrics.items():
        own = [protocol.of(metric.words, features=str(extractor or "")) for protocol in protocols.values()]
        require_same(own)
        numbers = {contender: metric.measure(reference, side) for contender, side in sides.items()}
        table[name] = Measured(dict(metric.better), numbers, replace(own[0], fake=", ".join(protocols)))
    return table


def _protocol(contender: Contender, real: Reals, samples: int) -> Protocol:
    rounded = "" if real.points else ", 8 bits"
    return Protocol(
        metric="pairwise accuracy of discriminators",
        features="",
        real=real.name,
        real_count=len(real.images),
        fake_count=samples,
        size=f"{contender.discriminator.size}{rounded}",
        averaging=contender.generator.averaging,
        fake=contender.name,
        seeds=f"0-{samples - 1}",
    )

"""The search and the tests that the answer on memorisation rests on: nearest training images, three p values, power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gansmith.evaluation import copy_search, memorisation_tests, planted_copies
from gansmith.evaluation.copy_search import Nearest
from gansmith.evaluation.extract import extract
from gansmith.evaluation.memorisation_tests import Result, Tail
from gansmith.evaluation.types import Evidence, Images
from gansmith.system.seeding import mix

PLANTED = 200  # copies made on purpose


@dataclass(frozen=True)
class Findings:
    """Results of the search and of the tests.

    samples, held_out, planted  nearest training images of the samples, of held-out images, of copies made on purpose
    tail, rank, authenticity  the three tests;  p  of each, corrected for there being three
    power  {share: probability} of noticing that share of clean copies;  rough  of copies with the flaws of the samples
    twins  held-out images as near to a training image as a planted copy
    apart  how far held-out images lie from the training images, over how far these lie from each other
    """

    samples: Nearest
    held_out: Nearest
    planted: Nearest
    tail: Tail
    rank: Result
    authenticity: Result
    p: tuple[float, float, float]
    power: dict[float, float]
    rough: dict[float, float]
    twins: int
    apart: float = 1.0


def distinct(samples: Images, radius: float, evidence: Evidence) -> Images:
    """Images without those that lie within `radius` of one before them: repeats of one image are one observation."""
    rows = extract(samples, evidence.copies, what="the samples among themselves", cache=False)[0]
    features = torch.from_numpy(rows)
    kept: list[int] = []
    for index in range(len(samples)):
        if not kept or float((features[kept] - features[index]).square().sum(1).min()) > radius**2:
            kept.append(index)
    different: Images = samples[np.array(kept)]
    return different


def run_tests(samples: Images, held_out: Nearest, train: Images, evidence: Evidence) -> Findings:
    """Samples [N, H, W, C], the nearest training images of held-out images, and the training images -> findings."""
    extractor, seed = evidence.copies, evidence.seed
    near = copy_search.search(samples, train, extractor, what="the samples")
    planted = copy_search.search(_planted(train, seed), train, extractor, what="planted copies")
    sources = np.unique(np.concatenate([near.source, held_out.source]))
    own = copy_search.search(train[sources], train, extractor, what="their nearest training images", own=sources)
    neighbours = np.full(len(train), np.inf)
    neighbours[sources] = own.distance
    tail = memorisation_tests.tail(near.nearness, held_out.nearness)
    # Differs: Meehan and others rank distances. Nearness is not fooled by smooth images, which are near to everything.
    rank = memorisation_tests.rank(near.nearness, held_out.nearness)
    authenticity = memorisation_tests.authenticity(
        near.distance, neighbours[near.source], held_out.distance, neighbours[held_out.source]
    )
    first, second, third = memorisation_tests.holm([tail.p, rank.p, authenticity.p])
    return Findings(
        near,
        held_out,
        planted,
        tail,
        rank,
        authenticity,
        (first, second, third),
        _power(planted.nearness, held_out, near, seed),
        _power(roughened(planted, near, held_out), held_out, near, seed),
        int((held_out.nearness <= np.quantile(planted.nearness, 0.9)).sum()),
        float(np.median(held_out.distance) / max(np.median(own.distance), 1e-9)),
    )


def roughened(planted: Nearest, samples: Nearest, held_out: Nearest) -> NDArray[np.float64]:
    """[N]: the nearness of planted copies, had they the flaws of the samples.

    A flaw of its own, independent of everything, adds its square to every squared distance. How large it is, is taken
    from how much farther the samples lie than the held-out images: the difference of the median squares.
    """
    flaw = max(0.0, float(np.median(samples.distance**2) - np.median(held_out.distance**2)))
    below = planted.scale**2 + flaw
    return np.sqrt(np.divide(planted.distance**2 + flaw, below, out=np.zeros_like(below), where=below > 0))


def _power(planted: NDArray[np.float64], held_out: Nearest, samples: Nearest, seed: int) -> dict[float, float]:
    """The smaller of two: with honest samples like the held-out images, and like these samples, which may be farther
    away from everything, so that fewer of them help a few copies to be noticed."""
    first, second = (
        memorisation_tests.power(planted, held_out.nearness, n=len(samples.source), seed=seed, honest=honest)
        for honest in (None, samples.nearness)
    )
    return {share: min(noticed, second[share]) for share, noticed in first.items()}


def _planted(train: Images, seed: int) -> Images:
    """PLANTED copies of training images, equally many of every kind."""
    rng = np.random.default_rng(mix(seed, "memorisation", "planted"))
    kinds = list(planted_copies.KINDS)
    sources = rng.choice(len(train), PLANTED, replace=len(train) < PLANTED)
    return np.concatenate(
        [planted_copies.plant(train[sources[place :: len(kinds)]], kind, seed=seed) for place, kind in enumerate(kinds)]
    )

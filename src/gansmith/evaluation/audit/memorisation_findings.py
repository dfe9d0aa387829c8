"""The search and the tests that the answer on memorisation rests on: nearest training images, p values, power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gansmith.data.subsets import random_subset
from gansmith.evaluation import intervals, memorisation_tests, planted_copies
from gansmith.evaluation.audit.memorisation_control import Control, control
from gansmith.evaluation.audit.memorisation_repeats import Repeats, leaders, repeats, together
from gansmith.evaluation.blends import Blends, affordable
from gansmith.evaluation.copy_search import Nearest, Search
from gansmith.evaluation.extract import extract
from gansmith.evaluation.memorisation_tests import DEEPEST, LEVEL, Result, Tail
from gansmith.evaluation.types import Evidence, Images
from gansmith.system.seeding import mix

PLANTED = 32  # copies of each kind, made on purpose
SAME = 0.5  # of the usual distance to the nearest training image: samples nearer to each other are one image
BLENDED = 0.3  # nearness to the mean of two training images above which no sample is a blend: smooth ones come to .4
COPIED = 0.95  # of the planted copies lie below the nearness from where on nothing is called a copy
_REPEATS = 500  # simulated audits: the standard error of a probability is .02 at most
_OWN = 300  # training images, at least, that are compared with the others

Power = dict[float, float]  # {share of copies: probability of noticing it}


@dataclass(frozen=True)
class Findings:
    """Results of the search and of the tests.

    near     nearest training images of all samples;  samples  those of different samples, each once
    held_out, planted  of held-out images, and of copies made on purpose
    control  held-out images beside training images among themselves;  repeats  groups of samples that are one image
    tail, rank, authenticity, blended  the four tests: of single samples, of all together, of authenticity, of blends
    p        of tail, rank and blended, corrected for there being three
    confirmed  single samples, and repeated ones, are nearer than training images are to each other, too
    copies   (share of all samples that are copies, low, high)
    power    of the worst kind that the search undoes;  kinds  of each kind;  rough  of copies as flawed as the samples
    twins    held-out images as near to a training image as a planted copy
    """

    near: Nearest
    samples: Nearest
    held_out: Nearest
    planted: Nearest
    control: Control
    repeats: Repeats
    tail: Tail
    rank: Result
    authenticity: Result
    blended: Tail
    blends: Blends
    p: tuple[float, float, float]
    confirmed: tuple[bool, bool]
    copies: tuple[float, float, float]
    power: Power
    kinds: dict[str, Power]
    rough: Power
    twins: int

    @property
    def worst(self) -> str:
        """The kind of copies that is noticed least."""
        return min(self.kinds, key=lambda kind: sum(self.kinds[kind].values()))


def run_tests(samples: Images, held_out: Images, train: Images, evidence: Evidence) -> Findings:
    """Samples [N, H, W, C], held-out and training images -> findings."""
    seed, search = evidence.seed, Search(train, evidence.copies)
    held = search.nearest(held_out, what="the held-out images")
    near = search.nearest(samples, what="the samples")
    sources, rows = _planted(len(train), seed), list(planted_copies.KINDS)
    copies = [planted_copies.plant(train[each], kind, seed=seed) for kind, each in zip(rows, sources, strict=True)]
    planted = search.nearest(np.concatenate(copies), what="planted copies")
    own, neighbours = _own(search, near, held, seed)
    repeated = _repeats(samples, held_out, near, held, evidence)
    single = near.of(repeated.different)
    floor = float(np.quantile([*planted.nearness, *roughened(planted, single, held)], COPIED))
    tail = memorisation_tests.tail(_clipped(single, floor), _clipped(held, floor))
    # Differs: Meehan and others rank distances. Nearness is not fooled by smooth images, which are near to everything.
    rank = memorisation_tests.rank(single.nearness, held.nearness)
    authenticity = memorisation_tests.authenticity(
        single.distance, neighbours[single.source], held.distance, neighbours[held.source]
    )
    first = affordable(max(len(samples), len(held_out)), 2 * len(train))
    between = search.blends(samples, first=first)
    between_held = search.blends(held_out, first=first)
    blended = memorisation_tests.tail(_floored(between)[repeated.different], _floored(between_held))
    family = memorisation_tests.holm([tail.p, rank.p, blended.p])
    middle = [np.median(near.nearness[repeated.leader == group]) for group in repeated.groups]
    alone = memorisation_tests.tail(_clipped(single, floor), _clipped(own, floor)).p <= LEVEL
    chance = [(1 + (own.nearness <= value).sum()) / (1 + len(own.nearness)) for value in middle]
    again = together(chance, len(own.nearness)) <= LEVEL
    kinds, rough = _power(planted, held, single, seed=seed, floor=floor)
    return Findings(
        near=near,
        samples=single,
        held_out=held,
        planted=planted,
        control=control(held, own, evidence.ruler),
        repeats=repeated,
        tail=tail,
        rank=rank,
        authenticity=authenticity,
        blended=blended,
        blends=between,
        p=(family[0], family[1], family[2]),
        confirmed=(alone, again),
        copies=share_of_copies(near, held, repeated if again else repeated._replace(p=1.0), planted, floor),
        power={share: min(kinds[kind][share] for kind in planted_copies.UNDONE) for share in rough},
        kinds=kinds,
        rough=rough,
        twins=int((held.nearness <= np.quantile(planted.nearness[: len(planted_copies.UNDONE) * PLANTED], 0.9)).sum()),
    )


def share_of_copies(
    near: Nearest, held: Nearest, repeated: Repeats, planted: Nearest | None = None, floor: float = 1.0
) -> tuple[float, float, float]:
    """(share of all samples that are copies, low, high), each image weighed by how often it is made.

    Repeated images that lie on a training image are copies, all their samples; of those made once `tail` estimates the
    share. The upper end takes every sample below the last place of the tail for a copy, and as many more as planted
    copies lie above it.
    """
    n = len(repeated.leader)
    count = repeated.copies if repeated.p <= LEVEL else 0
    share, low = count / n, intervals.share(count, n)[0]
    single = repeated.singles
    if len(single):
        tail = memorisation_tests.tail(_clipped(near.of(single), floor), _clipped(held, floor))
        weight = float(np.isin(repeated.leader, single).mean())
        share, low = share + weight * tail.share, low + weight * tail.low
    last = np.sort(held.nearness)[max(1, int(len(held.nearness) * DEEPEST)) - 1]
    seen = 1.0 if planted is None else float((planted.nearness < last).mean())
    high = min(1.0, intervals.share(int((near.nearness < last).sum()), n)[1] / max(seen, 1e-9))
    return min(max(share, low), max(high, low)), low, max(high, low)


def roughened(planted: Nearest, samples: Nearest, held_out: Nearest) -> NDArray[np.float64]:
    """[N]: the nearness of planted copies, had they the flaws of the samples.

    A flaw of its own, independent of everything, adds its square to every squared distance. How large it is, is taken
    from how much farther the samples lie than the held-out images: the difference of the median squares.
    """
    flaw = max(0.0, float(np.median(samples.distance**2) - np.median(held_out.distance**2)))
    below = planted.scale**2 + flaw
    return np.sqrt(np.divide(planted.distance**2 + flaw, below, out=np.zeros_like(below), where=below > 0))


def _planted(train: int, seed: int) -> list[NDArray[np.int64]]:
    """PLANTED training images for each kind of copies."""
    rng = np.random.default_rng(mix(seed, "memorisation", "planted"))
    chosen = rng.choice(train, (len(planted_copies.KINDS), PLANTED))
    return list(chosen)


def _own(search: Search, near: Nearest, held: Nearest, seed: int) -> tuple[Nearest, NDArray[np.float64]]:
    """Nearest others of training images drawn at random, and the distance of every source to its nearest other."""
    train = len(search.train)
    rng = np.random.default_rng(mix(seed, "memorisation", "own"))
    drawn = random_subset(train, min(train, max(_OWN, len(held.source))), rng)
    sources = np.union1d(np.union1d(near.source, held.source), drawn)
    others = search.nearest(search.train[sources], what="training images among themselves", own=sources)
    distances = np.full(train, np.inf)
    distances[sources] = others.distance
    places = np.searchsorted(sources, drawn)
    return others.of(places), distances


def _repeats(samples: Images, held_out: Images, near: Nearest, held: Nearest, evidence: Evidence) -> Repeats:
    """Groups of samples that are one image."""
    radius = SAME * float(np.median(held.distance))
    made, real = (
        leaders(extract(images, evidence.copies, what="images among themselves", cache=False)[0], radius)
        for images in (samples, held_out)
    )
    natural = float(np.unique(real, return_counts=True)[1].max() / len(real))
    return repeats(made, near.nearness, held.nearness, natural if natural > 1 / len(real) else 0.0)


def _clipped(near: Nearest, floor: float) -> NDArray[np.float64]:
    """Nearness where copies lie; whatever is farther counts as equally far, and ties make the test careful. Images that
    are merely smooth are a little nearer than others, all of them, and are no copies."""
    return np.minimum(near.nearness, floor)


def _floored(between: Blends) -> NDArray[np.float64]:
    """Nearness to a mean of two, 1 for whatever is no blend for sure: ties make the test careful."""
    return np.where(between.nearness < BLENDED, between.nearness, 1.0)


def _power(
    planted: Nearest, held: Nearest, samples: Nearest, *, seed: int, floor: float
) -> tuple[dict[str, Power], Power]:
    """Power for each kind, and for the kinds that the search undoes, as flawed as the samples.

    The smaller of two: with honest samples like the held-out images, and like these samples, which may be farther away
    from everything, so that fewer of them help a few copies to be noticed.
    """
    values = _clipped(planted, floor)
    rough = roughened(planted, samples, held)[: len(planted_copies.UNDONE) * PLANTED]
    tried = {kind: values[place * PLANTED :][:PLANTED] for place, kind in enumerate(planted_copies.KINDS)}
    tried[""] = np.minimum(rough, floor)
    first, second = (
        memorisation_tests.powers(
            tried, _clipped(held, floor), n=len(samples.source), seed=seed, honest=honest, repeats=_REPEATS
        )
        for honest in (None, _clipped(samples, floor))
    )
    least = {
        kind: {share: min(noticed, second[kind][share]) for share, noticed in each.items()}
        for kind, each in first.items()
    }
    return {kind: each for kind, each in least.items() if kind}, least[""]

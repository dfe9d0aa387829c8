"""Are the samples copies of the training images? Three tests, what they could have seen, and the nearest pairs.

The verdict is "bad" only when the lower tail of `evaluation.memorisation` stands out: single samples that are nearer to
one training image than almost any image that was never trained on. C_T alone, a shift of all samples together, makes it
"cannot tell", and authenticity alone changes nothing: both also answer to images that are merely smooth, which lie near
to many training images at once. "good" needs power: 5 % of clean copies would have been noticed, and 20 % of copies as
flawed as the samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from gansmith.errors import DataError
from gansmith.evaluation import copy_search, memorisation_tests
from gansmith.evaluation.audit import plots
from gansmith.evaluation.audit.sheets import picture
from gansmith.evaluation.copy_search import Nearest
from gansmith.evaluation.extract import extract
from gansmith.evaluation.memorisation_tests import LEVEL, Result, Tail
from gansmith.evaluation.number_format import number
from gansmith.evaluation.types import Answer, Evidence, Figure, Images, Number, Side, Verdict
from gansmith.system.seeding import mix

ASKED = 0.05  # the share of copies that must have been noticed before "good" is said
ROUGH = 0.2  # the share of rough copies, as flawed as the samples, that must have been noticed as well
ENOUGH = 0.8  # with this probability
SAME = 0.5  # of the usual distance to the nearest training image: samples nearer to each other are one picture
APART = 2.5  # times as far from the training images as they are from each other: images of another kind
MOST = 2000  # samples, and held-out images, that are looked up
PAIRS = 30_000_000  # times training images: a few minutes of one processor core at most
FEWEST = 20  # held-out images
SET_ASIDE = 0.25  # of the training images, where none are held out
PLANTED = 200
_SHOWN = 12  # pairs on a picture
_LEGIBLE = 64  # pixels a side of each, about: smaller ones are enlarged by a whole factor


@dataclass(frozen=True)
class Found:
    """All that the answer rests on.

    p      of tail, C_T and authenticity, corrected for there being three tests
    power  {share: probability} for clean copies;  rough: for copies with the flaws of the samples
    twins  held-out images as near to a training image as a planted copy
    apart  how far held-out images lie from the training images, over how far these lie from each other
    """

    samples: Nearest
    held: Nearest
    planted: Nearest
    tail: Tail
    rank: Result
    authenticity: Result
    p: tuple[float, float, float]
    power: dict[float, float]
    rough: dict[float, float]
    twins: int
    apart: float = 1.0


def answer(evidence: Evidence) -> Answer:
    """The answer to "memorisation", from images and the copy-sensitive extractor.

    Raises DataError for sides without images or of unequal shape, or fewer than two training images.
    """
    train, held, notes = _real(evidence)
    made = _made(evidence)
    most = max(FEWEST, min(MOST, PAIRS // len(train)))
    made = _some(made, most, evidence.seed, "samples")
    held = _some(held, most, evidence.seed, "held out")
    protocol = evidence.base.of(
        f"memorisation(nearness to {copy_search.RANK}; tail, C_T, authenticity)",
        features=str(evidence.copies),
        real_count=len(train),
        fake_count=len(made),
    )
    if len(held) < FEWEST:
        return Answer(
            "memorisation",
            "cannot tell",
            f"{len(held)} held-out images are too few to know how near images that are no copies come: "
            f"at least {FEWEST} are needed.",
            "copies",
            {},
            protocol,
            advice=("hold more images out (--holdout), and train again", "give real images never trained on"),
        )
    null = copy_search.search(held, train, evidence.copies, what="the held-out images")
    count, made = len(made), distinct(made, SAME * float(np.median(null.distance)), evidence)
    if len(made) < count:
        notes = (
            *notes,
            f"Of {count:,} samples {len(made):,} are different pictures; what is repeated was counted once: the test "
            f"is about independent images.",
        )
    found = look(made, null, train, evidence)
    verdict = judge(found)
    return Answer(
        "memorisation",
        verdict,
        _sentence(verdict, found),
        "copies",
        _numbers(found),
        protocol,
        details=(*_details(found), *notes),
        advice=_advice(verdict, found),
        figures=_figures(found, made, held, train),
    )


def distinct(made: Images, radius: float, evidence: Evidence) -> Images:
    """Images without those that lie within `radius` of one before them: repeats of one picture are one observation."""
    features = torch.from_numpy(extract(made, evidence.copies, what="the samples among themselves", cache=False)[0])
    kept: list[int] = []
    for index in range(len(made)):
        if not kept or float((features[kept] - features[index]).square().sum(1).min()) > radius**2:
            kept.append(index)
    chosen: Images = made[np.array(kept)]
    return chosen


def look(made: Images, null: Nearest, train: Images, evidence: Evidence) -> Found:
    """Search and test: samples [N, H, W, C], and what was found for held-out images, against the training images."""
    extractor, seed = evidence.copies, evidence.seed
    samples = copy_search.search(made, train, extractor, what="the samples")
    planted = copy_search.search(_planted(train, seed), train, extractor, what="planted copies")
    sources = np.unique(np.concatenate([samples.source, null.source]))
    own = copy_search.search(train[sources], train, extractor, what="their nearest training images", own=sources)
    neighbours = np.full(len(train), np.inf)
    neighbours[sources] = own.distance
    tail = memorisation_tests.tail(samples.nearness, null.nearness)
    # Differs: Meehan and others rank distances. Nearness is not fooled by smooth images, which are near to everything.
    rank = memorisation_tests.rank(samples.nearness, null.nearness)
    authenticity = memorisation_tests.authenticity(
        samples.distance, neighbours[samples.source], null.distance, neighbours[null.source]
    )
    first, second, third = memorisation_tests.holm([tail.p, rank.p, authenticity.p])
    return Found(
        samples,
        null,
        planted,
        tail,
        rank,
        authenticity,
        (first, second, third),
        _power(planted.nearness, null, samples, seed),
        _power(roughened(planted, samples, null), null, samples, seed),
        int((null.nearness <= np.quantile(planted.nearness, 0.9)).sum()),
        float(np.median(null.distance) / max(np.median(own.distance), 1e-9)),
    )


def roughened(planted: Nearest, samples: Nearest, held: Nearest) -> NDArray[np.float64]:
    """[N]: the nearness of planted copies, had they the flaws of the samples.

    A flaw of its own, independent of everything, adds its square to every squared distance. How large it is, is taken
    from how much farther the samples lie than the held-out images: the difference of the median squares.
    """
    flaw = max(0.0, float(np.median(samples.distance**2) - np.median(held.distance**2)))
    below = planted.scale**2 + flaw
    return np.sqrt(np.divide(planted.distance**2 + flaw, below, out=np.zeros_like(below), where=below > 0))


def _power(planted: NDArray[np.float64], held: Nearest, samples: Nearest, seed: int) -> dict[float, float]:
    """The smaller of two: with honest samples like the held-out images, and like these samples, which may be farther
    away from everything, so that fewer of them help a few copies to be noticed."""
    first, second = (
        memorisation_tests.power(planted, held.nearness, n=len(samples.source), seed=seed, honest=honest)
        for honest in (None, samples.nearness)
    )
    return {share: min(noticed, second[share]) for share, noticed in first.items()}


def judge(found: Found) -> Verdict:
    """Bad by the lower tail only; good only with power, and when all samples together are not nearer either."""
    if found.apart > APART:
        return "cannot tell"
    if found.p[0] <= LEVEL:
        return "bad"
    seen = found.p[1] > LEVEL and found.power[ASKED] >= ENOUGH and found.rough[ROUGH] >= ENOUGH
    return "good" if seen else "cannot tell"


def _real(evidence: Evidence) -> tuple[Images, Images, tuple[str, ...]]:
    """Training images, images that take the place of unseen ones, and what is to be said about them."""
    train = _images(evidence.train)
    if evidence.holdout is not None:
        return train, _images(evidence.holdout), ()
    rng = np.random.default_rng(mix(evidence.seed, "memorisation", "set aside"))
    order = rng.permutation(len(train))
    count = int(len(train) * SET_ASIDE)
    return (
        train[np.sort(order[count:])],
        train[np.sort(order[:count])],
        (
            f"No images were held out. {count:,} of the {len(train):,} training images took their place: copies of "
            f"those were not looked for, and make the others harder to tell.",
        ),
    )


def _made(evidence: Evidence) -> Images:
    """The samples of all repeats."""
    every = [_images(side) for side in evidence.fakes]
    if not sum(map(len, every)):
        raise DataError("there are no samples to look for copies among: give at least one (--samples)")
    shapes = sorted({images.shape[1:] for images in every})
    if len(shapes) > 1:
        raise DataError(f"the samples are of several shapes, {shapes[:4]}: bring them to one size first")
    return np.concatenate(every)


def _images(side: Side) -> Images:
    if side.images is None:
        raise DataError(
            f"copies are looked for in images, and of {side.name} there are none: give the images themselves"
        )
    return side.images


def _some(images: Images, most: int, seed: int, which: str) -> Images:
    if len(images) <= most:
        return images
    rng = np.random.default_rng(mix(seed, "memorisation", which))
    return images[np.sort(rng.choice(len(images), most, replace=False))]


def _planted(train: Images, seed: int) -> Images:
    """PLANTED copies of training images, of every kind alike."""
    rng = np.random.default_rng(mix(seed, "memorisation", "planted"))
    kinds = list(copy_search.KINDS)
    chosen = rng.choice(len(train), PLANTED, replace=len(train) < PLANTED)
    return np.concatenate(
        [copy_search.plant(train[chosen[place :: len(kinds)]], kind, seed=seed) for place, kind in enumerate(kinds)]
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def _sentence(verdict: Verdict, found: Found) -> str:
    tail, noticed = found.tail, found.power[ASKED]
    if found.apart > APART:
        return (
            f"The held-out images lie {found.apart:.1f} times as far from the training images as these from each "
            f"other: they are of another kind, and say nothing about how near images come that are no copies."
        )
    if verdict == "bad":
        return (
            f"Some are: {tail.below:,} of {len(found.samples.source):,} samples lie nearer to one training image than "
            f"almost any image that was never trained on, where chance gives {number(round(tail.expected, 1))}."
        )
    if found.p[1] <= LEVEL:
        return (
            "No single copies stand out, but all samples together lie nearer to single training images than images "
            "that were never trained on."
        )
    if verdict == "good":
        return (
            f"No copies were found, mirrored or moved by two pixels either; {_percent(ASKED)} of copies would have "
            f"been noticed with probability {noticed:.2f}, and {_percent(ROUGH)} of rough ones, as flawed as these "
            f"samples are, with {found.rough[ROUGH]:.2f}."
        )
    if noticed >= ENOUGH:
        return (
            f"No clean copies were found ({_percent(ASKED)} would have been noticed with probability {noticed:.2f}), "
            f"but rough ones, as flawed as these samples are, cannot be told from the other samples: not even were "
            f"{_percent(ROUGH)} of the samples such."
        )
    return (
        f"No copies were found, but little would have been: {_percent(ASKED)} of copies only with probability "
        f"{noticed:.2f}, with {len(found.samples.source):,} samples and {len(found.held.source):,} held-out images."
    )


def _most(found: Found) -> float:
    """The largest share of copies there may be: what the tail allows, and never less than what would be noticed."""
    noticed = [share for share, probability in found.power.items() if probability >= 0.95]
    return max(found.tail.high, min(noticed, default=1.0))


def _numbers(found: Found) -> dict[str, Number]:
    tail = found.tail
    numbers = {
        "copies": Number(
            tail.share, tail.low, _most(found), "share of the samples that are copies: at most, what would be noticed"
        ),
        "p_value_lower_tail": Number(found.p[0], means="chance of so many near samples, were none a copy"),
        "c_t": Number(found.rank.value, means="all samples against held-out images: far below 0 when nearer"),
        "p_value_c_t": Number(found.p[1], means="chance of such a shift of all samples, were none a copy"),
        "authentic_samples": Number(1 - found.authenticity.value, means="share of the samples that are authentic"),
        "authentic_held_out": Number(1 - found.authenticity.usual, means="the same of images never trained on"),
        "p_value_authenticity": Number(found.p[2], means="chance of so few authentic samples, were none a copy"),
        "held_out_twins": Number(found.twins, means="held-out images as near to a training image as a planted copy"),
    }
    for share, noticed in found.power.items():
        name = f"power_at_{100 * share:g}_percent"
        numbers[name] = Number(noticed, means=f"probability of noticing {100 * share:g} % of clean copies")
        means = f"probability of noticing {100 * share:g} % of copies as flawed as the samples"
        numbers[f"{name}_if_rough"] = Number(found.rough[share], means=means)
    return numbers


def _details(found: Found) -> tuple[str, ...]:
    tail, least = found.tail, [share for share, noticed in found.power.items() if noticed >= ENOUGH]
    said, rough = (
        ", ".join(f"{_percent(share)} with {noticed:.2f}" for share, noticed in power.items())
        for power in (found.power, found.rough)
    )
    details = [
        f"Nearness is the distance to the nearest training image over that to the {copy_search.RANK}th nearest: 0 is a "
        f"copy, 1 is no nearer to one than to others. Below {tail.limit:.2f} lie {tail.place:,} of "
        f"{len(found.held.source):,} held-out images and {tail.below:,} of {len(found.samples.source):,} samples.",
        f"Copies are about {_percent(tail.share)} of the samples ({_percent(tail.low)} to {_percent(_most(found))}).",
        f"Judged by copies planted on purpose (mirrored, moved, re-compressed, relit), it would have noticed {said}.",
        f"Of copies that are as flawed as these samples it would have noticed {rough}.",
        f"{len(found.held.source):,} held-out images and {len(found.samples.source):,} samples are too few to see less "
        f"than about {_percent(min(least))} of copies."
        if least
        else "So few images, or such ones, cannot show even one copy in five samples.",
    ]
    if found.twins > 0.01 * len(found.held.source):
        details.append(
            f"{found.twins:,} of {len(found.held.source):,} held-out images are as near to a training image as a copy: "
            f"the same pictures lie on both sides, and copies hide among them."
        )
    if found.p[2] <= LEVEL and found.p[0] > LEVEL:
        details.append(
            "Fewer samples than held-out images are authentic. Smooth or noisy images do that without any copying, so "
            "the verdict does not rest on it."
        )
    details.append("Copies of parts of images, of their style, or of more than two pixels' move cannot be seen here.")
    return tuple(details)


def _advice(verdict: Verdict, found: Found) -> tuple[str, ...]:
    if verdict == "bad":
        return (
            "look at the nearest pairs: are these the same pictures?",
            "train on more images, or mirror them (--flip)",
            "stop earlier, or take an earlier checkpoint: copies come late",
            "do not publish the samples if the training images are private",
        )
    if verdict == "good":
        return ()
    advice = ["look at the nearest pairs: are these the same pictures?"]
    if found.twins > 0.01 * len(found.held.source):
        advice.append("hold out whole groups of similar images, so that none has a twin that is trained on")
    if found.power[ASKED] >= ENOUGH > found.rough[ROUGH]:
        advice.append("train on until the samples are cleaner, then ask again: rough copies are hard to tell")
    return (*advice, "give more samples (--samples 2000)", "hold more images out (--holdout), and train again")


def _figures(found: Found, made: Images, held: Images, train: Images) -> tuple[Figure, ...]:
    groups = {
        "samples": found.samples.nearness.tolist(),
        "held-out images": found.held.nearness.tolist(),
        "planted copies": found.planted.nearness.tolist(),
    }
    curves = {
        name: [(100 * share, noticed) for share, noticed in power.items()]
        for name, power in (("clean copies", found.power), ("as flawed as the samples", found.rough))
    }
    return (
        Figure(
            "The samples that come nearest to a training image (above), nearest first, and below each that training "
            "image. A copy may be mirrored or moved.",
            image=_pairs(found.samples, made, train),
        ),
        Figure(
            "For comparison, the same of real images that were never trained on: how near images come that are "
            "certainly no copies.",
            image=_pairs(found.held, held, train),
        ),
        Figure(
            "How near to a single training image: 0 is a copy, 1 no nearer to one than to five. Samples that copy "
            "nothing lie where the held-out images lie, or to the right of them.",
            svg=plots.histogram(groups, x="nearness", marks={"the limit of the test": found.tail.limit}),
        ),
        Figure(
            "How likely copies would have been noticed, by how many of the samples are copies.",
            svg=plots.lines(curves, x="copies among the samples (%)", y="probability of noticing them", log_x=True),
        ),
    )


def _pairs(found: Nearest, queries: Images, train: Images) -> Image.Image:
    order: NDArray[np.int64] = np.lexsort((found.distance, found.nearness))[:_SHOWN]
    both = np.concatenate([queries[order], train[found.source[order]]])
    times = max(1, _LEGIBLE // both.shape[1])
    return picture(both.repeat(times, axis=1).repeat(times, axis=2), columns=len(order))

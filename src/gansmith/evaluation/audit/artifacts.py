"""Do the images carry traces of the network? A checkerboard, fine detail missing or too much, one grain over all.

The two measures of `metrics.spectrum`, each against its own null distribution: real images against real images, drawn
again and again in the same numbers, so that both together call clean images bad in at most one audit of twenty. A
checkerboard must also stand out from the other frequencies of the same images: where the spectrum is irregular
everywhere, as that of a few images is, a high value on the grid is no grid. What is beyond chance and still weak is
not called a trace: a checkerboard below 2 decibels (1.6 times), fine detail within 1 (what a blur of 0.4 pixels takes).
Neither is what nobody can see (`artifacts_visible`).
A trace must also be there beside the real images most like each sample (`artifacts_matched`): else it belongs to the
kinds of images that are made, and whether all kinds are made is another question.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gansmith.errors import DataError
from gansmith.evaluation.audit import artifacts_figures as figures
from gansmith.evaluation.audit import artifacts_words as words
from gansmith.evaluation.audit.artifacts_matched import Limits, grain_of, matched, neighbours_of, weigh
from gansmith.evaluation.audit.artifacts_visible import visible
from gansmith.evaluation.audit.artifacts_words import Traces, Weighed
from gansmith.evaluation.audit.reference_split import random_subset
from gansmith.evaluation.metrics.spectrum import (
    Readings,
    compare,
    elsewhere,
    pair,
    readings,
    resampled,
    sites,
)
from gansmith.evaluation.types import Answer, Evidence, Images, Number, Side, Verdict
from gansmith.system.seeding import mix

LEVEL = 0.025  # of each of the two tests: 5 % together
GRID, FINE = 2.0, 1.0  # decibels: weaker ones are not called traces
GRAIN = 1.5  # decibels: how irregular the spectrum of some fifteen real images is
WIDE = 1.5  # times the decibels above: where an interval reaches further either way, a clean result says nothing
SMALLEST = 16  # pixels a side: below, period 4 cannot be told from the motif itself
FEWEST = 50  # images a side
EMPTY = 1.0  # grey levels of deviation within an image: below, a spectrum is that of rounding
MOST = 5000  # images a side that are read: chance is then below half a decibel


def answer(evidence: Evidence) -> Answer:
    """The answer to "artifacts", from images alone. Raises DataError for sides without images or of unequal size."""
    real_side, made_side = _random_subset(evidence.train, evidence.seed), _samples(evidence)
    train, samples = pair(_images(real_side), _images(made_side))
    protocol = evidence.base.of(
        "artifacts(spectrum: grey, hann)", features="", real_count=len(train), fake_count=len(samples)
    )
    problem = _unable(train, samples)
    if problem:
        return Answer("artifacts", "cannot tell", problem, "checkerboard", {}, protocol)
    real, fake = readings(train), readings(samples)
    if not elsewhere(fake.peaks).size:
        problem = words.no_frequency_off_the_grid(train.shape[1], train.shape[2])
        return Answer("artifacts", "cannot tell", problem, "checkerboard", {}, protocol)
    bounds, notes = _bounds(evidence.holdout, real, len(samples), evidence.seed)
    numbers = _numbers(real, fake, bounds, evidence.seed)
    excess = fake.grid.mean(axis=0) - real.grid.mean(axis=0)
    site, patterned = int(excess.argmax()), np.flatnonzero(excess > GRID).tolist()
    period = sites(*train.shape[1:3])[site][0]
    seen = visible(find_traces(numbers, period), train, samples, patterned, evidence.seed)
    numbers |= seen.numbers
    weighed = Weighed(seen.traces)
    neighbours = neighbours_of(evidence, real_side, made_side) if weighed.traces else None
    if neighbours is not None:
        beside = matched(train, real, fake, neighbours, site=site, seed=evidence.seed)
        numbers |= beside.numbers()
        sure = 1 if evidence.directions else 2  # the nearest by pixels are less surely of the same kind
        weighed = weigh(weighed.traces, beside, Limits(GRID, FINE), grain=GRAIN, sure=sure)
    weighed = weighed._replace(unseen=seen.unseen)
    unsure = _reach(numbers["checkerboard"]) > WIDE * GRID or _reach(numbers["high_frequencies"]) > WIDE * FINE
    traces = weighed.traces
    verdict: Verdict = "bad" if traces else "cannot tell" if unsure or weighed.untold else "good"
    return Answer(
        "artifacts",
        verdict,
        words.sentence(verdict, weighed, _faint(numbers), numbers),
        _headline(weighed),
        numbers,
        protocol,
        details=(*_details(numbers, bounds, period), *words.beside(numbers), *notes, words.UNSEEN),
        figures=(figures.spectra(train, samples), figures.peaks(real, fake), figures.pattern(train, samples)),
    )


def _headline(weighed: Weighed) -> str:
    """The number that the verdict mainly rests on."""
    traces = weighed.traces
    named = {*weighed.kinds, *weighed.untold, *weighed.unseen}
    if traces.checkerboard is None and (traces.fine is not None or (not traces and "fine detail" in named)):
        return "high_frequencies"
    return "shared_grain" if traces.grain else "checkerboard"


def _details(numbers: Mapping[str, Number], bounds: Limits, period: int) -> tuple[str, str]:
    grid, fine, others = (
        numbers[name].value for name in ("checkerboard", "high_frequencies", "checkerboard_elsewhere")
    )
    return (
        f"A pattern that repeats every {period} pixels is {words.stronger(grid)} than in the real images. By "
        f"chance it would be up to {bounds.checkerboard:.1f}, at other frequencies of the same images it is up to "
        f"{others:.1f}, and below {GRID:g} it is not called a trace.",
        f"The finest detail has {words.more(fine)} than that of the real images. By chance it would be up to "
        f"{bounds.high_frequencies:.1f} either way, and within {FINE:g} it is not called a trace.",
    )


def limits(pool: Readings, real_count: int, fake_count: int, *, seed: int = 0) -> Limits:
    """The null distribution, each limit kept with probability 1 - LEVEL: `fake_count` images of the pool against
    `real_count` of it, drawn again and again."""
    rng = np.random.default_rng(mix(seed, "artifacts"))
    values = np.column_stack([pool.grid, pool.fine])
    chance = resampled(values, rng, count=fake_count) - resampled(values, rng, count=real_count)
    return Limits(
        float(np.quantile(chance[:, :-1].max(axis=1), 1 - LEVEL)),
        float(np.quantile(np.abs(chance[:, -1]), 1 - LEVEL)),
    )


def _unable(train: Images, samples: Images) -> str:
    """Why there is no answer; empty where there is one."""
    if min(train.shape[1:3]) < SMALLEST:
        size = f"{train.shape[1]}x{train.shape[2]}"
        return f"Images of {size} pixels are too small to tell the grid of the network from the motif."
    if min(len(train), len(samples)) < FEWEST:
        counts = f"{len(samples):,} samples and {len(train):,} real images"
        return f"{counts} are too few: at least {FEWEST} of each are needed."
    if float(np.median(samples.reshape(len(samples), -1).std(axis=1))) < EMPTY:
        return "The samples are empty: within each there is next to no difference, so no pattern can be sought."
    return ""


def _numbers(real: Readings, fake: Readings, bounds: Limits, seed: int) -> dict[str, Number]:
    others = elsewhere(fake.peaks - real.peaks)
    return {
        **compare(real, fake, seed=seed),
        "checkerboard_by_chance": Number(
            bounds.checkerboard, means="decibels that real images against real ones stay below in 97.5 % of drawings"
        ),
        "checkerboard_elsewhere": Number(
            float(np.quantile(others, 1 - LEVEL / real.grid.shape[1])),
            means="decibels reached by chance off the grid, by the same samples",
        ),
        "high_frequencies_by_chance": Number(
            bounds.high_frequencies, means="decibels, up or down, that real images stay within in 97.5 % of drawings"
        ),
        "shared_grain": grain_of(fake.peaks - real.peaks),
    }


def _bounds(holdout: Side | None, real: Readings, fake_count: int, seed: int) -> tuple[Limits, tuple[str, ...]]:
    """The limits of the fakes, from training and held-out images together; wider where the held-out ones themselves
    differ from those trained on by more than chance."""
    count = len(real.fine)
    if holdout is None or len(holdout) < FEWEST:
        why = "No real images were held out" if holdout is None else f"Only {len(holdout):,} images were held out"
        return limits(real, count, fake_count, seed=seed), (f"{why}: chance was taken from the training images alone.",)
    held_out = readings(_images(_random_subset(holdout, seed)))
    if held_out.peaks.shape != real.peaks.shape:
        raise DataError("the held-out images are of another size than those trained on: bring them to one size first")
    pool = Readings(np.concatenate([real.grid, held_out.grid]), np.concatenate([real.fine, held_out.fine]), real.peaks)
    of_fakes = limits(pool, count, fake_count, seed=seed)
    of_held = limits(pool, count, len(held_out.fine), seed=seed)
    grid, fine = (number.value for number in compare(real, held_out, seed=seed).values())
    if grid <= of_held.checkerboard and abs(fine) <= of_held.high_frequencies:
        return of_fakes, ()
    return Limits(max(of_fakes.checkerboard, grid), max(of_fakes.high_frequencies, abs(fine))), (
        "The held-out images themselves differ from those trained on; only what goes beyond that is called a trace.",
    )


def _reach(number: Number) -> float:
    return ((number.high or 0.0) - (number.low or 0.0)) / 2


def _above(numbers: Mapping[str, Number]) -> tuple[bool, bool]:
    """Whether checkerboard and fine detail are beyond chance."""
    grid = max(numbers["checkerboard_by_chance"].value, numbers["checkerboard_elsewhere"].value)
    fine = numbers["high_frequencies_by_chance"].value
    return numbers["checkerboard"].value > grid, abs(numbers["high_frequencies"].value) > fine


def find_traces(numbers: Mapping[str, Number], period: int) -> Traces:
    """The traces that are beyond chance, and with their whole interval beyond what is too weak to be called one."""
    grid, fine = numbers["checkerboard"], numbers["high_frequencies"]
    patterned, uneven = _above(numbers)
    patterned &= (grid.low or 0) > GRID
    uneven &= max(fine.low or 0, -(fine.high or 0)) > FINE
    grained = not patterned and (numbers["shared_grain"].low or 0) > GRAIN
    return Traces(grid.value if patterned else None, period, fine.value if uneven else None, grained)


def _faint(numbers: Mapping[str, Number]) -> str:
    """The differences that are beyond chance, in a few words."""
    names = ("a checkerboard", "a difference in fine detail")
    return " and ".join(name for name, above in zip(names, _above(numbers), strict=True) if above)


def _random_subset(side: Side, seed: int) -> Side:
    """The images of a side with their features, or MOST of them drawn at random."""
    if side.images is None:
        raise DataError(f"artifacts are looked for in images, and {side.name} has none: give its images")
    return random_subset(Side(side.name, side.images, side.features), MOST, seed)


def _images(side: Side) -> Images:
    assert side.images is not None  # _random_subset checked
    return side.images


def _samples(evidence: Evidence) -> Side:
    """The samples of all repeats, at most MOST of them."""
    if not evidence.fakes:
        raise DataError("artifacts are looked for in samples, and none were given")
    repeats = [_random_subset(side, evidence.seed) for side in evidence.fakes]
    shapes = sorted({_images(side).shape[1:] for side in repeats})
    if len(shapes) > 1:
        raise DataError(f"the samples are of different shapes: {shapes}. Bring them to one size first")
    features = [side.features for side in repeats if side.features is not None]
    joined = np.concatenate(features) if len(features) == len(repeats) else None
    return _random_subset(Side("made", np.concatenate(list(map(_images, repeats))), joined), evidence.seed)

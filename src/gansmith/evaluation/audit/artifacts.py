"""Do the images carry traces of the network? A checkerboard, fine detail missing or too much, one grain over all.

The two measures of `metrics.spectrum`, each against its own null distribution: real images against real images, drawn
again and again in the same numbers, so that both together call clean images bad in at most one audit of twenty. A
checkerboard must also stand out from the other frequencies of the same images: where the spectrum is irregular
everywhere, as that of a few pictures is, a high value on the grid is no grid. What is beyond chance and still weak is
not called a trace: a checkerboard below 2 decibels (1.6 times), fine detail within 1 (what a blur of 0.4 pixels takes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, stats

from gansmith.errors import DataError
from gansmith.evaluation.audit import plots
from gansmith.evaluation.audit.reference_split import some
from gansmith.evaluation.metrics.spectrum import (
    Readings,
    compare,
    elsewhere,
    grey,
    pair,
    readings,
    resampled,
    sites,
    spectrum,
)
from gansmith.evaluation.types import Answer, Evidence, Figure, Images, Number, Side, Verdict
from gansmith.system.seeding import mix

LEVEL = 0.025  # of each of the two tests: 5 % together
GRID, FINE = 2.0, 1.0  # decibels: weaker ones are not called traces
GRAIN = 1.5  # decibels: how irregular the spectrum of some fifteen real images is
WIDE = 1.5  # times the decibels above: where an interval reaches further either way, a clean result says nothing
SMALLEST = 16  # pixels a side: below, period 4 cannot be told from the picture itself
FEWEST = 50  # images a side
EMPTY = 1.0  # grey levels of deviation within an image: below, a spectrum is that of rounding
MOST = 5000  # images a side that are looked at: chance is then below half a decibel
_MAGNIFIED = 20  # at most
_SIDE = 256  # pixels of a picture, at least

_RESIZE = (
    "train with --set generator.upsample=resize: enlarging by nearest neighbours and a convolution leaves no "
    "checkerboard, a transposed convolution can"
)


class Limits(NamedTuple):
    """Decibels that real images against real images stay below with probability 1 - LEVEL, each."""

    checkerboard: float
    high_frequencies: float


class Traces(NamedTuple):
    """What was found: decibels of a checkerboard and its period in pixels, decibels of fine detail, grain; None where
    there is no such trace."""

    checkerboard: float | None
    period: int
    fine: float | None
    grain: bool

    def __bool__(self) -> bool:
        return self.checkerboard is not None or self.fine is not None or self.grain


def answer(evidence: Evidence) -> Answer:
    """The answer to "artifacts", from images alone. Raises DataError for sides without images or of unequal size."""
    train, made = pair(_some(evidence.train, evidence.seed), _together(evidence))
    protocol = evidence.base.of(
        "artifacts(spectrum: grey, hann)", features="", real_count=len(train), fake_count=len(made)
    )
    why, advice = _unable(train, made)
    if why:
        return Answer("artifacts", "cannot tell", why, "checkerboard", {}, protocol, advice=advice)
    real, fake = readings(train), readings(made)
    bounds, notes = _bounds(evidence.holdout, real, len(made), evidence.seed)
    numbers = _numbers(real, fake, bounds, evidence.seed)
    period = sites(*train.shape[1:3])[int((fake.grid.mean(axis=0) - real.grid.mean(axis=0)).argmax())][0]
    found = _found(numbers, period)
    grid, fine = numbers["checkerboard"], numbers["high_frequencies"]
    unsure = _reach(grid) > WIDE * GRID or _reach(fine) > WIDE * FINE
    verdict: Verdict = "bad" if found else "cannot tell" if unsure else "good"
    only_fine = found.checkerboard is None and found.fine is not None
    return Answer(
        "artifacts",
        verdict,
        _sentence(verdict, found, _faint(numbers)),
        "high_frequencies" if only_fine else "shared_grain" if found.grain else "checkerboard",
        numbers,
        protocol,
        details=(
            f"A pattern that repeats every {period} pixels is {grid.value:+.1f} decibels stronger than in the real "
            f"images. By chance it would be up to {bounds.checkerboard:.1f}, at other frequencies of the same images "
            f"it is up to {numbers['checkerboard_elsewhere'].value:.1f}, and below {GRID:g} it is not called a trace.",
            f"The finest detail has {fine.value:+.1f} decibels against that of the real images. By chance it would be "
            f"up to {bounds.high_frequencies:.1f} either way, and within {FINE:g} it is not called a trace.",
            *notes,
        ),
        advice=_advice(found, verdict),
        figures=(_spectra(train, made), _peaks(real, fake), _pattern(train, made)),
    )


def limits(pool: Readings, real_count: int, fake_count: int, *, seed: int = 0) -> Limits:
    """What chance does: `fake_count` images of the pool against `real_count` of it, drawn again and again."""
    rng = np.random.default_rng(mix(seed, "artifacts"))
    values = np.column_stack([pool.grid, pool.fine])
    chance = resampled(values, rng, count=fake_count) - resampled(values, rng, count=real_count)
    return Limits(
        float(np.quantile(chance[:, :-1].max(axis=1), 1 - LEVEL)),
        float(np.quantile(np.abs(chance[:, -1]), 1 - LEVEL)),
    )


def _unable(train: Images, made: Images) -> tuple[str, tuple[str, ...]]:
    """Why nothing can be said, and what would help; empty where something can."""
    if min(train.shape[1:3]) < SMALLEST:
        size = f"{train.shape[1]}x{train.shape[2]}"
        return f"Images of {size} pixels are too small to tell the grid of the network from what they show.", ()
    if min(len(train), len(made)) < FEWEST:
        counts = f"{len(made):,} made and {len(train):,} real images"
        return f"{counts} are too few: at least {FEWEST} of each are needed.", ("give more images (--samples)",)
    if float(np.median(made.reshape(len(made), -1).std(axis=1))) < EMPTY:
        return "The made images are empty: within each there is next to no difference, so no pattern can be sought.", ()
    return "", ()


def _numbers(real: Readings, fake: Readings, bounds: Limits, seed: int) -> dict[str, Number]:
    others = elsewhere(fake.peaks - real.peaks)
    grain = float(others.std())
    free = max(2, len(others) // 8)  # frequencies come in equal pairs, and the window joins about four
    edges = np.sqrt(free / stats.chi2.ppf([0.975, 0.025], free)) * grain
    return {
        **compare(real, fake, seed=seed),
        "checkerboard_by_chance": Number(
            bounds.checkerboard, means="decibels that real images against real ones stay below in 97.5 % of drawings"
        ),
        "checkerboard_elsewhere": Number(
            float(np.quantile(others, 1 - LEVEL / real.grid.shape[1])),
            means="decibels reached by chance off the grid, by the same made images",
        ),
        "high_frequencies_by_chance": Number(
            bounds.high_frequencies, means="decibels, up or down, that real images stay within in 97.5 % of drawings"
        ),
        "shared_grain": Number(
            grain,
            float(edges[0]),
            float(edges[1]),
            "decibels by which the made images' spectrum is irregular off the grid (many different images: below 1)",
        ),
    }


def _bounds(holdout: Side | None, real: Readings, fake_count: int, seed: int) -> tuple[Limits, tuple[str, ...]]:
    """The limits of the fakes, from training and held-out images together; wider where the held-out ones themselves
    differ from those trained on by more than chance."""
    count = len(real.fine)
    if holdout is None or len(holdout) < FEWEST:
        none = "No real images were held out" if holdout is None else f"Only {len(holdout):,} images were held out"
        return limits(real, count, fake_count, seed=seed), (f"{none}: chance was judged from the training images.",)
    held = readings(_some(holdout, seed))
    if held.peaks.shape != real.peaks.shape:
        raise DataError("the held-out images are of another size than those trained on: bring them to one size first")
    pool = Readings(np.concatenate([real.grid, held.grid]), np.concatenate([real.fine, held.fine]), real.peaks)
    mine = limits(pool, count, fake_count, seed=seed)
    theirs = limits(pool, count, len(held.fine), seed=seed)
    grid, fine = (number.value for number in compare(real, held, seed=seed).values())
    if grid <= theirs.checkerboard and abs(fine) <= theirs.high_frequencies:
        return mine, ()
    return Limits(max(mine.checkerboard, grid), max(mine.high_frequencies, abs(fine))), (
        "The held-out images themselves differ from those trained on; only what goes beyond that is called a trace.",
    )


def _reach(number: Number) -> float:
    return ((number.high or 0.0) - (number.low or 0.0)) / 2


def _above(numbers: Mapping[str, Number]) -> tuple[bool, bool]:
    """Whether checkerboard and fine detail are beyond chance."""
    grid = max(numbers["checkerboard_by_chance"].value, numbers["checkerboard_elsewhere"].value)
    fine = numbers["high_frequencies_by_chance"].value
    return numbers["checkerboard"].value > grid, abs(numbers["high_frequencies"].value) > fine


def _found(numbers: Mapping[str, Number], period: int) -> Traces:
    """What is beyond chance, and with its whole interval beyond what is too weak to be called a trace."""
    grid, fine = numbers["checkerboard"], numbers["high_frequencies"]
    patterned, uneven = _above(numbers)
    patterned &= (grid.low or 0) > GRID
    uneven &= max(fine.low or 0, -(fine.high or 0)) > FINE
    grained = not patterned and (numbers["shared_grain"].low or 0) > GRAIN
    return Traces(grid.value if patterned else None, period, fine.value if uneven else None, grained)


def _faint(numbers: Mapping[str, Number]) -> str:
    """What is beyond chance, in a few words."""
    names = ("a checkerboard", "a difference in fine detail")
    return " and ".join(name for name, above in zip(names, _above(numbers), strict=True) if above)


def _sentence(verdict: Verdict, found: Traces, faint: str) -> str:
    if verdict == "cannot tell":
        return "No clear trace of the network was found, but there are too few images to see any but a strong one."
    if verdict == "good" and faint:
        return f"Only a faint trace of the network was found ({faint}), too weak to matter."
    if verdict == "good":
        return "No trace of the network was found: patterns and fine detail are as in the real images."
    parts = []
    if found.checkerboard is not None:
        parts.append(
            f"a checkerboard lies over the images: a pattern that repeats every {found.period} pixels is "
            f"{_times(found.checkerboard)} times as strong as in the real ones"
        )
    if found.grain:
        parts.append(
            "the made images share one fine grain: either a few pictures come again and again, or the network lays "
            "the same noise over all"
        )
    if found.fine is not None:
        parts.append(
            f"the images are too {'smooth' if found.fine < 0 else 'rough'}: "
            f"fine detail has {100 * 10 ** (found.fine / 10):,.0f} % of the strength it has in the real ones"
        )
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _times(decibels: float) -> str:
    return f"{10 ** (decibels / 10):,.0f}" if decibels >= 10 else f"{10 ** (decibels / 10):.2g}"


def _advice(found: Traces, verdict: Verdict) -> tuple[str, ...]:
    advice = [_RESIZE] if found.checkerboard is not None else []
    if found.grain:
        advice.append("look at the answer on collapse: if the images do not repeat, train longer")
    if found.fine is not None and found.fine < 0:
        advice.append("train longer, or with a wider generator (--set generator.width=128): fine detail comes last")
    if found.fine is not None and found.fine > 0:
        advice.append("train longer, and judge the averaged weights rather than the raw ones: a young network is noisy")
    if verdict == "cannot tell":
        advice.append("give more images (--samples)")
    return tuple(advice)


def _some(side: Side, seed: int) -> Images:
    """The images of a side, or MOST of them drawn at random."""
    if side.images is None:
        raise DataError(f"artifacts are looked for in images, and {side.name} has none: give its images")
    drawn = some(Side(side.name, side.images), MOST, seed).images
    assert drawn is not None
    return drawn


def _together(evidence: Evidence) -> Images:
    if not evidence.fakes:
        raise DataError("artifacts are looked for in made images, and none were given")
    found = [_some(side, evidence.seed) for side in evidence.fakes]
    shapes = sorted({images.shape[1:] for images in found})
    if len(shapes) > 1:
        raise DataError(f"the made images are of different shapes: {shapes}. Bring them to one size first")
    together = np.concatenate(found)
    return _some(Side("made", together), evidence.seed)


def _spectra(train: Images, made: Images) -> Figure:
    curves = {}
    for name, images in (("real", train), ("made", made)):
        frequencies, decibels = spectrum(images)
        curves[name] = list(zip(frequencies.tolist(), decibels.tolist(), strict=True))
    svg = plots.lines(curves, x="fineness of detail (cycles per pixel; 0.5 is the finest)", y="strength (decibels)")
    return Figure(
        "How strong detail of each fineness is, from coarse (left) to fine (right). The two lines should lie on each "
        "other: a made line below means too smooth, above too rough, a peak at 0.125, 0.25 or 0.5 a checkerboard.",
        svg=svg,
    )


def _peaks(real: Readings, fake: Readings) -> Figure:
    """At every frequency, how much more it stands out of its neighbourhood in the made images."""
    difference = np.fft.fftshift(fake.peaks - real.peaks)
    return Figure(
        "The same for every direction: the finest detail at the edges, the coarsest in the middle. Light is where the "
        "made images are stronger than the real ones compared with what is around (white: 12 decibels). Even grey is "
        "clean; light dots in regular rows are a checkerboard; specks everywhere are one grain shared by all images.",
        image=_enlarged(128 + 127 / 12 * difference),
    )


def _pattern(train: Images, made: Images) -> Figure:
    """What the average made image has at small scale that the average real one has not."""
    difference = _mean(made) - _mean(train)
    fine: NDArray[np.float64] = difference - ndimage.gaussian_filter(difference, 2.0, mode="mirror")
    times = min(_MAGNIFIED, 127 / max(float(np.abs(fine).max()), 1e-9))
    return Figure(
        f"What the made images have in common at the scale of a few pixels and the real ones do not, magnified "
        f"{times:.2g} times. Even grey or faint grain is clean; rows, columns or a grid are traces.",
        image=_enlarged(128 + times * fine),
    )


def _enlarged(levels: NDArray[np.float64]) -> Image.Image:
    pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    times = max(1, -(-_SIDE // min(pixels.shape)))
    return Image.fromarray(pixels.repeat(times, axis=0).repeat(times, axis=1))


def _mean(images: Images) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.zeros(images.shape[1:3])
    for start in range(0, len(images), 256):
        total += grey(images[start : start + 256]).sum(axis=0)
    return total / len(images)

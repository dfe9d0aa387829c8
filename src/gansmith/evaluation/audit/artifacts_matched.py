"""Readings of spectra beside those of the real images most like each sample, not of all real images.

Real images of one kind have a spectrum of their own (cats are smoother than lorries): a generator that makes few kinds
would be accused of what belongs to these kinds. So a trace must also be there beside the NEIGHBOURS real images nearest
to each sample, by the features that the audit compares images by. What nearness itself selects is taken away: the same
difference between real images and the ones nearest to them (by pixels an image's nearest are smoother than it is). The
interval is a bootstrap over groups of samples that share their nearest real image (Field and Welsh 2007,
"Bootstrapping clustered data"), because repeats of one image are one observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gansmith.evaluation.audit.artifacts_words import Traces, Weighed
from gansmith.evaluation.audit.reference_split import places_of
from gansmith.evaluation.metrics.spectrum import REPEATS, Array, Readings, elsewhere, readings, resampled
from gansmith.evaluation.pairwise_distances import nearest
from gansmith.evaluation.types import Evidence, Images, Number, Side
from gansmith.system.seeding import mix

NEIGHBOURS = 5
LEAST_EFFECTIVE = 20  # real images that are nearest to some sample: below, what is theirs alone does not average out
_WHAT = ("a pattern on the grid of the pixels", "the finest detail")
EXTREME = 0.99  # of single real images have less: what so few samples must exceed to carry a trace


class Limits(NamedTuple):
    """Decibels of the two measures above which something is there."""

    checkerboard: float
    high_frequencies: float


class Neighbours(NamedTuple):
    """Indices of the nearest real images: of the samples int64 [M, K], of the real images themselves [N, K]."""

    of_samples: NDArray[np.int64]
    of_real: NDArray[np.int64]


@dataclass(frozen=True)
class Matched:
    """checkerboard, fine: decibels beside the nearest real images, at the one site and above 1/4 cycle per pixel;
    grain: how irregular the spectrum is beside that of the nearest real images together;  effective: how many equally
    frequent real images would be nearest to some sample as often (1 / sum of p^2);  extreme: are the samples' means of
    the first two beyond those of EXTREME of the single real images?"""

    checkerboard: Number
    fine: Number
    grain: Number
    effective: float
    extreme: tuple[bool, bool]

    def numbers(self) -> dict[str, Number]:
        """By name, for the answer."""
        return {
            "checkerboard_matched": self.checkerboard,
            "high_frequencies_matched": self.fine,
            "shared_grain_matched": self.grain,
            "nearest_real_images": Number(
                self.effective, means="real images that are nearest to samples, as if all were so equally often"
            ),
        }


def neighbours_of(evidence: Evidence, train: Side, samples: Side) -> Neighbours | None:
    """The nearest of `train`, by its features; None where there are none, or too few images."""
    if train.features is None or samples.features is None or len(train) <= NEIGHBOURS:
        return None
    among, made = places_of(train, evidence), places_of(samples, evidence)
    return Neighbours(
        nearest(made, among, count=NEIGHBOURS, what="artifacts: the real images nearest to each sample")[1],
        nearest(among, among, count=NEIGHBOURS, exclude_self=True, what="artifacts: real images among themselves")[1],
    )


def matched(train: Images, real: Readings, fake: Readings, neighbours: Neighbours, *, site: int, seed: int) -> Matched:
    """The readings of samples beside those of their nearest real images; site: which column of `grid`."""
    values, made = (np.column_stack([one.grid[:, site], one.fine]) for one in (real, fake))
    differences = made - values[neighbours.of_samples].mean(axis=1)
    selected = values - values[neighbours.of_real].mean(axis=1)
    _, groups, counts = np.unique(neighbours.of_samples[:, 0], return_inverse=True, return_counts=True)
    rng = np.random.default_rng(mix(seed, "artifacts", "matched"))
    drawn = _resampled_groups(differences, groups, rng) - resampled(selected, rng, repeats=REPEATS)
    value = differences.mean(axis=0) - selected.mean(axis=0)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    checkerboard, fine = (
        Number(middle, below, above, f"decibels of {what} over that of the real images nearest to each sample")
        for what, middle, below, above in zip(_WHAT, value.tolist(), low.tolist(), high.tolist(), strict=True)
    )
    grid, detail = made.mean(axis=0)
    ends = np.quantile(values[:, 1], (1 - EXTREME, EXTREME))
    beyond = bool(grid > np.quantile(values[:, 0], EXTREME)), not bool(ends[0] <= detail <= ends[1])
    common = readings(train[np.unique(neighbours.of_samples)]).peaks
    return Matched(
        checkerboard, fine, grain_of(fake.peaks - common), len(groups) ** 2 / float(np.square(counts).sum()), beyond
    )


def grain_of(peaks: Array) -> Number:
    """Differences of peaks [P, Q] -> their deviation at the frequencies off the grid, in decibels."""
    others = elsewhere(peaks)
    deviation = float(others.std())
    free = max(2, len(others) // 8)  # frequencies come in equal pairs, and the window joins about four
    low, high = np.sqrt(free / stats.chi2.ppf([0.975, 0.025], free)) * deviation
    return Number(
        deviation,
        float(low),
        float(high),
        "decibels by which the samples' spectrum is irregular off the grid (many different images: below 1)",
    )


def weigh(traces: Traces, beside: Matched, weak: Limits, *, grain: float, sure: float = 1) -> Weighed:
    """Which of the traces found beside all real images are there beside the nearest ones too.

    weak, grain: decibels up to which a trace is too weak to be called one;  sure: times `weak` that the whole interval
    must lie above.
    """
    few = beside.effective < LEAST_EFFECTIVE
    grid, fine = beside.extreme if few else (None, None)
    patterned = _left(traces.checkerboard, beside.checkerboard, weak.checkerboard, sure, grid)
    uneven = _left(traces.fine, beside.fine, weak.high_frequencies, sure, fine)
    grained = _left(beside.grain.value if traces.grain else None, beside.grain, grain, 1, False if few else None)
    left = {"a checkerboard": patterned, "fine detail": uneven, "a common grain": grained}
    return Weighed(
        Traces(
            traces.checkerboard if patterned == "trace" else None,
            traces.period,
            traces.fine if uneven == "trace" else None,
            grained == "trace",
        ),
        tuple(name for name, state in left.items() if state == "kind"),
        tuple(name for name, state in left.items() if state == "untold"),
        few,
    )


_Left = Literal["nothing", "trace", "kind", "untold"]


def _left(trace: float | None, beside: Number, weak: float, sure: float, extreme: bool | None) -> _Left:
    """What becomes of a trace. extreme: where the nearest real images are too few to compare with, is it beyond those
    of single real images?"""
    if trace is None:
        return "nothing"
    if extreme is not None:
        return "trace" if extreme else "untold"
    sign = np.sign(trace)
    low = min(sign * (beside.low or 0.0), sign * (beside.high or 0.0))
    return "trace" if low > sure * weak else "kind" if sign * beside.value <= weak else "untold"


def _resampled_groups(values: Array, groups: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Values [M, K] in `groups` [M] -> the means [REPEATS, K] of all groups drawn with replacement."""
    count = int(groups.max()) + 1
    sums, sizes = np.zeros((count, values.shape[1])), np.bincount(groups, minlength=count)
    np.add.at(sums, groups, values)
    times = np.stack([np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(REPEATS)])
    means: Array = (times @ sums) / (times @ sizes)[:, None]
    return means

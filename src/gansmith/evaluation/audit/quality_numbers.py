"""The numbers of the answer on quality: precision, density, a flaw common to all samples, KID and FID."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.audit.ratio_verdict import ratio
from gansmith.evaluation.kernel_sums import Kernel, kernel_sums
from gansmith.evaluation.metrics.density_coverage import density_coverage
from gansmith.evaluation.metrics.fid import fid
from gansmith.evaluation.metrics.fid_infinity import fid_infinity
from gansmith.evaluation.metrics.kid import estimate, kid
from gansmith.evaluation.ruler import GOOD
from gansmith.evaluation.types import Features, Number, Ruler
from gansmith.system.seeding import mix

FLAW = 0.08  # half again what a short but honest training leaves on garments of 28 pixels (docs/metrics.md)
LEAST_DISTINCT = 20  # training images that are nearest to some sample: below, their mean is chance
ALIKE = 0.3  # of held-out images must pass for training images, or the two are of different kinds


def on_ruler(ruler: Ruler | None) -> dict[str, Number]:
    """Where the samples and the held-out images lie on the ruler, and its nearest marks; nothing without one."""
    if ruler is None:
        return {}
    numbers = {"ruler": ruler.samples}
    if ruler.held_out is not None:
        numbers["ruler_held_out"] = replace(ruler.held_out, means="the same of held-out images, which should be 0")
    return numbers


def precision(passing: NDArray[np.bool_], control_passing: NDArray[np.bool_], about: str) -> dict[str, Number]:
    """bool [M] of samples and [A] of control images that lie among the reference -> both shares, and their ratio."""
    share = _share(passing, "share of the samples that lie among the real images, and so would pass for one")
    control = _share(control_passing, f"the same share of {about}: what can be reached")
    means = "how many samples pass for a real image, for each real one that does: 1 is as good as real"
    return {"precision": share, "precision_held_out": control, "precision_ratio": ratio(share, control, means)}


def density(reference: Features, control: Features, samples: Features, about: str) -> dict[str, Number]:
    """[N, D], [A, D], [M, D] -> the density of samples and of control images, and their ratio."""
    means = "how densely the real images lie where the samples are: real ones reach about 1"
    value = replace(density_coverage(reference, samples).density, means=means)
    attainable = replace(
        density_coverage(reference, control).density, means=f"the same of {about}: what can be reached"
    )
    means = "how densely real images lie round a sample, for once round a real one: 1 is as good as real"
    quotient = ratio(_bounded(value), _bounded(attainable), means)
    return {"density": value, "density_held_out": attainable, "density_ratio": quotient}


def common_flaw(samples: Features, reference: Features, nearest: NDArray[np.int64]) -> Number | None:
    """[M, D], [N, D], and for each sample the index of its nearest real image -> what sets all samples off from them.

    0: nothing; 1: as much as one typical real image, repeated, is off from all of them: half of the squared distance
    of two. None where fewer than LEAST_DISTINCT real images are nearest to any sample.
    """
    matched, first = np.unique(nearest, return_index=True)
    if len(matched) < LEAST_DISTINCT:
        return None
    value, error = estimate(kernel_sums(reference[matched], samples[first], Kernel()))
    scale = _distance_of_one(reference)
    half = intervals.student(error, len(matched) - 1)
    return Number(
        value / scale,
        (value - half) / scale,
        (value + half) / scale,
        "what all samples have in common and the real images nearest to them have not: 0 is nothing",
    )


def distances(reference: Features, control: Features, samples: Features) -> dict[str, Number]:
    """KID and FID to all real images, and those of the control; FID only where there are images enough."""
    numbers = {"kid": kid(reference, samples), "kid_held_out": kid(reference, control)}
    with suppress(DataError):  # too few images for so many features: KID is there
        numbers["fid"] = fid(reference, samples)
        numbers["fid_infinity"] = fid_infinity(reference, samples)
    with suppress(DataError):
        if "fid" in numbers:
            numbers["fid_held_out"] = fid(reference, control)
    return {
        name: replace(number, means=f"{number.means}; of held-out images") if name.endswith("held_out") else number
        for name, number in numbers.items()
    }


def kid_share(value: Number, reference: Features) -> Number:
    """A KID as a share of the distance of one typical real image, repeated, from all of them."""
    scale = _distance_of_one(reference)
    low, high = (None if end is None else end / scale for end in (value.low, value.high))
    means = "KID as a share of the distance of one real image, repeated, from all"
    return Number(value.value / scale, low, high, means)


def unlike(numbers: Mapping[str, Number]) -> bool:
    """Whether the held-out images are surely of another kind than the training images: by precision, or the ruler."""
    return _unlike_by_precision(numbers) or unlike_on_ruler(numbers)


def unlike_on_ruler(numbers: Mapping[str, Number]) -> bool:
    """Whether the held-out images are surely farther on the ruler than good samples may be, and precision is silent."""
    place = numbers.get("ruler_held_out")
    off = place is not None and place.low is not None and place.low > GOOD
    return off and not _unlike_by_precision(numbers)


def _unlike_by_precision(numbers: Mapping[str, Number]) -> bool:
    high = numbers["precision_held_out"].high
    return high is not None and high < ALIKE


def flawed(numbers: Mapping[str, Number]) -> bool:
    """Whether all samples surely share a flaw that real images do not have."""
    flaw = numbers.get("common_flaw")
    return flaw is not None and flaw.low is not None and flaw.low > FLAW


def _distance_of_one(reference: Features) -> float:
    """The kernel distance of a typical real image, repeated, from all of them: half of that of two.

    The median, in which odd images do not count; the mean where most images are equal and the median is 0.
    Raises DataError where all are equal.
    """
    order = np.random.default_rng(mix(0, "pairs of real images")).permutation(len(reference))
    one, other = (reference[half].astype(np.float64) for half in (order[0::2], np.roll(order, -1)[0::2]))
    kernels = [((a * b).mean(axis=1) + 1) ** 3 for a, b in ((one, one), (other, other), (one, other))]
    apart = (kernels[0] + kernels[1] - 2 * kernels[2]) / 2
    scale = next((float(of(apart)) for of in (np.median, np.mean) if of(apart) > 0), 0.0)
    if scale == 0:
        raise DataError(f"the features of all {len(reference):,} real images are equal: no distance can be measured by")
    return scale


def _share(members: NDArray[np.bool_], means: str) -> Number:
    low, high = intervals.share(int(members.sum()), len(members))
    return Number(float(members.mean()), low, high, means)


def _bounded(number: Number) -> Number:
    """The number with an interval of no width where it has none: all images lie in equally many balls."""
    return number if number.low is not None else replace(number, low=number.value, high=number.value)

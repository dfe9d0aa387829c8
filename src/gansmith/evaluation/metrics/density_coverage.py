"""Density and coverage: outlier-robust precision and recall.

Naeem, Oh, Uh, Choi, Yoo 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", eq. 4 and 5: balls are
drawn round the real images only, to the k-th nearest other real image. Density counts in how many of them a sample
lies, as a share of k (1 is what real images reach; it can be more); coverage is the share of real images in whose ball
at least one sample lies. A point on the edge of a ball is outside, as in the authors' code. Both depend on the counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.pairwise_distances import radii, within
from gansmith.evaluation.types import Metric, Number, Side, needed
from gansmith.system.option_types import PositiveInt


class DensityCoverage(NamedTuple):
    """density: not negative;  coverage: a share in [0, 1]."""

    density: Number
    coverage: Number


def density_coverage(
    real: ArrayLike | Tensor,
    fake: ArrayLike | Tensor,
    *,
    neighbours: PositiveInt = 5,
    device: torch.device | str = "cpu",
) -> DensityCoverage:
    """Real [N, D], N > neighbours, fake [M, D] -> density and coverage.

    Density's interval is Student's over the samples, for these real images (None where all samples lie in equally many
    balls). Coverage's is the exact binomial over the real images, for these samples; balls
    overlap, and that is not in it. Raises DataError for features that do not fit together, or too few of them.

    >>> images = np.random.default_rng(0).normal(size=(50, 2))
    >>> density_coverage(images, images + 9).coverage.value
    0.0
    """
    real, fake = pair(real, fake)
    if len(real) <= neighbours:
        raise DataError(
            f"density and coverage look at the {neighbours} nearest others of each real image, and there are "
            f"{len(real):,} real images: give at least {neighbours + 1}"
        )
    balls = radii(real, count=neighbours, what="real images among themselves", device=device)
    members = within(fake, real, base_radii=balls, edges=False, what="samples among real images", device=device)
    each = members.balls / neighbours
    low, high = intervals.mean(each) if np.ptp(each) else (None, None)
    covered = int((members.inside > 0).sum())
    coverage_ends = intervals.share(covered, len(real))
    return DensityCoverage(
        Number(float(each.mean()), low, high, "how densely real images lie round the samples: real ones reach 1"),
        Number(covered / len(real), *coverage_ends, "share of the real images that have a sample near them"),
    )


def build(*, neighbours: PositiveInt = 5) -> Metric:
    """{"density", "coverage"}, higher for a better generator.

    >>> build(neighbours=3).least
    4
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        features = (needed(side, "features", "density_coverage") for side in (real, fake))
        return density_coverage(*features, neighbours=neighbours)._asdict()

    return Metric(
        measure,
        better={"density": "higher", "coverage": "higher"},
        words=f"density_coverage(neighbours={neighbours})",
        least=neighbours + 1,
    )

"""Precision and recall: what share of the made images lies among the real ones, and the other way round.

Kynkaanniemi, Karras, Laine, Lehtinen, Aila 2019, "Improved Precision and Recall Metric for Assessing Generative
Models", section 2: a set of images is the union of balls round each, reaching to its k-th nearest other image (eq. 1).
Both shares depend on the counts: compare only what was measured with the same numbers of images.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.pairwise_distances import radii, within
from gansmith.evaluation.types import Metric, Number, Side, needed
from gansmith.system.option_types import PositiveInt


class PrecisionRecall(NamedTuple):
    """Two shares in [0, 1]."""

    precision: Number
    recall: Number


class Members(NamedTuple):
    """real_like bool [M]: which made images lie in a real ball;  reached bool [N]: which real images in a made one."""

    real_like: NDArray[np.bool_]
    reached: NDArray[np.bool_]


def precision_recall(
    real: ArrayLike | Tensor,
    fake: ArrayLike | Tensor,
    *,
    neighbours: PositiveInt = 3,
    device: torch.device | str = "cpu",
) -> PrecisionRecall:
    """Real [N, D], fake [M, D], more than `neighbours` of each -> precision and recall, with exact binomial intervals.

    The interval of precision is over the made images and takes the real ones as given, that of recall the other way
    round: how another draw of the *other* side would move the balls is not in them.
    """
    found = members(real, fake, neighbours=neighbours, device=device)
    return PrecisionRecall(
        _share(found.real_like, "share of the made images that lie among the real ones: how many look real"),
        _share(found.reached, "share of the real images that lie among the made ones: how much of the data is covered"),
    )


def members(
    real: ArrayLike | Tensor,
    fake: ArrayLike | Tensor,
    *,
    neighbours: int = 3,
    device: torch.device | str = "cpu",
) -> Members:
    """The same, image by image. Raises DataError for features that do not fit together, or too few of them."""
    ours, theirs = pair(real, fake)
    few = min(len(ours), len(theirs))
    if few <= neighbours:
        raise DataError(
            f"precision and recall look at the {neighbours} nearest others of each image, and one side has {few:,} "
            f"images: give at least {neighbours + 1} of each"
        )
    balls = radii(ours, count=neighbours, what="real images among themselves", device=device)
    theirs_balls = radii(theirs, count=neighbours, what="made images among themselves", device=device)
    found = within(
        theirs, ours, base_radii=balls, query_radii=theirs_balls, what="made images among the real", device=device
    )
    assert found.query_balls is not None
    return Members(found.balls > 0, found.query_balls > 0)


def _share(members: NDArray[np.bool_], means: str) -> Number:
    low, high = intervals.share(int(members.sum()), len(members))
    return Number(float(members.mean()), low, high, means)


def build(*, neighbours: PositiveInt = 3) -> Metric:
    """{"precision", "recall"}, shares, higher for a better generator."""

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        ours, theirs = (needed(side, "features", "precision_recall") for side in (real, fake))
        return precision_recall(ours, theirs, neighbours=neighbours)._asdict()

    return Metric(
        measure,
        better={"precision": "higher", "recall": "higher"},
        words=f"precision_recall(neighbours={neighbours})",
        least=neighbours + 1,
    )

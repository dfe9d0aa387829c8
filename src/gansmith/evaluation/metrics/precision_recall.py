"""Improved precision and recall: the share of samples among the real images, and of real images among the samples.

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
    """real_like bool [M]: which samples lie in a real image's ball;  reached bool [N]: and which the other way."""

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

    The interval of precision is over the samples, for these real images, that of recall the other way round: how
    another draw of the *other* side would move the balls is not in them.

    >>> images = np.random.default_rng(0).normal(size=(50, 2))
    >>> precision_recall(images, images[:10]).precision.value
    1.0
    """
    inside = members(real, fake, neighbours=neighbours, device=device)
    return PrecisionRecall(
        _share(inside.real_like, "share of the samples that lie among the real images: how many look real"),
        _share(inside.reached, "share of the real images that lie among the samples: how much of the data is covered"),
    )


def members(
    real: ArrayLike | Tensor,
    fake: ArrayLike | Tensor,
    *,
    neighbours: int = 3,
    device: torch.device | str = "cpu",
) -> Members:
    """Which samples lie among the real images, and which real images among the samples.

    Raises DataError for features that do not fit together, or too few of them.
    """
    real, fake = pair(real, fake)
    few = min(len(real), len(fake))
    if few <= neighbours:
        raise DataError(
            f"precision and recall compare the {neighbours} nearest others of each image, and one side has {few:,} "
            f"images: give at least {neighbours + 1} of each"
        )
    real_radii = radii(real, count=neighbours, what="real images among themselves", device=device)
    fake_radii = radii(fake, count=neighbours, what="samples among themselves", device=device)
    inside = within(
        fake, real, base_radii=real_radii, query_radii=fake_radii, what="samples among real images", device=device
    )
    assert inside.query_balls is not None
    return Members(inside.balls > 0, inside.query_balls > 0)


def _share(members: NDArray[np.bool_], means: str) -> Number:
    low, high = intervals.share(int(members.sum()), len(members))
    return Number(float(members.mean()), low, high, means)


def build(*, neighbours: PositiveInt = 3) -> Metric:
    """{"precision", "recall"}, shares, higher for a better generator.

    >>> build(neighbours=5).words
    'precision_recall(neighbours=5)'
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        features = (needed(side, "features", "precision_recall") for side in (real, fake))
        return precision_recall(*features, neighbours=neighbours)._asdict()

    return Metric(
        measure,
        better={"precision": "higher", "recall": "higher"},
        words=f"precision_recall(neighbours={neighbours})",
        least=neighbours + 1,
    )

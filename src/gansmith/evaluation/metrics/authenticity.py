"""Authenticity: the share of samples that are no copies, by what lies near each of them.

Alaa, van Breugel, Saveliev, van der Schaar 2022, "How Faithful is your Synthetic Data? Sample-level Metrics for
Evaluating and Auditing Generative Models", section 2.3: a sample is inauthentic when it is nearer to a training image
than that one is to all other training images.

About half of honest samples are inauthentic, more or fewer as the set has it, so the share alone says nothing: that of
each real image against the others stands beside it. A sample equal to an image that the training set has twice is
authentic by the definition (0 is not less than 0). Whether a run copied is the audit's question of memorisation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import matrix, pair
from gansmith.evaluation.pairwise_distances import nearest
from gansmith.evaluation.types import Metric, Number, Side, needed

LEAST = 3  # real images: one, its nearest, and another one


class Authenticity(NamedTuple):
    """share, share_of_real: of authentic samples, and of authentic real images among the other real ones.

    authentic  bool [M], of each sample;  training  int64 [M], the real image nearest to it
    """

    share: Number
    share_of_real: Number
    authentic: NDArray[np.bool_]
    training: NDArray[np.int64]


def authenticity(
    real: ArrayLike | Tensor, fake: ArrayLike | Tensor, *, device: torch.device | str = "cpu"
) -> Authenticity:
    """Real [N, D], N >= 3, fake [M, D] -> which samples are authentic. Intervals are exact binomial.

    Raises DataError for features that do not fit together, or fewer than three real images.

    >>> images = np.random.default_rng(0).normal(size=(50, 2))
    >>> authenticity(images, images).share.value, authenticity(images, images + 99).share.value
    (0.0, 1.0)
    """
    real, fake = pair(matrix(real, "the real", least=LEAST), fake, least=1)
    distances, training = nearest(fake, real, what="nearest real images of samples", device=device)
    others, neighbours = nearest(
        real, real, count=2, exclude_self=True, what="nearest real images of real images", device=device
    )
    authentic = distances[:, 0] >= others[training[:, 0], 0]
    # A real image stands for a sample: its nearest one, and how far that one is from the nearest but this.
    own = np.arange(len(real))
    found = neighbours[:, 0]
    reach = np.where(neighbours[found, 0] == own, others[found, 1], others[found, 0])
    of_real = others[:, 0] >= reach
    return Authenticity(
        _share(authentic, "share of samples that are no nearer to a training image than other training images are"),
        _share(of_real, "the same share of real images among the others: where it should be"),
        authentic,
        training[:, 0],
    )


def build() -> Metric:
    """{"authenticity", "authenticity_of_real"}: as high as that of real images, neither higher nor lower, is best.

    >>> build().least
    3
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        result = authenticity(*(needed(side, "features", "authenticity") for side in (real, fake)))
        return {"authenticity": result.share, "authenticity_of_real": result.share_of_real}

    return Metric(measure, better={}, words="authenticity", least=LEAST)


def _share(authentic: NDArray[np.bool_], means: str) -> Number:
    count = len(authentic)
    return Number(float(authentic.mean()), *intervals.share(int(authentic.sum()), count), means)

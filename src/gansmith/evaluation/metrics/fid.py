"""FID: the Frechet distance between two sets of features, each taken for a Gaussian.

Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", eq. 6. The
number depends on the extractor and on the image counts: few images make it larger, whatever they show.
"""

from __future__ import annotations

from numpy.typing import ArrayLike
from torch import Tensor

from gansmith.errors import DataError
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.frechet import frechet, frechet_of_few, statistics, statistics_of
from gansmith.evaluation.shared_sides import Held, held_pair, moments_of_all
from gansmith.evaluation.types import Metric, Number, Side, needed
from gansmith.system import sharing

MEANS = "Frechet distance between two clouds of features: 0 for the same, larger for fewer images"


def fid(real: ArrayLike | Tensor, fake: ArrayLike | Tensor, *, allow_few: bool = False) -> Number:
    """Real [N, D], fake [M, D] -> the squared Frechet distance of their Gaussians, not negative. It has no interval.

    Raises DataError for features that do not fit together, and for N or M of D or less, unless allow_few: D images
    span no more than D - 1 dimensions, the covariance is flat in all the others, and the number speaks of the count.

    >>> import numpy as np
    >>> images = np.random.default_rng(0).normal(size=(50, 2))
    >>> round(fid(images, images + 3).value, 6)
    18.0
    """
    real, fake = pair(real, fake)
    width = real.shape[1]
    few = min(len(real), len(fake))
    if not allow_few:
        _require_enough(few, width)
    if max(len(real), len(fake)) <= width:
        return Number(frechet_of_few(real, fake), means=MEANS)
    return Number(frechet(statistics(real), statistics(fake)), means=MEANS)


def _require_enough(few: int, width: int) -> None:
    if few <= width:
        raise DataError(
            f"{few:,} images are too few for the FID of {width:,} features: at least {width + 1:,} are needed on each "
            f"side, and ten times as many are better. Use KID, which is right for any count, or an extractor of fewer "
            f"features; allow_few gives the number all the same, and it will be far too large"
        )


def fid_of_all(real: Held, fake: Held) -> Number | None:
    """The FID of features that several processes hold, at rank 0: from the moments of the parts, which add up."""
    wholes = [moments_of_all(side) for side in (real, fake)]
    if sharing.share().rank:
        return None
    _require_enough(min(real.total, fake.total), real.rows.shape[1])
    return Number(frechet(*map(statistics_of, wholes)), means=MEANS)


def build(*, allow_few: bool = False) -> Metric:
    """{"fid": Frechet distance}, lower for a better generator.

    >>> build().better
    {'fid': 'lower'}
    """

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        return {"fid": fid(needed(real, "features", "fid"), needed(fake, "features", "fid"), allow_few=allow_few)}

    def shared(real: Side, fake: Side) -> dict[str, Number]:
        number = fid_of_all(*held_pair(real.features, fake.features))
        return {} if number is None else {"fid": number}

    words = "fid(allow_few)" if allow_few else "fid"
    return Metric(measure, better={"fid": "lower"}, words=words, shared=None if allow_few else shared)

"""FD-DINOv2: the Frechet distance on features of DINOv2 ViT-L/14, whatever the extractor of the rest of the audit is.

Stein, Cresswell, Hosseinzadeh, Sui, Ross, Villecroze, Liu, Caterini, Taylor, Loaiza-Ganem 2023, "Exposing Flaws of
Generative Model Evaluation Metrics and their Unfair Treatment of Diffusion Models", section 4: of the distances that
they tried it agrees best with people. `gansmith evaluate RUN --features dinov2 --metrics fid` is the same formula on
whichever DINOv2 is here, and compares everything else by it too.

Its weights are Meta's, 1.2 GB: gansmith features install dinov2 --network large. Images needed: more than 1,024
a side, as for any FID of 1,024 features.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from gansmith import catalog
from gansmith.errors import DataError
from gansmith.evaluation.extract import extract
from gansmith.evaluation.feature_matrix import pair
from gansmith.evaluation.frechet import frechet, statistics, statistics_of
from gansmith.evaluation.shared_sides import held_pair, moments_of_all
from gansmith.evaluation.types import Extractor, Features, Metric, Number, Side
from gansmith.system import sharing

NEEDS = {"files": ("dinov2_vitl14_pretrain.pth",), "from": "dinov2 --network large"}
MEANS = "Frechet distance between two clouds of DINOv2 features: 0 for the same, larger for fewer images"


def build(*, weights: str | None = None, network: Literal["small", "base", "large"] = "large") -> Metric:
    """{"fd_dinov2"}, lower for a better generator. network: the paper's is "large".

    >>> build(network="small").words
    'fd_dinov2(network=small)'
    """

    @cache
    def dinov2() -> Extractor:
        extractor: Extractor = catalog.build("features", "dinov2", network=network, weights=weights)
        return extractor

    def features(side: Side) -> Features:
        if side.images is None:
            raise DataError(f"FD-DINOv2 is measured of images, and {side.name} has none: give them")
        return extract(side.images, dinov2(), what=f"dinov2 of {side.name}")[0]

    def measure(real: Side, fake: Side) -> dict[str, Number]:
        reals, fakes = pair(features(real), features(fake))
        _require_enough(min(len(reals), len(fakes)), reals.shape[1])
        return {"fd_dinov2": Number(frechet(statistics(reals), statistics(fakes)), means=MEANS)}

    def shared(real: Side, fake: Side) -> dict[str, Number]:
        rank = sharing.share().rank
        rows = [None if rank and side.images is None else features(side) for side in (real, fake)]
        sides = held_pair(*rows)
        wholes = [moments_of_all(side) for side in sides]
        if rank:
            return {}
        _require_enough(min(side.total for side in sides), sides[0].rows.shape[1])
        return {"fd_dinov2": Number(frechet(*map(statistics_of, wholes)), means=MEANS)}

    words = f"fd_dinov2(network={network})"
    return Metric(measure, better={"fd_dinov2": "lower"}, words=words, needs=("images",), least=2, shared=shared)


def _require_enough(few: int, width: int) -> None:
    if few <= width:
        raise DataError(
            f"{few:,} images are too few for the Frechet distance of {width:,} features: at least {width + 1:,} "
            f"are needed on each side. Give more, or use KID: --features dinov2 --metrics kid"
        )

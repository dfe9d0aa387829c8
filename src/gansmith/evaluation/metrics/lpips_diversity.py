"""LPIPS diversity: how different two images of one set look, on average, beside the same for the real ones.

Zhu, Zhang, Pathak, Darrell, Efros, Wang, Shechtman 2017, "Toward Multimodal Image-to-Image Translation", section 5,
take the mean LPIPS distance (Zhang et al. 2018) of random pairs. Each image is used once here: the pairs are then
independent of each other, and the interval of their mean is Student's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import torch

from gansmith import catalog
from gansmith.errors import DataError, OptionError
from gansmith.evaluation import intervals
from gansmith.evaluation.types import Extractor, Images, Metric, Number, Side
from gansmith.system.option_types import AtLeastTwo
from gansmith.system.progress import bar
from gansmith.system.seeding import mix

LEAST = 4  # images: two pairs, from which a spread can be told


def lpips_diversity(images: Images, extractor: Extractor, *, pairs: int = 500, seed: int = 0) -> Number:
    """uint8 [N, H, W, C] -> the mean distance of `pairs` random pairs, or of N // 2 where there are fewer.

    Raises OptionError for an extractor without a distance, DataError for fewer than four images.
    """
    if extractor.distance is None:
        raise OptionError(
            f"the extractor {extractor.name} has no perceptual distance, which LPIPS diversity needs. Take vgg"
        )
    if len(images) < LEAST:
        raise DataError(f"LPIPS diversity of {len(images)} images: at least {LEAST} are needed, for two pairs")
    if pairs < 2:
        raise OptionError(f"pairs = {pairs} is not allowed: at least 2")
    count = min(pairs, len(images) // 2)
    order = np.random.default_rng(mix(seed, "lpips_diversity")).permutation(len(images))
    left, right = order[:count], order[count : 2 * count]
    found = []
    with torch.inference_mode(), bar("LPIPS of pairs", count, unit="pairs") as advance:
        for start in range(0, count, extractor.batch):
            some = slice(start, start + extractor.batch)
            one, other = (
                torch.from_numpy(images[chosen[some]].transpose(0, 3, 1, 2).copy()).to(extractor.device)
                for chosen in (left, right)
            )
            found.append(extractor.distance(one, other).double().cpu().numpy())
            advance(len(one))
    values = np.concatenate(found)
    low, high = intervals.mean(values)
    return Number(
        float(values.mean()), max(0.0, low), high, f"how different two images look, the mean LPIPS of {count:,} pairs"
    )


def build(*, weights: str | None = None, pairs: AtLeastTwo = 500, seed: int = 0) -> Metric:
    """`lpips_diversity` of the made images, and `lpips_diversity_of_real`, which is where it should be."""

    @cache
    def judge() -> Extractor:
        made = catalog.build("features", "vgg", weights=weights)
        assert isinstance(made, Extractor)
        return made

    def measure(real: Side, fake: Side) -> Mapping[str, Number]:
        found = {}
        for name, side in (("lpips_diversity", fake), ("lpips_diversity_of_real", real)):
            if side.images is None:
                raise DataError(f"LPIPS diversity looks at images, and {side.name} came without: give them")
            found[name] = lpips_diversity(side.images, judge(), pairs=pairs, seed=seed)
        return found

    return Metric(
        measure=measure,
        better={"lpips_diversity": "higher"},  # up to the real images' own
        words=f"lpips_diversity(pairs={pairs}, seed={seed})",
        needs=("images",),
        least=LEAST,
        draws=True,
    )

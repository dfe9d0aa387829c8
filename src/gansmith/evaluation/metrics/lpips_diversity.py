"""LPIPS diversity: mean perceptual distance of two images of one set, beside that of the real ones.

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

NEEDS = {"files": ("vgg16.ckpt",), "from": "vgg"}


def lpips_diversity(images: Images, extractor: Extractor, *, pairs: int = 500, seed: int = 0) -> Number:
    """uint8 [N, H, W, C] -> the mean distance of `pairs` random pairs, or of N // 2 where there are fewer.

    Raises OptionError for an extractor without a distance, DataError for fewer than four images.

    >>> from gansmith.evaluation.features import vgg
    >>> images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    >>> lpips_diversity(images, vgg.untrained(device="cpu")).value > 0
    True
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
    distances = []
    with torch.inference_mode(), bar("LPIPS of pairs", count, unit="pairs") as advance:
        for start in range(0, count, extractor.batch):
            part = slice(start, start + extractor.batch)
            one, other = (
                torch.from_numpy(images[indices[part]].transpose(0, 3, 1, 2).copy()).to(extractor.device)
                for indices in (left, right)
            )
            distances.append(extractor.distance(one, other).double().cpu().numpy())
            advance(len(one))
    values = np.concatenate(distances)
    low, high = intervals.mean(values)
    return Number(
        float(values.mean()), max(0.0, low), high, f"how different two images look, the mean LPIPS of {count:,} pairs"
    )


def build(*, weights: str | None = None, pairs: AtLeastTwo = 500, seed: int = 0) -> Metric:
    """`lpips_diversity` of the samples, and `lpips_diversity_of_real`, which is where it should be.

    >>> build(pairs=50).words
    'lpips_diversity(pairs=50, seed=0)'
    """

    @cache
    def lpips() -> Extractor:
        extractor = catalog.build("features", "vgg", weights=weights)
        assert isinstance(extractor, Extractor)
        return extractor

    def measure(real: Side, fake: Side) -> Mapping[str, Number]:
        numbers = {}
        for name, side in (("lpips_diversity", fake), ("lpips_diversity_of_real", real)):
            if side.images is None:
                raise DataError(f"LPIPS diversity is measured of images, and {side.name} has none: give them")
            numbers[name] = lpips_diversity(side.images, lpips(), pairs=pairs, seed=seed)
        return numbers

    return Metric(
        measure=measure,
        better={"lpips_diversity": "higher"},  # up to the real images' own
        words=f"lpips_diversity(pairs={pairs}, seed={seed})",
        needs=("images",),
        least=LEAST,
        draws=True,
    )

"""The ruler of an audit: real images damaged in known ways, with their features, which are kept for the next time."""

from __future__ import annotations

import numpy as np

from gansmith.data.subsets import random_subset
from gansmith.errors import DataError
from gansmith.evaluation.damages import LAYOUT, TEXTURE
from gansmith.evaluation.extract import extract
from gansmith.evaluation.ruler import ruler
from gansmith.evaluation.types import Extractor, Features, Images, Ruler, Side
from gansmith.system.seeding import mix

MOST = 200  # images of each damage
_REFERENCE = 5_000  # real images that all are compared with
_FEWEST = 100  # held-out images, for them to be damaged; else some of the training images are, and not compared with


def ruler_of(train: Side, holdout: Side | None, fakes: tuple[Side, ...], extractor: Extractor) -> Ruler | None:
    """The ruler by the features of `extractor`; None for pixels, for too few images, and for textures, which have no
    layout to lose."""
    if extractor.name == "pixels" or train.images is None or train.features is None or len(train) < 3:
        return None
    rng = np.random.default_rng(mix(0, "damaged images"))
    if holdout is not None and holdout.images is not None and len(holdout) >= _FEWEST:
        images = holdout.images[random_subset(len(holdout), min(MOST, len(holdout)), rng)]
        rest = np.arange(len(train))
    else:
        chosen = random_subset(len(train), min(MOST, max(1, len(train) // 3)), rng)
        images, rest = train.images[chosen], np.setdiff1d(np.arange(len(train)), chosen)
    reference = train.features[rest[random_subset(len(rest), min(_REFERENCE, len(rest)), rng)]]
    held = None if holdout is None or len(holdout) < _FEWEST else holdout.features
    samples = [side.features for side in fakes if side.features is not None]
    try:
        return ruler(reference, np.concatenate(samples), _damaged(images, extractor), held)
    except DataError:
        return None


def _damaged(images: Images, extractor: Extractor) -> dict[str, Features]:
    damages = {**LAYOUT, **TEXTURE}
    return {name: extract(change(images), extractor, what=f"real images {name}")[0] for name, change in damages.items()}

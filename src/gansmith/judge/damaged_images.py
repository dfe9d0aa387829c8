"""Real images damaged in known ways: the marks of the ruler, and what tells a layout from none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from gansmith.data.subsets import random_subset
from gansmith.errors import DataError
from gansmith.evaluation.damages import LAYOUT, TEXTURE, WITHOUT_LAYOUT, Damage
from gansmith.evaluation.extract import extract
from gansmith.evaluation.layout import LayoutClassifier, layout_classifier, layout_seen
from gansmith.evaluation.ruler import ruler
from gansmith.evaluation.types import Extractor, Features, Images, Ruler, Seen, Side
from gansmith.system.seeding import mix

MOST = 200  # images of each damage; so many training images of each damage of layout train the classifier
_REFERENCE = 5_000  # real images that all are compared with
_FEWEST = 100  # held-out images, for them to be damaged; else some of the training images are, and not compared with


class Measured(NamedTuple):
    """ruler  by the features of the extractor;  layout  the share of the samples in which one is seen;  classifier  of
    layouts, None where it cannot tell held-out images from their tiles"""

    ruler: Ruler | None = None
    layout: Seen | None = None
    classifier: LayoutClassifier | None = None


FeaturesOf = Callable[[Images, Extractor, str], Features]


def _kept(images: Images, extractor: Extractor, what: str) -> Features:
    return extract(images, extractor, what=what)[0]


def ruler_and_layout(
    train: Side,
    holdout: Side | None,
    fakes: tuple[Side, ...],
    extractor: Extractor,
    *,
    most: int = MOST,
    features_of: FeaturesOf = _kept,
) -> Measured:
    """The ruler, and the share of the samples in which a layout is seen.

    most: images of each damage;  features_of: (images, extractor, what they are) -> features.

    Neither for pixels and for too few images; no ruler where damaged images are no farther than chance allows; no share
    without `_FEWEST` held-out images, which test the classifier.
    """
    if extractor.name == "pixels" or train.images is None or train.features is None or len(train) < 3:
        return Measured()
    rng = np.random.default_rng(mix(0, "damaged images"))
    held = None
    if holdout is not None and holdout.images is not None and len(holdout) >= _FEWEST:
        held = holdout.features
        images = holdout.images[random_subset(len(holdout), min(most, len(holdout)), rng)]
        rest = np.arange(len(train))
    else:
        chosen = random_subset(len(train), min(most, max(1, len(train) // 3)), rng)
        images, rest = train.images[chosen], np.setdiff1d(np.arange(len(train)), chosen)
    reference = train.features[rest[random_subset(len(rest), min(_REFERENCE, len(rest)), rng)]]
    samples = np.concatenate([side.features for side in fakes if side.features is not None])

    def damaged_by(damages: Mapping[str, Damage], images: Images) -> dict[str, Features]:
        return {name: features_of(change(images), extractor, f"real images {name}") for name, change in damages.items()}

    damaged = damaged_by({**LAYOUT, **TEXTURE}, images)
    try:
        found: Ruler | None = ruler(reference, samples, damaged, held)
    except DataError:
        found = None
    if held is None:
        return Measured(found)
    few = train.images[random_subset(len(train), min(most, len(train)), rng)]
    classifier = layout_classifier(reference, damaged_by(WITHOUT_LAYOUT, few))
    seen = layout_seen(classifier, samples, held, {name: damaged[name] for name in LAYOUT})
    return Measured(found, seen, None if seen.unclear else classifier)

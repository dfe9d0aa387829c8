"""Short ruler: what a training says of itself from a few samples, in a fraction of a second.

The ruler (`evaluation/ruler.py`) and the layout classifier (`evaluation/layout.py`) from few images: the distance of
the samples from training images, 1 for training images cut into 4 x 4 tiles and shuffled, and the share of the samples
in which a layout is seen. Enough to tell texture from things, and whether a training moves; an audit has more images,
and intervals. Pure functions of images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gansmith.data.subsets import random_subset
from gansmith.evaluation.damages import LAYOUT, WITHOUT_LAYOUT
from gansmith.evaluation.extract import compute
from gansmith.evaluation.layout import SURE, LayoutClassifier, accuracy, layout_classifier
from gansmith.evaluation.metrics.kid import kid
from gansmith.evaluation.ruler import UNIT
from gansmith.evaluation.types import Extractor, Features, Images
from gansmith.system.seeding import mix

TRAINING = 200  # training images: half of them samples are compared with, the other half are damaged
HELD_OUT = 48  # held-out images, which test the classifier
LEAST = 40  # training images; from fewer nothing is said


@dataclass(frozen=True)
class ShortRuler:
    """reference  features [N, D] of training images;  unit: the distance of such images cut into tiles from these
    classifier    None where it does not know a layout;  real: in what share of real images it sees one"""

    extractor: Extractor
    reference: Features
    unit: float
    classifier: LayoutClassifier | None
    real: float

    def of(self, samples: Images) -> dict[str, float]:
        """Samples uint8 [N, H, W, C] -> {"ruler": their distance in units, "layout": the share with a layout}; without
        the share where the classifier does not know a layout.

        >>> from gansmith.evaluation.features import pixels
        >>> images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1)).astype(np.uint8)
        >>> reference = images.reshape(8, 64)[::-1, ::-1].astype(np.float32)
        >>> list(ShortRuler(pixels.build(), reference, 1.0, None, 0.0).of(images))
        ['ruler']
        """
        features = _features(samples, self.extractor)
        values = {"ruler": round(kid(self.reference, features).value / self.unit, 4)}
        if self.classifier is not None:
            values["layout"] = round(float(self.classifier.sees(features).mean()), 4)
        return values


def chosen(count: int) -> NDArray[np.int64]:
    """Of `count` training images, which ones a short ruler reads: at most TRAINING, in a random order, always the same.

    >>> len(chosen(40)), len(chosen(10_000))
    (40, 200)
    """
    rng = np.random.default_rng(mix(0, "short ruler"))
    order: NDArray[np.int64] = rng.permutation(random_subset(count, min(TRAINING, count), rng))
    return order


def short_ruler(train: Images, held_out: Images | None, extractor: Extractor) -> ShortRuler | None:
    """Training images [N, H, W, C] in a random order, held-out images [M, H, W, C] -> what samples are measured by.

    None for fewer than LEAST training images, and where these are no farther from their own tiles than chance allows.
    Without held-out images the second half of the training images tests the classifier, which saw their tiles alone.

    >>> from gansmith.evaluation.features import pixels
    >>> short_ruler(np.zeros((LEAST - 1, 8, 8, 1), np.uint8), None, pixels.build()) is None
    True
    """
    if len(train) < LEAST:
        return None
    half = len(train) // 2
    first, second = train[:half], train[half:]
    tested = (second if held_out is None else held_out)[:HELD_OUT]
    cut = {name: change for name, change in LAYOUT.items() if "cut" in name}
    seen = _features_of(
        {
            "first": first,
            "unit": LAYOUT[UNIT](second),
            "tested": tested,
            **{f"second {name}": change(second) for name, change in WITHOUT_LAYOUT.items()},
            **{f"tested {name}": change(tested[::2]) for name, change in cut.items()},
        },
        extractor,
    )
    reference, real = seen["first"], seen["tested"]
    unit = kid(reference, seen["unit"])
    if unit.low is None or unit.low <= 0:
        return None
    classifier = layout_classifier(reference, {name: seen[f"second {name}"] for name in WITHOUT_LAYOUT})
    knows = accuracy(classifier, real, {name: seen[f"tested {name}"] for name in cut}).value >= SURE
    return ShortRuler(
        extractor, reference, unit.value, classifier if knows else None, float(classifier.sees(real).mean())
    )


def _features_of(images: Mapping[str, Images], extractor: Extractor) -> dict[str, Features]:
    """Of each by its name; all together, so that only one batch is filled up."""
    ends = np.cumsum([len(part) for part in images.values()])[:-1]
    together = _features(np.concatenate([*images.values()]), extractor)
    return dict(zip(images, np.split(together, ends), strict=True))


def _features(images: Images, extractor: Extractor) -> Features:
    return compute(images, extractor, what="images")[0]

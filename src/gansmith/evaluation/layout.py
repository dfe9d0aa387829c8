"""Layout: in what share of images a linear classifier of real images against shuffled ones sees parts in their places.

Real images are told from the same images cut into 2 x 2 and 4 x 4 tiles and shuffled, and of random phases
(`evaluation/damages.py`), by ridge regression on features of unit length. Its penalty is chosen by leaving each image
out in turn, in closed form (Allen 1974, "The relationship between variable selection and data augmentation and a method
for prediction": the residual over one minus the leverage). Both sides count as much. Pure functions of features.

A hundredth is the least penalty. With a ten-thousandth the classifier is up to two hundredths more accurate, and says
nothing of images unlike both sides: in grey grids, which are what CIFAR-10 gives after 10,000 images of training, it
sees a layout in 81 of 100; with a hundredth in 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gansmith.data.subsets import evenly_spaced
from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.types import Features, Number, Seen

SURE = 0.8  # of held-out images and of their tiles, each as much: below, the classifier does not know a layout
_PENALTIES = (1e-2, 3e-2, 1e-1, 1.0, 10.0)  # shares of the sum of all variances
_MOST = 1_000  # real images that train it


@dataclass(frozen=True)
class LayoutClassifier:
    """A layout is seen where features of unit length [D] . direction + offset is above 0."""

    direction: NDArray[np.float64]
    offset: float

    def sees(self, features: Features) -> NDArray[np.bool_]:
        """Features [N, D] -> bool [N]: whether a layout is seen."""
        seen: NDArray[np.bool_] = _directions(features) @ self.direction + self.offset > 0
        return seen

    def share(self, features: Features, means: str = "share of the images in which a layout is seen") -> Number:
        """Features [N, D] -> the share in which a layout is seen, with its exact interval."""
        return share_of(self.sees(features), means)


def layout_classifier(real: Features, shuffled: Mapping[str, Features]) -> LayoutClassifier:
    """Training images [N, D], {each of `damages.LAYOUT`: training images so damaged [K, D]} -> the classifier.

    Raises DataError for fewer than two images of a kind.

    >>> rng = np.random.default_rng(0)
    >>> real, tiles = (rng.normal(at, 1, size=(50, 2)).astype(np.float32) for at in ((3, 0), (0, 3)))
    >>> layout_classifier(real, {"cut into tiles": tiles}).sees(real).mean() > 0.9
    True
    """
    damaged = np.concatenate([_directions(features) for features in shuffled.values()])
    real = real[evenly_spaced(len(real), _MOST)]  # their order is one of chance
    if min(len(real), len(damaged)) < 2:
        raise DataError(f"{len(real)} real and {len(damaged)} shuffled images cannot train a classifier of layouts")
    rows = np.concatenate([_directions(real), damaged])
    truth = np.repeat([1.0, -1.0], [len(real), len(damaged)])
    weights = np.repeat([0.5 / len(real), 0.5 / len(damaged)], [len(real), len(damaged)])
    centre, roots = weights @ rows, np.sqrt(weights)
    centred = (rows - centre) * roots[:, None]
    values, vectors = np.linalg.eigh(centred @ centred.T)
    values = np.maximum(values, 0.0)
    target = vectors.T @ (truth * roots)
    best, chosen = -1.0, np.zeros(len(values))
    for penalty in reversed(_PENALTIES):  # of equals the largest
        shrunk = values + penalty * max(float(values.sum()), 1e-12)
        leverage = np.square(vectors) @ (values / shrunk) + weights  # of the intercept: the weight
        residual = (truth * roots - vectors @ (values / shrunk * target)) / np.maximum(1 - leverage, 1e-9)
        right = float(weights[np.sign(truth * roots - residual) == truth].sum())
        if right > best:
            best, chosen = right, target / shrunk
    direction = centred.T @ (vectors @ chosen)
    return LayoutClassifier(direction, -float(centre @ direction))


def accuracy(classifier: LayoutClassifier, held_out: Features, shuffled: Mapping[str, Features]) -> Number:
    """Held-out images [N, D], {"...": the same cut into tiles [K, D]} -> the mean of the shares of both that are told
    rightly. The interval joins those of the two shares (Newcombe 1998, method 10, for a sum)."""
    tiles = np.concatenate([features for name, features in shuffled.items() if "cut" in name])
    real, others = classifier.share(held_out), share_of(~classifier.sees(tiles))
    below, above = (
        0.5 * float(np.hypot(a - real.value, b - others.value))
        for a, b in ((real.low or 0.0, others.low or 0.0), (real.high or 0.0, others.high or 0.0))
    )
    value = (real.value + others.value) / 2
    return Number(value, max(0.0, value - below), min(1.0, value + above), "held-out images told from their tiles")


def layout_seen(
    classifier: LayoutClassifier, samples: Features, held_out: Features, shuffled: Mapping[str, Features]
) -> Seen:
    """The share of the samples [M, D] in which a layout is seen, beside that of held-out images [N, D].

    shuffled: {each of `damages.LAYOUT`: held-out images so damaged [K, D]}, which test the classifier.
    """
    told = accuracy(classifier, held_out, shuffled)
    why = ""
    if told.value < SURE:
        why = (
            f"Held-out images are told from their own tiles in {100 * told.value:.0f} of 100 cases only, as textures "
            f"are: no layout is spoken of. But samples that are surely taken for shuffled ones more often than "
            f"held-out images cannot be good."
        )
    return Seen(
        "a layout",
        classifier.share(samples, "share of the samples in which a layout is seen: parts in their places"),
        classifier.share(held_out, "the same share of held-out images"),
        accuracy=told,
        unclear=why,
    )


def share_of(members: NDArray[np.bool_], means: str = "") -> Number:
    """bool [N] -> the share that is True, with its exact interval."""
    low, high = intervals.share(int(members.sum()), len(members))
    return Number(float(members.mean()), low, high, means)


def _directions(features: Features) -> NDArray[np.float64]:
    wide = features.astype(np.float64)
    lengths: NDArray[np.float64] = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
    return lengths

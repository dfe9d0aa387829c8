"""What the judge looks at: real images trained on, real images held out, and made ones, each with its features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gansmith.evaluation.answers import Number
from gansmith.evaluation.protocol import Protocol

Images = NDArray[np.uint8]  # [N, H, W, C]
Features = NDArray[np.float32]  # [N, D]


@dataclass(frozen=True)
class Outputs:
    """What an extractor says of a batch: features [B, D], and class logits [B, K] where it has classes."""

    features: Tensor
    logits: Tensor | None = None


@dataclass(frozen=True)
class Extractor:
    """A feature extractor. `run` takes uint8 [B, C, H, W] (C = 1, 3 or 4) on `device` and returns float32 Outputs.

    digest     of the weights and of everything that changes a feature; it keys the cache
    prepared   how an image is brought to it, for the protocol: "grey repeated, alpha on white, bicubic to 224"
    classes    the names of its classes, where it has any
    distance   (a, b), batches of equal shape, uint8 or floats in [-1, 1] -> [B], where it defines a perceptual
               distance (LPIPS)
    """

    name: str
    digest: str
    prepared: str
    run: Callable[[Tensor], Outputs]
    device: Any = "cpu"
    batch: int = 64
    classes: tuple[str, ...] | None = None
    distance: Callable[[Tensor, Tensor], Tensor] | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.digest} ({self.prepared})"


@dataclass(frozen=True)
class Side:
    """One set of images and what extractors made of them. What is not needed may be left out.

    features       [N, D] of the main extractor
    probabilities  [N, K] of its classes (or of the classifier given beside it)
    labels         [N] true classes, where they are known
    """

    name: str
    images: Images | None = None
    features: Features | None = None
    probabilities: Features | None = None
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return next(len(given) for given in (self.images, self.features, self.probabilities) if given is not None)


@dataclass(frozen=True)
class Evidence:
    """All that the questions are answered from.

    train      the images trained on (or those given as such);  holdout  real images never trained on, or None
    fakes      one Side for each repeat, made from different seeds, or parts of the given files
    copies     the copy-sensitive extractor;  extractor  the main one
    base       the protocol but for its metric and counts
    """

    train: Side
    holdout: Side | None
    fakes: tuple[Side, ...]
    extractor: Extractor
    copies: Extractor
    base: Protocol
    classes: tuple[str, ...] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Metric:
    """An entry of the catalog of metrics: `build(*, options) -> Metric`.

    measure   (real, fake) -> {name: Number}; one file may measure two things (precision and recall)
    better    {name: "lower" or "higher"};  words  name and options, for the protocol
    needs     which fields of a Side it reads;  least  images a side
    """

    measure: Callable[[Side, Side], Mapping[str, Number]]
    better: Mapping[str, Literal["lower", "higher"]]
    words: str
    needs: tuple[Literal["images", "features", "probabilities", "labels"], ...] = ("features",)
    least: int = 2

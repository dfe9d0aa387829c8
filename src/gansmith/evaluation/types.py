"""Types of the evaluation: features, sides, metrics, numbers and answers.

Outputs, Extractor   features of images, and the extractor that computes them
Side, Evidence       images with their features: of one kind, and all that an audit compares
Metric               a function of two sides, and its description
Number               a value, its interval and its meaning in plain words
Figure               an image or a plot, with a caption
Answer               one question's verdict, the numbers and figures it rests on, how sure it is, what to try next
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gansmith.errors import DataError
from gansmith.evaluation.protocol import Protocol

Images = NDArray[np.uint8]  # [N, H, W, C]
Features = NDArray[np.float32]  # [N, D]
Labels = NDArray[np.int64]  # [N]
Verdict = Literal["good", "bad", "cannot tell"]
Need = Literal["other held-out images", "held-out images without twins"]  # of the training images' kind; for an answer
QUESTIONS: Mapping[str, str] = {  # in the order of the report
    "quality": "Do the images look like the real ones?",
    "memorisation": "Are they copies of the training images?",
    "collapse": "Does the generator repeat itself?",
    "diversity": "Does it cover the variety of the real images?",
    "artifacts": "Do the images carry traces of the network?",
}


@dataclass(frozen=True)
class Number:
    """A value with its interval (95 % unless `level` says otherwise; None where there is none).

    means: one plain phrase: "of 100 samples, how many look like a real image to the extractor".
    """

    value: float
    low: float | None = None
    high: float | None = None
    means: str = ""
    level: float = 0.95

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "value": self.value,
            "interval": None if self.low is None and self.high is None else [self.low, self.high],
            "level": self.level,
            "means": self.means,
        }


@dataclass(frozen=True)
class Figure:
    """An image (pixels) or a plot (a self-contained `<svg>` element), with a caption for people."""

    caption: str
    image: Image.Image | None = None
    svg: str | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to one of QUESTIONS.

    sentence   the verdict in one plain sentence, for someone who never read a paper
    headline   which of `numbers` it mainly rests on; its interval is the answer's
    details    further plain sentences: how sure it is, what could not be seen
    needs      what is wanting for an answer, of `Need`; `audit.advice` says what to do about it
    """

    question: str
    verdict: Verdict
    sentence: str
    headline: str
    numbers: Mapping[str, Number]
    protocol: Protocol
    details: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    figures: tuple[Figure, ...] = field(default=(), compare=False)

    def record(self, advice: Sequence[str] = ()) -> dict[str, Any]:
        """The answer's object in `audit.json`. advice: steps that serve it, of those that all answers together ask."""
        number = self.numbers.get(self.headline)
        return {
            "question": QUESTIONS[self.question],
            "verdict": self.verdict,
            "sentence": self.sentence,
            "evidence": {
                "headline": self.headline,
                "numbers": {name: value.record() for name, value in self.numbers.items()},
                "details": list(self.details),
                "advice": list(advice),
                "needs": list(self.needs),
            },
            "interval": None if number is None else number.record()["interval"],
            "protocol": self.protocol.record(),
        }


@dataclass(frozen=True)
class Outputs:
    """An extractor's outputs for a batch: features [B, D], and class logits [B, K] where it has classes."""

    features: Tensor
    logits: Tensor | None = None


@dataclass(frozen=True)
class Extractor:
    """A feature extractor. `run` takes uint8 [B, C, H, W] (C = 1, 3 or 4) on `device` and returns float32 Outputs.

    digest     of the weights and of everything that changes a feature; it keys the cache
    prepared   how an image is preprocessed, for the protocol: "grey repeated, alpha on white, bicubic to 224"
    classes    the names of its classes, where it has any
    distance   (a, b), batches of equal shape, uint8 or floats in [-1, 1] -> [B], where it defines a perceptual
               distance (LPIPS)
    windows    (images uint8 [B, C, H, W], corners (y, x), height, width) -> features [V, B, D] of V windows of each,
               as `run` computes them one by one, where all of them together cost little more than one
    """

    name: str
    digest: str
    prepared: str
    run: Callable[[Tensor], Outputs]
    device: Any = "cpu"
    batch: int = 64
    classes: tuple[str, ...] | None = None
    distance: Callable[[Tensor, Tensor], Tensor] | None = None
    windows: Callable[[Tensor, Sequence[tuple[int, int]], int, int], Tensor] | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.digest} ({self.prepared})"


@dataclass(frozen=True)
class Side:
    """One set of images with what extractors computed of them. Fields that are not needed may be None.

    features       [N, D] of the main extractor
    probabilities  [N, K] of its classes, or of those of a separate classifier
    labels         [N] true classes, where they are known
    """

    name: str
    images: Images | None = None
    features: Features | None = None
    probabilities: Features | None = None
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return next(len(array) for array in (self.images, self.features, self.probabilities) if array is not None)


@dataclass(frozen=True)
class Evidence:
    """All that the questions are answered from.

    train      the images trained on (or those named as such);  holdout  real images never trained on, or None
    fakes      one Side for each repeat, generated from different seeds, or parts of the files
    copies     the copy-sensitive extractor;  extractor  the main one
    base       the protocol but for its metric and counts
    ruler      distance of the samples from the real images between known damages; None where features are pixels
    layout     in how many samples parts are in their places;  thing  in how many a network sees what it sees in real
               images; None where that cannot be asked
    directions neighbours are found by features of unit length: a network's, whose lengths say how much it sees in an
               image, so that damaged images, of small features, would lie near everything
    label_names  of the real images' labels, where they have any
    trained_on how many training images there are, of which `train` may be a part; None where it is all of them
    own_networks  extractors whose features the samples were trained on: nothing is good by them
    as_made    the same at the samples' own channels and size, where these are others than the data's: for the questions
               of pixels (memorisation, collapse, artifacts)
    """

    train: Side
    holdout: Side | None
    fakes: tuple[Side, ...]
    extractor: Extractor
    copies: Extractor
    base: Protocol
    classes: tuple[str, ...] | None = None
    seed: int = 0
    ruler: Ruler | None = None
    layout: Seen | None = None
    thing: Seen | None = None
    directions: bool = False
    label_names: tuple[str, ...] | None = None
    trained_on: int | None = None
    own_networks: tuple[str, ...] = ()
    as_made: Evidence | None = None


@dataclass(frozen=True)
class Ruler:
    """Distances from the real images, as `evaluation.ruler.ruler` measures them, in units of the KID of damaged ones.

    samples   of the samples;  held_out  of real images that were not trained on, which should be 0
    layout, texture   {damage: of real images so damaged}, by `evaluation.damages`
    unit      KID of the images at 1, which are damaged as unit_name says: 4 x 4 tiles, but for textures
    """

    samples: Number
    held_out: Number | None
    layout: Mapping[str, Number]
    texture: Mapping[str, Number]
    unit: float
    unit_name: str = "cut into 4 x 4 and shuffled"

    @property
    def nearest(self) -> tuple[str, str]:
        """The damages of layout and of texture that are most nearly as far from the real images as the samples."""
        one, other = (min(row, key=lambda name: self._off(row[name])) for row in (self.layout, self.texture))
        return one, other

    def _off(self, mark: Number) -> float:
        return abs(math.log(max(mark.value, 1e-3) / max(self.samples.value, 1e-3)))


@dataclass(frozen=True)
class Seen:
    """The share of the samples in which something is seen, beside that of real images that were not trained on.

    what      is seen, in words
    accuracy  of the classifier on held-out images, where one was trained for it
    unclear   why the shares say nothing, as a sentence; empty where they do
    """

    what: str
    samples: Number
    held_out: Number
    accuracy: Number | None = None
    unclear: str = ""


@dataclass(frozen=True)
class Metric:
    """An entry of the catalog of metrics: `build(*, options) -> Metric`.

    measure   (real, fake) -> {name: Number}; one file may measure two things (precision and recall)
    better    {name: "lower" or "higher"};  words  name and options, for the protocol
    needs     which fields of a Side it reads;  least  images a side
    draws     whether it draws images at random: the same ones in another order then give another value
    shared    the same of sides of which each of several processes holds a part (`evaluation.shared_sides`): called on
              all of them, it returns the numbers at rank 0, and none elsewhere. None: it must see whole sides
    """

    measure: Callable[[Side, Side], Mapping[str, Number]]
    better: Mapping[str, Literal["lower", "higher"]]
    words: str
    needs: tuple[Literal["images", "features", "probabilities", "labels"], ...] = ("features",)
    least: int = 2
    draws: bool = False
    shared: Callable[[Side, Side], Mapping[str, Number]] | None = None


def needed(side: Side, field: Literal["features", "probabilities"], metric: str) -> Features:
    """`side.features` [N, D] or `side.probabilities` [N, K]. Raises DataError naming side and metric without it."""
    rows = side.features if field == "features" else side.probabilities
    if rows is None:
        way = "an extractor" if field == "features" else "an extractor that has classes, or a classifier of your own"
        raise DataError(f"{metric} needs the {field} of {side.name}, and there are none: give {way} (--features)")
    return rows

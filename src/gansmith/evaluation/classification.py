"""Classification report: errors, confusion, precision and recall, AUC, average precision, NDCG, calibration.

Computed by scikit-learn where it has the measure. Intervals of errors are exact (Clopper and Pearson 1934).

AUC           of each class against the rest: Hand, Till 2001, "A Simple Generalisation of the Area Under the ROC Curve"
NDCG          Jaervelin, Kekaelaeinen 2002, "Cumulated Gain-based Evaluation of IR Techniques": the true class's rank
Brier         Brier 1950, "Verification of Forecasts Expressed in Terms of Probability": squared error of all classes
calibration   Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 3: 15 bins of equal width
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from gansmith.errors import DataError
from gansmith.evaluation import intervals
from gansmith.evaluation.feature_matrix import as_floats
from gansmith.evaluation.types import Number

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

TOP = 5
BINS = 15
_CELL = 36  # pixels of a cell of the confusion image


@dataclass(frozen=True)
class ClassReport:
    """The measures of one class. images: how many are truly of it; measures that need images are None without any.

    precision   of the images put in this class, the share that belongs there (0 when none was)
    recall      of its images, the share put in it;  f1  the harmonic mean of both
    auc         chance that an image of it gets a higher probability for it than one of another class
    average_precision  precision averaged over the ranks of its images
    """

    name: str
    images: int
    precision: float | None
    recall: float | None
    f1: float | None
    auc: float | None
    average_precision: float | None


@dataclass(frozen=True)
class Classification:
    """The result of `report`. numbers: the measures of the whole, by name; confusion: int64 [K, K], true class down,
    predicted across."""

    numbers: dict[str, Number]
    classes: tuple[ClassReport, ...]
    confusion: Labels

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "numbers": {name: number.record() for name, number in self.numbers.items()},
            "classes": [dict(vars(one)) for one in self.classes],
            "confusion": self.confusion.tolist(),
        }

    def as_text(self) -> str:
        """Text for the terminal: the numbers, one line for each class, the most frequent mistakes."""
        width = max(len(name) for name in self.numbers)
        lines = [f"{name:<{width}}  {_shown(number)}  {number.means}".rstrip() for name, number in self.numbers.items()]
        width = max(len("class"), *(len(one.name) for one in self.classes))
        lines += ["", f"{'class':<{width}}  images  precision  recall     F1    AUC     AP"]
        for one in self.classes:
            values = (one.precision, one.recall, one.f1, one.auc, one.average_precision)
            cells = ["-" if value is None else f"{value:.3f}" for value in values]
            lines.append(
                f"{one.name:<{width}}  {one.images:>6,}  {cells[0]:>9}  {cells[1]:>6}  "
                + "  ".join(f"{cell:>5}" for cell in cells[2:])
            )
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        worst = [place for place in np.argsort(-wrong, axis=None, kind="stable")[:3].tolist() if wrong.flat[place]]
        if worst:
            count = len(self.classes)
            mistakes = (
                f"{self.classes[at // count].name} taken for {self.classes[at % count].name} ({wrong.flat[at]:,})"
                for at in worst
            )
            lines += ["", f"most frequent mistakes: {', '.join(mistakes)}"]
        return "\n".join(lines)

    def confusion_picture(self) -> Image.Image:
        """The confusion matrix: true class down, predicted across, darker for a larger share of the true class."""
        count = len(self.classes)
        font = ImageFont.load_default(11)
        names = [one.name[:14] for one in self.classes]
        margin = 12 + int(max(font.getlength(name) for name in names))
        image = Image.new("RGB", (margin + count * _CELL + 1, margin + count * _CELL + 1), "white")
        brush = ImageDraw.Draw(image)
        totals = np.maximum(self.confusion.sum(axis=1, keepdims=True), 1)
        shares = self.confusion / totals
        for row in range(count):
            brush.text((margin - 6, margin + (row + 0.5) * _CELL), names[row], "black", font, anchor="rm")
            _sideways(image, names[row], (margin + row * _CELL, margin), font)
            for column in range(count):
                level = round(255 * (1 - float(shares[row, column])))
                corner = margin + column * _CELL, margin + row * _CELL
                box = (*corner, corner[0] + _CELL, corner[1] + _CELL)
                brush.rectangle(box, fill=(level, level, 255 - (255 - level) // 3), outline=(200, 200, 200))
                ink = "white" if level < 128 else "black"
                number = int(self.confusion[row, column])
                if number:
                    centre = (corner[0] + _CELL / 2, corner[1] + _CELL / 2)
                    brush.text(centre, _short(number), ink, font, anchor="mm")
        return image


def report(logits: ArrayLike, labels: ArrayLike | None, *, classes: Sequence[str] | int) -> Classification:
    """Logits [N, K] and true labels [N] in 0 .. K-1 -> the report. classes: their K names, or K.

    Classes without images get no AUC or average precision, and the means leave them out. Raises DataError for no
    labels, labels out of range, NaN logits, shapes that do not fit, or no image.
    """
    names = tuple(str(k) for k in range(classes)) if isinstance(classes, int) else tuple(classes)
    scores, truth = _checked(logits, labels, names)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_probabilities: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    probabilities = np.exp(log_probabilities)
    predicted = scores.argmax(axis=1)
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    table = _per_class(probabilities, truth, predicted, names)
    return Classification(_numbers(log_probabilities, truth, predicted, table), table, confusion)


def _numbers(
    log_probabilities: Array, truth: Labels, predicted: Labels, table: tuple[ClassReport, ...]
) -> dict[str, Number]:
    from sklearn.metrics import ndcg_score

    probabilities = np.exp(log_probabilities)
    count, classes = probabilities.shape
    one_hot = np.eye(classes)[truth]
    numbers = {"class_error": _error(int((predicted != truth).sum()), count, "share of images put in the wrong class")}
    top = min(TOP, classes - 1)
    if top > 1:  # of equal logits the first is taken, as by argmax
        own = log_probabilities[np.arange(count), truth, None]
        earlier = np.arange(classes) < truth[:, None]
        before = (log_probabilities > own) | ((log_probabilities == own) & earlier)
        missed = int((before.sum(axis=1) >= top).sum())
        numbers[f"top_{top}_error"] = _error(missed, count, f"share whose class is not among the {top} most probable")
    squares = np.square(probabilities - one_hot).sum(axis=1)
    losses = -log_probabilities[np.arange(count), truth]
    more = {
        "auc": _macro(
            [one.auc for one in table], "a class's images above others, in its probability (mean of classes)"
        ),
        "mean_average_precision": _macro([one.average_precision for one in table], "mean of the classes' AP"),
        "ndcg": Number(float(ndcg_score(one_hot, probabilities)), means="how high the true class is ranked (1: first)"),
        "brier": _mean(squares, "squared error of the probabilities, summed over the classes (0 to 2)"),
        "mse": _mean(squares / classes, "the same as a mean over the classes"),
        "cross_entropy": _mean(losses, "minus log probability of the true class, in nats"),
        "calibration_error": Number(
            _calibration(probabilities.max(axis=1), predicted == truth), means="how far confidence is from accuracy"
        ),
    }
    return numbers | {name: number for name, number in more.items() if number is not None}


def _per_class(
    probabilities: Array, truth: Labels, predicted: Labels, names: tuple[str, ...]
) -> tuple[ClassReport, ...]:
    from sklearn.metrics import average_precision_score, precision_recall_fscore_support, roc_auc_score

    precision, recall, f1, images = precision_recall_fscore_support(
        truth, predicted, labels=list(range(len(names))), zero_division=0
    )
    rows = []
    for k, name in enumerate(names):
        mine = truth == k
        if not mine.any():
            rows.append(ClassReport(name, 0, None, None, None, None, None))
            continue
        auc = None if mine.all() else float(roc_auc_score(mine, probabilities[:, k]))
        average = float(average_precision_score(mine, probabilities[:, k]))
        rows.append(
            ClassReport(name, int(images[k]), float(precision[k]), float(recall[k]), float(f1[k]), auc, average)
        )
    return tuple(rows)


def _calibration(confidence: Array, right: NDArray[np.bool_]) -> float:
    """Mean over the images of |accuracy - confidence| of their bin; bins are (0, 1/15], (1/15, 2/15] ..."""
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _error(wrong: int, count: int, means: str) -> Number:
    return Number(wrong / count, *intervals.share(wrong, count), means)


def _macro(values: Sequence[float | None], means: str) -> Number | None:
    """The mean over the classes that have the value; None where none has."""
    known = [value for value in values if value is not None]
    return Number(float(np.mean(known)), means=means) if known else None


def _mean(values: Array, means: str) -> Number:
    low, high = intervals.mean(values) if len(values) > 1 else (None, None)
    return Number(float(values.mean()), low, high, means)


def _checked(logits: ArrayLike, labels: ArrayLike | None, names: tuple[str, ...]) -> tuple[Array, Labels]:
    scores: Array = as_floats(logits, "the logits").astype(np.float64)
    if scores.ndim != 2 or len(scores) == 0 or scores.shape[1] != len(names) or len(names) < 2:
        raise DataError(
            f"the logits have the shape {list(scores.shape)}: one row for each of at least one image and one column "
            f"for each of the {len(names)} classes (at least 2) are needed"
        )
    if not np.isfinite(scores).all():
        raise DataError("the logits hold a NaN or an infinity: the classifier has diverged")
    if labels is None:
        raise DataError(
            "unlabelled data where labels are needed: a classifier is judged on images whose class is known"
        )
    truth = np.asarray(labels)
    if truth.shape != (len(scores),) or truth.dtype.kind not in "iu":
        raise DataError(
            f"the labels are {truth.dtype} {list(truth.shape)}: {len(scores)} whole numbers are needed, "
            f"one for each image"
        )
    if truth.min() < 0 or truth.max() >= len(names):
        raise DataError(f"the labels go from {truth.min()} to {truth.max()}: 0 to {len(names) - 1} are the classes")
    return scores, truth.astype(np.int64)


def _shown(number: Number) -> str:
    if number.low is None or number.high is None:
        return f"{number.value:.4f}"
    return f"{number.value:.4f} [{number.low:.4f}, {number.high:.4f}]"


def _short(number: int) -> str:
    """At most five letters: 12345 -> 12k."""
    return str(number) if number < 10_000 else f"{number / 1000:.0f}k"


def _sideways(image: Image.Image, text: str, corner: tuple[int, int], font: Any) -> None:
    """`text` read from bottom to top, ending above the column that begins at `corner`."""
    label = Image.new("RGB", (int(font.getlength(text)) + 2, 14), "white")
    ImageDraw.Draw(label).text((0, 0), text, "black", font)
    turned = label.rotate(90, expand=True)
    image.paste(turned, (corner[0] + (_CELL - turned.width) // 2, corner[1] - 5 - turned.height))

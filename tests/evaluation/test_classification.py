"""The classifier's report: closed forms, agreement with counting by hand, and every error."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from gansmith.errors import DataError
from gansmith.evaluation.classification import report

LOGITS = np.log(
    [
        [0.7, 0.2, 0.1],
        [0.5, 0.3, 0.2],
        [0.4, 0.5, 0.1],
        [0.1, 0.8, 0.1],
        [0.3, 0.3, 0.4],
        [0.6, 0.3, 0.1],
    ]
)
LABELS = np.array([0, 0, 0, 1, 2, 2])
NAMES = ("cat", "dog", "owl")


def drawn(count: int, classes: int, *, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    return rng.normal(size=(count, classes)) + 1.5 * np.eye(classes)[labels], labels


def test_by_hand() -> None:
    found = report(LOGITS, LABELS, classes=NAMES)
    assert found.confusion.tolist() == [[2, 1, 0], [0, 1, 0], [1, 0, 1]]
    numbers = {name: number.value for name, number in found.numbers.items()}
    assert numbers["class_error"] == pytest.approx(2 / 6)
    assert numbers["top_2_error"] == pytest.approx(1 / 6)  # the last one: its owl is third
    assert numbers["cross_entropy"] == pytest.approx(-np.log([0.7, 0.5, 0.4, 0.8, 0.4, 0.1]).mean())
    squares = [0.09 + 0.04 + 0.01, 0.25 + 0.09 + 0.04, 0.36 + 0.25 + 0.01, 0.01 + 0.04 + 0.01, 0.09 + 0.09 + 0.36]
    squares.append(0.36 + 0.09 + 0.81)
    assert numbers["brier"] == pytest.approx(np.mean(squares))
    assert numbers["mse"] == pytest.approx(np.mean(squares) / 3)
    assert numbers["ndcg"] == pytest.approx((1 + 1 + 1 / np.log2(3) + 1 + 1 + 1 / 2) / 6)
    # cat: .7, .5, .4 beside .1, .3, .6: 7 of 9 pairs; dog: .8 above all; owl: .4, .1 beside .1, .2, .1, .1
    assert [one.auc for one in found.classes] == pytest.approx([7 / 9, 1, (4 + 0 + 0.5 * 3) / 8])
    assert numbers["auc"] == pytest.approx((7 / 9 + 1 + 5.5 / 8) / 3)
    cat, dog, owl = found.classes
    assert (cat.name, cat.images, dog.images, owl.images) == ("cat", 3, 1, 2)
    assert (cat.precision, cat.recall, cat.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (dog.precision, dog.recall, dog.f1) == pytest.approx((1 / 2, 1, 2 / 3))
    assert (owl.precision, owl.recall, owl.f1) == pytest.approx((1, 1 / 2, 2 / 3))
    # cat at ranks 1, 3, 4 of .7 .6 .5 .4; owl at rank 1, then tied with four others at rank 6
    averages = [(1 + 2 / 3 + 3 / 4) / 3, 1, (1 + 2 / 6) / 2]
    assert [one.average_precision for one in found.classes] == pytest.approx(averages)
    assert numbers["mean_average_precision"] == pytest.approx(np.mean(averages))


def test_calibration_by_hand() -> None:
    """Confidences .7 .5 .5 .8 .4 .6, right but for the third and the last, in bins of 1/15."""
    found = report(LOGITS, LABELS, classes=NAMES).numbers["calibration_error"].value
    bins = [(0.7, 1), (0.8, 1), (0.4, 1), (0.6, 0)]  # alone in theirs
    expected = (sum(abs(right - sure) for sure, right in bins) + abs(1 - 1.0)) / 6  # .5 and .5: one right of two
    assert found == pytest.approx(expected)


def test_calibrated_probabilities_have_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 5_000)
    labels = (probabilities.cumsum(axis=1) < rng.random((5_000, 1))).sum(axis=1)
    assert report(np.log(probabilities), labels, classes=4).numbers["calibration_error"].value < 0.03
    bold = report(3 * np.log(probabilities), labels, classes=4).numbers["calibration_error"].value
    assert bold > 0.15


def test_intervals_are_exact() -> None:
    logits, labels = drawn(200, 10)
    found = report(logits, labels, classes=10).numbers
    for name, k in (("class_error", 1), ("top_5_error", 5)):
        wrong = sum(label not in np.argsort(-row)[:k] for row, label in zip(logits, labels, strict=True))
        expected = stats.binomtest(wrong, 200).proportion_ci()
        assert found[name].value == wrong / 200
        assert (found[name].low, found[name].high) == pytest.approx((expected.low, expected.high))
    assert found["cross_entropy"].low < found["cross_entropy"].value < found["cross_entropy"].high  # type: ignore[operator]


@pytest.mark.parametrize(("classes", "name"), [(2, None), (3, "top_2_error"), (5, "top_4_error"), (6, "top_5_error")])
def test_top_of_few_classes(classes: int, name: str | None) -> None:
    found = report(*drawn(50, classes), classes=classes).numbers
    assert [key for key in found if key.startswith("top_")] == ([name] if name else [])


def test_ties_count_as_the_first_class() -> None:
    """Equal logits say nothing: the first classes are taken, in the error and in the top."""
    found = report(np.zeros((10, 10)), np.arange(10), classes=10)
    assert found.numbers["class_error"].value == 0.9
    assert found.numbers["top_5_error"].value == 0.5
    assert found.confusion[:, 0].tolist() == [1] * 10


def test_a_missing_class_is_left_out_of_the_means() -> None:
    logits, labels = drawn(60, 4)
    labels[labels == 2] = 3
    found = report(logits, labels, classes=4)
    assert vars(found.classes[2]) == {
        "name": "2", "images": 0, "precision": None, "recall": None, "f1": None, "auc": None, "average_precision": None,
    }  # fmt: skip
    present = [one.auc for one in found.classes if one.images]
    assert found.numbers["auc"].value == pytest.approx(np.mean(present))  # type: ignore[arg-type]
    assert "2           0          -       -      -      -      -" in found.as_text()


def test_one_class_alone_has_no_auc() -> None:
    found = report(drawn(5, 3)[0], np.ones(5, np.int64), classes=3)
    assert "auc" not in found.numbers
    assert found.numbers["mean_average_precision"].value == 1


def test_one_image() -> None:
    found = report([[1.0, 0.0]], [0], classes=2)
    assert found.numbers["class_error"].value == 0
    assert found.numbers["brier"].low is None


def test_shifts_and_extreme_logits() -> None:
    logits, labels = drawn(50, 4)
    shifted = report(logits + 1e3, labels, classes=4).numbers
    for name, number in report(logits, labels, classes=4).numbers.items():
        assert shifted[name].value == pytest.approx(number.value, abs=1e-9)
    found = report([[1e5, 0.0], [0.0, 1e5]], [0, 0], classes=2).numbers
    assert found["cross_entropy"].value == pytest.approx(5e4)
    assert found["brier"].value == pytest.approx(1)


def test_record_is_plain() -> None:
    record = report(LOGITS, LABELS, classes=NAMES).record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["confusion"] == [[2, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert record["classes"][1]["name"] == "dog"
    assert record["numbers"]["class_error"]["value"] == pytest.approx(1 / 3)


def test_text() -> None:
    lines = report(LOGITS, LABELS, classes=NAMES).as_text().splitlines()
    low, high = stats.binomtest(2, 6).proportion_ci()
    assert lines[0] == f"class_error             0.3333 [{low:.4f}, {high:.4f}]  share of images put in the wrong class"
    assert "cat         3      0.667   0.667  0.667  0.778  0.806" in lines
    assert lines[-1] == "most frequent mistakes: cat taken for dog (1), owl taken for cat (1)"
    assert "mistakes" not in report(np.eye(3), np.arange(3), classes=NAMES).as_text()


def test_confusion_picture() -> None:
    """The darkest cell is where most of a true class goes; an empty one is white."""
    picture = report(LOGITS, LABELS, classes=NAMES).confusion_picture()
    assert picture.size[0] == picture.size[1]
    left = picture.size[0] - 1 - 3 * 36

    def cell(row: int, column: int) -> tuple[int, ...]:
        return picture.getpixel((left + 36 * column + 3, left + 36 * row + 3))  # type: ignore[return-value]

    assert cell(1, 1) == (0, 0, 170)
    assert cell(0, 2) == (255, 255, 255)
    assert cell(0, 1)[0] > cell(0, 0)[0] > cell(1, 1)[0]
    assert cell(2, 0) == cell(2, 2)
    above = np.asarray(picture)[: left - 4, left:]
    assert (above < 128).any()  # the names of the columns


def test_large_counts_fit_their_cells() -> None:
    assert report(np.zeros((11_111, 2)), np.zeros(11_111, np.int64), classes=2).confusion_picture().size[0] > 72


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (LOGITS, None, "unlabelled"),
        (LOGITS, LABELS[:3], r"int64 \[3\]: 6"),
        (LOGITS, LABELS / 1, r"the labels are float64 \[6\]"),
        (LOGITS, LABELS + 1, "from 1 to 3: 0 to 2"),
        (LOGITS, LABELS - 1, "from -1 to 1: 0 to 2"),
        (LOGITS * np.nan, LABELS, "the logits hold a NaN"),
        (LOGITS[:, :2], LABELS, r"the logits have the shape \[6, 2\]: .* each of the 3 classes"),
        (LOGITS[:0], LABELS[:0], r"the logits have the shape \[0, 3\]"),
        (LOGITS[0], LABELS, r"the logits have the shape \[3\]"),
    ],
)
def test_errors(logits: Any, labels: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        report(logits, labels, classes=NAMES)

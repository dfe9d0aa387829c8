"""The Inception score: 1 where nothing is told apart, the number of classes where everything is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError, OptionError
from gansmith.evaluation.metrics.inception_score import inception_score
from gansmith.evaluation.types import Side


def drawn(seed: int, n: int, classes: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.3), n)


def test_sure_of_every_class_equally_is_their_number() -> None:
    found = inception_score(np.tile(np.eye(7), (20, 1)), splits=10, seed=None)
    assert found.value == pytest.approx(7)
    assert (found.low, found.high) == (pytest.approx(7), pytest.approx(7))


@pytest.mark.parametrize("rows", [np.full((30, 5), 0.2), np.tile(np.eye(5)[1], (30, 1))])
def test_unsure_of_all_or_all_of_one_class_is_one(rows: NDArray[Any]) -> None:
    assert inception_score(rows, splits=3).value == pytest.approx(1)


def test_by_hand() -> None:
    """Two classes, (3/4, 1/4) and (1/4, 3/4): ln 2 less the entropy of a quarter."""
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    found = inception_score([[0.75, 0.25], [0.25, 0.75]], splits=1)
    assert found.value == pytest.approx(np.exp(np.log(2) - entropy))
    assert (found.low, found.high) == (None, None)


def test_the_mean_over_parts_in_order() -> None:
    rows = drawn(0, 25, 4)
    parts = [rows[i * 25 // 3 : (i + 1) * 25 // 3] for i in range(3)]
    scores = [np.exp((p * np.log(p / p.mean(0))).sum(1).mean()) for p in parts]
    found = inception_score(rows, splits=3, seed=None)
    assert found.value == pytest.approx(np.mean(scores))
    assert found.high is not None
    assert found.high - found.value == pytest.approx(4.30265273 * np.std(scores, ddof=1) / np.sqrt(3))


def test_sorted_files_are_mixed_first() -> None:
    rows = np.repeat(np.eye(10), 40, axis=0)
    assert inception_score(rows, seed=None).value == pytest.approx(1)  # each part has one class
    assert inception_score(rows).value > 8
    assert inception_score(rows, seed=1) == inception_score(rows, seed=1)
    assert inception_score(rows, seed=1) != inception_score(rows, seed=2)


def test_bad_input() -> None:
    with pytest.raises(DataError, match=r"2 of 3 rows.*sum to 1"):
        inception_score([[0.5, 0.5], [1.5, -0.5], [0.5, 0.6]])
    with pytest.raises(OptionError, match="splits = -1 is not allowed: at least 1"):
        inception_score(np.full((9, 3), 1 / 3), splits=-1)
    with pytest.raises(DataError, match="9 images cannot be dealt to 10 parts"):
        inception_score(drawn(0, 9, 3))
    with pytest.raises(DataError, match=r"probabilities.*1 of 1 images.*NaN"):
        inception_score([[np.nan, 1.0]])


def test_the_catalog_builds_it() -> None:
    rows = drawn(1, 40, 3).astype(np.float32)
    metric = catalog.build("metrics", "inception_score", splits=4, seed=3)
    found = metric.measure(Side("real"), Side("fake", probabilities=rows))
    assert found == {"inception_score": inception_score(rows, splits=4, seed=3)}
    assert (metric.needs, metric.least, metric.words) == (("probabilities",), 4, "inception_score(splits=4)")
    with pytest.raises(DataError, match=r"inception_score.*probabilities of files.*classifier"):
        metric.measure(Side("real"), Side("files"))
    with pytest.raises(OptionError, match="splits = 0 is not allowed"):
        catalog.build("metrics", "inception_score", splits=0)

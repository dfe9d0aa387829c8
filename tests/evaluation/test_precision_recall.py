"""Precision and recall, held against drawings one can count and the paper's definition word for word."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gansmith import catalog
from gansmith.errors import DataError
from gansmith.evaluation.metrics.precision_recall import members, precision_recall
from gansmith.evaluation.types import Side


def cloud(seed: int, *shape: int, at: float = 0.0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal(shape) + at).astype(np.float32)


def share_inside(points: NDArray[Any], manifold: NDArray[Any], k: int) -> float:
    """Eq. 1 and 2 of the paper, point by point."""
    inside = 0
    for point in points:
        for centre in manifold:
            others = np.sort(np.linalg.norm(manifold - centre, axis=1))  # itself is the first
            if np.linalg.norm(point - centre) <= others[k]:
                inside += 1
                break
    return inside / len(points)


def test_by_hand() -> None:
    """On a line, k = 1: real balls reach [-1, 1], [0, 2], [2, 6], [2, 6]; made ones [4, 6], [5, 5.5], [8.9, 9.1]."""
    real = np.array([[0.0], [1], [3], [5]])  # nearest others: 1, 1, 2, 2
    fake = np.array([[2.5], [6.0], [7.5], [20], [21]])  # 3.5, 1.5, 1.5, 1, 1
    found = precision_recall(real, fake, neighbours=1)
    assert found.precision.value == 2 / 5  # 2.5 and 6 (7 is the end of the last ball)
    assert found.recall.value == 1.0  # [-1, 6] holds them all
    which = members(real, fake, neighbours=1)
    np.testing.assert_array_equal(which.real_like, [True, True, False, False, False])
    assert which.reached.all()


@pytest.mark.parametrize("k", [1, 3])
def test_equals_the_definition(k: int) -> None:
    real, fake = cloud(0, 60, 3), cloud(1, 45, 3, at=0.8)
    found = precision_recall(real, fake, neighbours=k)
    assert found.precision.value == pytest.approx(share_inside(fake, real, k))
    assert found.recall.value == pytest.approx(share_inside(real, fake, k))
    assert 0 < found.precision.value < 1
    assert 0 < found.recall.value < 1
    mirrored = precision_recall(fake, real, neighbours=k)
    assert (mirrored.precision.value, mirrored.recall.value) == (found.recall.value, found.precision.value)


def test_the_default_is_the_papers_three() -> None:
    real, fake = cloud(2, 50, 3), cloud(3, 50, 3)
    assert precision_recall(real, fake) == precision_recall(real, fake, neighbours=3)
    assert precision_recall(real, fake) != precision_recall(real, fake, neighbours=1)


def test_a_collapsed_generator_is_precise_and_recalls_nothing() -> None:
    real = cloud(4, 200, 4)
    found = precision_recall(real, np.repeat(real[:1], 50, axis=0))
    assert found.precision.value == 1
    assert found.recall.value == 1 / 200  # the one image it copies


def test_far_away_is_neither() -> None:
    found = precision_recall(cloud(5, 30, 4), cloud(6, 20, 4, at=50))
    assert (found.precision.value, found.recall.value) == (0, 0)
    assert found.precision.low == 0
    assert found.precision.high == pytest.approx(1 - 0.025 ** (1 / 20))  # Clopper and Pearson, none of 20
    assert found.recall.high == pytest.approx(1 - 0.025 ** (1 / 30))


def test_the_interval_covers_what_more_made_images_would_give() -> None:
    """The real images fixed, 200 repetitions of the made ones."""
    real, rng = cloud(7, 80, 3), np.random.default_rng(8)
    expected = precision_recall(real, rng.standard_normal((4_000, 3)) * 1.5).precision.value
    found = [precision_recall(real, rng.standard_normal((60, 3)) * 1.5).precision for _ in range(200)]
    covered = np.mean([number.low <= expected <= number.high for number in found])  # type: ignore[operator]
    assert covered >= 0.92
    assert abs(np.mean([number.value for number in found]) - expected) < 0.02


def test_memory_does_not_grow_with_the_product_of_the_counts() -> None:
    """All distances of these are 156 MB; blocks and copies of the features are a third of it."""
    program = (
        "import resource, numpy as np\n"
        "from gansmith.evaluation.metrics.precision_recall import precision_recall\n"
        "rng = np.random.default_rng(0)\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "small, real, fake = (rng.standard_normal((n, 2), dtype=np.float32) for n in (4200, 6500, 6000))\n"
        "precision_recall(small, small + 1)\n"
        "before = peak()\n"
        "precision_recall(real, fake)\n"
        "print(peak() - before)\n"
    )
    grown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert int(grown.stdout) < 48 * 1024  # KiB


def test_bad_input() -> None:
    with pytest.raises(DataError, match=r"3 nearest.*3 images.*at least 4"):
        precision_recall(cloud(0, 9, 2), cloud(0, 3, 2))
    with pytest.raises(DataError, match="NaN"):
        precision_recall(np.full((9, 2), np.nan), cloud(0, 9, 2))
    with pytest.raises(DataError, match="the same: they are copies of one image"):
        precision_recall(np.ones((9, 2)), cloud(0, 9, 2))


def test_the_catalog_builds_it() -> None:
    real, fake = cloud(0, 30, 3), cloud(1, 30, 3)
    metric = catalog.build("metrics", "precision_recall", neighbours=2)
    found = metric.measure(Side("real", features=real), Side("fake", features=fake))
    assert found == precision_recall(real, fake, neighbours=2)._asdict()
    assert (metric.words, metric.least) == ("precision_recall(neighbours=2)", 3)
    assert metric.better == {"precision": "higher", "recall": "higher"}

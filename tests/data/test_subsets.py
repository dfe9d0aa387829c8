"""Indices of subsets: evenly spaced and drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from gansmith.data.subsets import evenly_spaced, random_subset


@pytest.mark.parametrize("total", [1, 2, 3, 7, 100, 1_001])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 500])
def test_evenly_spaced(total: int, count: int) -> None:
    indices = evenly_spaced(total, count)
    assert indices.dtype == np.int64
    assert len(indices) == min(total, count)
    assert indices[0] == 0
    if len(indices) > 1:
        assert indices[-1] == total - 1
        steps = np.diff(indices)
        assert steps.min() >= 1  # ascending, none twice
        assert steps.max() - steps.min() <= 1


def test_nothing_is_spaced_over_nothing() -> None:
    assert len(evenly_spaced(0, 5)) == 0
    assert len(random_subset(0, 5, np.random.default_rng(0))) == 0


def test_random_subsets() -> None:
    """Ascending, none twice, by the generator alone; each index as often as the others."""
    rng = np.random.default_rng(3)
    drawn = [random_subset(10, 4, rng) for _ in range(5_000)]
    assert all((np.diff(indices) > 0).all() for indices in drawn)
    counts = np.bincount(np.concatenate(drawn), minlength=10)
    assert counts.min() > 1_850  # 2,000 expected, standard deviation 35
    assert random_subset(10, 40, rng).tolist() == list(range(10))
    one, same = (random_subset(1_000, 5, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one, same)

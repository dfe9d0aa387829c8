import numpy as np
import pytest
import torch

from gansmith.errors import DataError
from gansmith.evaluation.blends import FIRST, affordable, blends

AXES = torch.eye(60)[:, :40]


def points(count: int, seed: int) -> torch.Tensor:
    """[count, 60]: most of their spread on the axes."""
    scale = torch.cat([torch.ones(40), torch.full((20,), 0.2)])
    return torch.randn(count, 60, generator=torch.Generator().manual_seed(seed)) * scale + 5


@pytest.mark.parametrize("weight", [0.5, 0.3, 0.7])
def test_both_parents_of_a_blend_are_those_it_lies_between(weight: float) -> None:
    train = points(200, 0)
    one, two = torch.arange(30), torch.arange(100, 130)
    blended = blends((1 - weight) * train[one] + weight * train[two], train, AXES)
    assert blended.nearness.max() < 1e-3
    assert [sorted(pair) for pair in blended.pair.tolist()] == [[a, a + 100] for a in range(30)]


def test_nearness_is_the_distance_to_the_mean_over_that_to_the_nearest_single_one() -> None:
    train = torch.zeros(3, 60)
    train[0, 0], train[1, 0], train[2, 1] = -1, 1, 50
    query = torch.zeros(1, 60)
    query[0, 2] = 0.5  # between the first two, half a unit aside
    blended = blends(query, train, torch.eye(60))
    assert sorted(blended.pair[0].tolist()) == [0, 1]
    np.testing.assert_allclose(blended.nearness, [0.5 / (1 + 0.25) ** 0.5], rtol=1e-5)


def test_a_weight_below_a_quarter_is_no_blend() -> None:
    train = torch.zeros(3, 60)
    train[0, 0], train[1, 0], train[2, 1] = -1, 1, 50
    query = torch.zeros(1, 60)
    query[0, 0] = 0.9  # a tenth from the second; the blend of a quarter lies four times as far
    assert blends(query, train, torch.eye(60)).nearness[0] == 1
    query[0, 0] = 0.75  # the eighth of the way: as far from the blend as from the second
    np.testing.assert_allclose(blends(query, train, torch.eye(60)).nearness, [1.0], rtol=1e-5)


def test_a_copy_is_no_blend_and_strangers_are_none() -> None:
    train = points(200, 0)
    copies = blends(train[:20], train, AXES)
    assert (copies.nearness == 1).all()
    assert blends(points(40, 1), train, AXES).nearness.min() > 0.6


def test_what_lies_off_the_axes_counts() -> None:
    train = points(200, 0)
    mixed = (train[:20] + train[100:120]) / 2
    mixed[:, 40:] += 3  # unseen on the axes
    assert blends(mixed, train, AXES).nearness.min() > 0.5


def test_fewer_are_tried_where_they_are_many() -> None:
    assert affordable(300, 1800) == FIRST
    assert affordable(2000, 10_000) == 6
    assert affordable(2000, 10**6) == 2
    with pytest.raises(DataError, match=r"1 training image.*at least 2"):
        blends(torch.zeros(1, 60), torch.zeros(1, 60), AXES)

"""The image pool: its rule against a plain account of it, its odds, its state."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gansmith.errors import OptionError
from gansmith.games.parts.pool import Pool


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(first: int, count: int) -> Tensor:
    """Images that are known by their one value."""
    return torch.arange(first, first + count, dtype=torch.float32)[:, None, None, None].expand(-1, 2, 3, 4).clone()


def numbers(images: Tensor) -> list[int]:
    assert images.shape[1:] == (2, 3, 4)
    assert torch.equal(images, images[:, :1, :1, :1].expand_as(images))
    return [int(value) for value in images[:, 0, 0, 0]]


def plain(stored: list[int], capacity: int, fresh: list[int], seed: int) -> list[int]:
    """The rule image by image, with the draws that the pool makes."""
    late = max(len(fresh) - (capacity - len(stored)), 0)
    draws = rng(seed)
    coins = torch.rand(late, generator=draws) < 0.5
    places = torch.randint(capacity, (late,), generator=draws)
    shown, turn = [], 0
    for image in fresh:
        if len(stored) < capacity:
            stored.append(image)
            shown.append(image)
            continue
        if coins[turn]:
            place = int(places[turn])
            shown.append(stored[place])
            stored[place] = image
        else:
            shown.append(image)
        turn += 1
    return shown


@pytest.mark.parametrize(("capacity", "batch"), [(50, 1), (7, 4), (3, 8), (1, 5), (4, 4)])
def test_the_rule(capacity: int, batch: int) -> None:
    pool, stored = Pool(capacity), []  # type: Pool, list[int]
    for step in range(30):
        fresh = numbered(step * batch, batch)
        shown = pool.mixed(fresh, rng(step))
        assert numbers(shown) == plain(stored, capacity, numbers(fresh), step)
        assert numbers(pool.images) == stored
        assert len(pool.images) <= capacity


def test_old_images_come_back_half_of_the_time_and_each_is_as_likely() -> None:
    pool, draws = Pool(5), rng()
    pool.mixed(numbered(0, 5), draws)
    count = 8_000
    shown = numbers(pool.mixed(numbered(5, count), draws))
    old = sum(number != 5 + place for place, number in enumerate(shown))
    assert abs(old - count / 2) < 5 * (count / 4) ** 0.5
    # an image that was stored waits, in swaps, geometrically with mean 5: nothing is shown twice, nothing is lost
    assert len(set(shown)) == count
    assert set(shown) | set(numbers(pool.images)) == set(range(count + 5))


def test_within_a_batch_one_image_comes_after_the_other() -> None:
    """With room for one, an image of a batch can be shown in the place of a later one of the same batch."""
    pool = Pool(1)
    pool.mixed(numbered(0, 1), rng())
    shown = numbers(pool.mixed(numbered(1, 64), rng()))
    assert any(1 <= number < 1 + place for place, number in enumerate(shown))


def test_a_pool_of_nothing_shows_what_is_fresh() -> None:
    pool, fresh = Pool(0), numbered(0, 4).requires_grad_()
    for _ in range(20):
        shown = pool.mixed(fresh, rng())
        assert torch.equal(shown, fresh)
        assert not shown.requires_grad
    assert not len(pool.images)


def test_what_is_shown_has_no_graph_and_is_nobody_elses() -> None:
    pool, draws = Pool(2), rng(3)
    fresh = [numbered(4 * step, 4).requires_grad_() for step in range(6)]
    shown = [pool.mixed(images * 1, draws) for images in fresh]
    before = [images.clone() for images in shown]
    assert not any(images.requires_grad for images in shown)
    pool.mixed(numbered(100, 50), draws)  # changes what is stored
    assert all(torch.equal(one, other) for one, other in zip(shown, before, strict=True))


def test_the_state_is_exact() -> None:
    pool, draws = Pool(6), rng()
    for step in range(5):
        pool.mixed(numbered(3 * step, 3), draws)
    state = pool.state_dict()
    kept = state["images"].clone()
    again = Pool(6)
    again.load_state_dict(state)
    for step in range(5, 12):
        fresh = numbered(3 * step, 3)
        assert torch.equal(pool.mixed(fresh, rng(step)), again.mixed(fresh, rng(step)))
    assert torch.equal(pool.images, again.images)
    assert torch.equal(state["images"], kept)  # what was saved does not change with the pool


def test_an_empty_pool_has_a_state_too() -> None:
    pool = Pool(3)
    pool.mixed(numbered(0, 2), rng())
    pool.load_state_dict(Pool(3).state_dict())
    assert numbers(pool.mixed(numbered(7, 2), rng())) == [7, 8]
    assert numbers(pool.images) == [7, 8]


def test_a_pool_that_memory_cannot_hold_is_refused_before_its_first_image() -> None:
    pool = Pool(10**12)
    with pytest.raises(OptionError, match=r"1,000,000,000,000 images, 2x3x4, needs .*GiB.*game\.pool"):
        pool.mixed(numbered(0, 2), rng())
    assert not len(pool.images)

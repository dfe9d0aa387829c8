from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from gansmith.errors import DataError
from gansmith.evaluation import copy_search, planted_copies
from gansmith.evaluation.features import pixels
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.system import threads

PIXELS = pixels.build(device="cpu")


@pytest.fixture(scope="module")
def digits() -> NDArray[np.uint8]:
    """[200, 24, 24, 1]"""
    small = (load_digits().images[:200] * 255 / 16).round().astype(np.uint8)
    return small.repeat(3, axis=1).repeat(3, axis=2)[..., None]


@pytest.fixture(scope="module")
def colours() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (12, 16, 20, 4), dtype=np.uint8)


def linear(width: int) -> Extractor:
    """A `network`: a fixed random projection of all pixels, which no shift leaves as it is."""
    matrix = torch.randn(width, 32, generator=torch.Generator().manual_seed(0))
    return Extractor("linear", "0", "flat", lambda images: Outputs(images.float().flatten(1) @ matrix), batch=16)


@pytest.mark.parametrize(("side", "expected"), [(4, 0), (7, 0), (8, 1), (15, 1), (16, 2), (64, 2)])
def test_the_margin_is_smaller_in_small_images(side: int, expected: int) -> None:
    images = np.zeros((1, side, 64, 1), np.uint8)
    assert copy_search.margin(images) == copy_search.margin(images.transpose(0, 2, 1, 3)) == expected
    assert len(list(copy_search.views(images))) == 2 * (2 * expected + 1) ** 2
    assert copy_search.inside(images).shape == (1, side - 2 * expected, 64 - 2 * expected, 1)
    assert planted_copies.plant(images, "shifted", seed=0).shape == images.shape


def test_views_are_every_window_once_as_it_is_and_mirrored(colours: NDArray[np.uint8]) -> None:
    found = list(copy_search.views(colours))
    np.testing.assert_array_equal(found[0], copy_search.inside(colours))
    expected = {
        whole[:, y : y + 12, x : x + 16].tobytes()
        for whole in (colours, colours[:, :, ::-1])
        for y in range(5)
        for x in range(5)
    }
    assert len(found) == len(expected) == 50
    assert {view.tobytes() for view in found} == expected


@pytest.mark.parametrize("kind", planted_copies.UNDONE)
def test_planted_copies_are_found_at_their_source(digits: NDArray[np.uint8], kind: str) -> None:
    found = copy_search.search(planted_copies.plant(digits, kind, seed=0), digits, PIXELS, what="copies")
    np.testing.assert_array_equal(found.source, np.arange(200))
    strangers = copy_search.search(digits, digits, PIXELS, what="strangers", own=np.arange(200))
    assert found.nearness.max() < strangers.nearness.min()
    if kind in ("exact", "mirrored", "shifted"):
        assert found.distance.max() == found.nearness.max() == 0


def test_the_search_agrees_with_trying_everything(digits: NDArray[np.uint8]) -> None:
    queries, train = digits[:9], digits[9:60]
    looks = [
        PIXELS.run(torch.from_numpy(view.transpose(0, 3, 1, 2).copy())).features for view in copy_search.views(queries)
    ]
    base = PIXELS.run(torch.from_numpy(copy_search.inside(train).transpose(0, 3, 1, 2).copy())).features
    distances = torch.stack([torch.cdist(look.double(), base.double()) for look in looks]).amin(0)
    ordered, where = distances.sort(dim=1)
    found = copy_search.search(queries, train, PIXELS, what="queries")
    np.testing.assert_allclose(found.distance, ordered[:, 0], rtol=1e-5)
    np.testing.assert_allclose(found.nearness, ordered[:, 0] / ordered[:, 4], rtol=1e-5)
    np.testing.assert_array_equal(found.source, where[:, 0])


def test_many_queries_are_looked_up_as_few_are(digits: NDArray[np.uint8]) -> None:
    many = np.concatenate([digits[:150], digits[:150]])
    found = copy_search.search(many, digits[150:], PIXELS, what="queries")
    few = copy_search.search(digits[:150], digits[150:], PIXELS, what="queries")
    np.testing.assert_allclose(found.nearness, np.tile(few.nearness, 2), rtol=1e-5)
    np.testing.assert_array_equal(found.source, np.tile(few.source, 2))


def test_a_query_does_not_find_its_own_and_finds_what_equals_it(digits: NDArray[np.uint8]) -> None:
    train = np.concatenate([digits[:20], digits[:1, :, ::-1]])
    alone = copy_search.search(train[[0, 1]], train, PIXELS, what="queries", own=np.array([0, 1]))
    assert (alone.source[0], alone.distance[0]) == (20, 0)
    without = copy_search.search(train[[1]], train[np.arange(21) != 1], PIXELS, what="queries")
    np.testing.assert_allclose(alone.distance[1], without.distance[0], rtol=1e-6)
    np.testing.assert_allclose(alone.nearness[1], without.nearness[0], rtol=1e-6)


def test_a_query_that_skips_its_own_still_counts_enough_others(digits: NDArray[np.uint8]) -> None:
    train, extractor = digits[:6], linear(24 * 24)
    alone = copy_search.search(train, train, extractor, what="queries", own=np.arange(6))
    for index in range(6):
        without = copy_search.search(train[[index]], train[np.arange(6) != index], extractor, what="query")
        np.testing.assert_allclose(alone.nearness[index], without.nearness[0], rtol=1e-5)


def test_a_copy_among_equal_training_images_is_as_near_as_can_be(digits: NDArray[np.uint8]) -> None:
    train = np.concatenate([digits[:1].repeat(6, axis=0), digits[1:9]])
    found = copy_search.search(digits[:1], train, PIXELS, what="queries")
    assert (found.distance[0], found.nearness[0]) == (0, 0)


def test_a_network_sees_a_query_as_it_is_and_mirrored(digits: NDArray[np.uint8]) -> None:
    extractor = linear(24 * 24)
    for kind in ("exact", "mirrored"):
        found = copy_search.search(planted_copies.plant(digits[:20], kind, seed=0), digits, extractor, what=kind)
        np.testing.assert_array_equal(found.source, np.arange(20))
        assert found.distance.max() == 0
    assert copy_search.search(digits[:, :, ::-1], digits[:30], extractor, what="m").distance.shape == (200,)


def test_what_cannot_be_searched_is_said(digits: NDArray[np.uint8]) -> None:
    with pytest.raises(DataError, match=r"samples.*\[23, 24, 1\].*\[24, 24, 1\]"):
        copy_search.search(digits[:, 1:], digits, PIXELS, what="the samples")
    with pytest.raises(DataError, match=r"^1 training image.*at least 2"):
        copy_search.search(digits, digits[:1], PIXELS, what="the samples")
    with pytest.raises(DataError, match=r"^2 training image.*at least 3"):
        copy_search.search(digits[:1], digits[:2], PIXELS, what="the samples", own=np.array([0]))
    assert copy_search.search(digits[2:3], digits[:2], PIXELS, what="the samples").nearness[0] <= 1


@pytest.mark.parametrize(("least", "inside"), [(threads.SMALL, 1), (1, 3)])
def test_a_small_search_has_one_thread(
    digits: NDArray[np.uint8], least: float, inside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "SMALL", least)
    windows, seen = PIXELS.windows, list[int]()
    assert windows is not None

    def watched(*given: Any) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return windows(*given)

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        search = copy_search.Search(digits[20:], replace(PIXELS, windows=watched))
        search.nearest(digits[:20], what="queries")
        assert seen == [3, inside, inside]  # the training images; the queries, as they are and mirrored
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)

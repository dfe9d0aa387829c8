"""Streams of two domains: each by itself where there are no pairs, in step where there are, resumable at any image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gansmith.adversarial import Batch
from gansmith.data.dataset import Arrays
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings
from gansmith.data.stream import PairStream, Stream
from gansmith.errors import DataError, ExperimentError
from gansmith.system.sharing import Share, joined_as


def slanted(count: int, first: int = 0) -> Arrays:
    """Image i has first + i in its left column and 255 in its right one, and the label 1000 + first + i."""
    images = np.tile((first + np.arange(count, dtype=np.uint8)).reshape(-1, 1, 1, 1), (1, 2, 2, 1))
    images[:, :, 1] = 255
    return Arrays(images, np.arange(count) + 1000 + first)


def of(dataset: Arrays) -> Prepared:
    return Prepared(
        train=dataset,
        holdout=None,
        shape=(1, 2, 2),
        classes=None,
        labelled=True,
        count=len(dataset),
        keys=(),
        holdout_indices=np.zeros(0, dtype=np.int64),
        digest="",
        name="set",
        points=False,
        settings=DataSettings(),
    )


def stream(a: int, b: int, *, paired: bool = False, **options: Any) -> PairStream:
    """Side b's images begin at 100."""
    prepared = replace(of(slanted(a)), other=of(slanted(b, 100)), paired=paired)
    return PairStream(prepared, **{"batch": 5, "seed": 3, **options})


def which(image: Tensor) -> tuple[list[int], list[bool]]:
    """The numbers of the images of a batch, and whether each is flipped."""
    left, right = (((image[:, 0, 0, column] + 1) * 127.5).round().int().tolist() for column in (0, 1))
    return [min(pair) for pair in zip(left, right, strict=True)], [one == 255 for one in left]


def taken(source: PairStream, batches: int) -> dict[str, tuple[list[int], list[bool]]]:
    found: dict[str, tuple[list[int], list[bool]]] = {"a": ([], []), "b": ([], [])}
    for _ in range(batches):
        batch = next(source)
        assert list(batch) == ["a", "b"]
        for name, sample in batch.items():
            numbers, flipped = which(sample.image)
            assert sample.label is not None
            assert sample.label.tolist() == [1000 + number for number in numbers]
            found[name][0].extend(numbers)
            found[name][1].extend(flipped)
    return found


def equal(one: Batch, other: Batch) -> bool:
    return all(
        torch.equal(one[name].image, other[name].image) and torch.equal(one[name].label, other[name].label)  # type: ignore[arg-type]
        for name in ("a", "b")
    )


def test_without_pairs_each_side_has_its_own_epochs_and_flips() -> None:
    found = taken(stream(10, 15, flip=True), 120)
    (numbers_a, flips_a), (numbers_b, flips_b) = found["a"], found["b"]
    for epoch in range(60):
        assert sorted(numbers_a[10 * epoch : 10 * (epoch + 1)]) == list(range(10))
    for epoch in range(40):
        assert sorted(numbers_b[15 * epoch : 15 * (epoch + 1)]) == list(range(100, 115))
    for flips in (flips_a, flips_b):
        assert sum(flips) / 600 == pytest.approx(0.5, abs=0.1)
    agree = sum(one == other for one, other in zip(flips_a, flips_b, strict=True)) / 600
    assert agree == pytest.approx(0.5, abs=0.1)  # 4.9 standard deviations
    assert sum(flips_a) / 600 == pytest.approx(0.5, abs=0.1)


def test_without_pairs_sides_of_one_length_are_in_orders_of_their_own() -> None:
    found = taken(stream(50, 50), 10)
    assert found["a"][0] != [number - 100 for number in found["b"][0]]
    assert found["a"][1] == [False] * 50


def test_pairs_stay_together_flipped_or_not() -> None:
    found = taken(stream(13, 13, paired=True, flip=True), 50)
    assert found["a"][0] == [number - 100 for number in found["b"][0]]
    assert found["a"][1] == found["b"][1]
    assert 0.35 < sum(found["a"][1]) / 250 < 0.65
    for epoch in range(19):
        assert sorted(found["a"][0][13 * epoch : 13 * (epoch + 1)]) == list(range(13))


def test_the_order_is_decided_by_the_seed() -> None:
    for paired in (False, True):
        first = taken(stream(20, 20, paired=paired), 4)
        assert taken(stream(20, 20, paired=paired), 4) == first
        assert taken(stream(20, 20, paired=paired, seed=4), 4) != first


@pytest.mark.parametrize("paired", [False, True])
def test_the_clock_counts_one_side_and_can_be_taken_up_anywhere(paired: bool) -> None:
    lengths = (12, 12) if paired else (12, 17)
    whole = stream(*lengths, paired=paired, flip=True)
    batches = [next(whole) for _ in range(9)]
    assert whole.drawn == 45
    assert whole.state_dict() == {"drawn": 45}
    assert iter(whole) is whole
    for position in range(9):
        again = stream(*lengths, paired=paired, flip=True)
        again.load_state_dict({"drawn": 5 * position})
        assert again.drawn == 5 * position
        for batch in batches[position:]:
            assert equal(next(again), batch)
        assert again.drawn == 45
    whole.load_state_dict({"drawn": 0})
    assert equal(next(whole), batches[0])


def test_a_position_that_is_between_batches_is_refused() -> None:
    source = stream(9, 9)
    with pytest.raises(ExperimentError, match=r"^12 .* 5$"):
        source.load_state_dict({"drawn": 12})
    assert source.drawn == 0


@pytest.mark.parametrize("paired", [False, True])
def test_workers_give_the_same_batches(paired: bool) -> None:
    sources = [stream(11, 11, paired=paired, flip=True, workers=workers) for workers in (0, 1)]
    try:
        for _ in range(4):
            one, other = (next(source) for source in sources)
            assert equal(one, other)
        for source in sources:
            source.load_state_dict({"drawn": 5})
        one, other = (next(source) for source in sources)
        assert equal(one, other)
    finally:
        for source in sources:
            source.close()
    assert {side._ahead for side in sources[1].sides.values()} == {None}


def test_workers_are_shared_out() -> None:
    for workers, each in ((0, 0), (1, 1), (2, 1), (3, 2), (8, 4)):
        assert {side.workers for side in stream(9, 9, workers=workers).sides.values()} == {each}


def test_processes_share_each_batch() -> None:
    alone, *ranks = (stream(20, 13, batch=6, flip=True) for _ in range(3))
    for _ in range(6):
        whole, shares = next(alone), []
        for rank, source in enumerate(ranks):
            with joined_as(Share(rank, 2)):
                shares.append(next(source))
        for name in ("a", "b"):
            assert torch.equal(torch.cat([share[name].image for share in shares]), whole[name].image)
    assert {source.drawn for source in (alone, *ranks)} == {36}


def test_layout_and_pixels() -> None:
    for memory_format in (torch.channels_last, torch.contiguous_format):
        images = Arrays(np.arange(2 * 24, dtype=np.uint8).reshape(2, 4, 2, 3))
        prepared = replace(of(images), other=of(images))
        batch = next(PairStream(prepared, batch=2, memory_format=memory_format))
        for sample in batch.values():
            assert sample.label is None
            assert sample.image.shape == (2, 3, 4, 2)
            assert sample.image.is_contiguous(memory_format=memory_format)
            assert float(sample.image.min()) == -1.0


def test_what_is_no_pair_of_sets() -> None:
    with pytest.raises(DataError, match=r"^set is one set"):
        PairStream(of(slanted(3)), batch=1)
    with pytest.raises(DataError, match=r"^3 images have 4 partners"):
        stream(3, 4, paired=True)


def test_a_side_is_a_stream_of_its_own() -> None:
    """Neither side follows the order that one set would have had, nor the other's."""
    alone = Stream(slanted(40), batch=40, seed=3)
    order = which(next(alone)["real"].image)[0]
    found = taken(stream(40, 40, batch=40), 1)
    assert len({tuple(order), tuple(found["a"][0]), tuple(n - 100 for n in found["b"][0])}) == 3

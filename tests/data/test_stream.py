"""The stream: every image once an epoch, in an order that seed and epoch decide, from any position, by any workers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gansmith.data.dataset import Arrays, Dataset, ImageItem
from gansmith.data.stream import Batches, Stream, joined, normalised
from gansmith.errors import DataError, ExperimentError
from gansmith.system.sharing import Share, joined_as


def numbered(count: int, *, labels: bool = True, size: tuple[int, int, int] = (2, 3, 3)) -> Arrays:
    """Image i is filled with the value i, and labelled 1000 + i."""
    images = np.tile(np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1), (1, *size))
    return Arrays(images, np.arange(count) + 1000 if labels else None)


def which(image: Tensor) -> list[int]:
    """The numbers of the images of a batch."""
    return ((image[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


def taken(stream: Stream, batches: int) -> list[int]:
    return [number for _ in range(batches) for number in which(next(stream)["real"].image)]


def test_every_image_once_an_epoch_across_batches() -> None:
    """23 images in batches of 5: epochs end inside batches."""
    found = taken(Stream(numbered(23), batch=5), 23)
    for epoch in range(5):
        assert sorted(found[23 * epoch : 23 * (epoch + 1)]) == list(range(23))
    orders = [tuple(found[23 * epoch : 23 * (epoch + 1)]) for epoch in range(5)]
    assert len(set(orders)) == 5
    assert tuple(range(23)) not in orders


def test_the_order_is_decided_by_the_seed() -> None:
    first = taken(Stream(numbered(50), batch=10, seed=1), 10)
    torch.manual_seed(123)
    np.random.seed(4)
    assert taken(Stream(numbered(50), batch=10, seed=1), 10) == first
    assert taken(Stream(numbered(50), batch=10, seed=2), 10) != first
    assert taken(Stream(numbered(50), batch=25, seed=1), 4) == first  # of the batch size it is independent


def test_it_can_be_taken_up_anywhere() -> None:
    whole = taken(Stream(numbered(13), batch=4, seed=3), 12)
    for position in range(12):
        stream = Stream(numbered(13), batch=4, seed=3)
        stream.load_state_dict({"drawn": 4 * position})
        assert taken(stream, 2) == (whole + taken_at(12))[4 * position : 4 * position + 8]
        assert stream.state_dict() == {"drawn": 4 * position + 8}


def taken_at(position: int) -> list[int]:
    stream = Stream(numbered(13), batch=4, seed=3)
    stream.load_state_dict({"drawn": 4 * position})
    return taken(stream, 1)


def test_going_back_in_the_middle() -> None:
    stream = Stream(numbered(13), batch=4)
    position = stream.state_dict()
    first = taken(stream, 3)
    stream.load_state_dict(position)
    assert stream.drawn == 0
    assert taken(stream, 3) == first


def test_a_position_that_is_between_batches_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"^1,234 .* 8$"):
        Stream(numbered(9), batch=8).load_state_dict({"drawn": 1234})


@pytest.mark.parametrize(
    ("world", "options"),
    [
        (2, {}),
        (4, {}),
        (3, {"accumulate": 3}),
        (2, {"workers": 2}),
        (4, {"accumulate": 2, "flip": True, "crop": (3, 2)}),
    ],
)
def test_processes_hold_the_rows_of_each_part_of_a_batch(world: int, options: dict[str, Any]) -> None:
    """Together they have what one process has, flipped and cropped alike, also where shares are unequal."""
    parts = options.get("accumulate", 1)
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 4, 3), np.uint8)
    alone, *ranks = (Stream(Arrays(images, np.arange(40)), batch=18, seed=5, **options) for _ in range(world + 1))
    for _ in range(4):
        whole = next(alone)["real"]
        shares = []
        for rank, stream in enumerate(ranks):
            with joined_as(Share(rank, world)):
                shares.append(next(stream)["real"])
        sizes = [len(share.image) for share in shares]
        assert max(sizes) - min(sizes) <= parts
        for kind, expected in enumerate(whole):
            cut = [share[kind].chunk(parts) for share in shares]  # type: ignore[union-attr]  # there are labels
            assert expected is not None
            assert torch.equal(torch.cat([own[part] for part in range(parts) for own in cut]), expected)
    assert {stream.drawn for stream in (alone, *ranks)} == {72}  # the clock counts over all processes
    for stream in (alone, *ranks):
        stream.close()


def test_a_stream_goes_on_in_another_number_of_processes() -> None:
    alone, stream = (Stream(numbered(20), batch=6, seed=5) for _ in range(2))
    with joined_as(Share(1, 3)):
        next(stream)
    stream.load_state_dict(stream.state_dict())
    next(alone)
    assert torch.equal(next(stream)["real"].image, next(alone)["real"].image)


def test_a_part_with_fewer_images_than_processes() -> None:
    with joined_as(Share(0, 4)), pytest.raises(ExperimentError, match=r"4 processes.* 3 images.* 3 processes"):
        next(Stream(numbered(20), batch=6, accumulate=2))
    with pytest.raises(ExperimentError, match=r"7 .* 2"):
        Stream(numbered(20), batch=7, accumulate=2)


def test_no_images() -> None:
    with pytest.raises(DataError, match="no images"):
        Stream(numbered(0), batch=4)


def test_a_batch_larger_than_the_dataset() -> None:
    batch = next(Stream(numbered(3), batch=11))["real"]
    found = which(batch.image)
    assert len(found) == 11
    assert [sorted(found[start : start + 3]) for start in (0, 3, 6)] == [[0, 1, 2]] * 3
    assert Counter(found).most_common()[-1][1] >= 3
    assert batch.label is not None
    assert batch.label.tolist() == [1000 + number for number in found]


def test_workers_give_the_same_batches() -> None:
    """To the bit, with flips, in the middle of an epoch, and from another position afterwards."""
    streams = [Stream(numbered(17), batch=4, seed=2, flip=True, workers=workers) for workers in (0, 2)]
    for stream in streams:
        stream.load_state_dict({"drawn": 12})
    try:
        torch.manual_seed(0)
        for _ in range(7):
            one, two = (next(stream)["real"] for stream in streams)
            assert torch.equal(one.image, two.image)
            assert torch.equal(one.label, two.label)  # type: ignore[arg-type]
        for stream in streams:
            stream.load_state_dict({"drawn": 4})
        one, two = (next(stream)["real"] for stream in streams)
        assert torch.equal(one.image, two.image)
        assert streams[0].drawn == streams[1].drawn == 8
    finally:
        for stream in streams:
            stream.close()


def test_labels_follow_their_images() -> None:
    for batch, _ in zip(Stream(numbered(11), batch=4), range(6), strict=False):
        image, label = batch["real"]
        assert label is not None
        assert label.dtype == torch.int64
        assert [1000 + number for number in which(image)] == label.tolist()
    assert next(Stream(numbered(11, labels=False), batch=4))["real"].label is None


# ---- pixels


def test_normalisation_is_exact() -> None:
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    found = normalised(every).flatten()
    expected = torch.arange(256, dtype=torch.float64) / 127.5 - 1
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1.2e-7)
    assert (found[0], found[255]) == (-1.0, 1.0)
    torch.testing.assert_close(((found + 1) * 127.5).round().to(torch.uint8), every.flatten(), rtol=0, atol=0)


def test_channels_rows_and_columns_keep_their_places() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    found = normalised(torch.from_numpy(image))
    assert found.shape == (1, 3, 2, 4)
    for channel in range(3):
        for row in range(2):
            for column in range(4):
                assert found[0, channel, row, column].item() == pytest.approx(
                    image[0, row, column, channel] / 127.5 - 1, abs=1e-6
                )


def test_points_keep_their_values() -> None:
    points = np.array([[[[0.25, -3.5]]]], dtype=np.float32)
    stream = Stream(Arrays(points), batch=1, memory_format=torch.contiguous_format)
    assert next(stream)["real"].image.tolist() == [[[[0.25]], [[-3.5]]]]


def test_the_cached_images_are_not_changed() -> None:
    dataset = numbered(5)
    before = dataset.images.copy()
    taken(Stream(dataset, batch=5, flip=True), 3)
    np.testing.assert_array_equal(dataset.images, before)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_layout(memory_format: torch.memory_format, flip: bool) -> None:
    image = next(Stream(numbered(6, size=(4, 5, 3)), batch=6, memory_format=memory_format, flip=flip))["real"].image
    assert image.shape == (6, 3, 4, 5)
    assert image.dtype == torch.float32
    assert image.is_contiguous(memory_format=memory_format)
    strides = (60, 1, 15, 3) if memory_format is torch.channels_last else (60, 20, 5, 1)
    assert image.stride() == strides


# ---- flips


def slanted(count: int) -> Arrays:
    """Image i has i in its left column and 200 in its right one."""
    images = np.tile(np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1), (1, 2, 2, 1))
    images[:, :, 1] = 200
    return Arrays(images)


def flips(**options: Any) -> list[bool]:
    stream = Stream(slanted(100), batch=50, **{"flip": True, "seed": 7, **options})
    found = []
    for _ in range(40):
        image = next(stream)["real"].image
        left = ((image[:, 0, :, 0] + 1) * 127.5).round()
        assert bool((left[:, 0] == left[:, 1]).all())  # columns change places, rows do not
        found += (left[:, 0] == 200).tolist()
    return found


def test_flips_are_about_half_and_seeded() -> None:
    found = flips()
    assert sum(found) / len(found) == pytest.approx(0.5, abs=0.05)  # 4.5 standard deviations of 2,000
    assert flips() == found
    assert flips(seed=8) != found
    assert flips(flip=False) == [False] * 2000
    halves = [found[start : start + 50] for start in range(0, 2000, 50)]
    assert len({tuple(half) for half in halves}) == 40  # not the same images of every batch


# ---- batches


def test_batches_are_stateless() -> None:
    batches = Batches(numbered(10), batch=4, seed=1)
    late = batches.one(1000)
    for index in (5, 0, 999):
        batches.one(index)
    again = batches.one(1000)
    np.testing.assert_array_equal(late.image, again.image)
    np.testing.assert_array_equal(late.image, Batches(numbered(10), batch=4, seed=1)[1000].image)
    assert len(batches) > 10**15


def test_memory_does_not_grow_with_the_epochs() -> None:
    batches = Batches(numbered(3), batch=3, seed=1)
    for index in range(50):
        batches.one(index)
    assert len(batches._epochs) <= 2


def test_a_whole_batch_is_taken_in_one_go() -> None:
    class Counting(Arrays):
        calls = 0

        def many(self, indices: Any) -> ImageItem:
            self.calls += 1
            return super().many(indices)

        def one(self, index: int) -> ImageItem:
            raise AssertionError("items are not taken one by one")

    dataset: Dataset = Counting(np.zeros((20, 1, 1, 1), dtype=np.uint8))
    stream = Stream(dataset, batch=5)
    for _ in range(8):
        next(stream)
    assert dataset.calls == 8  # type: ignore[attr-defined]


def test_joined() -> None:
    parts = [ImageItem(np.full((n, 1, 1, 1), n, dtype=np.uint8), np.full(n, n)) for n in (1, 2)]
    both = joined(parts)
    assert both.image.flatten().tolist() == both.label.tolist() == [1, 2, 2]
    assert joined([ImageItem(part.image) for part in parts]).label is None

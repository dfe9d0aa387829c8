"""The chain: every operator against the plain Python that says what it means."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from counted_dataset import IMAGES, LABELS, noise
from numpy.testing import assert_array_equal

from gansmith import catalog
from gansmith.data.dataset import Arrays, Dataset, ImageItem, Indices, Listed, Table
from gansmith.data.operators import load
from gansmith.errors import DataError, OptionError


class Counted(Dataset):
    """Ten numbers that note how they were asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __len__(self) -> int:
        return 10

    def one(self, index: int) -> int:
        self.calls.append("one")
        return index * index

    def many(self, indices: Indices) -> Any:
        self.calls.append("many")
        return indices * indices


def double(value: Any) -> Any:
    return value * 2


def test_every_operator_is_a_method_of_every_dataset() -> None:
    for name in catalog.names("operators"):
        assert callable(getattr(Listed([1]), name))
    with pytest.raises(AttributeError, match="no operator 'shufle'"):
        Listed([1]).shufle  # noqa: B018


def test_wrappers_ask_for_a_batch_in_one_go() -> None:
    counted = Counted()
    chain = counted.shuffle(seed=1).take(count=8).transform(double, vectorised=True).batch(size=4)
    assert_array_equal(np.sort(np.concatenate(list(chain))) % 2, 0)
    assert counted.calls == ["many", "many"]


def test_a_batch_of_arrays_equals_its_items_stacked() -> None:
    batch = Arrays(IMAGES, LABELS).shuffle(seed=3).batch(size=4)[1]
    order = [int(label) for label in Listed(list(range(10))).shuffle(seed=3)][4:8]
    assert isinstance(batch, ImageItem)
    assert_array_equal(batch.image, IMAGES[order])
    assert_array_equal(batch.label, LABELS[order])


def test_load_is_lazy_and_takes_a_list_or_a_dataset() -> None:
    asked: list[str] = []

    def read(path: str) -> str:
        asked.append(path)
        return path.upper()

    for made in (load.build(["a", "b", "c"], read), Listed(["a", "b", "c"]).load(read)):
        asked.clear()
        assert len(made) == 3
        assert asked == []
        assert made[1] == "B"
        assert made[[2, 0]] == ["C", "A"]
        assert asked == ["b", "c", "a"]


def test_transform_of_items_and_of_fields() -> None:
    assert list(Listed([1, 2]).transform(double)) == [2, 4]
    doubled = Arrays(IMAGES, LABELS).transform(double, field="label")
    assert doubled[5].label == LABELS[5] * 2
    assert_array_equal(doubled[5].image, IMAGES[5])
    assert isinstance(doubled[5], ImageItem)
    rows = Table(x=[1, 2], y=[3, 4]).transform(double, field="y")
    assert rows[1] == {"x": 2, "y": 8}
    assert Listed([(1, 2)]).transform(double, field=0)[0] == (2, 2)


def test_transform_is_called_per_item_unless_vectorised() -> None:
    shapes: list[tuple[int, ...]] = []

    def note(image: np.ndarray) -> np.ndarray:
        shapes.append(image.shape)
        return 255 - image

    one_by_one = Arrays(IMAGES).transform(note, field="image")[[1, 2]].image
    at_once = Arrays(IMAGES).transform(note, field="image", vectorised=True)[[1, 2]].image
    assert shapes == [(2, 2, 3), (2, 2, 3), (2, 2, 2, 3)]
    assert_array_equal(one_by_one, 255 - IMAGES[[1, 2]])
    assert_array_equal(at_once, one_by_one)


def test_a_wrong_field_is_named() -> None:
    with pytest.raises(OptionError, match=r"no field 'lable'. Did you mean 'label'\? They have: image, label"):
        Arrays(IMAGES).transform(double, field="lable")[0]
    with pytest.raises(OptionError, match=r"no field 'z'. They have: x"):
        Table(x=[1]).transform(double, field="z")[0]
    with pytest.raises(OptionError, match=r"no field 2. They have: 0, 1"):
        Listed([(1, 2)]).transform(double, field=2)[0]
    with pytest.raises(OptionError, match=r"int have no fields.*field='a'"):
        Listed([1]).transform(double, field="a")[0]


def test_augment_depends_on_seed_epoch_and_index_alone() -> None:
    numbers = Listed([0.0] * 6)
    noisy = numbers.augment(noise, seed=1)
    values = list(noisy)
    assert len(set(values)) == 6
    assert [noisy[i] for i in (5, 0, 3)] == [values[i] for i in (5, 0, 3)]
    assert_array_equal(noisy[[4, 1]], [values[4], values[1]])
    assert list(numbers.augment(noise, seed=1, epoch=1)) != values
    assert list(numbers.augment(noise, seed=2)) != values
    assert list(numbers.augment(noise, seed=1)) == values
    labelled = Arrays(IMAGES, LABELS).augment(noise, seed=1, field="label")
    assert labelled[4].label - LABELS[4] == values[4]


def test_batch_keeps_or_drops_the_last() -> None:
    numbers = Listed(list(range(7)))
    assert [list(b) for b in numbers.batch(size=3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [list(b) for b in numbers.batch(size=3, last="drop")] == [[0, 1, 2], [3, 4, 5]]
    assert len(Listed([1, 2, 3, 4]).batch(size=2)) == len(Listed([1, 2, 3, 4]).batch(size=2, last="drop")) == 2
    with pytest.raises(OptionError, match="1, not 0"):
        numbers.batch(size=0)
    with pytest.raises(OptionError, match="'keep' or 'drop', not 'skip'"):
        numbers.batch(size=2, last="skip")
    with pytest.raises(DataError, match=r"batch of 8 from 7 items .*last='drop'"):
        numbers.batch(size=8, last="drop")


def test_concat_is_one_after_another() -> None:
    joined = Arrays(IMAGES[:4], LABELS[:4]).concat(Arrays(IMAGES[4:4], LABELS[4:4]), Arrays(IMAGES[4:], LABELS[4:]))
    assert len(joined) == 10
    for index in range(10):
        assert_array_equal(joined[index].image, IMAGES[index])
    mixed = joined[[9, 0, 4, 3, 0]]
    assert_array_equal(mixed.image, IMAGES[[9, 0, 4, 3, 0]])
    assert_array_equal(mixed.label, LABELS[[9, 0, 4, 3, 0]])
    assert_array_equal(joined[[5, 6]].label, LABELS[[5, 6]])
    assert Listed(["a"]).concat(Listed(["b", "c"]))[[2, 0, 1]] == ["c", "a", "b"]
    rows = Table(x=[1, 2]).concat(Table(x=[3]))[[2, 0]]
    assert_array_equal(rows["x"], [3, 1])


def test_concat_asks_each_part_once() -> None:
    first, second = Counted(), Counted()
    assert_array_equal(first.concat(second)[[11, 1, 12, 2]], [1, 1, 4, 4])
    assert first.calls == second.calls == ["many"]


def test_concat_of_what_does_not_fit() -> None:
    with pytest.raises(DataError, match="labels"):
        Arrays(IMAGES, LABELS).concat(Arrays(IMAGES))[[0, 10]]
    with pytest.raises(DataError, match=r"different shapes .*: .*resize"):
        Arrays(IMAGES).concat(Arrays(IMAGES[:, :1]))[[0, 10]]


def test_collating_some_labels_and_some_none_is_an_error() -> None:
    for labels in ((None, 3), (3, None)):
        with pytest.raises(DataError, match="label"):
            Listed([ImageItem(IMAGES[0], label) for label in labels])[[0, 1]]


@pytest.mark.parametrize("total", [1, 7, 10, 101])
@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.5}, {"a": 0.7, "b": 0.2, "c": 0.1}, {"a": 1.0, "b": 0.0}])
def test_split_is_a_partition(total: int, shares: dict[str, float]) -> None:
    parts = Listed(list(range(total))).split(shares=shares, seed=5)
    assert list(parts) == list(shares)
    assert sorted(item for part in parts.values() for item in part) == list(range(total))
    for name, part in parts.items():
        assert abs(len(part) - shares[name] * total) < 1
        assert list(part) == sorted(part)


def test_split_rounds_the_largest_remainders_up() -> None:
    """10 items by 0.26, 0.49 and 0.25 are 2.6, 4.9 and 2.5: the two that are left go to the first and the second."""
    parts = Arrays(IMAGES, LABELS).split(shares={"a": 0.26, "b": 0.49, "c": 0.25}, seed=0)
    assert {name: len(part) for name, part in parts.items()} == {"a": 3, "b": 5, "c": 2}


def test_split_is_random_and_repeatable() -> None:
    numbers = Listed(list(range(100)))
    first = list(numbers.split(shares={"a": 0.5, "b": 0.5}, seed=0)["a"])
    assert list(numbers.split(shares={"a": 0.5, "b": 0.5}, seed=0)["a"]) == first
    assert list(numbers.split(shares={"a": 0.5, "b": 0.5}, seed=1)["a"]) != first
    assert 10 < sum(item < 50 for item in first) < 40
    for shares in ({}, {"a": 0.5}, {"a": 1.5, "b": -0.5}):
        with pytest.raises(OptionError, match="sum to 1, not"):
            numbers.split(shares=shares, seed=0)


def test_shuffle_is_every_item_once_in_another_order() -> None:
    numbers = Listed(list(range(50)))
    first = list(numbers.shuffle(seed=0))
    assert sorted(first) == list(range(50)) != first
    assert list(numbers.shuffle(seed=0)) == first != list(numbers.shuffle(seed=1))


def test_selections_compose() -> None:
    numbers = Listed([10, 11, 12, 13])
    twice = numbers.resample(indices=[3, 2, 1]).resample(indices=[2, 0])
    assert list(twice) == [11, 13]
    assert twice.dataset is numbers


def test_resample_by_weight_draws_in_proportion() -> None:
    drawn = Listed(list(range(4))).resample(weights=[0, 1, 1, 2], count=4000, seed=0)
    counts = np.bincount(list(drawn), minlength=4)
    assert len(drawn) == 4000
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:] / 4000, [0.25, 0.25, 0.5], atol=0.03)
    assert list(drawn) == list(Listed(list(range(4))).resample(weights=[0, 1, 1, 2], count=4000, seed=0))
    assert len(Listed([1, 2, 3]).resample(weights=[1, 1, 1], seed=0)) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either indices, or weights with a seed"),
        ({"indices": [0], "weights": [1, 1, 1]}, "either indices, or weights with a seed"),
        ({"indices": [0], "seed": 1}, "resample by indices draws nothing: count and seed go with weights"),
        ({"indices": [0, 3]}, "indices go from 0 to 2 in a dataset of 3, not from 0 to 3"),
        ({"indices": [-1]}, "not from -1 to -1"),
        ({"weights": [1, 1], "seed": 0}, "weights must be 3 numbers, none below 0 and not all 0"),
        ({"weights": [1, -1, 1], "seed": 0}, "none below 0"),
        ({"weights": [0, 0, 0], "seed": 0}, "not all 0"),
        ({"weights": [1, 1, 1]}, "resample by weights needs a seed"),
        ({"weights": [1, 1, 1], "seed": 0, "count": 0}, "a count of at least 1, not 0"),
    ],
)
def test_resample_says_what_it_needs(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Listed([1, 2, 3]).resample(**options)


def test_take() -> None:
    numbers = Listed(list(range(20)))
    assert list(numbers.take(count=3)) == [0, 1, 2]
    assert list(numbers.take(fraction=0.25)) == [0, 1, 2, 3, 4]
    assert len(numbers.take(fraction=0.001)) == 1
    some = list(numbers.take(count=8, seed=0))
    assert some == sorted(set(some)) != list(range(8))
    assert len(some) == 8
    assert some == list(numbers.take(fraction=0.4, seed=0)) != list(numbers.take(count=8, seed=1))
    for options, message in [
        ({}, "either a count or a fraction"),
        ({"count": 1, "fraction": 0.5}, "either a count or a fraction"),
        ({"count": 21}, "cannot take 21 of 20 items"),
        ({"count": 0}, "cannot take 0 of 20 items"),
        ({"fraction": 0.0}, "a fraction is above 0 and at most 1, not 0.0"),
        ({"fraction": 1.1}, "not 1.1"),
    ]:
        with pytest.raises(OptionError, match=message):
            numbers.take(**options)


def test_resize_makes_stackable_images_and_keeps_labels() -> None:
    mixed = Listed([ImageItem(np.full((4, 6, 1), 7, np.uint8), 2), ImageItem(np.full((9, 3, 4), 255, np.uint8), 0)])
    batch = mixed.resize(size=(5, 8), channels=3, fit="stretch")[[0, 1]]
    assert batch.image.shape == (2, 5, 8, 3)
    assert_array_equal(batch.image[0], 7)
    assert_array_equal(batch.label, [2, 0])
    assert mixed.resize(size=4, channels=1)[0].image.shape == (4, 4, 1)
    padded = mixed.resize(size=6, channels=3, fit="pad", background=(1, 2, 3))[0].image
    assert_array_equal(padded[0, 0], [1, 2, 3])


def test_chains_survive_pickling() -> None:
    base = Arrays(IMAGES, LABELS)
    chain = base.transform(double, field="label").augment(noise, seed=1, field="label").shuffle(seed=0)
    chain = chain.concat(base).take(count=12).batch(size=5)
    copy = pickle.loads(pickle.dumps(chain))
    for a, b in zip(chain, copy, strict=True):
        assert_array_equal(a.image, b.image)
        assert_array_equal(a.label, b.label)

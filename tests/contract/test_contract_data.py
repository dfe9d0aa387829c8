"""Every format, built-in set and dataset operator: what a new file of these kinds must do, tested without a list.

A format states its own material: `example(folder)` writes the sample images in that format and returns the path to
open; an operator states `example(operator)`, which calls it with sample arguments. Without one the tests are skipped
and say so.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansmith import catalog
from gansmith.data.dataset import Arrays, Dataset, ImageItem, collate
from gansmith.data.open import open_dataset, open_domains
from gansmith.data.sample import CLASSES, COUNT, sample_images, sample_labels
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.errors import DataError, MissingExtraError, UnreadableImageError

PNG = b"\x89PNG\r\n\x1a\n"
FEW = 200  # items of a set that are compared


def material(name: str, folder: Path) -> Path:
    """The example of a format."""
    if name not in catalog.names("formats", "example"):
        pytest.skip(f"formats/{name} states no example(folder), so its behaviour is not tested")
    try:
        path: Path = catalog.find("formats", name, "example")(folder)
    except MissingExtraError as error:
        pytest.skip(str(error))
    return path


def same_items(one: Iterable[Any], other: Iterable[Any]) -> None:
    """Equal in structure, types and every pixel."""
    for left, right in zip(one, other, strict=True):
        assert type(left) is type(right)
        if isinstance(left, tuple):
            same_items(left, right)
        elif isinstance(left, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right


def holds(source: Source, images: np.ndarray) -> None:
    """The images are those that were written, in as many channels as the format has."""
    assert len(source) == len(images)
    for item, expected in zip(source, images, strict=True):
        assert item.image.dtype == np.uint8
        np.testing.assert_array_equal(item.image, expected[..., : item.image.shape[2]])


# ---- formats


@pytest.mark.parametrize("name", catalog.names("formats", "build"))
def test_a_format_reads_what_was_written(name: str, tmp_path: Path) -> None:
    source = open_dataset(material(name, tmp_path), format=name)
    holds(source, sample_images())
    assert len(source.keys) == len({*source.keys}) == COUNT
    assert source.name
    if not catalog.stated("formats", name, "LABELLED", True):
        assert source.labels is None
        assert source.classes is None
        assert [item.label for item in source] == [None] * COUNT
        return
    assert source.labels is not None
    np.testing.assert_array_equal(source.labels, sample_labels())
    assert [item.label for item in source] == sample_labels().tolist()
    assert source.classes is not None
    assert len(source.classes) >= CLASSES


@pytest.mark.parametrize("name", catalog.names("formats", "accepts"))
def test_a_format_is_recognised(name: str, tmp_path: Path) -> None:
    path = material(name, tmp_path)
    assert catalog.find("formats", name, "accepts")(path) is True
    assert catalog.find("formats", name, "accepts")(tmp_path / "missing") is False
    same_items(open_dataset(path), open_dataset(path, format=name))


@pytest.mark.parametrize("name", catalog.names("formats", "build"))
def test_stamps_tell_images_apart_and_stay(name: str, tmp_path: Path) -> None:
    path = material(name, tmp_path)
    opened = open_dataset(path, format=name), open_dataset(path, format=name)
    stamps = [[source.stamp(index) for index in range(COUNT)] for source in opened]
    assert stamps[0] == stamps[1]
    assert len({*stamps[0]}) == COUNT


@pytest.mark.parametrize("name", catalog.names("formats", "build"))
def test_workers_read_the_same(name: str, tmp_path: Path) -> None:
    source = open_dataset(material(name, tmp_path), format=name)
    items = list(source)  # handles are open before the workers start
    same_items(source.parallel(workers=2), items)
    same_items(pickle.loads(pickle.dumps(source)), items)
    same_items([source[np.array([7, 0, 7])]], [collate([items[7], items[0], items[7]])])


def damage(folder: Path) -> Path:
    """Make the header of the sixth PNG that a file holds unreadable, or cut off the end of the largest file; returns
    the damaged file."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    number = 0
    for file in files:
        data = file.read_bytes()
        for match in re.finditer(re.escape(PNG), data):
            number += 1
            if number == 6:
                start = match.end()
                file.write_bytes(data[:start] + b"\0" * 8 + data[start + 8 :])
                return file
    largest = max(files, key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    return largest


def failures(source: Source) -> Iterator[tuple[int, str]]:
    """(index, message) of every image that cannot be read."""
    for index in range(len(source)):
        try:
            source.one(index)
        except UnreadableImageError as error:
            yield index, str(error)


@pytest.mark.parametrize("name", catalog.names("formats", "build"))
def test_one_broken_file_is_named(name: str, tmp_path: Path) -> None:
    """Of images that are files of their own, only the broken one cannot be read; a broken array cannot be opened."""
    path = material(name, tmp_path)
    file = damage(tmp_path)
    if PNG not in file.read_bytes():
        with pytest.raises(DataError, match=re.escape(file.name)):
            open_dataset(path, format=name)
        return
    source = open_dataset(path, format=name)
    ((index, message),) = failures(source)
    assert source.keys[index] in message


# ---- layouts of two domains


@pytest.mark.parametrize("name", catalog.names("formats", "domains"))
def test_a_layout_reads_both_domains(name: str, tmp_path: Path) -> None:
    path = material(name, tmp_path)
    of_pairs: Any = catalog.find("formats", name, "PAIRED")
    both = open_domains(DataSettings(path=str(path)), paired=of_pairs)
    assert both.name
    for source, images in ((both.a, sample_images()), (both.b, 255 - sample_images())):
        holds(source, images)
        same_items(source.parallel(workers=2), source)
    assert catalog.find("formats", name, "accepts_domains")(path) is True
    assert catalog.find("formats", name, "accepts_domains")(tmp_path / "missing") is False


# ---- built-in sets


def built(name: str, **options: Any) -> Source:
    """A built-in set, as small as its options allow."""
    if "count" in catalog.keyword_options(catalog.find("datasets", name)):
        options["count"] = FEW
    try:
        return open_dataset(name, **options)
    except DataError as error:
        pytest.skip(str(error).splitlines()[0])


def splits(name: str) -> list[dict[str, str]]:
    """The options that choose each part of a set."""
    return [{"split": split} for split in catalog.choices("datasets", name, "split")] or [{}]


@pytest.mark.parametrize("name", catalog.names("datasets"))
def test_a_built_in_set_has_what_its_description_says(name: str) -> None:
    """`1,797 of 8x8 ... in 10 classes`: the count is that of all parts together."""
    sources = [built(name, **options) for options in splits(name)]
    described = re.search(r"([\d,]+) (?:\w+ )*of (\d+)x(\d+)", catalog.describe("datasets", name))
    if described:
        assert sum(map(len, sources)) == int(described[1].replace(",", ""))
        assert {source[0].image.shape[:2] for source in sources} == {(int(described[2]), int(described[3]))}
    elif "count" in catalog.keyword_options(catalog.find("datasets", name)):
        assert [len(source) for source in sources] == [FEW] * len(sources)
    else:
        assert all(sources)
    classes = re.search(r"in (\d+) classes", catalog.describe("datasets", name))
    for source in sources:
        assert source.name == name
        assert source.labels is not None
        assert source.classes is not None
        assert source.labels.shape == (len(source),)
        assert source.labels.dtype == np.int64
        assert 0 <= source.labels.min() <= source.labels.max() < len(source.classes)
        assert classes is None or len(source.classes) == int(classes[1])
        assert [item.label for item in map(source.one, range(20))] == source.labels[:20].tolist()


@pytest.mark.parametrize("name", catalog.names("datasets"))
def test_a_built_in_set_is_the_same_set_every_time(name: str) -> None:
    one, other = built(name, **splits(name)[0]), built(name, **splits(name)[0])
    chosen = np.linspace(0, len(one) - 1, min(FEW, len(one))).astype(np.int64)
    same_items([one[chosen]], [other[chosen]])
    same_items([one[chosen]], [collate([one.one(int(index)) for index in chosen])])
    assert [one.stamp(index) for index in chosen[:20].tolist()] == [other.stamp(i) for i in chosen[:20].tolist()]
    np.testing.assert_array_equal(one.labels, other.labels)
    same_items(one.take(count=20).parallel(workers=2), one.take(count=20))


# ---- operators


def images() -> Dataset:
    """Twelve ImageItems."""
    return Arrays(sample_images(), sample_labels())


def applied(name: str, *, chained: bool) -> Any:
    """An operator with its sample arguments round `images()`: called as a method, or wrapped by its function."""
    if name not in catalog.names("operators", "example"):
        pytest.skip(f"operators/{name} states no example(operator), so its behaviour is not tested")
    operator: Callable[..., Any] = (
        getattr(images(), name) if chained else partial(catalog.find("operators", name), images())
    )
    return catalog.find("operators", name, "example")(operator)


def parts(result: Any) -> list[Any]:
    """The datasets, or iterables, that an operator returns."""
    return list(result.values()) if isinstance(result, Mapping) else [result]


@pytest.mark.parametrize("name", catalog.names("operators"))
def test_chained_is_wrapped(name: str) -> None:
    """The method of that name and the function round the dataset give the same items, the same every time."""
    one, other = parts(applied(name, chained=True)), parts(applied(name, chained=False))
    assert len(one) == len(other) > 0
    for left, right in zip(one, other, strict=True):
        items = list(left)
        assert len(items) == len(left) > 0
        same_items(items, right)
        same_items(items, left)


@pytest.mark.parametrize("name", catalog.names("operators"))
def test_an_array_of_indices_is_one_by_one(name: str) -> None:
    for dataset in parts(applied(name, chained=True)):
        if not isinstance(dataset, Dataset):
            continue
        last = len(dataset) - 1
        for indices in ([0], [last, 0], [0, -1, 0]):
            expected = [dataset[index] for index in indices]
            if len({np.shape(item[0]) for item in expected}) > 1:
                continue  # a last, shorter batch
            same_items([dataset[np.array(indices)]], [collate(expected)])
        same_items([dataset[-1]], [dataset[last]])
        same_items([dataset[0:1]], [collate([dataset[0]])])
        for outside in (last + 1, -last - 2):
            with pytest.raises(IndexError, match=str(outside)):
                dataset[outside]


@pytest.mark.parametrize("name", catalog.names("operators"))
def test_an_operator_goes_to_workers(name: str) -> None:
    """Pickled, and read by two processes, its items are the same."""
    for part in parts(applied(name, chained=True)):
        items = list(part)
        if isinstance(part, Dataset):
            same_items(pickle.loads(pickle.dumps(part)), items)
            same_items(part.parallel(workers=2), items)


@pytest.mark.parametrize("name", catalog.names("operators"))
def test_an_operator_changes_no_item_of_its_dataset(name: str) -> None:
    dataset = images()
    before = [ImageItem(item.image.copy(), item.label) for item in dataset]
    if name in catalog.names("operators", "example"):
        for part in parts(catalog.find("operators", name, "example")(getattr(dataset, name))):
            list(part)
    same_items(dataset, before)

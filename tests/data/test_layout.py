"""Parts to train and to test on, and classes, by the names of folders."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest
from written_files import png, write

from gansmith.data.layout import classes_of, layout
from gansmith.data.listing import ordered
from gansmith.data.open import open_dataset
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError

TRAIN = [f"train/{name}/{number}.png" for name in ("lily", "rose") for number in (1, 2, 10)]
TEST = [f"test/{name}/{number}.png" for name in ("lily", "rose") for number in (3, 4)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write(tmp_path / "photos", TRAIN + TEST)
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("Training", "Testing"), ("TRAIN", "Valid"), ("train", "validation"), ("a/b/train", "a/b/val")],
)
def test_parts_are_no_classes(train: str, test: str) -> None:
    names = [name.replace("train", train) for name in TRAIN] + [name.replace("test", test) for name in TEST]
    used = layout(names, "photos")
    assert used.keys == ordered(names[: len(TRAIN)])
    assert used.labels is not None
    assert used.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert used.classes == ("lily", "rose")
    [note] = used.notes
    assert "train used (6 images)" in note
    assert "(4)" in note
    assert "--set data.options.split=" in note


def test_the_part_is_the_users_choice(photos: Path) -> None:
    counts = {split: len(open_dataset(photos, split=split)) for split in ("train", "test", "all", "none")}
    assert counts == {"train": 6, "test": 4, "all": 10, "none": 10}
    assert open_dataset(photos, split="none").classes == ("test", "train")
    every = open_dataset(photos, split="all")
    assert every.classes == ("lily", "rose")
    assert every.labels is not None
    assert every.labels.tolist() == [0, 0, 1, 1, 0, 0, 0, 1, 1, 1]
    with pytest.raises(DataError, match=r"no part val") as raised:
        open_dataset(photos, split="val")
    assert "train (6 images), test (4 images)" in str(raised.value)


def test_a_zip_has_parts_as_a_folder_has(photos: Path, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "photos.zip", "w") as archive:
        for name in TRAIN + TEST:
            archive.write(photos / name, f"photos/{name}")
    source = open_dataset(tmp_path / "photos.zip", split="test")
    assert (len(source), source.classes) == (4, ("lily", "rose"))
    assert len(open_dataset(tmp_path / "photos.zip")) == 6


def test_labels_are_numbered_as_in_the_part_to_train_on() -> None:
    less = layout([*TRAIN, "test/rose/1.png", "test/rose/2.png"], "photos", "test")
    assert less.labels is not None
    assert (less.labels.tolist(), less.classes) == ([1, 1], ("lily", "rose"))
    others = layout([*TRAIN, "test/fern/1.png", "test/rose/2.png"], "photos", "test")
    assert others.classes == ("fern", "rose")
    flat = layout([*TRAIN, "test/1.png", "test/2.png"], "photos", "test")
    assert (flat.labels, flat.classes) == (None, None)


def test_a_shared_folder_named_like_a_class() -> None:
    names = [f"train/0/{name}/1.png" for name in ("0", "1")]
    used = layout([*names, "test/0/1/3.png"], "photos", "test")
    assert used.labels is not None
    assert used.labels.tolist() == [1]


def test_parts_without_classes() -> None:
    used = layout(["train/1.png", "train/2.png", "test/3.png"], "photos")
    assert (used.keys, used.classes) == (["train/1.png", "train/2.png"], None)


def test_none_to_train_on_is_not_chosen_silently() -> None:
    with pytest.raises(DataError, match=r"val \(6 images\), test \(4 images\)") as raised:
        layout([name.replace("train", "val") for name in TRAIN] + TEST, "photos")
    assert "data.options.split=val" in str(raised.value)


@pytest.mark.parametrize("stray", ["cover.png", "other/1.png", "train.png"])
def test_stray_images_beside_the_parts_are_left_out_and_named(stray: str) -> None:
    used = layout([*TRAIN, *TEST, stray], "photos")
    assert len(used.keys) == 6
    assert any("left out" in note and stray in note for note in used.notes)


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ([f"{name}/{number}.png" for name in ("bus", "car", "train") for number in range(40)], ("bus", "car", "train")),
        ([f"test/{name}/1.png" for name in ("lily", "rose")], ("lily", "rose")),
        ([f"train/{name}/1.png" for name in ("lily", "rose")], ("lily", "rose")),
        (["0/1.png", "1/test/2.png", "1/train/3.png"], ("0", "1")),
    ],
)
def test_what_is_not_divided_is_read_as_before(names: list[str], classes: tuple[str, ...]) -> None:
    used = layout(names, "set")
    assert (used.keys, used.classes, used.notes) == (ordered(names), classes, ())


def test_training_says_which_part_it_uses(photos: Path, own_cache: None) -> None:
    prepared = prepare(DataSettings(path=str(photos), size=(8, 8), holdout=0))
    assert (prepared.count, prepared.classes, prepared.frequencies) == (6, ("lily", "rose"), (3, 3))
    assert any("train used (6 images)" in warning for warning in prepared.warnings)


# ---------------------------------------------------------------- why there are no classes


def test_one_stray_image_beside_classes_is_named() -> None:
    names = ["set/cat/1.png", "set/dog/2.png", "set/dog/3.png", "set/stray.png"]
    used = layout(names, "pets")
    assert used.classes is None
    [note] = used.notes
    assert "set/stray.png" in note
    assert "2 folders" in note
    assert "cat, dog" in note
    assert layout(names[:3], "pets").notes == ()


def test_folders_among_many_loose_images_need_no_word() -> None:
    assert layout(["1.png", "2.png", "3.png", "best/4.png", "worst/5.png"], "pets").notes == ()


# ---------------------------------------------------------------- numbers in names


def test_only_ascii_digits_are_numbers() -> None:
    names = ["10.png", "2.png", "².png", "①.png", "5²3.png", "٣.png", "02.png"]
    assert ordered(names) == ["02.png", "2.png", "5²3.png", "10.png", "².png", "٣.png", "①.png"]


def test_numbers_of_any_length_are_ordered_by_value() -> None:
    long = "1" + "0" * 5000
    assert ordered([f"{long}1", f"{long}0", "9", "0" * 6000 + "8"]) == ["0" * 6000 + "8", "9", f"{long}0", f"{long}1"]


def test_such_names_are_read(tmp_path: Path) -> None:
    write(tmp_path, ["²/1.png", "①/5²3.png", "7/2.png"])
    assert open_dataset(tmp_path).classes == ("7", "²", "①")
    (tmp_path / "list.csv").write_text("path,label\n7/2.png,²\n²/1.png,10\n①/5²3.png,9\n")
    assert open_dataset(tmp_path / "list.csv").classes == ("9", "10", "²")


def test_classes_of_nothing() -> None:
    assert classes_of([]) == (None, None)
    assert png()

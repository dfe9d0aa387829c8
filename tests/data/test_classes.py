"""Some classes of a labelled set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from pydantic import ValidationError
from written_files import write

from gansmith.data.check import check
from gansmith.data.open import open_dataset, open_source
from gansmith.data.pack import pack
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, UnknownNameError
from gansmith.experiment.layers import resolve
from gansmith.experiment.sources import from_assignments

PETS = ["cat/1.png", "dog/2.png", "dog/3.png", "frog/4.png", "frog/5.png"]


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    write(tmp_path / "pets", PETS)
    return tmp_path / "pets"


def test_several_classes_are_numbered_anew(pets: Path) -> None:
    some = open_source(DataSettings(path=str(pets), classes="frog, cat"))
    assert (some.name, some.classes) == ("pets (cat, frog)", ("cat", "frog"))
    assert list(some.keys) == ["cat/1.png", "frog/4.png", "frog/5.png"]
    assert some.labels is not None
    assert some.labels.tolist() == [0, 1, 1]
    whole = open_dataset(pets)
    for index, place in enumerate((0, 3, 4)):
        assert_array_equal(some[index].image, whole[place].image)
        assert some.stamp(index) == whole.stamp(place)
    assert some[[0, 2]].label.tolist() == [0, 1]
    assert some.resize(size=2, channels=1)[2].image.shape == (2, 2, 1)


def test_one_class_has_no_labels(pets: Path, own_cache: None) -> None:
    data = prepare(DataSettings(path=str(pets), classes="frog", size=(4, 4), holdout=0))
    assert (data.count, data.classes, data.labelled, data.name) == (2, None, False, "pets (frog)")
    assert data.keys == ("frog/4.png", "frog/5.png")


@pytest.mark.parametrize("classes", [3, [3], "3", ["3"]])
def test_classes_of_an_array(classes: object) -> None:
    some = open_source(DataSettings.model_validate({"path": "digits", "classes": classes}))
    whole = open_dataset("digits")
    assert whole.labels is not None
    places = np.flatnonzero(whole.labels == 3)
    assert len(some) == len(places)
    assert_array_equal(some[np.arange(5)].image, whole[places[:5]].image)
    assert some[0].label is None


def test_a_misspelt_class_is_answered_with_the_nearest(pets: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"'Frogg'.*Did you mean 'frog'.*cat, dog, frog"):
        open_source(DataSettings(path=str(pets), classes=("Frogg",)))


def test_sets_that_have_none(tmp_path: Path) -> None:
    write(tmp_path, ["cat/1.png", "dog/2.png", "dog/4.png", "3.png"])
    with pytest.raises(DataError, match=r"no classes.*3\.png"):
        open_source(DataSettings(path=str(tmp_path), classes=("cat",)))
    with pytest.raises(DataError, match="ring is a set of points"):
        open_source(DataSettings(path="ring", classes=("1",)))


def test_words_that_yaml_turns_into_something_else() -> None:
    with pytest.raises(ValidationError, match="quotes"):
        DataSettings.model_validate({"classes": [True, "frog"]})
    assert DataSettings.model_validate({"classes": [0, "frog"]}).classes == ("0", "frog")


@pytest.mark.parametrize(
    ("text", "classes"),
    [("007", ("007",)), ("no", ("no",)), ("frog, cat", ("frog", "cat")), ("[1, frog]", ("1", "frog")), ("7", ("7",))],
)
def test_classes_on_the_command_line(text: str, classes: tuple[str, ...]) -> None:
    layers = [from_assignments([f"data.classes={text}"])]
    assert resolve(layers, parts=False)[0].data.classes == classes


def test_check_and_pack_take_them(pets: Path, tmp_path: Path, own_cache: None) -> None:
    assert check(DataSettings(path=str(pets), classes=("frog", "dog"))).classes == {"dog": 2, "frog": 2}
    for number in range(4):
        Image.new("RGB", (8, 8), (60 * number, 0, 0)).save(pets / "dog" / f"x{number}.png")
    pack(DataSettings(path=str(pets), classes=("dog",), size=(8, 8)), tmp_path / "dogs.npy", workers=0)
    assert len(open_dataset(tmp_path / "dogs.npy")) == 6

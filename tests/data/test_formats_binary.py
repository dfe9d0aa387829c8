"""IDX, CIFAR, LMDB, CSV and npy files written here by hand."""

from __future__ import annotations

import gzip
import os
import pickle
import struct
import sys
from pathlib import Path

import lmdb
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from written_files import RNG, png, write

from gansmith.data import limits
from gansmith.data.open import open_dataset
from gansmith.errors import DataError, MissingExtraError, OptionError, UnreadableImageError
from refusals import refused


def idx(path: Path, array: np.ndarray, zipped: bool = False) -> None:
    data = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if zipped else data)


# ---------------------------------------------------------------- idx and CIFAR


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_folder_and_file(zipped: bool, tmp_path: Path) -> None:
    end = ".gz" if zipped else ""
    train, test = RNG.integers(0, 256, (6, 4, 5), dtype=np.uint8), RNG.integers(0, 256, (2, 4, 5), dtype=np.uint8)
    labels = np.array([3, 1, 0, 2, 1, 1], np.uint8)
    idx(tmp_path / f"train-images-idx3-ubyte{end}", train, zipped)
    idx(tmp_path / f"train-labels-idx1-ubyte{end}", labels, zipped)
    idx(tmp_path / f"t10k-images-idx3-ubyte{end}", test, zipped)
    for source in (open_dataset(tmp_path), open_dataset(tmp_path, split="train")):
        assert_array_equal(source[np.arange(6)].image, train[..., None])
        assert_array_equal(source.labels, labels)
        assert source.classes == ("0", "1", "2", "3")
        assert source[3].label == 2
    other = open_dataset(tmp_path / f"t10k-images-idx3-ubyte{end}")
    assert_array_equal(other[[0, 1]].image, test[..., None])
    assert other.labels is None
    assert other.classes is None
    assert_array_equal(open_dataset(tmp_path, split="test")[1].image, test[1][..., None])
    assert len({source.stamp(index) for index in range(6)}) == 6


def test_idx_prefers_the_unzipped_of_two_equal_names(tmp_path: Path) -> None:
    one, two = RNG.integers(0, 256, (2, 1, 2, 2), dtype=np.uint8)
    idx(tmp_path / "train-images-idx3-ubyte", one)
    idx(tmp_path / "train-images-idx3-ubyte.gz", two, zipped=True)
    assert_array_equal(open_dataset(tmp_path)[0].image[..., 0], one[0])


def test_idx_errors(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    idx(path, RNG.integers(0, 256, (3, 4, 4), dtype=np.uint8))
    with pytest.raises(OptionError, match=r"formats/idx: split .* is one file"):
        open_dataset(path, split="train")
    with pytest.raises(DataError, match=r"no test images in .*: looked for t10k-images-idx3-ubyte, with or without"):
        open_dataset(tmp_path, split="test")
    with pytest.raises(OptionError, match=r"formats/idx: split = 'valid' is not allowed"):
        open_dataset(tmp_path, split="valid")
    idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(2, np.uint8))
    with pytest.raises(DataError, match=r"has 3 images but .*train-labels-idx1-ubyte has 2 labels"):
        open_dataset(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=r"is damaged: its header promises 64 bytes, it has 63"):
        open_dataset(path)
    path.write_bytes(whole[:2] + b"\x0d" + whole[3:])
    with pytest.raises(DataError, match=r"0x0d.*unsigned bytes \(0x08\)"):
        open_dataset(path, format="idx")
    path.write_bytes(whole[:8] + bytes(4) + whole[12:16])
    with pytest.raises(DataError, match=r"3 x 0 x 4.*no pixels"):
        open_dataset(path, format="idx")
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"idx file of 3 dimensions"):
        open_dataset(path, format="idx")
    path.write_bytes(gzip.compress(whole)[:-9])
    with pytest.raises(DataError, match=r"cannot be read: Compressed file ended"):
        open_dataset(path, format="idx")
    idx(tmp_path / "emnist-train-images-idx3-ubyte", RNG.integers(0, 256, (3, 4, 4), dtype=np.uint8))
    with pytest.raises(DataError, match=r"several train images in .*: emnist-train-images-idx3-ubyte, train-images"):
        open_dataset(tmp_path)


def cifar(path: Path, images: np.ndarray, labels: list[int]) -> None:
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    np.concatenate([np.array(labels, np.uint8)[:, None], planes], axis=1).tofile(path)


def test_cifar_binary(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    cifar(tmp_path / "data_batch_1.bin", images[:2], [7, 0])
    cifar(tmp_path / "data_batch_2.bin", images[2:4], [1, 9])
    cifar(tmp_path / "test_batch.bin", images[4:], [5])
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (tmp_path / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    source = open_dataset(tmp_path)
    assert_array_equal(source[np.arange(4)].image, images[:4])
    assert_array_equal(source.labels, [7, 0, 1, 9])
    assert source.classes == tuple(names)
    assert_array_equal(open_dataset(tmp_path, split="test")[0].image, images[4])
    single = open_dataset(tmp_path / "data_batch_2.bin")
    assert_array_equal(single[1].image, images[3])
    (tmp_path / "batches.meta.txt").unlink()
    assert open_dataset(tmp_path).classes == tuple("0123456789")
    with pytest.raises(OptionError, match="formats/cifar_binary: split"):
        open_dataset(tmp_path / "data_batch_2.bin", split="test")
    cifar(tmp_path / "data_batch_2.bin", images[2:4], [1, 10])
    with pytest.raises(DataError, match="has a label of 10: this is not CIFAR-10's binary version"):
        open_dataset(tmp_path)
    (tmp_path / "data_batch_1.bin").write_bytes(b"x" * 5000)
    with pytest.raises(DataError, match=r"data_batch_1\.bin is damaged: 5,000 bytes .*3,073"):
        open_dataset(tmp_path)
    (tmp_path / "test_batch.bin").unlink()
    with pytest.raises(DataError, match=r"no test_batch.bin in"):
        open_dataset(tmp_path, split="test")


# ---------------------------------------------------------------- LMDB


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "church_lmdb"
    with lmdb.open(str(path), map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        for name, value in (("b", 2), ("a", 1), ("c", 3)):
            transaction.put(name.encode(), png(value))
        transaction.put(b"length", b"3")
    return path


def test_lmdb(database: Path) -> None:
    source = open_dataset(database)
    assert list(source.keys) == ["a", "b", "c"]
    assert source.name == "church_lmdb"
    assert source.labels is None
    assert [int(item.image[0, 0, 0]) for item in source] == [1, 2, 3]
    assert [int(i.image[0, 0, 0]) for i in open_dataset(database / "data.mdb")] == [1, 2, 3]  # a second open of it
    assert [int(item.image[0, 0, 0]) for item in source.parallel(workers=2)] == [1, 2, 3]
    copy = pickle.loads(pickle.dumps(source))
    assert_array_equal(copy[1].image, source[1].image)
    assert len({source.stamp(index) for index in range(3)}) == 3


def test_lmdb_errors(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with lmdb.open(str(tmp_path / "empty")):
        pass
    with pytest.raises(DataError, match="/empty is an LMDB"):
        open_dataset(tmp_path / "empty")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "data.mdb").write_bytes(b"nonsense" * 1000)
    with pytest.raises(DataError, match="/broken cannot be opened"):
        open_dataset(tmp_path / "broken")
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(MissingExtraError, match=r"church_lmdb is an LMDB, .* pip install .*lmdb"):
        open_dataset(database)


def test_a_value_of_an_lmdb_that_is_no_image_in_size(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_dataset(database)
    monkeypatch.setattr(limits, "LARGEST_IMAGE", len(png(1)) - 1)
    with refused(f"{len(png(1)) - 1:,}", error=UnreadableImageError):
        source.one(0)


# ---------------------------------------------------------------- CSV


@pytest.mark.parametrize("kept", [0, 100, 4096, 8192, 12_000, -1])
def test_an_lmdb_that_is_cut_short_is_refused(database: Path, kept: int) -> None:
    data = database / "data.mdb"
    os.truncate(data, kept if kept >= 0 else data.stat().st_size + kept)
    with refused(database, error=DataError):
        open_dataset(database)


def test_csv(tmp_path: Path) -> None:
    write(tmp_path, ["img/z.png", "img/a.png", "img/k.png"])
    table = tmp_path / "list.csv"
    table.write_text("\ufeffid,path,label\n1,img/z.png,10\n2, img/a.png ,9\n\n3,img\\k.png,10\n", encoding="utf-8")
    source = open_dataset(table)
    assert list(source.keys) == ["img/z.png", "img/a.png", "img/k.png"]
    assert [int(item.image[0, 0, 0]) for item in source] == [0, 1, 2]
    assert source.classes == ("9", "10")
    assert_array_equal(source.labels, [1, 0, 1])
    table.write_text("img/k.png;cat\nimg/z.png;dog\n")
    bare = open_dataset(table)
    assert [int(item.image[0, 0, 0]) for item in bare] == [2, 0]
    assert bare.labels is None
    assert open_dataset(table, label_column="2").classes == ("cat", "dog")
    table.write_text("first\tsecond\tkind\nimg/a.png\timg/k.png\tx\n")
    assert list(open_dataset(table).keys) == ["img/a.png"]
    chosen = open_dataset(table, path_column="second", label_column="kind")
    assert list(chosen.keys) == ["img/k.png"]
    assert chosen.classes == ("x",)


@pytest.mark.parametrize(
    ("text", "options", "kind", "message"),
    [
        ("path,label\na.png,1\nb.png,2\n", {}, DataError, r"list\.csv, line 3: no such file .*b\.png"),
        ("path,label\na.png,1\na.png,\n", {}, DataError, r"list\.csv, line 3: nothing in the column 'label'"),
        ("path,label\na.png\n", {}, DataError, r"list\.csv, line 2: nothing in the column 'label'"),
        ("path,label\n", {}, DataError, r"list\.csv lists no images"),
        ("", {}, DataError, r"list\.csv lists no images"),
        ("x,y\n1,2\n", {}, DataError, r"no column of image files in .*; name one with path_column: x, y"),
        (
            "path,label\na.png,1\n",
            {"label_column": "lable"},
            OptionError,
            r"no column 'lable'. Did you mean 'label'\? It has: path, label",
        ),
    ],
)
def test_csv_errors(text: str, options: dict[str, str], kind: type[Exception], message: str, tmp_path: Path) -> None:
    write(tmp_path, ["a.png"])
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(kind, match=message):
        open_dataset(tmp_path / "list.csv", **options)


def test_csv_of_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"table: .*utf-8"):
        open_dataset(tmp_path / "list.csv")


# ---------------------------------------------------------------- npy


def test_npy(tmp_path: Path) -> None:
    colour = RNG.integers(0, 256, (4, 3, 5, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", colour)
    np.save(tmp_path / "x.labels.npy", np.array([0, 2, 1, 2], np.int16))
    source = open_dataset(tmp_path / "x.npy")
    assert isinstance(source.images.base, np.memmap)  # type: ignore[attr-defined]
    assert_array_equal(source[[3, 0]].image, colour[[3, 0]])
    assert_array_equal(source[[3, 0]].label, [2, 0])
    assert source[1].label == 2
    assert source.classes == ("0", "1", "2")
    np.save(tmp_path / "large.npy", np.zeros((100, 8, 8), np.uint8))
    large = open_dataset(tmp_path / "large.npy")
    assert len(pickle.dumps(large)) < 6400  # not its pixels
    assert_array_equal(pickle.loads(pickle.dumps(source))[2].image, colour[2])
    assert source.stamp(0) != source.stamp(1)
    np.save(tmp_path / "grey.npy", colour[..., 0])
    grey = open_dataset(tmp_path / "grey.npy")
    assert grey.labels is None
    assert_array_equal(grey[1].image, colour[1, :, :, :1])


def test_npy_errors(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    for array, message in [
        (np.zeros((2, 3, 3), np.float32), r"holds float32; images are uint8 from 0 to 255. Convert first.*\* 255"),
        (np.zeros((2, 3), np.uint8), r"has the shape \(2, 3\); images are \[N, H, W\] or \[N, H, W, C\]"),
        (np.zeros((2, 0, 8), np.uint8), r"\(2, 0, 8, 1\): its images have no pixels"),
        (np.zeros((2, 3, 8, 8), np.uint8), r"has the shape \(2, 3, 8, 8\); .*; move the channels last"),
        (np.zeros((2, 8, 8, 5), np.uint8), r"with C = 1, 2, 3 or 4$"),
    ]:
        np.save(path, array)
        with pytest.raises(DataError, match=message):
            open_dataset(path)
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        open_dataset(path)
    path.write_bytes(b"no numpy")
    with pytest.raises(DataError, match=r"is not a \.npy file; numpy\.save writes them"):
        open_dataset(path)
    path.write_bytes(b"\x93NUMPY\x01\x00\x10")
    with pytest.raises(DataError, match=r"cannot be read as a \.npy file: "):
        open_dataset(path)
    np.save(path, np.zeros((0, 3, 3), np.uint8))
    with pytest.raises(DataError, match=r"(holds no images|cannot be read as a \.npy file: )"):
        open_dataset(path)
    np.save(path, np.zeros((2, 3, 3), np.uint8))
    beside = tmp_path / "x.labels.npy"
    for labels, message in [
        (np.zeros(3, np.int64), r"has 2 images but .* has 3 labels"),
        (np.zeros(2, np.float64), r"holds float64 \[2\]; labels are integers \[N\]"),
        (np.array([0, -1]), r"has a label of -1; labels count from 0"),
    ]:
        np.save(beside, labels)
        with pytest.raises(DataError, match=message):
            open_dataset(path)

"""Every format on files written here, by hand where the format is binary, and on real archives."""

from __future__ import annotations

import gzip
import os
import pickle
import struct
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import lmdb
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from gansmith import catalog
from gansmith.data.decode import conform, decode
from gansmith.data.encoded import WHOLE, digest
from gansmith.data.listing import classes_of, is_image, ordered
from gansmith.data.open import open_dataset
from gansmith.errors import DataError, MissingExtraError, OptionError, UnknownNameError, UnreadableImageError

RNG = np.random.default_rng(0)


def picture(value: int = 0, shape: tuple[int, ...] = (3, 4, 3)) -> np.ndarray:
    return np.full(shape, value, np.uint8)


def png(value: int = 0) -> bytes:
    buffer = BytesIO()
    Image.fromarray(picture(value)).save(buffer, "PNG")
    return buffer.getvalue()


def write(root: Path, names: list[str]) -> None:
    """Pictures whose grey level is their place in the list."""
    for value, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(value) if is_image(name) or "." not in Path(name).name[1:] else b"text")


def idx(path: Path, array: np.ndarray, zipped: bool = False) -> None:
    data = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if zipped else data)


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


# ---------------------------------------------------------------- folder and zip


NAMES = ["dog/2.png", "dog/10.PNG", "cat/1.jpg", "cat/deep/x.gif", "cat/.hidden.png", "notes.txt", "__MACOSX/cat/1.png"]
KEYS = ["cat/1.jpg", "cat/deep/x.gif", "dog/2.png", "dog/10.PNG"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pets"
    write(root, NAMES)
    return root


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "pets.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in NAMES:
            file.write(folder / name, f"pets/{name}")
    return path


def test_a_folder(folder: Path) -> None:
    source = open_dataset(folder)
    assert source.name == "pets"
    assert list(source.keys) == KEYS
    assert source.classes == ("cat", "dog")
    assert_array_equal(source.labels, [0, 0, 1, 1])
    for index, key in enumerate(KEYS):
        item = source[index]
        assert_array_equal(item.image, picture(NAMES.index(key)))  # written as PNG whatever the suffix says
        assert item.label == [0, 0, 1, 1][index]


def test_a_zip_follows_the_rules_of_a_folder(archive: Path) -> None:
    source = open_dataset(archive)
    assert source.name == "pets"
    assert list(source.keys) == [f"pets/{key}" for key in KEYS]
    assert source.classes == ("cat", "dog")
    assert [int(item.image[0, 0, 0]) for item in source] == [NAMES.index(key) for key in KEYS]
    batch = source[[3, 0]]
    assert_array_equal(batch.label, [1, 0])


@pytest.mark.parametrize("which", ["folder", "archive"])
def test_sources_work_in_worker_processes_and_after_pickling(which: str, request: pytest.FixtureRequest) -> None:
    source = open_dataset(request.getfixturevalue(which))
    assert source[3].label == 1  # a handle is open in this process now
    small = source.resize(size=2, channels=1)
    for copy in (list(small.parallel(workers=2)), list(pickle.loads(pickle.dumps(small)))):
        assert [int(item.image[0, 0, 0]) for item in copy] == [NAMES.index(key) for key in KEYS]


def test_workers_do_not_share_the_position_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(400):
            file.writestr(f"{number}.png", png(number % 256))
    source = open_dataset(path)
    assert source[7].image[0, 0, 0] == 7  # opens it here, before the workers are forked
    got = [int(item.image[0, 0, 0]) for item in source.parallel(workers=2)]
    assert got == [number % 256 for number in range(400)]


def test_resize_asks_for_no_more_detail_than_it_needs(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg")
    small = decode((tmp_path / "a.jpg").read_bytes(), "x", near=(8, 16))
    assert small.shape == (32, 32, 3)
    got = open_dataset(tmp_path).resize(size=(8, 16), channels=3)[0].image
    assert_array_equal(got, conform(small, size=(8, 16), channels=3))


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    write(tmp_path / "set", ["a.png"])
    (tmp_path / "set" / "again").symlink_to(tmp_path / "set")
    other = tmp_path / "elsewhere"
    write(other, ["b.png"])
    (tmp_path / "set" / "linked").symlink_to(other)
    assert list(open_dataset(tmp_path / "set").keys) == ["a.png", "linked/b.png"]


@pytest.mark.parametrize("which", ["folder", "zip"])
def test_nothing_to_read(which: str, tmp_path: Path) -> None:
    if which == "folder":
        path = tmp_path / "empty"
        write(path, ["notes.txt"])
    else:
        path = tmp_path / "empty.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("notes.txt", "text")
    with pytest.raises(DataError, match=rf"no images in {path}: files that end in \.png \.jpg .*\.tiff are read, in"):
        open_dataset(path)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, ["a.png", "b.png"])
    (tmp_path / "b.png").write_bytes(png()[:45])
    source = open_dataset(tmp_path)
    with pytest.raises(UnreadableImageError, match=rf"^{tmp_path}/b\.png cannot be decoded"):
        source[1]
    (tmp_path / "a.png").unlink()
    for act in (lambda: source[0], lambda: source.stamp(0)):
        with pytest.raises(UnreadableImageError, match=rf"^{tmp_path}/a\.png cannot be read: No such file"):
            act()


def test_a_damaged_zip(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.png", png())
    data = bytearray(path.read_bytes())
    data[45] ^= 255
    path.write_bytes(data)
    with pytest.raises(UnreadableImageError, match=rf"^{path}/a\.png cannot be read, the zip is damaged: Bad CRC"):
        open_dataset(path)[0]
    path.write_bytes(data[:60])
    with pytest.raises(DataError, match=rf"{path} is no whole zip, it may have been cut short: File is not a zip"):
        open_dataset(path, format="zip")


def test_stamps_follow_content(tmp_path: Path) -> None:
    big = RNG.integers(0, 256, WHOLE + 100, dtype=np.uint8).tobytes()
    write(tmp_path, ["a.png", "b.png"])
    (tmp_path / "big.png").write_bytes(big)
    source = open_dataset(tmp_path)
    first = [source.stamp(index) for index in range(3)]
    assert len(set(first)) == 3
    os.utime(tmp_path / "a.png", ns=(1, 1))
    assert source.stamp(0) == first[0]  # a small file is its content
    changed = bytearray(png(0))
    changed[-1] ^= 1
    (tmp_path / "a.png").write_bytes(changed)
    assert source.stamp(0) != first[0]
    stat = (tmp_path / "big.png").stat()
    for place in (0, len(big) - 1):
        damaged = bytearray(big)
        damaged[place] ^= 1
        (tmp_path / "big.png").write_bytes(damaged)
        os.utime(tmp_path / "big.png", ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert source.stamp(2) != first[2]
    (tmp_path / "big.png").write_bytes(big)
    os.utime(tmp_path / "big.png", ns=(1, 1))
    assert source.stamp(2) != first[2]
    os.utime(tmp_path / "big.png", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert source.stamp(2) == first[2]


def test_a_digest_frames_its_parts() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(b"1") == digest("1") == digest(1)
    assert len(digest("x")) == 16


def test_stamps_of_a_zip(tmp_path: Path) -> None:
    stamps = []
    for number, value in enumerate((1, 1, 2)):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.png", png(value))
        stamps.append(open_dataset(path).stamp(0))
    assert stamps[0] == stamps[1] != stamps[2]


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
    with pytest.raises(OptionError, match=r"split chooses inside a folder, and .* is one file; leave it out"):
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
    with pytest.raises(DataError, match=r"holds numbers of idx type 0x0d; only unsigned bytes"):
        open_dataset(path, format="idx")
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"is not an idx file of 3 dimensions"):
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
    with pytest.raises(OptionError, match="split chooses inside a folder"):
        open_dataset(tmp_path / "data_batch_2.bin", split="test")
    cifar(tmp_path / "data_batch_2.bin", images[2:4], [1, 10])
    with pytest.raises(DataError, match="has a label of 10: this is not CIFAR-10's binary version"):
        open_dataset(tmp_path)
    (tmp_path / "data_batch_1.bin").write_bytes(b"x" * 5000)
    with pytest.raises(DataError, match=r"data_batch_1.bin is damaged: 5,000 bytes are not a whole number of records"):
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
    with pytest.raises(DataError, match="empty is an LMDB without any image"):
        open_dataset(tmp_path / "empty")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "data.mdb").write_bytes(b"nonsense" * 1000)
    with pytest.raises(DataError, match="broken cannot be opened as an LMDB"):
        open_dataset(tmp_path / "broken")
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(MissingExtraError, match=r"church_lmdb is an LMDB, .* pip install 'gansmith\[lmdb\]'"):
        open_dataset(database)


# ---------------------------------------------------------------- CSV


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
    with pytest.raises(DataError, match=r"cannot be read as a table: .*utf-8"):
        open_dataset(tmp_path / "list.csv")


# ---------------------------------------------------------------- npy


def test_npy(tmp_path: Path) -> None:
    colour = RNG.integers(0, 256, (4, 3, 5, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", colour)
    np.save(tmp_path / "x.labels.npy", np.array([0, 2, 1, 2], np.int16))
    source = open_dataset(tmp_path / "x.npy")
    assert isinstance(source.images, np.memmap)  # type: ignore[attr-defined]
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
        (np.zeros((2, 3, 8, 8), np.uint8), r"has the shape \(2, 3, 8, 8\); .*; move the channels last"),
        (np.zeros((2, 8, 8, 5), np.uint8), r"with C = 1, 2, 3 or 4$"),
    ]:
        np.save(path, array)
        with pytest.raises(DataError, match=message):
            open_dataset(path)
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="holds Python objects, which are never loaded; save plain numbers"):
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
    with pytest.raises(DataError, match=r"no file or folder .*/none/x, and no built-in dataset of that name. Built-in"):
        open_dataset(tmp_path / "none" / "x")


def test_what_is_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "x.docx").write_bytes(b"text")
    with pytest.raises(DataError, match=r"x\.docx is of no known format(?s:.*)\n  csv: A list of(?s:.*)\n  zip: A zip"):
        open_dataset(tmp_path / "x.docx")
    (tmp_path / "a.png").write_bytes(png())
    with pytest.raises(DataError, match=rf"a\.png is one image; give the folder it lies in: {tmp_path}"):
        open_dataset(tmp_path / "a.png")
    with pytest.raises(UnknownNameError, match=r"no format called 'foldr'. Did you mean 'folder'\?"):
        open_dataset(tmp_path, format="foldr")
    with pytest.raises(OptionError, match=r"formats/folder has no option 'split'. It has: no options"):
        open_dataset(tmp_path, split="train")
    with pytest.raises(DataError, match=r"a\.png is not a folder"):
        open_dataset(tmp_path / "a.png", format="folder")
    with pytest.raises(UnknownNameError, match="importing is executing"):
        open_dataset(tmp_path, format="my_lab.tiles")


def test_a_path_wins_over_a_built_in_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "digits", ["a.png"])
    assert len(open_dataset("digits")) == 1
    with pytest.raises(OptionError, match="ring is a built-in dataset: it has no format to choose"):
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

"""MNIST's idx files (also Fashion-MNIST, KMNIST, EMNIST), gzipped or not: an images file, or the folder of them.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "file formats". Two zero bytes, the
type (8: unsigned byte), the number of dimensions, each dimension as a big-endian 32-bit number, then the data.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gansmith.data.array_source import ArraySource
from gansmith.data.limits import classes_of, require_whole
from gansmith.data.sample import sample_images, sample_labels
from gansmith.errors import DataError, OptionError
from gansmith.system.paths import resolved

_IMAGES = b"\x00\x00\x08\x03"
_PREFIX = {"train": ("train",), "test": ("t10k", "test")}


def accepts(path: Path) -> bool:
    """Whether it is a folder with an images file, or a file that begins with the magic number of images."""
    if path.is_dir():
        return any(_candidates(path, split) for split in _PREFIX)
    try:
        return path.is_file() and _read(path, 4) == _IMAGES
    except DataError:
        return False


def build(path: Path, *, split: Literal["train", "test"] | None = None) -> ArraySource:
    """uint8 [H, W, 1] with the labels of the file beside it, if there is one.

    `split` chooses inside a folder: train (the default) or test (t10k).
    Raises DataError for a missing, truncated or different file.

    >>> images = build(example(Path("digits")))
    >>> len(images), images[0].image.shape, images[11].label
    (12, (32, 32, 1), 2)
    """
    if path.is_dir():
        images = _choose(path, split or "train")
    elif split is not None:
        raise OptionError(f"formats/idx: split chooses inside a folder, and {path} is one file; leave it out")
    else:
        images = path
    pixels = _array(images, dimensions=3)
    beside = _labels_beside(images)
    labels = None if beside is None else _array(beside, dimensions=1).astype(np.int64)
    if labels is not None and len(labels) != len(pixels):
        raise DataError(f"{images} has {len(pixels)} images but {beside} has {len(labels)} labels")
    classes = None if labels is None or not len(labels) else classes_of(labels, images)
    return ArraySource(pixels[..., None], labels, name=_set_name(images), classes=classes)


def example(folder: Path) -> Path:
    """The red channel of the sample images, with labels, as the two files of a training set."""
    folder.mkdir(parents=True, exist_ok=True)
    grey, labels = sample_images()[..., 0], sample_labels().astype(np.uint8)
    for name, array in (("train-images-idx3-ubyte", grey), ("train-labels-idx1-ubyte", labels)):
        shape = np.array(array.shape, dtype=">u4").tobytes()
        (folder / name).write_bytes(bytes([0, 0, 8, array.ndim]) + shape + array.tobytes())
    return folder


def _candidates(folder: Path, split: str) -> list[Path]:
    names = sorted(entry for entry in folder.glob("*images*idx3*") if entry.is_file())
    of_split = [entry for entry in names if any(prefix in entry.name for prefix in _PREFIX[split])]
    return [entry for entry in of_split if not (entry.suffix == ".gz" and entry.with_suffix("") in of_split)]


def _choose(folder: Path, split: str) -> Path:
    candidates = _candidates(folder, split)
    if not candidates:
        raise DataError(
            f"no {split} images in {folder}: looked for {_PREFIX[split][0]}-images-idx3-ubyte, with or without .gz"
        )
    if len(candidates) > 1:
        raise DataError(
            f"several {split} images in {folder}: {', '.join(file.name for file in candidates)}; name one file"
        )
    return candidates[0]


def _labels_beside(images: Path) -> Path | None:
    name = images.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    if name == images.name.removesuffix(".gz"):
        return None
    return next((images.with_name(name + end) for end in ("", ".gz") if images.with_name(name + end).is_file()), None)


def _array(path: Path, *, dimensions: int) -> NDArray[np.uint8]:
    head = 4 + 4 * dimensions
    data = _read(path, head)
    if len(data) < head or data[:2] != b"\0\0" or data[3] != dimensions:
        raise DataError(f"{path} is not an idx file of {dimensions} dimension{'s' * (dimensions > 1)}")
    if data[2] != 8:
        raise DataError(f"{path} holds numbers of idx type {data[2]:#04x}; only unsigned bytes (0x08) are read")
    shape = tuple(int(number) for number in np.frombuffer(data, dtype=">u4", count=dimensions, offset=4))
    expected = head + math.prod(shape)
    if not _packed(path):  # a file that is not packed is as long as it says, or damaged
        _require_length(path, expected, path.stat().st_size)
    if dimensions == 3 and expected == head:
        stated = " x ".join(map(str, shape))
        raise DataError(f"{path} states {stated}: it holds no images, or images of no pixels")
    require_whole(expected, path, "make several files of it, or one .npy of it, which is read piece by piece")
    data = _read(path, expected + 1)
    _require_length(path, expected, len(data))
    return np.frombuffer(data, dtype=np.uint8, offset=head).reshape(shape)


def _require_length(path: Path, expected: int, length: int) -> None:
    if length != expected:
        has = f"has {length:,}" if length < expected else "has more"
        raise DataError(f"{path} is damaged: its header promises {expected:,} bytes, it {has}")


def _read(path: Path, count: int) -> bytearray:
    """The first `count` bytes, unpacked."""
    try:
        zipped = _packed(path)
        with path.open("rb") as plain:
            if not zipped:
                return bytearray(plain.read(count))
            with gzip.open(plain) as file:
                return bytearray(file.read(count))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _set_name(images: Path) -> str:
    folder = resolved(images).parent
    return (folder.parent if folder.name == "raw" else folder).name

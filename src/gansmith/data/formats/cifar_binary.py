"""CIFAR-10's binary version: its folder of data_batch_*.bin and test_batch.bin, or one such file.

Source: Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images", and the data set's page, "Binary
version": records of 1 + 3,072 bytes, the label, then 32 x 32 red, green and blue, row by row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gansmith.data.array_source import ArraySource
from gansmith.data.limits import require_whole
from gansmith.data.listing import ordered
from gansmith.data.sample import sample_images, sample_labels
from gansmith.errors import DataError, OptionError
from gansmith.system.paths import resolved

RECORD = 1 + 3 * 32 * 32
CLASSES = 10
_PATTERN = {"train": "data_batch_*.bin", "test": "test_batch.bin"}


def accepts(path: Path) -> bool:
    """Whether it is a folder with batches, or a file of whole records."""
    if path.is_dir():
        return any(any(path.glob(pattern)) for pattern in _PATTERN.values())
    if path.suffix.lower() != ".bin" or not path.is_file():
        return False
    size = path.stat().st_size
    return size > 0 and size % RECORD == 0


def build(path: Path, *, split: Literal["train", "test"] | None = None) -> ArraySource:
    """uint8 [32, 32, 3] with labels; the classes' names from batches.meta.txt where it lies beside.

    `split` chooses inside a folder: train (the default: every data_batch) or test.
    Raises DataError for missing or truncated files.

    >>> images = build(example(Path("cifar")))
    >>> len(images), images[0].image.shape, images[11].label, len(images.classes)
    (12, (32, 32, 3), 2, 10)
    """
    if path.is_dir():
        pattern = _PATTERN[split or "train"]
        files = [path / name for name in ordered(file.name for file in path.glob(pattern))]
        if not files:
            raise DataError(f"no {pattern} in {path}")
    elif split is not None:
        raise OptionError(f"formats/cifar_binary: split chooses inside a folder, and {path} is one file; leave it out")
    else:
        files = [path]
    records = np.concatenate([_records(file) for file in files])
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= CLASSES:
        raise DataError(f"{path} has a label of {labels.max()}: this is not CIFAR-10's binary version")
    images = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    folder = files[0].parent
    return ArraySource(images, labels, name=resolved(folder).name, classes=_classes(folder / "batches.meta.txt"))


def example(folder: Path) -> Path:
    """The sample images as one batch of the training set."""
    folder.mkdir(parents=True, exist_ok=True)
    planes = sample_images().transpose(0, 3, 1, 2).reshape(-1, RECORD - 1)
    records = np.concatenate([sample_labels().astype(np.uint8)[:, None], planes], axis=1)
    (folder / "data_batch_1.bin").write_bytes(records.tobytes())
    return folder


def _records(file: Path) -> NDArray[np.uint8]:
    try:
        require_whole(file.stat().st_size, file, "CIFAR-10 has 30,730,000 in a file")
        data = np.fromfile(file, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
    if not len(data) or len(data) % RECORD:
        raise DataError(f"{file} is damaged: {len(data):,} bytes are not a whole number of records of {RECORD:,}")
    return data.reshape(-1, RECORD)


def _classes(file: Path) -> tuple[str, ...]:
    names = file.read_text().split() if file.is_file() else []
    return tuple(names) if len(names) == CLASSES else tuple(str(label) for label in range(CLASSES))

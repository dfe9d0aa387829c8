"""One uint8 array of images in NumPy's file format, [N, H, W] or [N, H, W, C], memory-mapped.

Labels, if there are any, lie beside NAME.npy in NAME.labels.npy: integers [N].
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gansmith.data.dataset import Arrays, ImageItem, Indices
from gansmith.data.encoded import digest
from gansmith.data.limits import classes_of
from gansmith.data.mapped import MappedFile
from gansmith.data.packed_pair import check_pair
from gansmith.data.sample import sample_images, sample_labels
from gansmith.data.source import Source
from gansmith.errors import DataError


def accepts(path: Path) -> bool:
    return path.suffix.lower() == ".npy" and path.is_file()


def build(path: Path) -> Mapped:
    """uint8 [H, W, C] per image. Raises DataError for another type or shape, saying what to save instead.

    >>> images = build(example(Path(".")))
    >>> len(images), images[[0, 5]].image.shape, images[5].label
    (12, (2, 32, 32, 3), 1)
    """
    return Mapped(path)


def example(folder: Path) -> Path:
    """The sample images as one array, their labels beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", sample_images())
    np.save(folder / "images.labels.npy", sample_labels())
    return folder / "images.npy"


class Mapped(Source):
    """A memory-mapped array file. A copy in another process maps the file again instead of copying its content."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mapped: MappedFile | None = None
        self.name = path.stem
        beside = path.with_suffix(".labels.npy")
        count = len(self.images)
        try:
            check_pair(path, beside)
        except OSError as error:
            raise DataError(f"{beside} cannot be read: {error.strerror}") from error
        if not count:
            raise DataError(f"{path} holds no images")
        self.labels = _labels(beside, path, count) if beside.is_file() else None
        self.classes = None if self.labels is None else classes_of(self.labels, beside)
        self.keys = [str(index) for index in range(count)]

    @property
    def images(self) -> NDArray[np.uint8]:
        """uint8 [N, H, W, C], memory-mapped."""
        if self._mapped is None:
            self._mapped = _mapped(self.path)
        self._mapped.check()
        array: NDArray[np.uint8] = self._mapped.array
        return array if array.ndim == 4 else array[..., None]

    def one(self, index: int) -> ImageItem:
        return ImageItem(np.array(self.images[index]), None if self.labels is None else int(self.labels[index]))

    def many(self, indices: Indices) -> ImageItem:
        return Arrays(self.images, self.labels).many(indices)

    def stamp(self, index: int) -> bytes:
        return digest(self.images[index].tobytes())

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_mapped": None}


def _load(path: Path) -> NDArray[np.generic]:
    """The array in a file, memory-mapped: the sizes that its header states are compared with the file's."""
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":  # else numpy takes it for a pickle, and says how to load that
                raise DataError(f"{path} is not a .npy file; numpy.save writes them")
            _require_shape(path, file)
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        if "Python objects" in str(error) or "Object arrays" in str(error):
            raise DataError(f"{path} holds Python objects, which are never loaded; save plain numbers") from None
        raise DataError(f"{path} cannot be read as a .npy file: {error}") from error
    array: NDArray[np.generic] = loaded
    return array


def _require_shape(path: Path, file: IO[bytes]) -> None:
    """Raises DataError where the shape that the header states is none."""
    file.seek(0)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in read:  # 3.0 is for names of fields, which images have none of
        raise DataError(f"{path} is of version {version[0]}.{version[1]} of .npy; plain arrays have 1.0 or 2.0")
    shape, _, dtype = read[version](file)
    stated = math.prod(shape) * dtype.itemsize
    if any(isinstance(side, bool) or side < 0 for side in shape) or stated > path.stat().st_size:
        raise DataError(f"{path} is damaged: its header states an array of {list(shape)}, {stated:,} bytes")


def _mapped(path: Path) -> MappedFile:
    array = _load(path)
    if array.dtype != np.uint8:
        raise DataError(
            f"{path} holds {array.dtype}; images are uint8 from 0 to 255. Convert first, for values from 0 to 1: "
            f"np.save(path, (array * 255).round().astype('uint8'))"
        )
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 2, 3, 4):
        hint = "; move the channels last" if array.ndim == 4 and array.shape[1] in (1, 3, 4) else ""
        raise DataError(
            f"{path} has the shape {array.shape}; images are [N, H, W] or [N, H, W, C] with C = 1, 2, 3 or 4{hint}"
        )
    if 0 in array.shape[1:]:
        raise DataError(f"{path} has the shape {array.shape}: its images have no pixels")
    return MappedFile(path)


def _labels(path: Path, images: Path, count: int) -> NDArray[np.int64]:
    labels = _load(path)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"{path} holds {labels.dtype} {list(labels.shape)}; labels are integers [N]")
    if len(labels) != count:
        raise DataError(f"{images} has {count} images but {path} has {len(labels)} labels")
    return np.array(labels, dtype=np.int64)  # a plain array, no map

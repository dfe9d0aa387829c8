"""Text files of grey images: a line `grey HEIGHT WIDTH`, then one line of hexadecimal bytes for each image."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gansmith.data.array_source import ArraySource
from gansmith.data.sample import sample_images
from gansmith.errors import DataError

LABELLED = False
_HEAD = "grey "


def accepts(path: Path) -> bool:
    """A file with the ending .grey."""
    return path.is_file() and path.suffix == ".grey"


def build(path: Path) -> ArraySource:
    """uint8 [H, W, 1]. Raises DataError naming the file for a damaged one.

    >>> Path("two.grey").write_text("grey 1 2\\n00ff\\n8000\\n")
    19
    >>> build(Path("two.grey")).one(1).image.tolist()
    [[[128], [0]]]
    """
    try:
        head, *lines = path.read_text(encoding="ascii").splitlines()
        height, width = (int(side) for side in head.removeprefix(_HEAD).split())
        pixels = np.array([list(bytes.fromhex(line)) for line in lines], dtype=np.uint8)
        images = pixels.reshape(len(lines), height, width, 1)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no file of grey lines: {error}") from error
    return ArraySource(images, name=path.stem)


def example(folder: Path) -> Path:
    """The red channel of the sample images."""
    path = folder / "images.grey"
    path.write_text("\n".join(["grey 32 32", *(image[..., 0].tobytes().hex() for image in sample_images())]))
    return path

"""A folder of image files, with subfolders; one subfolder per class if every image lies in one."""

from __future__ import annotations

import os
from pathlib import Path

from gansmith.data.encoded import Encoded, Files
from gansmith.data.listing import classes_of, is_image, known_suffixes, ordered
from gansmith.data.sample import png, sample_images, sample_labels
from gansmith.errors import DataError


def accepts(path: Path) -> bool:
    return path.is_dir()


def build(path: Path) -> Encoded:
    """Every image under `path`, links followed, in natural order. Raises DataError when there is none.

    >>> images = build(example(Path(".")))
    >>> images.keys[0], images.classes, images[0].image.shape
    ('0/00.png', ('0', '1', '2'), (32, 32, 3))
    """
    if not path.is_dir():
        raise DataError(f"{path} is not a folder")
    keys = ordered(_files(path))
    if not keys:
        raise DataError(f"no images in {path}: files that end in {known_suffixes()} are read, in subfolders too")
    labels, classes = classes_of(keys)
    return Encoded(Files(path, keys), name=path.resolve().name, keys=keys, labels=labels, classes=classes)


def example(folder: Path) -> Path:
    """The sample images as a folder of PNG files, one subfolder for each class."""
    root = folder / "images"
    for index, (image, label) in enumerate(zip(sample_images(), sample_labels().tolist(), strict=True)):
        (root / str(label)).mkdir(parents=True, exist_ok=True)
        (root / str(label) / f"{index:02}.png").write_bytes(png(image))
    return root


def _files(root: Path) -> list[str]:
    names: list[str] = []
    seen: set[str] = set()
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link back to a folder above would never end
            inner.clear()
            continue
        seen.add(real)
        below = Path(folder).relative_to(root)
        names += [name for file in files if is_image(name := (below / file).as_posix())]
    return names

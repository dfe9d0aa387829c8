"""A folder of image files, with subfolders; one subfolder per class if every image lies in one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from gansmith.data.encoded import Encoded, Files, Ignored
from gansmith.data.ignored_files import about, nothing_to_read
from gansmith.data.kinds import HEAD
from gansmith.data.layout import Split, layout
from gansmith.data.listing import is_image, is_visible
from gansmith.data.sample import png, sample_images, sample_labels
from gansmith.errors import DataError
from gansmith.system.paths import resolved
from gansmith.system.text import printable

_OF_RUNS = {".lock", "checkpoints", "events.jsonl", "model", "samples"}  # beside a run's experiment.yaml


def accepts(path: Path) -> bool:
    return path.is_dir()


def build(path: Path, *, split: Split | None = None) -> Encoded:
    """Every image under `path`, links followed, in natural order. Raises DataError when there is none.

    split   of folders train, val and test, the one to read (train where None), or `all`; `none`: they are classes

    >>> images = build(example(Path(".")))
    >>> images.keys[0], images.classes, images[0].image.shape
    ('0/00.png', ('0', '1', '2'), (32, 32, 3))
    """
    if not path.is_dir():
        raise DataError(f"{printable(path)} is not a folder")
    names = _files(path)
    ignored = Ignored([name for name in names if not is_image(name)], partial(_heads, path))
    images = [name for name in names if is_image(name)]
    if not images:
        raise nothing_to_read(path, ignored)
    keys, labels, classes, notes = layout(images, path, split)
    return Encoded(
        Files(path, keys),
        name=resolved(path).name,
        keys=keys,
        labels=labels,
        classes=classes,
        notes=(*notes, *about(ignored)),
        ignored=ignored,
    )


def example(folder: Path) -> Path:
    """The sample images as a folder of PNG files, one subfolder for each class."""
    root = folder / "images"
    for index, (image, label) in enumerate(zip(sample_images(), sample_labels().tolist(), strict=True)):
        (root / str(label)).mkdir(parents=True, exist_ok=True)
        (root / str(label) / f"{index:02}.png").write_bytes(png(image))
    return root


def _files(root: Path) -> list[str]:
    """Every visible file, `/` between folders, but for those of runs below `root`, whose sheets are no photographs."""
    names: list[str] = []
    seen: set[str] = set()
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link back to a folder above would never end
            inner.clear()
            continue
        seen.add(real)
        if "experiment.yaml" in files and _OF_RUNS & {*files, *inner} and Path(folder) != root:
            inner.clear()
            continue
        below = Path(folder).relative_to(root)
        names += [name for file in files if is_visible(name := (below / file).as_posix())]
    return names


def _heads(root: Path, names: Sequence[str]) -> dict[str, bytes]:
    heads = {}
    for name in names:
        with suppress(OSError):
            if (root / name).is_file():
                with (root / name).open("rb") as file:
                    heads[name] = file.read(HEAD)
    return heads

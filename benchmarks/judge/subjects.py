"""Sets of real images, and how a split deals them to training, held-out and unseen images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.textures import textures
from gansmith.data.open import open_dataset
from gansmith.system.seeding import mix

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
MOST = 2_000  # images of a set


@dataclass(frozen=True)
class Source:
    """file: in the folder of the data, a built-in set, or "" for the drawn textures;  training, held_out: images;
    labelled  whether its labels are kinds of things;  other: the set whose images are foreign to it"""

    file: str
    size: int
    other: str
    training: int = 900
    held_out: int = 300
    labelled: bool = True


SOURCES: Mapping[str, Source] = {
    "cifar10": Source("cifar10_test_jpg.zip", 32, "signs"),
    "signs": Source("signdigits100_jpg.zip", 64, "emoji"),
    "emoji": Source("emoji_google.zip", 64, "signs", training=700, labelled=False),
    "fashion": Source("fashion-mnist", 28, "cifar10"),
    "textures": Source("", 64, "cifar10", labelled=False),
}


@dataclass(frozen=True)
class Dealt:
    """One split: images and labels (-1 where there are none) that are trained on, held out, and unseen."""

    name: str
    split: int
    train: tuple[Images, Labels]
    held_out: tuple[Images, Labels]
    unseen: tuple[Images, Labels]


@lru_cache(maxsize=8)
def load(name: str, data: Path, size: int = 0, channels: int = 3) -> tuple[Images, Labels]:
    """At most MOST images of a set, drawn at random once and for all, at its own size or another."""
    source = SOURCES[name]
    size = size or source.size
    if not source.file:
        return textures(MOST, size), np.full(MOST, -1, np.int64)
    place = data / source.file
    dataset = open_dataset(str(place) if "." in source.file else source.file).resize(size=size, channels=channels)
    chosen = np.random.default_rng(mix("judge", name)).permutation(len(dataset))[:MOST]
    items = [dataset[int(index)] for index in chosen]
    labels = [-1 if item.label is None else int(item.label) for item in items]
    return np.stack([np.asarray(item.image) for item in items]), np.array(labels, np.int64)


def deal(name: str, data: Path, split: int, *, size: int = 0) -> Dealt:
    """The split's deal of a set: of labelled sets by class or not, always at random."""
    source = SOURCES[name]
    images, labels = load(name, data, size, 1 if name == "fashion" else 3)
    order = np.random.default_rng(mix("judge", name, split)).permutation(len(images))
    ends = np.cumsum([source.training, source.held_out])
    train, held_out, unseen = ((images[part], labels[part]) for part in np.split(order, ends))
    return Dealt(name, split, train, held_out, unseen)

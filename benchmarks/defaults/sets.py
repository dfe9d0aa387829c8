"""Sets of images that the defaults are chosen on and reported on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Set:
    """path: a file in the folder of the data, or the name of a built-in set;  classes: only images of these;
    flip  whether a mirrored image is one of the set as well;  images: how many it has to train and hold out"""

    path: str
    images: int
    flip: bool = False
    classes: tuple[str, ...] = ()
    channels: int = 3

    def settings(self, data: Path, count: int, size: int) -> dict[str, Any]:
        """The settings of the data of `count` images in all, a fixed random choice of the set, at `size` pixels."""
        return {
            "path": str(data / self.path) if "." in self.path else self.path,
            "classes": list(self.classes),
            "fraction": min(1.0, count / self.images),
            "size": size,
            "channels": self.channels,
            "flip": self.flip,
        }


SETS: Mapping[str, Set] = {
    "signs": Set("signdigits100_jpg.zip", 2_059),
    "emoji": Set("emoji_google.zip", 1_606),
    "fashion": Set("fashion-mnist", 60_000, channels=1),
    "digits": Set("digits", 1_797, channels=1),
    "horses": Set("cifar10_train_jpg.zip", 5_000, flip=True, classes=("horse",)),
    "cats": Set("cifar10_train_jpg.zip", 5_000, flip=True, classes=("cat",)),
    "cars": Set("cifar10_train_jpg.zip", 5_000, flip=True, classes=("automobile",)),
    "cifar10": Set("cifar10_train_jpg.zip", 50_000, flip=True),
}

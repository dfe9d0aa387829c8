"""Two domains of images written as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gansmith.data.prepare import prepare_domains
from gansmith.data.prepared import Prepared
from gansmith.data.settings import DataSettings


def photograph(seed: int, height: int = 24, width: int = 24, channels: int = 3) -> Image.Image:
    rough = np.random.default_rng(seed).integers(0, 256, (6, 6, channels), dtype=np.uint8)
    return Image.fromarray(rough.squeeze()).resize((width, height), Image.Resampling.BICUBIC)


def write(place: Path, names: list[str], *, first: int = 0, **options: int) -> Path:
    """An image for each name; the seed of the first is `first`."""
    for number, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        photograph(first + number, **options).save(place / name)
    return place


def numbered(count: int, suffix: str = ".png") -> list[str]:
    return [f"{number:02}{suffix}" for number in range(count)]


def settings(path: Path | str, other: Path | str | None = None, **options: Any) -> DataSettings:
    return DataSettings(path=str(path), other=None if other is None else str(other), **options)


def prepared(path: Path | str, other: Path | str | None = None, *, paired: bool = False, **options: Any) -> Prepared:
    return prepare_domains(settings(path, other, **options), paired=paired, workers=0)


def b_of(found: Prepared) -> Prepared:
    assert found.other is not None
    return found.other


def held(found: Prepared) -> list[str]:
    return [found.keys[index] for index in found.holdout_indices]


def every(found: Prepared) -> np.ndarray:
    """All images, in the order of the keys."""
    images: dict[int, np.ndarray] = {}
    kept = np.setdiff1d(np.arange(found.count), found.holdout_indices)
    images.update(zip(kept.tolist(), found.train[:].image, strict=True))
    if found.holdout is not None:
        images.update(zip(found.holdout_indices.tolist(), found.holdout[:].image, strict=True))
    return np.stack([images[index] for index in range(found.count)])

"""Image files written for the tests of the formats."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from gansmith.data.listing import is_image

RNG = np.random.default_rng(0)


def grey_image(value: int = 0, shape: tuple[int, ...] = (3, 4, 3)) -> np.ndarray:
    return np.full(shape, value, np.uint8)


def png(value: int = 0) -> bytes:
    buffer = BytesIO()
    Image.fromarray(grey_image(value)).save(buffer, "PNG")
    return buffer.getvalue()


def write(root: Path, names: list[str]) -> None:
    """Images whose grey level is their place in the list."""
    for value, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(value) if is_image(name) or "." not in Path(name).name[1:] else b"text")


# ---------------------------------------------------------------- folder and zip


NAMES = ["dog/2.png", "dog/10.PNG", "cat/1.jpg", "cat/deep/x.gif", "cat/.hidden.png", "notes.txt", "__MACOSX/cat/1.png"]

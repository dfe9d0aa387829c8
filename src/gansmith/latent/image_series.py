"""A series of generated images with a label each, written as one sheet or as a file each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from gansmith.errors import GansmithError
from gansmith.records.images import draw_sheet, save_image


@dataclass(frozen=True)
class ImageSeries:
    """Images [N, C, H, W] in [-1, 1], and a label each: the seed, for samples.

    columns: of the sheet, where the images have an arrangement of their own.

    >>> import torch
    >>> images = ImageSeries(torch.zeros(3, 1, 8, 8), labels=("5", "6", "7"))
    >>> images.sheet(columns=3).size
    (32, 12)
    """

    images: Tensor
    labels: tuple[str, ...]
    columns: int | None = None

    def __len__(self) -> int:
        return len(self.images)

    def sheet(self, *, columns: int | None = None, numbered: bool = False) -> Image.Image:
        """All images on one sheet, near-square without `columns`; numbered: with their labels."""
        return draw_sheet(
            self.images, columns=self.columns if columns is None else columns, labels=self.labels if numbered else None
        )

    def frames(self) -> Iterator[Image.Image]:
        """The images one after the other, without padding."""
        return (draw_sheet(image[None], padding=0) for image in self.images)

    def save(self, path: str | Path, *, columns: int | None = None, numbered: bool = False) -> list[Path]:
        """Write one sheet (`grid.png`, .jpg or .webp), or, for a path that ends in / or has no suffix, one PNG each,
        named by its label. Returns what was written. Raises OptionError for an unknown suffix."""
        text, path = str(path), Path(path)
        if path.suffix and not text.endswith("/") and not path.is_dir():
            return [save_image(self.sheet(columns=columns, numbered=numbered), path)]
        if len(set(self.labels)) != len(self.labels):
            raise GansmithError(f"two images share a name, so they cannot be separate files in {path}/; give a file")
        digits = max(len(label) for label in self.labels)
        files = [path / f"{label.zfill(digits)}.png" for label in self.labels]
        for index, file in enumerate(files):
            one = ImageSeries(self.images[index : index + 1], self.labels[index : index + 1])
            labels = one.labels if numbered else None
            save_image(draw_sheet(one.images, padding=0, labels=labels), file)
        return files

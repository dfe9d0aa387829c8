"""A series of generated images with a label each, written as one sheet or as a file each."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image
from torch import Tensor

from gansmith.errors import GansmithError
from gansmith.latent.provenance import KEYWORD, Provenance
from gansmith.records.images import draw_sheet, require_suffix, save_image
from gansmith.system.memory import require_memory
from gansmith.system.outputs import Files, inside, itself, require_output


@dataclass(frozen=True)
class ImageSeries:
    """Images [N, C, H, W] in [-1, 1], and a label each: the seed, for samples.

    columns: of the sheet, where the images have an arrangement of their own. marked: the sheet frames images that have
    a label. provenance: how they were made, which a PNG file then says of itself.

    >>> import torch
    >>> images = ImageSeries(torch.zeros(3, 1, 8, 8), labels=("5", "6", "7"))
    >>> images.sheet(columns=3, scale=2).size
    (64, 24)
    """

    images: Tensor
    labels: tuple[str, ...]
    columns: int | None = None
    marked: bool = False
    provenance: Callable[[], Provenance] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def first(self, count: int) -> ImageSeries:
        """The first `count` images."""
        return replace(self, images=self.images[:count], labels=self.labels[:count])

    def repeated(self, count: int) -> ImageSeries:
        """Its one image `count` times."""
        return replace(self, images=self.images.expand(count, -1, -1, -1), labels=self.labels * count)

    def sheet(
        self, *, columns: int | None = None, numbered: bool = False, scale: int | None = None, padding: int = 2
    ) -> Image.Image:
        """All images on one sheet, near-square without `columns`; numbered: with their labels; scale: pixels a side for
        each pixel, as many as are good to view (`records.images.viewing_scale`) when None; padding: of pixels."""
        return draw_sheet(
            self.images,
            columns=self.columns if columns is None else columns,
            labels=self.labels if numbered else None,
            marked=[bool(label) for label in self.labels] if self.marked else None,
            scale=scale,
            padding=padding,
        )

    def frames(self, *, scale: int | None = None) -> Iterator[Image.Image]:
        """The images one after the other, without padding, to the scale of `sheet`."""
        return (draw_sheet(image[None], padding=0, scale=scale) for image in self.images)

    def _repr_png_(self) -> bytes:
        """The sheet as PNG: what a notebook shows for the series."""
        file = io.BytesIO()
        self.sheet().save(file, "PNG")
        return file.getvalue()

    def save(
        self,
        path: str | Path,
        *,
        columns: int | None = None,
        numbered: bool = False,
        scale: int | None = None,
        force: bool = False,
        metadata: bool = True,
    ) -> list[Path]:
        """Write one sheet (`grid.png`, .jpg or .webp), or, for a path that ends in / or has no suffix, one PNG each,
        named by its label. Returns what was written. scale: as for `sheet`; a PNG each has exact pixels without.
        force: replace files that exist. metadata: a PNG says how it was made (docs/latent.md).

        Raises OptionError for an unknown suffix, OutputError for a file that exists."""
        require_output(Path(path), series_files(path, self.labels), force=force)
        return self.write(path, columns=columns, numbered=numbered, scale=scale, force=force, metadata=metadata)

    def write(
        self,
        path: str | Path,
        *,
        columns: int | None = None,
        numbered: bool = False,
        scale: int | None = None,
        force: bool = False,
        metadata: bool = True,
        padding: int = 2,
    ) -> list[Path]:
        """`save` of images whose `path` was checked before they were made: a file that appeared since stays, and they
        get the next free name, which an OutputError says. padding: pixels round each image of a sheet."""
        files_of = series_files(path, self.labels)
        files = list(files_of(Path(path)))
        if files_of is itself:
            sheet = self.sheet(columns=columns, numbered=numbered, scale=scale, padding=padding)
            return [save_image(sheet, files[0], replace=force, text=self.text() if metadata else {})]
        for index, file in enumerate(files):
            one = ImageSeries(self.images[index : index + 1], self.labels[index : index + 1])
            labels = one.labels if numbered else None
            drawn = draw_sheet(one.images, padding=0, labels=labels, scale=scale or 1)
            save_image(drawn, file, replace=force, text=self.text(index) if metadata else {})
        return files

    def text(self, index: int | None = None) -> dict[str, str]:
        """What a PNG file of all images, or of one, says of itself; nothing where it is not known or too long."""
        made = None if self.provenance is None else self.provenance()
        if made is not None and index is not None:
            made = made.part(index)
        text = None if made is None else made.text()
        return {} if text is None else {KEYWORD: text}


def series_files(path: str | Path, labels: Sequence[str]) -> Files:
    """The files that images with these labels become: one sheet; or, for a path that ends in / or has no suffix, a PNG
    for each in the folder. Raises OptionError for another suffix, GansmithError where two images would be one file.

    >>> [file.as_posix() for file in series_files("each/", ["8", "10"])(Path("each"))]
    ['each/08.png', 'each/10.png']
    """
    if Path(path).suffix and not str(path).endswith("/") and not Path(path).is_dir():
        require_suffix(Path(path))
        return itself
    if len(set(labels)) != len(labels):
        raise GansmithError(f"two images share a name, so they cannot be separate files in {path}/; give a file")
    digits = max((len(label) for label in labels), default=0)
    return inside(*(f"{label.zfill(digits)}.png" for label in labels))


def require_images(count: int, first: Tensor) -> None:
    """Raises OptionError where `count` images like the first chunk do not fit in memory, twice and as levels."""
    each, shape = first.numel() // len(first) * (4 + 4 + 1 + 1), "x".join(map(str, first.shape[1:]))
    require_memory(count * each, f"{count:,} images {shape}", "ask for fewer at a time, or smaller ones")

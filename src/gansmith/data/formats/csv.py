"""A table of image files, with or without labels, separated by commas, semicolons or tabs.

Paths are relative to the table. The first row is a header unless one of its cells is an image's name; without a
header, columns are called 1, 2, 3 ...
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gansmith.data.encoded import Encoded, Files
from gansmith.data.kinds import OF_SUFFIX, suffix_of
from gansmith.data.limits import require_whole
from gansmith.data.listing import numbered
from gansmith.data.sample import png, sample_images, sample_labels
from gansmith.errors import DataError, OptionError, nearest

_PATHS = ("path", "file", "filename", "file_name", "image", "image_path", "name")
_LABELS = ("label", "class", "category", "target")


class Row(NamedTuple):
    """One line of the list, and its number in the file."""

    line: int
    cells: list[str]


def accepts(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv") and path.is_file()


def build(path: Path, *, path_column: str | None = None, label_column: str | None = None) -> Encoded:
    """The images in the order of the rows. Columns that are not named are recognised by usual names,
    the paths also by content.

    Labels are the distinct words of their column, numbered in natural order.
    Raises DataError naming the row of a missing file or cell, OptionError for a column that is not there.

    >>> images = build(example(Path(".")), label_column="label")
    >>> images.keys[0], images.labels.tolist()
    ('files/00.png', [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    """
    header, rows = _table(path)
    where = _column(path, header, path_column, _PATHS)
    if where is None:
        where = next((i for i, cell in enumerate(rows[0].cells) if suffix_of(cell) in OF_SUFFIX), None)
    if where is None:
        raise DataError(f"no column of image files in {path}; name one with path_column: {', '.join(header)}")
    what = _column(path, header, label_column, _LABELS)
    files, words = [], []
    for row in rows:
        for column in (where, what):
            if column is not None and (column >= len(row.cells) or not row.cells[column]):
                raise DataError(f"{path}, line {row.line}: nothing in the column {header[column]!r}")
        file = row.cells[where].replace("\\", "/")
        if not (path.parent / file).is_file():
            raise DataError(f"{path}, line {row.line}: no such file {path.parent / file}")
        files.append(file)
        if what is not None:
            words.append(row.cells[what])
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] | None = None
    if what is not None:
        labels, classes = numbered(words)
    return Encoded(Files(path.parent, files), name=path.stem, keys=files, labels=labels, classes=classes)


def example(folder: Path) -> Path:
    """The sample images as PNG files, listed with their labels."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    lines = ["path,label"]
    for index, (image, label) in enumerate(zip(sample_images(), sample_labels().tolist(), strict=True)):
        (folder / "files" / f"{index:02}.png").write_bytes(png(image))
        lines.append(f"files/{index:02}.png,{label}")
    path = folder / "images.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _table(path: Path) -> tuple[list[str], list[Row]]:
    try:
        require_whole(path.stat().st_size, path, "make several tables of it")
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=first.count)
            reader = csv.reader(file, delimiter=delimiter)
            rows = [Row(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table: {error}") from error
    if rows and not any(suffix_of(cell) in OF_SUFFIX for cell in rows[0].cells):
        header, rows = rows[0].cells, rows[1:]
    else:
        header = [str(number + 1) for number in range(len(rows[0].cells) if rows else 0)]
    if not rows:
        raise DataError(f"{path} lists no images")
    return header, rows


def _column(path: Path, header: list[str], name: str | None, usual: tuple[str, ...]) -> int | None:
    if name is not None:
        if name not in header:
            raise OptionError(f"{path} has no column {name!r}. {nearest(name, header)}It has: {', '.join(header)}")
        return header.index(name)
    lower = [title.lower() for title in header]
    return next((lower.index(word) for word in usual if word in lower), None)

"""A table of image files, with or without labels, separated by commas, semicolons or tabs.

Paths are relative to the table, or to the option `root`. The first row is a header unless one of its cells is an
image's name; without a header, columns are called 1, 2, 3 ...
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
from gansmith.system.paths import expanded
from gansmith.system.text import printable

_PATHS = ("path", "file", "filename", "file_name", "image", "image_path", "name")
_NAMED = 3  # broken lines in a message
_LABELS = ("label", "class", "category", "target")


class Row(NamedTuple):
    """One line of the list, and its number in the file."""

    line: int
    cells: list[str]

    def cell(self, column: int) -> str:
        """The text in a column; nothing where the row is too short."""
        return self.cells[column] if column < len(self.cells) else ""


def accepts(path: Path) -> bool:
    return path.suffix.lower() in (".csv", ".tsv") and path.is_file()


def build(
    path: Path, *, root: str | None = None, path_column: str | None = None, label_column: str | None = None
) -> Encoded:
    """The images in the order of the rows. Columns that are not named are recognised by usual names,
    the paths also by content.

    root   the folder that paths are relative to, itself relative to the table; the table's own where None

    Labels are the distinct words of their column, numbered in natural order.
    Raises DataError naming the rows of missing files or cells, OptionError for a column or root that is not there.

    >>> images = build(example(Path(".")), label_column="label")
    >>> images.keys[0], images.labels.tolist()
    ('files/00.png', [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    """
    header, rows = _table(path)
    folder = path.parent if root is None else path.parent / expanded(root)
    if not folder.is_dir():
        raise OptionError(
            f"formats/csv: the root {printable(folder)} is no folder; it is relative to {printable(path)}"
        )
    where = _column(path, header, path_column, _PATHS)
    if where is None:
        where = next((i for i, cell in enumerate(rows[0].cells) if suffix_of(cell) in OF_SUFFIX), None)
    if where is None:
        raise DataError(
            f"no column of image files in {printable(path)}; name one with path_column: {printable(', '.join(header))}"
        )
    what = _column(path, header, label_column, _LABELS)
    files, words, broken = [], [], []
    for row in rows:
        empty = [column for column in (where, what) if column is not None and not row.cell(column)]
        file = row.cell(where).replace("\\", "/")
        if any("\n" in cell for cell in row.cells):
            broken.append(f"up to line {row.line}: a quotation mark that is not closed on its line")
        elif empty:
            broken.append(f"line {row.line}: nothing in the column {header[empty[0]]!r}")
        elif not _is_file(folder / file):
            broken.append(f"line {row.line}: no such file {printable(folder / file)}")
        files.append(file)
        words.append("" if what is None else row.cell(what))
    if broken:
        raise DataError(_about_lines(path, broken, len(rows), root))
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] | None = None
    if what is not None:
        labels, classes = numbered(words)
    notes = _about_repeats(files, words)
    return Encoded(Files(folder, files), name=path.stem, keys=files, labels=labels, classes=classes, notes=notes)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a zero byte
        return False


def _about_lines(path: Path, broken: list[str], count: int, root: str | None) -> str:
    more = f"; and {len(broken) - _NAMED:,} more" if len(broken) > _NAMED else ""
    hint = ". Paths are relative to the table; --set data.options.root=FOLDER names another folder"
    return (
        f"{printable(path)}, {'; '.join(broken[:_NAMED])}{more} ({len(broken):,} of {count:,} lines)"
        f"{hint if root is None and len(broken) == count else ''}"
    )


def _about_repeats(files: list[str], words: list[str]) -> tuple[str, ...]:
    """A note on files that are listed more than once, with one class or with several."""
    of: dict[str, list[str]] = {}
    for file, word in zip(files, words, strict=True):
        of.setdefault(file, []).append(word)
    twice = {file: labels for file, labels in of.items() if len(labels) > 1}
    several = {file: labels for file, labels in twice.items() if len(set(labels)) > 1}
    if several:
        file, labels = next(iter(several.items()))
        each = ", ".join(printable(label) for label in dict.fromkeys(labels))
        return (
            f"{len(several):,} file{'s are' if len(several) > 1 else ' is'} listed with several classes "
            f"({printable(file)}: {each}), and drawn once for each: a network cannot tell which one is right",
        )
    if twice:
        return (
            f"{len(twice):,} file{'s are' if len(twice) > 1 else ' is'} listed more than once "
            f"({printable(next(iter(twice)))}), and drawn as often",
        )
    return ()


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
        raise DataError(f"{printable(path)} cannot be read as a table: {error}") from error
    if rows and not any(suffix_of(cell) in OF_SUFFIX for cell in rows[0].cells):
        header, rows = rows[0].cells, rows[1:]
    else:
        header = [str(number + 1) for number in range(len(rows[0].cells) if rows else 0)]
    if not rows:
        raise DataError(f"{printable(path)} lists no images")
    return header, rows


def _column(path: Path, header: list[str], name: str | None, usual: tuple[str, ...]) -> int | None:
    if name is not None:
        if name not in header:
            titles = printable(", ".join(header))
            raise OptionError(f"{printable(path)} has no column {name!r}. {nearest(name, header)}It has: {titles}")
        return header.index(name)
    lower = [title.lower() for title in header]
    return next((lower.index(word) for word in usual if word in lower), None)

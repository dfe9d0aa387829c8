"""Tables of image files: another root, broken lines, files listed twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from written_files import png, write

from gansmith.data.open import open_dataset
from gansmith.errors import DataError, OptionError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table beside whose folder the images lie."""
    write(tmp_path / "photos", ["a.png", "b/c.JPEG"])
    (tmp_path / "lists").mkdir()
    return tmp_path / "lists" / "train.csv"


@pytest.mark.parametrize("root", ["../photos", "{absolute}"])
def test_paths_relative_to_another_root(table: Path, root: str) -> None:
    table.write_text("path,label\na.png,x\nb/c.JPEG,y\n")
    source = open_dataset(table, root=root.format(absolute=table.parent.parent / "photos"))
    assert list(source.keys) == ["a.png", "b/c.JPEG"]
    assert [int(item.image[0, 0, 0]) for item in source] == [0, 1]
    assert source.classes == ("x", "y")


def test_the_way_to_another_root(table: Path) -> None:
    table.write_text("path,label\na.png,x\nb/c.JPEG,y\n")
    with pytest.raises(DataError, match=r"train\.csv, line 2: no such file .*lists/a\.png.*data\.options\.root="):
        open_dataset(table)
    with pytest.raises(OptionError, match=r"root .*nowhere is no folder"):
        open_dataset(table, root="nowhere")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a.png", "line 3: nothing in the column 'label'"),
        (",x", "line 3: nothing in the column 'path'"),
        ("gone.png,x", r"line 3: no such file .*gone\.png"),
        ('"a.png,x', r"up to line 4: a quotation mark"),
        ("n" * 5000 + ".png,x", "line 3: no such file"),
        ("\x1b[31m.png,x", r"line 3: no such file .*\\x1b\[31m\.png"),
    ],
)
def test_a_broken_line_is_named(table: Path, line: str, said: str) -> None:
    table.write_text(f"path,label\na.png,x\n{line}\nb/c.JPEG,y\n")
    with pytest.raises(DataError, match=said) as raised:
        open_dataset(table, root="../photos")
    assert "1 of " in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_many_broken_lines_are_counted(table: Path) -> None:
    table.write_text("path,label\na.png,x\n" + "gone.png,x\n" * 40)
    with pytest.raises(DataError, match=r"line 3: .*; line 4: .*; line 5: .*; and 37 more \(40 of 41 lines\)$"):
        open_dataset(table, root="../photos")


@pytest.mark.parametrize(("second", "word"), [("x", "more than once"), ("y", "several classes")])
def test_a_file_that_is_listed_twice(table: Path, second: str, word: str) -> None:
    table.write_text(f"path,label\na.png,x\na.png,{second}\nb/c.JPEG,y\n")
    source = open_dataset(table, root="../photos")
    assert len(source) == 3
    [note] = source.notes
    assert word in note
    assert "1 file is" in note
    assert "a.png" in note


def test_without_labels_and_header(table: Path) -> None:
    table.write_text("a.png\nb/c.JPEG\n")
    source = open_dataset(table, root="../photos")
    assert (len(source), source.labels, source.notes) == (2, None, ())
    assert png()

"""gansmith translate: one image and many, and where they are written."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from translating import Command, done, read, write

from gansmith.cli.translate import translate
from gansmith.errors import (
    OptionError,
    OutputError,
    UnreadableImageError,
)
from gansmith.latent.translate import load_translator

# ---- one image


def test_one_image(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png")
    for to in "ab":
        assert done(run_command(translate, cycle, "--to", to, "in.png", f"{to}.png")) == f"1 image -> {to}.png\n"
        np.testing.assert_array_equal(read(tmp_path / f"{to}.png"), load_translator(cycle, to).translate(image))
    assert (read(tmp_path / "a.png") != read(tmp_path / "b.png")).any()


@pytest.mark.parametrize(
    ("out", "file"),
    [
        ("out.webp", "out.webp"),
        ("folder", "folder/in.png"),
        ("with.dot/", "with.dot/in.png"),
        ("there", "there/in.png"),
    ],
)
def test_where_one_image_goes(out: str, file: str, run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.jpg")
    (tmp_path / "there").mkdir()
    assert done(run_command(translate, cycle, "in.jpg", out, "--to", "b")) == f"1 image -> {file}\n"
    assert read(tmp_path / file).shape == (18, 21, 3)


def test_what_was_there_is_replaced_when_asked(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.png")
    (tmp_path / "out.png").write_bytes(b"old")
    done(run_command(translate, cycle, "in.png", "out.png", "--to", "b", "--force"))
    assert read(tmp_path / "out.png").shape == (18, 21, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"cycle", "in.png", "out.png"}  # nothing half written


def test_the_one_direction_of_a_run_need_not_be_said(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png")
    done(run_command(translate, cycle / "to_a.safetensors", "in.png", "out.png"))
    np.testing.assert_array_equal(read(tmp_path / "out.png"), load_translator(cycle, "a").translate(image))


# ---- many images


def test_a_folder(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    images = {name: write(tmp_path / "in" / name) for name in ("x/1.png", "x/2.jpg", "3.bmp", "a.b.png")}
    (tmp_path / "in" / "notes.txt").write_text("text")
    (tmp_path / "in" / ".hidden").write_text("text")
    result = run_command(translate, cycle, "in", "out", "--to", "b")
    assert done(result) == "4 images -> out/\n"
    assert "note: left out what is no image: notes.txt\n" in result.stderr
    made = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert made == {"x/1.png", "x/2.png", "3.png", "a.b.png"}
    expected = load_translator(cycle, "b").translate(images["3.bmp"])
    np.testing.assert_array_equal(read(tmp_path / "out" / "3.png"), expected)


def test_a_zip_which_may_not_write_elsewhere(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "one.png")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("x/1.png", f"{tmp_path}/outside.png", "x/readme", "__MACOSX/x/1.png"):
            archive.write(tmp_path / "one.png", name)
        archive.writestr("/absolute.png", (tmp_path / "one.png").read_bytes())
    result = run_command(translate, cycle, "in.zip", "out/", "--to", "b")
    assert done(result) == "3 images -> out/\n"
    assert "note: left out what is no image: x/readme\n" in result.stderr
    assert (tmp_path / "out" / "x" / "1.png").is_file()
    assert (tmp_path / "out" / "absolute.png").is_file()
    assert not (tmp_path / "outside.png").exists()
    assert len(list((tmp_path / "out").rglob("*.png"))) == 3


def test_paths_of_a_table_stay_inside(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "deep" / "up.png")
    (tmp_path / "deep" / "table").mkdir()
    (tmp_path / "deep" / "table" / "list.csv").write_text("path\n../up.png\n")
    done(run_command(translate, cycle, "deep/table/list.csv", "out/in", "--to", "b"))
    assert (tmp_path / "out" / "in" / "up.png").is_file()
    assert not (tmp_path / "out" / "up.png").exists()


def test_names_that_differ_in_their_suffix(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    for name in ("1.png", "1.jpg", "2.png"):
        write(tmp_path / "in" / name)
    done(run_command(translate, cycle, "in", "out", "--to", "b"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"1.png.png", "1.jpg.png", "2.png"}


def test_every_image_has_a_file_of_its_own(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    """x.png and x.jpg keep their suffix; x.png.png without its own would be the first of them."""
    for name in ("x.png", "x.jpg", "x.png.png", "sub/y.png"):
        write(tmp_path / "in" / name)
    assert done(run_command(translate, cycle, "in", "out", "--to", "b")) == "4 images -> out/\n"
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")}
    assert found == {"x.png.png", "x.jpg.png", "x.png.png.png", "sub/y.png.png"}


def test_two_names_that_cannot_be_told_apart(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.png")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("/x.png", "x.png"):
            archive.writestr(name, (tmp_path / "in.png").read_bytes())
    refused = run_command(translate, cycle, "in.zip", "out", "--to", "b")
    assert isinstance(refused.exception, OptionError)
    assert str(refused.exception) == "two of the images would both become x.png.png: rename one of them"
    assert not (tmp_path / "out").exists()


def test_a_zip_of_one_image_can_become_one_picture(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(tmp_path / "in.png", "x.png")
    assert done(run_command(translate, cycle, "in.zip", "out.png", "--to", "b")) == "1 image -> out.png\n"
    np.testing.assert_array_equal(read(tmp_path / "out.png"), load_translator(cycle, "b").translate(image))


def test_a_folder_inside_that_of_the_images(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "in" / "x.png")
    first = run_command(translate, cycle, "in", "in/out", "--to", "b")
    assert isinstance(first.exception, OutputError)
    assert not (tmp_path / "in" / "out").exists()
    result = run_command(translate, cycle, "in", "in/out", "--to", "b", "--force")
    assert done(result) == "1 image -> in/out/x.png\n"
    assert "note" not in result.stderr
    write(tmp_path / "in" / "out" / "y.png")
    write(tmp_path / "in" / "y.png")
    again = run_command(translate, cycle, "in", "in/out", "--to", "b", "--force")
    assert isinstance(again.exception, OptionError)
    assert "would be overwritten: in/out lies inside in, whose images are all read. Choose another OUT" in str(
        again.exception
    )


def test_pictures_that_cannot_be_read(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    for number in range(9):
        write(tmp_path / "in" / f"{number}.png")
        if number != 4:
            (tmp_path / "in" / f"{number}.png").write_bytes(b"")
    result = run_command(translate, cycle, "in", "out", "--to", "b")
    assert result.exit_code == 1
    assert result.stdout == "1 image -> out/4.png\n"
    said = str(result.exception)
    assert said.startswith("8 of 9 images could not be read: in/0.png is empty; ")
    assert said.endswith("in/5.png is empty; and 3 more")
    alone = run_command(translate, cycle, "in/0.png", "out.png", "--to", "b")
    assert isinstance(alone.exception, UnreadableImageError)


def test_many_that_are_no_images(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "in" / "x.png")
    for number in range(7):
        (tmp_path / "in" / f"{number}.txt").write_text("")
    result = run_command(translate, cycle, "in", "out", "--to", "b")
    assert "note: left out what is no image: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more\n" in result.stderr

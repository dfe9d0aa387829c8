"""gansmith translate."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from gansmith.adversarial import Dimensions, Prior
from gansmith.cli.translate import translate
from gansmith.data.decode import conform
from gansmith.data.settings import DataSettings
from gansmith.errors import (
    CheckpointError,
    DataError,
    GansmithError,
    OptionError,
    RunError,
    UnreadableImageError,
)
from gansmith.experiment.schema import Experiment
from gansmith.latent.translate import load
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.runs.run import Run
from gansmith.system.seeding import seeded

Command = Callable[..., Result]
RNG = np.random.default_rng(0)


def save(folder: Path, role: str, model: str, players: str, options: dict[str, Any], channels: int = 3) -> Path:
    dimensions = Dimensions(channels, 16, 16, 4)
    files = {}
    for player in players.split():
        card = Card(player, role, model, {"width": 2, **options}, dimensions, Prior(size=4))
        with seeded("test", player):
            files[player] = (card, card.build().state_dict())
    saved.save(folder, files)
    return folder


@pytest.fixture
def cycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return save(tmp_path / "cycle", "translator", "cyclegan", "to_a to_b", {"blocks": 1})


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    options = {"blocks": 1, "style_downsamplings": 2, "mlp_width": 4}
    return save(tmp_path / "several", "autoencoder", "munit", "a b", options)


def picture(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def write(path: Path, pixels: np.ndarray | None = None) -> np.ndarray:
    pixels = picture(18, 21, 3) if pixels is None else pixels
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.squeeze()).save(path)
    return pixels


def read(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened)


def done(result: Result) -> str:
    assert result.exit_code == 0, result.exception
    return result.stdout


# ---- one image


def test_one_image(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png")
    for to in "ab":
        assert done(run_command(translate, cycle, "--to", to, "in.png", f"{to}.png")) == f"1 image -> {to}.png\n"
        np.testing.assert_array_equal(read(tmp_path / f"{to}.png"), load(cycle, to).translate(image))
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


def test_what_was_there_is_replaced(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.png")
    (tmp_path / "out.png").write_bytes(b"old")
    done(run_command(translate, cycle, "in.png", "out.png", "--to", "b"))
    assert read(tmp_path / "out.png").shape == (18, 21, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"cycle", "in.png", "out.png"}  # nothing half written


def test_the_one_direction_of_a_run_need_not_be_said(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png")
    done(run_command(translate, cycle / "to_a.safetensors", "in.png", "out.png"))
    np.testing.assert_array_equal(read(tmp_path / "out.png"), load(cycle, "a").translate(image))


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
    expected = load(cycle, "b").translate(images["3.bmp"])
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
    np.testing.assert_array_equal(read(tmp_path / "out.png"), load(cycle, "b").translate(image))


def test_a_folder_inside_that_of_the_images(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    write(tmp_path / "in" / "x.png")
    result = run_command(translate, cycle, "in", "in/out", "--to", "b")
    assert done(result) == "1 image -> in/out/x.png\n"
    assert "note" not in result.stderr
    write(tmp_path / "in" / "out" / "y.png")
    write(tmp_path / "in" / "y.png")
    again = run_command(translate, cycle, "in", "in/out", "--to", "b")
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


# ---- sizes, modes, transparency


def test_the_size_that_was_trained_on(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png", picture(40, 60, 3))
    done(run_command(translate, cycle, "in.png", "out.png", "--to", "b", "--size", "fit"))
    fitted = conform(image, size=(16, 16), channels=3)
    np.testing.assert_array_equal(read(tmp_path / "out.png"), load(cycle, "b").translate(fitted))


def run_with(models: Path, place: Path, **data: Any) -> Path:
    """A run of these models that was trained with these settings."""
    place.mkdir()
    (place / "experiment.yaml").write_text(Experiment(data=DataSettings(**data)).to_yaml())
    models.rename(place / "model")
    return place


def test_a_run_knows_its_background_and_fit(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = picture(20, 30, 4)
    image[..., 3] = RNG.integers(0, 2, (20, 30)) * 255
    write(tmp_path / "in.png", image)
    run = run_with(cycle, tmp_path / "run", background=(0, 0, 255), fit="pad")
    translator = load(run / "model", "b")
    result = run_command(translate, run, "in.png", "out.png", "--to", "b")
    done(result)
    expected = translator.translate(conform(image, size=(20, 30), channels=3, background=(0, 0, 255)))
    np.testing.assert_array_equal(read(tmp_path / "out.png"), expected)
    assert "note: transparent pixels show the background (0, 0, 255); --keep-alpha keeps the tr" in result.stderr
    done(run_command(translate, run, "in.png", "out.png", "--to", "b", "--size", "fit", "--keep-alpha"))
    fitted = conform(image, size=(16, 16), channels=3, background=(0, 0, 255), fit="pad")
    found = read(tmp_path / "out.png")
    np.testing.assert_array_equal(found[..., :3], translator.translate(fitted))
    np.testing.assert_array_equal(found[..., 3:], conform(image, size=(16, 16), channels=4, fit="pad")[..., 3:])


def test_the_transparency_is_kept_when_asked(run_command: Command, cycle: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in.png", picture(20, 30, 4))
    result = run_command(translate, cycle, "in.png", "out.png", "--to", "b", "--keep-alpha")
    assert "note" not in result.stderr
    found = read(tmp_path / "out.png")
    np.testing.assert_array_equal(found[..., 3], image[..., 3])
    np.testing.assert_array_equal(found[..., :3], load(cycle, "b").translate(image))
    write(tmp_path / "opaque.png")
    done(run_command(translate, cycle, "opaque.png", "out.png", "--to", "b", "--keep-alpha"))
    assert (read(tmp_path / "out.png")[..., 3] == 255).all()


def test_grey_runs(run_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    grey = save(tmp_path / "grey", "translator", "cyclegan", "to_b", {"blocks": 1}, channels=1)
    image = write(tmp_path / "in.png")
    result = run_command(translate, grey, "in.png", "out.png")
    done(result)
    assert "note: this run was trained on grey images: colours are turned to grey\n" in result.stderr
    assert read(tmp_path / "out.png").shape == (18, 21)
    np.testing.assert_array_equal(read(tmp_path / "out.png")[..., None], load(grey).translate(image))
    write(tmp_path / "in.png", picture(18, 21, 1))
    assert "note" not in run_command(translate, grey, "in.png", "out.png").stderr
    clear = np.repeat(picture(18, 21, 1), 4, axis=2)
    write(tmp_path / "in.png", clear)
    done(run_command(translate, grey, "in.png", "out.png", "--keep-alpha"))
    found = read(tmp_path / "out.png")
    assert found.shape == (18, 21, 4)
    np.testing.assert_array_equal(found[..., 3], clear[..., 3])
    np.testing.assert_array_equal(found[..., 0], found[..., 2])


def test_runs_with_a_transparency_of_their_own(
    run_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clear = save(tmp_path / "clear", "translator", "cyclegan", "to_b", {"blocks": 1}, channels=4)
    image = write(tmp_path / "in.png", picture(18, 21, 4))
    result = run_command(translate, clear, "in.png", "out.png")
    assert "note" not in result.stderr
    np.testing.assert_array_equal(read(tmp_path / "out.png"), load(clear).translate(image))
    said = "note: a JPEG has no transparency: it is shown on white; write a .png or .webp\n"
    assert said in run_command(translate, clear, "in.png", "out.jpg").stderr
    refused = run_command(translate, clear, "in.png", "out.png", "--keep-alpha")
    assert str(refused.exception) == "this run makes a transparency of its own: leave --keep-alpha out"


# ---- styles


def test_several_styles(run_command: Command, several: Path, tmp_path: Path) -> None:
    image = write(tmp_path / "in" / "cat.png")
    translator = load(several, "b")
    expected = [translator.translate(image, seed=seed) for seed in range(3)]
    assert done(run_command(translate, several, "in", "out", "--to", "b", "--styles", 3)) == "3 images -> out/\n"
    for seed, one in enumerate(expected):
        np.testing.assert_array_equal(read(tmp_path / "out" / f"cat_{seed}.png"), one)
    done(run_command(translate, several, "in/cat.png", "strip.png", "--to", "b", "--styles", 3))
    strip = read(tmp_path / "strip.png")
    assert strip.shape == (22, 2 + 3 * 23, 3)
    for seed, one in enumerate(expected):
        np.testing.assert_array_equal(strip[2:20, 2 + 23 * seed : 23 + 23 * seed], one)
    done(run_command(translate, several, "in/cat.png", "one.png", "--to", "b"))
    np.testing.assert_array_equal(read(tmp_path / "one.png"), expected[0])


def test_the_style_of_an_image(run_command: Command, several: Path, tmp_path: Path) -> None:
    image, like = write(tmp_path / "in.png"), write(tmp_path / "like.png")
    done(run_command(translate, several, "in.png", "out.png", "--to", "a", "--style-from", "like.png"))
    translator = load(several, "a")
    expected = translator.translate(image, style=translator.style_of(like))
    np.testing.assert_array_equal(read(tmp_path / "out.png"), expected)


# ---- mistakes


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (
            ["cycle", "in.png", "out.png"],
            OptionError,
            "cycle translates to a and to b: say which with --to a or --to b",
        ),
        (["nowhere", "in.png", "out.png"], RunError, "there is no run nowhere"),
        (["cycle", "no.png", "out.png", "--to", "b"], DataError, "no file or folder no.png, and no built-in dataset"),
        (
            ["cycle", "in", "out.png", "--to", "b"],
            OptionError,
            "in holds 2 images: give a folder to write to, out.png/",
        ),
        (["cycle", "in", "in", "--to", "b"], OptionError, "in/1.png is an image of in itself and would be overwritten"),
        (
            ["cycle", "in.png", "in.png", "--to", "b"],
            OptionError,
            "in.png is an image of in.png itself and would be ov",
        ),
        (
            ["cycle", "in.png", "out.xyz", "--to", "b"],
            OptionError,
            "cannot write 'out.xyz': a picture ends in .png, .jpg, .jpeg, .webp; for a folder give out.xyz/",
        ),
        (["cycle", "in.png", "out.png", "--to", "b", "--raw"], CheckpointError, "cycle holds models only; --raw and"),
        (["cycle", "in.png", "out.png", "--to", "b", "--device", "gpu"], GansmithError, "gpu"),
        (["cycle", "in.png", "o.jpg", "--to", "b", "--keep-alpha"], OptionError, "a JPEG has no transparency, write a"),
        (
            ["cycle", "in.png", "out.png", "--to", "b", "--styles", "2"],
            OptionError,
            "this run makes one translation of ",
        ),
        (
            ["cycle", "in.png", "o.png", "--to", "b", "--style-from", "in.png"],
            OptionError,
            "this run makes one translat",
        ),
        (["cycle", "ring", "out", "--to", "b"], DataError, "ring is a set of points, not of images"),
    ],
)
def test_mistakes(
    arguments: list[str],
    kind: type[GansmithError],
    message: str,
    run_command: Command,
    cycle: Path,
    tmp_path: Path,
) -> None:
    before = set(tmp_path.rglob("*"))
    write(tmp_path / "in.png")
    for name in ("1.png", "2.png"):
        write(tmp_path / "in" / name)
    result = run_command(translate, *arguments)
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)
    assert {path.name for path in {*tmp_path.rglob("*")} - before} == {"in", "in.png", "1.png", "2.png"}


def test_mistakes_about_styles(run_command: Command, several: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.png")
    for name in ("1.png", "2.png"):
        write(tmp_path / "in" / name)
    given = [several, "in.png", "out.png", "--to", "b"]
    both = run_command(translate, *given, "--style-from", "in.png", "--styles", 2)
    assert str(both.exception) == "--style-from gives one style: leave --styles out"
    many = run_command(translate, *given, "--style-from", "in")
    assert str(many.exception) == "--style-from takes one image, and in holds 2"
    assert run_command(translate, *given, "--styles", 0).exit_code == 2
    assert not (tmp_path / "out.png").exists()


def test_a_run_of_a_generator(run_command: Command, models: Path, tmp_path: Path) -> None:
    write(tmp_path / "in.png")
    result = run_command(translate, models, "in.png", "out.png")
    assert isinstance(result.exception, RunError)
    assert "it holds discriminator, generator. It makes images from noise: gansmith sample" in str(result.exception)


def test_the_weights_asked_for_reach_the_run(
    run_command: Command, cycle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    plain = Run.network

    def network(self: Run, player: str, **options: Any) -> Any:
        asked.append((player, options))
        return plain(self, player)

    monkeypatch.setattr(Run, "network", network)
    write(tmp_path / "in.png")
    done(run_command(translate, cycle, "in.png", "out.png", "--to", "a", "--raw", "--checkpoint", "best"))
    assert asked == [("to_a", {"raw": True, "checkpoint": "best"})]

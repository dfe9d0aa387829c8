"""Which recipe is chosen where none is named, when none is, and that a run that was begun keeps its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import gansmith
from gansmith import catalog
from gansmith.experiment.layers import resolve
from gansmith.experiment.sources import from_recipe
from gansmith.pretrained import weights
from gansmith.runs import default_recipe as module
from gansmith.runs.defaults_table import Defaults, defaults
from gansmith.runs.train import experiment_from


def advised(path: Any, **fields: Any) -> module.DefaultRecipe | None:
    return module.default_recipe(*experiment_from(path, environment={}, **{"device": "cpu", **fields}))


def change_table(monkeypatch: pytest.MonkeyPatch, **parts: Any) -> None:
    """Another table than the package's: its own `earlier` and minutes, with these sizes and rows."""
    kept = defaults().model_dump(include={"minutes", "earlier"})
    table = Defaults.model_validate({**kept, "sizes": [{"of": [32, 64]}], **parts})
    monkeypatch.setattr(module, "defaults", lambda: table)


def some_images(folder: Path, count: int) -> str:
    """Images that are bright on the left, so that they are told from their mirror images."""
    images = np.zeros((count, 8, 8, 1), dtype=np.uint8)
    images[:, :, :2] = 255
    np.save(folder / "images.npy", images)
    return str(folder / "images.npy")


@pytest.mark.parametrize(
    ("count", "time", "recipe", "why"),
    [
        (999, "3m", "dcgan_few", "400 photographs, in fifteen of 1,500 drawings; these are 999"),
        (1_000, "239s", "dcgan_fast", "these are 1,000"),
        (1_699, "15m", "dcgan_few", "1,500 drawings; these are 1,699"),
        (1_700, "4m", "stylegan2_small", "2,000 photographs; these are 1,700"),
    ],
)
def test_by_the_number_of_images_and_the_minutes(
    count: int, time: str | None, recipe: str, why: str, tmp_path: Path
) -> None:
    found = advised(some_images(tmp_path, count), time=time)
    assert found is not None
    assert found.recipe == recipe
    assert found.reason.endswith(why)


@pytest.mark.parametrize(
    ("native", "time", "size", "width", "channel_base", "images"),
    [
        (True, "15m", 32, 128, 1024, None),
        (True, None, 32, 128, 1024, 160_000),
        (True, "60m", 64, 128, 1024, None),
        (True, "7m", 32, 64, 512, None),
        (False, None, 32, 64, 512, 300_000),
        (False, "60m", 64, 64, 1024, None),
    ],
)
def test_networks_are_wider_where_there_is_time_for_them(
    native: bool,
    time: str | None,
    size: int,
    width: int,
    channel_base: int,
    images: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "native_bfloat16", lambda device: native)
    own: dict[str, Any] = {"time": time, "size": size, "device": "cpu", "environment": {}, "choose_recipe": True}
    experiment = experiment_from(some_images(tmp_path, 1_700), **own)[0]
    plain: Any = experiment.plain()
    assert experiment.recipe == "stylegan2_small"
    for player in ("generator", "discriminator"):
        assert (plain[player]["width"], plain[player]["channel_base"]) == (width, channel_base)
    assert images in (None, experiment.images)


def test_a_share_of_the_images_counts(tmp_path: Path) -> None:
    found = advised(some_images(tmp_path, 14_000), fraction=0.5)
    assert found is not None
    assert (found.recipe, found.reason.endswith("these are 7,000")) == ("stylegan2_small", True)


def test_images_that_could_as_well_be_mirrored_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    either = np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1)).astype(np.uint8)
    np.save("either.npy", either)
    one_side = some_images(tmp_path, 200)

    def chosen(path: str, **own: Any) -> bool:
        return experiment_from(path, environment={}, choose_recipe=True, device="cpu", **own)[0].data.flip

    assert chosen("either.npy")
    assert "--no-flip" in getattr(advised("either.npy"), "reason", "")
    assert not chosen("either.npy", flip=False)
    assert not chosen(one_side)
    assert "mirror" not in getattr(advised(one_side), "reason", "")
    assert not chosen("digits")
    assert chosen("digits", flip=True)


def test_classes_that_are_not_used_are_said_with_what_uses_them(capsys: pytest.CaptureFixture[str]) -> None:
    def notes(path: str, **own: Any) -> list[str]:
        experiment_from(path, environment={}, choose_recipe=True, device="cpu", **own)
        return [line for line in capsys.readouterr().err.splitlines() if "classes" in line]

    (note,) = notes("digits")
    assert "10 classes" in note
    settings = [word for word in note.split() if word.endswith("conditional=true")]
    assert settings == ["generator.conditional=true", "discriminator.conditional=true"]
    assert "less good" in note
    assert not notes("digits", assignments=settings)
    assert not notes("digits", recipe="dcgan_few")
    assert "2 classes" in notes("digits", classes=["3", "7"])[0]
    assert not notes("digits", classes=["3"])
    assert not notes("ring")


def test_images_without_classes_are_told_nothing_of_them(tmp_path: Path) -> None:
    assert "classes" not in str(advised(some_images(tmp_path, 40)))


@pytest.mark.parametrize("points", ["ring", "grid"])
def test_points(points: str) -> None:
    assert advised(points) == module.DefaultRecipe(f"r3gan_{points}", "these are points in the plane")


def test_on_a_graphics_card_nothing_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    assert advised("digits", device="auto") == module.DefaultRecipe("dcgan", "on cuda nothing was measured yet")


@pytest.mark.parametrize(
    "own",
    [
        {"recipe": "wgan_gp"},
        {"assignments": ["data.other=digits"]},
        {"assignments": ["data.format=my_lab.scans"]},
    ],
)
def test_nothing_is_chosen_where_a_layer_names_what_to_train(own: dict[str, Any]) -> None:
    assert advised("digits", **own) is None


@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"objective": "hinge"}, "objective.name"),
        ({"assignments": ["generator.name=resnet"]}, "generator.name"),
        ({"assignments": ["discriminator=resnet", "discriminator.width=8"]}, "discriminator.name"),
        ({"game": {"name": "two_player", "flips": 0.1}}, "game.name"),
    ],
)
def test_a_named_part_takes_the_plain_defaults_and_a_line_says_so(
    own: dict[str, Any], field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert advised("digits", **own) == module.DefaultRecipe(None, f"{field} is set")
    experiment, _ = experiment_from("digits", environment={}, choose_recipe=True, device="cpu", **own)
    assert experiment.recipe is None
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert f"{field} is set" in lines[0]
    assert "--recipe" in lines[0]


@pytest.mark.parametrize(
    ("own", "field", "value"),
    [
        ({"assignments": ["generator.width=8"]}, ("generator", "width"), 8),
        ({"assignments": ["optimizer.generator.lr=0.003"]}, ("optimizer", "generator", "lr"), 0.003),
        ({"batch": 16}, ("batch",), 16),
        ({"assignments": ["prior.size=9"]}, ("prior", "size"), 9),
        ({"assignments": ["averaging.half_life=77"]}, ("averaging", "half_life"), 77.0),
        ({"assignments": ["penalties.r1.weight=2"]}, ("penalties", "r1", "weight"), 2),
        ({"assignments": ["augment=diffaugment"]}, ("augment", "name"), "diffaugment"),
        ({"assignments": ["objective.discriminator_steps=3"]}, ("objective", "discriminator_steps"), 3),
    ],
)
def test_a_setting_of_a_part_changes_the_advised_recipe_and_nothing_else(
    own: dict[str, Any],
    field: tuple[str, ...],
    value: object,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "native_bfloat16", lambda device: False)
    experiment, _ = experiment_from("digits", environment={}, choose_recipe=True, device="cpu", **own)
    assert capsys.readouterr().err.startswith("recipe stylegan2_small: ")
    plain: Any = experiment.plain()
    assert plain["generator"]["channel_base"] == 512
    assert plain["optimizer"]["discriminator"]["lr"]["start"] == 8e-3
    for step in field:
        plain = plain[step]
    assert plain == value


def test_a_run_begun_without_a_recipe_is_continued_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As versions before 0.2 began it: setting an option left the recipe out."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "digits-dcgan"
    folder.mkdir(parents=True)
    chosen = experiment_from("digits", environment={}, assignments=["generator.width=8"])[0]
    (folder / "experiment.yaml").write_text(chosen.to_yaml())
    again, _ = experiment_from("digits", environment={}, assignments=["generator.width=8"], choose_recipe=True)
    assert again == chosen
    assert "begun without" in capsys.readouterr().err
    fresh, _ = experiment_from("digits", environment={}, choose_recipe=True, device="cpu")
    assert fresh.recipe == "stylegan2_small"


def test_settings_beside_the_game_are_no_game(tmp_path: Path) -> None:
    plain = {"size": 16, "images": 5000, "seed": 3, "out": str(tmp_path), "sheet": 4, "precision": "float32"}
    found = advised("digits", **plain, samples_every=100, assignments=["metrics.every=1000"])
    assert found is not None


def test_every_advised_recipe_is_there_and_takes_any_images() -> None:
    for name in defaults().recipes:
        assert name in catalog.names("recipes")
        experiment, sources = resolve([from_recipe(name)])
        assert not any(path.startswith("data") for path in sources)
        assert experiment.recipe == name


def test_training_takes_it_says_why_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "native_bfloat16", lambda device: False)
    path = some_images(tmp_path, 40)
    settings: dict[str, Any] = {"images": 64, "device": "cpu", "threads": 1, "sheet": 4}
    run = gansmith.train(path, **settings)
    said = capsys.readouterr().err
    assert (
        "recipe dcgan_few: in three minutes of one core it made the best samples of 400 photographs, in fifteen "
        "of 1,500 drawings; these are 40. For another " in said
    )
    assert run.path == Path("runs/images-dcgan_few")
    assert run.experiment.discriminator is not None
    assert run.experiment.generator.name == "dcgan"
    later = {"recipe": "dcgan_augmented", "why": "x"}
    change_table(monkeypatch, sizes=[{"of": [8]}], rows=[later], earlier=["dcgan_few"])
    again = gansmith.train(path, **settings)
    assert again.path == run.path
    said = capsys.readouterr().err
    assert "recipe dcgan_few: the run in this folder was begun with it. For another one: --recipe NAME" in said
    assert "is complete at 64 images" in said
    elsewhere, _ = experiment_from(path, environment={}, choose_recipe=True, out="other", **settings)
    assert elsewhere.recipe == "dcgan_augmented"


ROW = {
    "recipe": "dcgan_small",
    "settings": {"images": 96, "precision": "bfloat16", "generator": {"upsample": "resize"}},
    "why": "measured on {count}",
}


@pytest.mark.parametrize("native", [True, False])
def test_a_row_brings_settings_which_the_users_own_change(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    change_table(monkeypatch, rows=[ROW])
    monkeypatch.setattr(module, "native_bfloat16", lambda device: native)

    def chosen(**own: Any) -> dict[str, Any]:
        experiment, _ = experiment_from("digits", environment={}, choose_recipe=True, device="cpu", **own)
        return experiment.plain()

    plain = chosen()
    assert (plain["recipe"], plain["images"], plain["generator"]["upsample"]) == ("dcgan_small", 96, "resize")
    assert plain["precision"] == ("bfloat16" if native else "auto")
    plain = chosen(images=5, precision="float32", assignments=["generator.upsample=transposed"])
    assert (plain["images"], plain["precision"], plain["generator"]["upsample"]) == (5, "float32", "transposed")
    assert plain["optimizer"]["generator"]["lr"] == 5e-4  # the recipe's


@pytest.mark.parametrize(
    ("sides", "of", "size"),
    [
        ([100, 300, 200], [32, 64], (64, 64)),
        ([100, 300, 200], [32], (32, 32)),
        ([100, 300, 200], [64, 128, 256], (128, 128)),
        ([40, 50, 63], [32, 64], (32, 32)),
        ([9, 10, 11], [32, 64], (32, 32)),
        ([28, 28, 28], [32, 64], None),  # all of one size: their own
        ([48, 48, 48], [32], (32, 32)),
        ([96, 96, 96], [64, 128], (64, 64)),
    ],
)
def test_the_size_is_the_largest_that_the_images_fill(
    sides: list[int], of: list[int], size: tuple[int, int] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, side in enumerate(sides):
        Image.new("L", (side + (len(set(sides)) > 1) * 40, side)).save(tmp_path / f"{number}.png")
    change_table(monkeypatch, sizes=[{"of": of}], rows=[ROW])
    assert experiment_from(tmp_path, environment={}, choose_recipe=True, device="cpu")[0].data.size == size
    asked = experiment_from(tmp_path, environment={}, choose_recipe=True, device="cpu", size=20)[0]
    assert asked.data.size == (20, 20)


@pytest.mark.parametrize(
    ("condition", "own"),
    [
        ({"size": {"below": 32}}, {"size": 31}),
        ({"labelled": True}, {"path": "digits"}),
        ({"grey": False}, {"channels": 3}),
        ({"weights": "mobilenet"}, {"weights": True}),
        ({"images": {"from": 200, "below": 900}}, {"fraction": 0.2}),
    ],
)
def test_the_facts_that_a_row_is_chosen_by(
    condition: dict[str, Any], own: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "folder", lambda: tmp_path)
    change_table(monkeypatch, rows=[{"when": condition, **ROW}, {"recipe": "dcgan", "why": "else"}])
    path = own.pop("path", None) or some_images(tmp_path, 1_000)
    others = some_images(tmp_path, 1_000)
    assert getattr(advised(others), "recipe", 0) == "dcgan"
    if own.pop("weights", False):
        (tmp_path / "mobilenet_v2-b0353104.pth").touch()
    assert getattr(advised(path, **own), "recipe", 0) == "dcgan_small"


def test_a_run_is_continued_with_the_settings_that_its_default_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table changed since: the run goes on as it was begun, to the bit, and to the end that it had."""
    monkeypatch.chdir(tmp_path)
    path = some_images(tmp_path, 40)
    change_table(monkeypatch, rows=[{**ROW, "settings": {"images": 96, "generator": {"upsample": "resize"}}}])
    own: dict[str, Any] = {"device": "cpu", "sheet": 4, "batch": 16, "assignments": ["generator.width=4"]}
    begun = gansmith.train(path, **own)
    assert begun.experiment.images == 96
    later = {"images": 64, "precision": "bfloat16", "generator": {"upsample": "pixel_shuffle", "width": 8}}
    change_table(monkeypatch, sizes=[{"of": [64]}], rows=[{**ROW, "settings": later}])
    again = gansmith.train(path, **own)
    assert again.path == begun.path
    assert again.experiment == begun.experiment
    assert gansmith.train(path, images=128, **own).checkpoint()["images"] == 128


def test_what_else_was_chosen_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, side in enumerate((100, 120)):
        Image.new("RGBA", (side, side)).save(tmp_path / f"{number}.png")
    change_table(monkeypatch, rows=[{**ROW, "settings": {"precision": "bfloat16", "threads": 3}}])
    monkeypatch.setattr(module, "native_bfloat16", lambda device: True)
    experiment_from(tmp_path, environment={}, choose_recipe=True, device="cpu")
    (line,) = capsys.readouterr().err.splitlines()
    for fact in ("dcgan_small", "measured on 2", "64 px (--size)", "bfloat16 (--precision)", "3 threads", "--recipe"):
        assert fact in line


def test_minutes_choose_and_a_run_by_time_keeps_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = some_images(tmp_path, 40)
    short, row = {"minutes": {"below": 1}}, {**ROW, "settings": {}}
    change_table(monkeypatch, rows=[{"when": short, **row}, {"recipe": "dcgan", "why": "else"}])
    assert getattr(advised(path), "recipe", 0) == "dcgan"
    assert getattr(advised(path, time="2m"), "recipe", 0) == "dcgan"
    assert getattr(advised(path, time="59s"), "recipe", 0) == "dcgan_small"
    own: dict[str, Any] = {"device": "cpu", "sheet": 4, "batch": 16, "assignments": ["generator.width=4"]}
    begun = gansmith.train(path, time="2s", **own)
    length = (begun.experiment.time, begun.experiment.images)
    again = gansmith.train(path, **own)  # without the time
    assert (again.path, again.experiment.time, again.experiment.images) == (begun.path, *length)

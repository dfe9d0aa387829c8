"""Which recipe is chosen where none is named, when none is, and that a run that was begun keeps its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gansmith
from gansmith import catalog
from gansmith.experiment.layers import resolve
from gansmith.experiment.sources import from_recipe
from gansmith.runs import default_recipe as module
from gansmith.runs.train import experiment_from


def advised(path: Any, **fields: Any) -> module.DefaultRecipe | None:
    return module.default_recipe(*experiment_from(path, environment={}, **{"device": "cpu", **fields}))


def some_images(folder: Path, count: int) -> str:
    np.save(folder / "images.npy", np.zeros((count, 8, 8, 1), dtype=np.uint8))
    return str(folder / "images.npy")


@pytest.mark.parametrize(
    ("count", "recipe", "why"),
    [(9_999, "sngan_small", "about 2,000 images; these are 9,999"), (10_000, "dcgan_augmented", "these are 10,000")],
)
def test_by_the_number_of_images(count: int, recipe: str, why: str, tmp_path: Path) -> None:
    found = advised(some_images(tmp_path, count))
    assert found is not None
    assert found.recipe == recipe
    assert found.reason.endswith(why)


def test_a_share_of_the_images_counts(tmp_path: Path) -> None:
    found = advised(some_images(tmp_path, 10_000), fraction=0.5)
    assert found is not None
    assert found == ("sngan_small", "at 32 px it measured best on sets of about 2,000 images; these are 5,000")


@pytest.mark.parametrize("points", ["ring", "grid"])
def test_points(points: str) -> None:
    assert advised(points) == (f"r3gan_{points}", "these are points in the plane")


def test_on_a_graphics_card_nothing_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert advised("digits", device="auto") == ("dcgan", "on cuda nothing was measured yet")


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
        ({"start_from": "runs/other"}, "start_from"),
    ],
)
def test_a_named_part_takes_the_plain_defaults_and_a_line_says_so(
    own: dict[str, Any], field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert advised("digits", **own) == (None, f"{field} is set")
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
    own: dict[str, Any], field: tuple[str, ...], value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment, _ = experiment_from("digits", environment={}, choose_recipe=True, device="cpu", **own)
    assert capsys.readouterr().err.startswith("recipe sngan_small: ")
    plain: Any = experiment.plain()
    assert plain["generator"]["name"] == "resnet"
    assert plain["optimizer"]["discriminator"]["lr"] == 1e-3
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
    assert fresh.recipe == "sngan_small"


def test_settings_beside_the_game_are_no_game(tmp_path: Path) -> None:
    plain = {"size": 16, "images": 5000, "seed": 3, "out": str(tmp_path), "sheet": 4, "precision": "float32"}
    found = advised("digits", **plain, samples_every=100, assignments=["metrics.every=1000"])
    assert found is not None


def test_every_advised_recipe_is_there_and_takes_any_images() -> None:
    for name in module.RECIPES:
        assert name in catalog.names("recipes")
        experiment, sources = resolve([from_recipe(name)])
        assert not any(path.startswith("data") for path in sources)
        assert experiment.recipe == name


def test_training_takes_it_says_why_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = some_images(tmp_path, 40)
    settings: dict[str, Any] = {"images": 64, "device": "cpu", "threads": 1, "sheet": 4}
    run = gansmith.train(path, **settings)
    said = capsys.readouterr().err
    assert (
        "recipe sngan_small: at 32 px it measured best on sets of about 2,000 images; these are 40. For another "
        in said
    )
    assert run.path == Path("runs/images-sngan_small")
    assert run.experiment.discriminator is not None
    assert run.experiment.discriminator.name == "resnet"
    monkeypatch.setattr(module, "FEW", 1)  # as if images had come
    again = gansmith.train(path, **settings)
    assert again.path == run.path
    said = capsys.readouterr().err
    assert "recipe sngan_small: the run in this folder was begun with it. For another one: --recipe NAME" in said
    assert "is complete at 128 images" in said
    elsewhere, _ = experiment_from(path, environment={}, choose_recipe=True, out="other", **settings)
    assert elsewhere.recipe == "dcgan_augmented"

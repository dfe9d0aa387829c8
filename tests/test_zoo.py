"""The zoo: what the package ships loads, is small, says whose images it has seen, and can be begun with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.zoo import ENTRIES

import gansmith
from benchmarks import zoo as making
from gansmith import zoo
from gansmith.models import saved
from gansmith.runs.run import Run

NAMES = zoo.names()
FREE = ("Apache-2.0", "MIT", "CC BY 4.0")
MOST = 5 * 2**20  # bytes of a wheel


def folder(name: str) -> Path:
    place = zoo.folder(name)
    assert place is not None
    return place


def test_it_is_small() -> None:
    files = [file for name in NAMES for file in folder(name).rglob("*") if file.is_file()]
    assert NAMES
    assert sum(file.stat().st_size for file in files) < MOST
    assert zoo.folder("absent") is None
    assert {*NAMES} <= {*ENTRIES}


@pytest.mark.parametrize("name", NAMES)
def test_it_says_whose_images_it_has_seen(name: str) -> None:
    place = folder(name)
    entry = ENTRIES[name]
    assert entry.licence in FREE
    text = (place / "README.md").read_text()
    cards = json.loads((place / "model" / "model.json").read_text())
    for said in (text, *(json.dumps(card["origin"]) for card in cards.values())):
        assert entry.licence in said
        assert entry.source in said
    assert {*cards} == {"generator", "discriminator"}
    assert "/" not in Run(place).experiment.data.path
    assert Run(place).experiment.out is None


@pytest.mark.parametrize("name", NAMES)
def test_it_makes_images(name: str) -> None:
    images = Run(folder(name)).sample(range(4)).images
    assert images.shape[0] == 4
    assert images.std() > 0.15


@pytest.mark.parametrize("name", NAMES)
def test_a_run_begins_with_it(name: str, tmp_path: Path, capsys: Any) -> None:
    """At the size and with the networks of the model, by its name alone; every weight is taken, in full precision."""
    channels = saved.read_card(folder(name) / "model" / "generator.safetensors").dimensions.channels
    given = {"size": 32, "channels": channels, "fraction": 0.1, "batch": 4, "images": 4, "sheet": 4, "device": "cpu"}
    freeze = {"discriminator": {"first": 3}}
    run = gansmith.train("digits", **given, start_from=name, freeze=freeze, out=str(tmp_path / "run"))
    assert capsys.readouterr().err.count("(100% of its weights)") == 2
    ours = run.checkpoint()["players"]["discriminator"]
    theirs = saved.read_state(folder(name) / "model" / "discriminator.safetensors")
    frozen = next(name for name in theirs if name.endswith("weight"))
    assert ours[frozen].dtype == torch.float32
    assert torch.equal(ours[frozen], theirs[frozen].float())


@pytest.mark.parametrize(("recipe", "precision"), [(None, None), ("dcgan_fast", "bfloat16")])
def test_a_model_is_trained_by_the_default_or_by_a_recipe(
    recipe: str | None, precision: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(gansmith, "train", lambda path, **options: asked.update(options, path=path))
    making.train("emoji", data=tmp_path, run=tmp_path / "run", recipe=recipe, images=None, settings=["batch=8"])
    assert (asked["recipe"], asked["images"], asked.get("precision")) == (recipe, None, precision)
    assert asked["path"] == tmp_path / "emoji_google.zip"
    assert asked["assignments"] == ["data.channels=3", "batch=8"]


def test_a_run_without_a_recipe_is_named_by_its_generator() -> None:
    assert "stylegan2_small" in making.kind_of({"recipe": "stylegan2_small"})
    assert "r3gan" in making.kind_of({"recipe": None, "generator": {"name": "r3gan"}})

"""Every game, objective, penalty, augmentation and adversarial model of the catalog resumes exactly after a SIGKILL.

A new file is tested the moment it exists: the entries of each kind are dealt out over a few runs, so that each is
played in one of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exactly import DCGAN, assert_equal_runs, kill, settings, the_rest
from PIL import Image

import gansmith
from declared import declared
from gansmith import catalog
from gansmith.experiment.completion import domains_of, paired, roles_of

SMALL: dict[str, dict[str, Any]] = {  # options that make a model small
    "biggan": {"width": 4},
    "cyclegan": {"width": 4},
    "dcgan": {"width": 4},
    "mlp": {"width": 8},
    "munit": {"width": 4},
    "pix2pix": {"width": 4},
    "r3gan": {"width": 8},
    "resnet": {"width": 4},
}
SHALLOW: dict[str, dict[str, Any]] = {"munit": {"depth": 2, "scales": 1}}  # discriminators, for 16 pixels
OBJECTIVES = catalog.names("objectives")
PENALTIES = catalog.names("penalties")
AUGMENT = catalog.names("augment", "build")
PAIRS = sorted({*catalog.names("models", "generator")} & {*catalog.names("models", "discriminator")})
TRANSLATIONS = [game for game in catalog.names("games") if len(domains_of(game)) > 1]
DEALT = [(name, AUGMENT[i % len(AUGMENT)], PAIRS[i % len(PAIRS)]) for i, name in enumerate(OBJECTIVES)]


def networks(name: str) -> dict[str, Any]:
    plain = {"name": name, **SMALL.get(name, {})}
    options = catalog.keyword_options(catalog.find("models", name, "discriminator"))
    unmixed = {"normalisation": "none"} if "normalisation" in options else {}
    return {"generator": plain, "discriminator": {**plain, **unmixed}}


def adapted(augment: str, objective: str) -> dict[str, Any]:
    """An augmentation that follows the discriminator needs a threshold between real and fake to do so."""
    fixed = augment == "ada" and catalog.build("objectives", objective).threshold is None
    return {"name": augment, **({"probability": 0.3} if fixed else {})}


def dealt(objective: str, place: int) -> dict[str, Any]:
    """Penalties that the objective does not have already, eager and lazy in turn."""
    own = catalog.build("objectives", objective)
    free = [name for name in PENALTIES if name not in {*own.penalties, *own.weight_penalties}]
    return {name: {"every": 1 + 2 * (place % 2)} for name in free[place % 2 :: 2]}


def test_every_entry_is_dealt_out() -> None:
    assert {case[0] for case in DEALT} == {*OBJECTIVES}
    assert {case[1] for case in DEALT} == {*AUGMENT}
    assert {case[2] for case in DEALT} == {*PAIRS}
    played = {name for place, case in enumerate(DEALT) for name in dealt(case[0], place)}
    own = {name for objective in OBJECTIVES for name in catalog.build("objectives", objective).penalties}
    assert played | own >= {*PENALTIES}


@pytest.mark.parametrize("place", range(len(DEALT)), ids=[case[0] for case in DEALT])
def test_every_objective_penalty_and_augmentation(
    place: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objective, augment, model = DEALT[place]
    given: dict[str, Any] = {
        **DCGAN,
        "images": 320,
        "size": max(DCGAN["size"], declared(model)[0]),
        "objective": objective,
        "augment": adapted(augment, objective),
        "penalties": dealt(objective, place),
        **networks(model),
    }
    repeats = catalog.build("objectives", objective).discriminator_steps
    if repeats(100) > 1:  # a step draws more, and a hundred repeats at first are too many
        given["images"] = 640
        given["objective"] = {"name": objective, **({"warmup": 0, "warmup_steps": 5} if objective == "wgan" else {})}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    gansmith.train(**settings(given, whole, images=given["images"], checkpoint_every=64))
    kill(settings(given, broken, images=given["images"], checkpoint_every=64), "inside a step", 21)
    assert the_rest(settings(given, broken, images=given["images"], checkpoint_every=64), capsys) > 0
    assert_equal_runs(whole, broken, least=given["images"])


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of pictures of equal names."""
    folder = tmp_path_factory.mktemp("domains")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir()
        for number in range(24):
            pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize("game", TRANSLATIONS)
def test_every_translation_game(game: str, domains: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = {"cycle": "cyclegan", "paired": "pix2pix", "multimodal": "munit"}[game]
    role = next(role for role in roles_of(game).values() if role != "discriminator")
    given = {
        "path": str(domains / "a"),
        "other": str(domains / "b"),
        "size": 16,
        "game": game,
        role: {"name": model, **SMALL[model]},
        "discriminator": {"name": model, **SMALL[model], **SHALLOW.get(model, {})},
        "objective": "lsgan",
        "prior": {"size": 4},
        "images": 64,
        "batch": 4,
        "checkpoint_every": 16,
        "sheet": 6,
    }
    assert paired(game) == (game == "paired")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    gansmith.train(**{**settings(given, whole), **given})
    kill({**settings(given, broken), **given}, "inside a step", 15)
    assert the_rest({**settings(given, broken), **given}, capsys) > 0
    assert_equal_runs(whole, broken, least=64)

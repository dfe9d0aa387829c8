"""Every game, objective, penalty, augmentation and adversarial model of the catalog resumes exactly after a SIGKILL.

Entries share the runs of CASES; an entry that stands in none of them, a new file for instance, gets a run of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from exactly import DCGAN, assert_equal_runs, kill, settings, the_rest
from PIL import Image

import gansmith
from declared import declared
from gansmith import catalog
from gansmith.experiment.completion import paired, roles_of


class Case(NamedTuple):
    """The parts of one run by name. every: of the penalties, in steps."""

    objective: str = "nonsaturating"
    model: str = "dcgan"
    augment: str | None = None
    penalties: tuple[str, ...] = ()
    every: int = 1
    game: str = "two_player"


CASES = [
    Case("hinge", "biggan", "ada", ("lecam", "r1")),
    Case("lsgan", "mlp", "noise", ("dragan", "lecam", "r1")),
    Case("minimax", "r3gan", "diffaugment", ("gradient_penalty", "orthogonal", "r2"), 3),
    Case("nonsaturating", "resnet", "ada", ("dragan", "r2"), 3),
    Case("nonsaturating", "stylegan2", "diffaugment", ("path_length", "r1"), 3),
    Case("r3gan", "dcgan", "diffaugment", ("gradient_penalty", "orthogonal"), 3),
    Case("wgan", "resnet", "noise", ("lecam", "orthogonal")),
    Case("wgan_gp", "mlp", "diffaugment", ("orthogonal", "r2"), 3),
]
SMALL: dict[str, dict[str, Any]] = {  # where a width of 4 is not small, or not all
    "mlp": {"width": 8},
    "r3gan": {"width": 8},
    "stylegan2": {"width": 4, "styles": 8, "depth": 2},
}
SHALLOW: dict[str, dict[str, Any]] = {"munit": {"depth": 2, "scales": 1}}  # discriminators, for 16 pixels
# game of two domains -> the model of its translators or autoencoders, the model of its discriminators
TRANSLATIONS = {
    "cycle": ("cyclegan",) * 2,
    "cut": ("cut",) * 2,
    "paired": ("pix2pix",) * 2,
    "multimodal": ("munit",) * 2,
}


def new_entries() -> list[Case]:
    """A run for each entry that stands in none of CASES."""
    both = {*catalog.names("models", "generator")} & {*catalog.names("models", "discriminator")}
    return [
        *(Case(objective=name) for name in catalog.names("objectives") if name not in {c.objective for c in CASES}),
        *(Case(model=name) for name in sorted(both - {c.model for c in CASES})),
        *(Case(augment=name) for name in catalog.names("augment", "build") if name not in {c.augment for c in CASES}),
        *(
            Case(penalties=(name,))
            for name in catalog.names("penalties")
            if not any(name in case.penalties for case in CASES)
        ),
        *(
            Case(game=name)
            for name in catalog.names("games")
            if set(roles_of(name).values()) == {"generator", "discriminator"} and name != "two_player"
        ),
    ]


def small(model: str, role: str) -> dict[str, Any]:
    """A network of few channels; a discriminator without batch normalisation, which some penalties refuse."""
    options = catalog.keyword_options(catalog.find("models", model, role))
    part: dict[str, Any] = {"name": model, **({"width": 4} if "width" in options else {})}
    part |= {option: value for option, value in SMALL.get(model, {}).items() if option in options}
    if role == "discriminator":
        unmixed = "none" in catalog.choices("models", model, "normalisation", factory=role)
        part |= SHALLOW.get(model, {}) | ({"normalisation": "none"} if unmixed else {})
    return part


@pytest.mark.parametrize("case", [*CASES, *new_entries()], ids=lambda case: f"{case.objective}-{case.model}")
def test_every_objective_penalty_and_augmentation(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objective = catalog.build("objectives", case.objective)
    given: dict[str, Any] = {
        **DCGAN,
        "size": max(DCGAN["size"], declared(case.model)[0]),
        "images": 320,
        "game": case.game,
        "objective": {"name": case.objective},
        "penalties": {name: {"every": case.every} for name in case.penalties},
        **{role: small(case.model, role) for role in ("generator", "discriminator")},
    }
    if case.augment is not None:  # one that follows the discriminator needs a threshold between real and fake
        fixed = case.augment == "ada" and objective.threshold is None
        given["augment"] = {"name": case.augment, **({"probability": 0.3} if fixed else {})}
    if objective.discriminator_steps(100) > 1:  # a step draws more, and a hundred repeats at first are too many
        given["images"] = 640
        if case.objective == "wgan":
            given["objective"] |= {"warmup": 0, "warmup_steps": 5}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    gansmith.train(**settings(given, whole, images=given["images"], checkpoint_every=64))
    kill(settings(given, broken, images=given["images"], checkpoint_every=64), "inside a step", 21)
    assert the_rest(settings(given, broken, images=given["images"], checkpoint_every=64), capsys) > 0
    assert_equal_runs(whole, broken, least=given["images"])


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of images of equal names."""
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
    translator, discriminator = TRANSLATIONS[game]
    role = next(role for role in roles_of(game).values() if role != "discriminator")
    given = {
        "path": str(domains / "a"),
        "other": str(domains / "b"),
        "size": 16,
        "game": game,
        role: small(translator, role),
        "discriminator": small(discriminator, "discriminator"),
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

"""An objective's own optimizer is the default; a recipe's or a user's is kept, with one note."""

from __future__ import annotations

from typing import Any

import pytest

from gansmith import catalog
from gansmith.experiment.schema import Experiment
from gansmith.runs.train import experiment_from
from gansmith.training import optimizers

THEIRS: dict[str, dict[str, Any]] = {  # Algorithm 1 of each paper
    "wgan": {"name": "rmsprop", "lr": 5e-5},
    "wgan_gp": {"name": "adam", "lr": 1e-4, "betas": [0.0, 0.9]},
}


def made(*assignments: str, recipe: str | None = None, choose_recipe: bool = False, **fields: Any) -> Experiment:
    experiment, _ = experiment_from(
        "digits", recipe=recipe, assignments=assignments, environment={}, choose_recipe=choose_recipe, **fields
    )
    return experiment


def optimizer(experiment: Experiment, role: str) -> dict[str, Any]:
    part = experiment.optimizer[role]
    return {"name": part.name, **part.options}


@pytest.mark.parametrize("choose_recipe", [True, False])
@pytest.mark.parametrize("objective", sorted(THEIRS))
def test_it_is_the_default(objective: str, choose_recipe: bool, capsys: pytest.CaptureFixture[str]) -> None:
    experiment = made(objective=objective, choose_recipe=choose_recipe)
    for role in ("generator", "discriminator", "translator"):
        assert optimizer(experiment, role) == THEIRS[objective]
    assert "note" not in capsys.readouterr().err


def test_an_objective_that_states_none_keeps_the_default() -> None:
    assert optimizer(made(objective="hinge"), "generator") == {"name": "adam", "lr": 2e-4, "betas": [0.5, 0.999]}


def test_a_rate_of_ones_own_goes_on_top_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = made("optimizer.generator.lr=0.0001", objective="wgan")
    assert optimizer(experiment, "generator") == {"name": "rmsprop", "lr": 1e-4}
    assert optimizer(experiment, "discriminator") == THEIRS["wgan"]
    assert not capsys.readouterr().err


def test_a_recipes_optimizer_is_kept_with_one_note(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = made(recipe="dcgan_digits", objective="wgan")
    assert optimizer(experiment, "generator")["name"] == "adam"
    [note] = capsys.readouterr().err.splitlines()
    for fact in ("wgan", "rmsprop", "recipe dcgan_digits", "--set optimizer.discriminator.lr=5e-05"):
        assert fact in note


def test_ones_own_optimizer_is_kept_with_one_note(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = made("optimizer.discriminator.name=adam", objective="wgan")
    assert (experiment.optimizer["generator"].name, experiment.optimizer["discriminator"].name) == ("rmsprop", "adam")
    [note] = capsys.readouterr().err.splitlines()
    assert "optimizer.discriminator adam (--set)" in note
    assert "optimizer.generator" not in note


@pytest.mark.parametrize("recipe", ["wgan", "wgan_digits", "wgan_gp", "wgan_gp_digits"])
def test_recipes_stay_as_they_are(recipe: str, capsys: pytest.CaptureFixture[str]) -> None:
    layer = made(recipe=recipe).optimizer
    with_same = made(recipe=recipe, objective=recipe.removesuffix("_digits")).optimizer
    assert layer == with_same
    assert not capsys.readouterr().err


def test_every_stated_optimizer_is_one_of_torchs() -> None:
    stated = {name: catalog.stated("objectives", name, "OPTIMIZER", None) for name in catalog.names("objectives")}
    assert {name: part for name, part in stated.items() if part} == THEIRS
    for part in THEIRS.values():
        optimizers.check(part["name"], {key: value for key, value in part.items() if key != "name"})

"""Objectives of earlier versions: read from files as their pairs, refused elsewhere with the exact equivalent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gansmith import catalog
from gansmith.adversarial import Objective
from gansmith.errors import UnknownNameError
from gansmith.experiment.assemble import assemble, build_objective
from gansmith.experiment.completion import complete
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.retired import RETIRED, renamed
from gansmith.experiment.schema import Experiment
from gansmith.experiment.sources import from_assignments, from_file, from_recipe
from gansmith.experiment.with_data import with_data
from gansmith.runs.train import experiment_from

R1 = {"weight": 5.0, "every": 1}


@pytest.mark.parametrize(
    ("old", "objective", "penalties"),
    [
        ({"objective": "dragan"}, {"name": "nonsaturating", "smoothing": 0.0}, {"dragan": {}}),
        (
            {"objective": {"name": "dragan", "weight": 3, "one_sided": True}, "penalties": {"r1": R1}},
            {"name": "nonsaturating", "smoothing": 0.0},
            {"dragan": {"weight": 3, "one_sided": True}, "r1": R1},
        ),
        (
            {"objective": {"name": "lecam", "decay": 0.9, "discriminator_steps": 4}, "penalties": {}},
            {"name": "hinge", "discriminator_steps": 4},
            {"lecam": {"decay": 0.9}},
        ),
    ],
)
def test_a_file_is_read_as_the_pair(
    old: dict[str, Any], objective: dict[str, Any], penalties: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(yaml.safe_dump({**old, "batch": 8}))
    assert from_file(file).values == {"batch": 8, "objective": objective, "penalties": penalties}
    assert [*renamed(old)["penalties"]] == [*penalties]  # its own comes first, as it did
    experiment, _ = resolve([from_file(file)])
    assert complete(experiment).penalties.keys() == penalties.keys()


@pytest.mark.parametrize(
    "values",
    [
        {"objective": "hinge", "penalties": {"lecam": {"weight": 1}}},
        {"objective": {"name": "wgan_gp", "weight": 1}},
        {"objective": None, "batch": 3},
        {"objective": {"weight": 1}},
        {"objective": "dragan", "penalties": {"dragan": {}}},  # an error before, and an error now
        {},
    ],
)
def test_other_settings_stay_as_they_are(values: dict[str, Any]) -> None:
    assert renamed(values) == values


def pair_in(message: str) -> Objective:
    """The objective that the command line in an error describes."""
    name = re.search(r"--objective (\w+)", message)
    assert name is not None
    given = from_assignments(re.findall(r"--set ([\w.]+=[\w.]+)", message))
    return build_objective(resolve([Layer("arguments", {"objective": name[1]}), given])[0])


@pytest.mark.parametrize(
    "part",
    [{"name": "dragan"}, {"name": "dragan", "weight": 2.5, "every": 4}, {"name": "lecam", "discriminator_steps": 3}],
)
def test_elsewhere_the_error_names_the_exact_equivalent(part: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError, match=f"--recipe {part['name']}") as caught:
        complete(Experiment(objective=part))
    told = pair_in(str(caught.value))
    read = build_objective(Experiment.model_validate(renamed({"objective": part})))
    name = part["name"]
    assert told.penalties.keys() == read.penalties.keys() == {name}
    weight = part.get("weight", {"dragan": 10, "lecam": 0.3}[name])
    assert told.penalties[name].weight(0) == read.penalties[name].weight(0) == weight
    assert told.penalties[name].every == read.penalties[name].every == part.get("every", 1)
    assert told.discriminator_steps(0) == read.discriminator_steps(0) == part.get("discriminator_steps", 1)
    assert (told.discriminator, told.generator) == (read.discriminator, read.generator) or name == "dragan"


@pytest.mark.parametrize("name", RETIRED)
def test_the_recipe_is_the_pair(name: str) -> None:
    assert name not in catalog.names("objectives")
    experiment, _ = resolve([from_recipe(name)])
    assert experiment.objective is not None
    assert experiment.objective.name == RETIRED[name][0]
    assert build_objective(complete(experiment)).penalties.keys() == {name}


@pytest.mark.parametrize(("name", "needs_layer"), [("dragan", True), ("lecam", False)])
def test_the_way_out_of_a_retired_objective_can_be_taken(name: str, needs_layer: bool) -> None:
    """The options in the message, given back, make an experiment that is assembled."""
    with pytest.raises(UnknownNameError) as raised:
        complete(Experiment.model_validate({"objective": name}))
    said = str(raised.value)
    with pytest.raises(UnknownNameError) as on_the_command_line:
        experiment_from("digits", objective=name, environment={})
    assert str(on_the_command_line.value) == said
    assert f"--recipe {name}" in said
    settings = re.findall(r"--set (\S+)", said)
    assert ("discriminator.normalisation=layer" in settings) == needs_layer
    objective = re.search(r"--objective (\S+)", said)
    assert objective
    small = ["data.size=8", "data.fraction=0.1", "generator.width=4", "discriminator.width=4"]
    layers = [from_assignments([f"objective={objective[1]}", *settings, *small])]
    experiment = resolve(layers)[0]
    assert assemble(*with_data(experiment)).game.players

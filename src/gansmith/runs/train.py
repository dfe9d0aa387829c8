"""Training from Python or the command line: settings become an experiment, and the experiment a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gansmith import catalog
from gansmith.data.settings import DataSettings
from gansmith.experiment import outside_code
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.length import with_one_length
from gansmith.experiment.objective_optimizer import optimizer_note, with_objective_optimizer
from gansmith.experiment.schema import Experiment
from gansmith.experiment.sources import from_assignments, from_environment, from_file, from_recipe
from gansmith.runs.auto import auto_layer, auto_words
from gansmith.runs.default_recipe import beside_start, default_recipe
from gansmith.runs.folder import folder_of
from gansmith.runs.run import Run
from gansmith.runs.start import settings_of
from gansmith.system.console import say

# Fields of the data that need no `data.` before them
DATA_FIELDS = tuple(name for name in DataSettings.model_fields if name not in ("path", "options"))


def train(
    path: str | Path | None = None,
    *,
    recipe: str | None = None,
    config: str | Path | None = None,
    assignments: Iterable[str] = (),
    start_from: str | Path | None = None,
    trust: bool = False,
    auto: bool = False,
    **fields: Any,
) -> Run:
    """Train on the images at `path` (or a built-in dataset's name); a run that is already there is continued.

    `fields` are an experiment's: `images=100_000` or `time="15m"`, `batch=32`, `objective="minimax"`,
    `generator={"width": 32}`; those of the data may stand alone: `size=64`, `channels=1`. trust: code from outside
    gansmith may be imported that `config` or a recipe's file names; what `fields` and `assignments` name always may.
    auto: see `experiment_from`.
    Raises GansmithError, TrainingInterrupted on Ctrl-C.

    >>> run = train("digits", images=32, batch=16, generator={"width": 4}, discriminator={"width": 4}, out="run")
    >>> run.checkpoint()["images"], sorted(path.name for path in run.model.iterdir())
    (32, ['discriminator.safetensors', 'generator.safetensors', 'model.json'])
    """
    from gansmith.runs.follower import follow
    from gansmith.runs.team import follows
    from gansmith.runs.training import train_run

    if follows():
        return Run(follow())
    experiment, _ = experiment_from(
        path,
        recipe=recipe,
        config=config,
        assignments=assignments,
        start_from=start_from,
        choose_recipe=True,
        trust=trust,
        auto=auto,
        **fields,
    )
    train_run(experiment)
    return Run(folder_of(experiment))


def experiment_from(
    path: str | Path | None = None,
    *,
    recipe: str | None = None,
    config: str | Path | None = None,
    assignments: Iterable[str] = (),
    start_from: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    choose_recipe: bool = False,
    trust: bool = False,
    auto: bool = False,
    **fields: Any,
) -> tuple[Experiment, dict[str, str]]:
    """The experiment that these settings make, and where each of its values came from. Fields that are None are unset.

    auto: the training changes its augmentation and its length within `images` by itself, where no layer names these.
    choose_recipe: where no recipe and no part of the game is named, choose a recipe by the images; print which and why.
    Names of code from outside gansmith that are given by hand, or with `trust` in a file, may be imported from here on.
    """
    chosen = {name: value for name, value in fields.items() if value is not None}
    data = {name: chosen.pop(name) for name in DATA_FIELDS if name in chosen}
    if path is not None:
        data["path"] = str(path)
    if start_from is not None:
        chosen["start_from"] = str(start_from)
    file = None if config is None else from_file(Path(config))
    variables = from_environment(os.environ if environment is None else environment)
    recipe = recipe or variables.values.get("recipe") or _recipe_of(file)
    stack = [from_recipe(recipe)] if recipe is not None else []
    stack += [*([] if file is None else [file]), variables]
    stack += [Layer("arguments", chosen), Layer("arguments", {"data": data}), from_assignments(assignments)]
    resolution = resolve(stack)
    start = resolution[0].start_from
    if choose_recipe and recipe is None and file is None and start is not None:
        stack = _with_start(stack, resolution[0])
        resolution = resolve(stack)
        choose_recipe = False
    default = default_recipe(*resolution) if choose_recipe and recipe is None else None
    if default is not None:
        say(str(default))
        if default.recipe is not None:
            stack = [from_recipe(default.recipe), default.layer(), *stack]
            resolution = resolve(stack)
    if auto:
        layer = auto_layer(*resolution)
        stack = [*stack, *([] if layer is None else [layer])]
        resolution = resolve(stack)
        say(auto_words(layer, resolution[0]))
    outside_code.vouch(*resolution, trust=trust)
    chosen_recipe = default is not None and default.recipe is not None
    resolution = with_objective_optimizer(stack, resolution, chosen_recipe=chosen_recipe)
    resolution = with_one_length(resolution[0], stack), resolution[1]
    note = optimizer_note(*resolution)
    if note is not None:
        say(f"note: {note}")
    return resolution


def _with_start(stack: list[Layer], experiment: Experiment) -> list[Layer]:
    """The settings of the experiment's start below the layers, and what a default has beside any recipe; both are
    said."""
    base = settings_of(experiment)
    defaults, words = beside_start(*resolve([base, *stack]))
    recipe = base.values.get("recipe") or "its own settings"
    say(f"recipe of {experiment.start_from}: {recipe}. For another one: --recipe NAME{words}")
    return [base, defaults, *stack]


def _recipe_of(file: Layer | None) -> str | None:
    """The recipe that a file of settings begins with. A run's own file may bear the name of one that is not known here:
    it is complete without."""
    name = None if file is None else file.values.get("recipe")
    return name if name in catalog.names("recipes") else None

"""The optimizer that an objective's source states, as a layer of settings below all that name one.

An objective's file states it as `OPTIMIZER = {"name": ..., "lr": ...}`. Under the default optimizer, Adam with beta1
0.5, a Wasserstein discriminator with clamped weights fails to train (Arjovsky, Chintala, Bottou 2017, "Wasserstein
GAN", section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from gansmith import catalog
from gansmith.experiment.field_paths import flat
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.retired import refuse
from gansmith.experiment.schema import Experiment

Resolution = tuple[Experiment, dict[str, str]]


def with_objective_optimizer(
    stack: Sequence[Layer], resolution: Resolution, *, chosen_recipe: bool = False
) -> Resolution:
    """The resolution of the layers `stack` with the objective's own optimizer where no layer names one.

    chosen_recipe: the first layer is a recipe that the user did not name; another objective than its own then brings
    its optimizer along.
    """
    layer = objective_layer(resolution[0])
    if layer is None:
        return resolution
    other = chosen_recipe and resolution[1].get("objective.name") != stack[0].source
    place = 1 if other else 0
    return resolve([*stack[:place], layer, *stack[place:]])


def objective_layer(experiment: Experiment) -> Layer | None:
    """The optimizer that the experiment's objective states, for every role that has one by default."""
    stated = _stated(experiment)
    if stated is None or experiment.objective is None:
        return None
    return Layer(f"objective {experiment.objective.name}", {"optimizer": dict.fromkeys(experiment.optimizer, stated)})


def optimizer_note(experiment: Experiment, sources: Mapping[str, str]) -> str | None:
    """One line where the objective states another optimizer than the experiment has, unless one recipe says both."""
    stated = _stated(experiment)
    if stated is None or experiment.objective is None:
        return None
    others = {}
    for role in sorted({"generator", "discriminator"} & experiment.optimizer.keys(), reverse=True):
        part, source = experiment.optimizer[role], sources.get(f"optimizer.{role}.name", "default")
        differs = part.name != stated["name"] or part.options.get("betas", stated.get("betas")) != stated.get("betas")
        if differs and not (source.startswith("recipe ") and source == sources.get("objective.name")):
            others[role] = f"{part.name} ({source})"
    if not others:
        return None
    theirs = [f"--set {quote(f'optimizer.{role}.{path}={value}')}" for role in others for path, value in flat(stated)]
    return (
        f"the authors of the objective {experiment.objective.name} train it with {stated['name']}; here is "
        f"{' and '.join(f'optimizer.{role} {given}' for role, given in others.items())}. Theirs: {' '.join(theirs)}"
    )


def _stated(experiment: Experiment) -> Mapping[str, Any] | None:
    if experiment.objective is None:
        return None
    refuse(experiment.objective.name, experiment.objective.options)
    stated: Mapping[str, Any] | None = catalog.stated("objectives", experiment.objective.name, "OPTIMIZER", None)
    return stated

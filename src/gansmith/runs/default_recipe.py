"""The default recipe, when none is named: the one that measured best on similar images.

Measured by `python -m benchmarks.advice` at 32 px on a CPU: docs/results.md has the table. A run that was begun with a
default recipe is continued with it, also when images were added since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gansmith import catalog
from gansmith.catalog import ROLES
from gansmith.data.open import open_dataset
from gansmith.experiment.schema import Experiment
from gansmith.runs.folder import experiment_of, folder_of, is_run
from gansmith.system.device import choose_device

RECIPES = ("sngan_small", "dcgan_augmented", "dcgan")
FEW = 10_000  # images: between the sets that were measured, of 1,300 and 1,650 images and of 48,000
# Fields that describe a game: with one of them set, no recipe is chosen.
_OWN = {"recipe", "game", "objective", "penalties", "augment", "prior", "optimizer", "averaging", "batch", "start_from"}
_OWN |= {*ROLES}


class DefaultRecipe(NamedTuple):
    """A recipe's name, and the reason to choose it, for the user."""

    recipe: str
    reason: str


def default_recipe(experiment: Experiment, sources: Mapping[str, str]) -> DefaultRecipe | None:
    """The recipe for the images of an experiment whose layers name none; None where a layer sets a part of the game, a
    second domain, or a format from outside gansmith.

    sources: {dotted field: layer}, as `layers.resolve` returns it. Raises DataError for images that are not there.
    """
    chosen, data = {path.partition(".")[0] for path in sources}, experiment.data
    if "data.path" not in sources or chosen & _OWN or data.other is not None or "." in (data.format or ""):
        return None
    source = open_dataset(data.path, format=data.format, **data.options)
    if source.points:
        recipe = f"r3gan_{source.name}"
        return DefaultRecipe(
            recipe if recipe in catalog.names("recipes") else "mlp_ring", "these are points in the plane"
        )
    count = round(len(source) * data.fraction)
    existing = [name for name in RECIPES if _exists(experiment, name)]
    if existing:
        return DefaultRecipe(existing[0], "the run in this folder was begun with it")
    device = choose_device(experiment.device).type
    if device != "cpu":
        return DefaultRecipe("dcgan", f"on {device} nothing was measured yet")
    if count < FEW:
        return DefaultRecipe(
            "sngan_small", f"at 32 px it measured best on sets of about 2,000 images; these are {count:,}"
        )
    return DefaultRecipe("dcgan_augmented", f"at 32 px it measured best on a set of 48,000 images; these are {count:,}")


def _exists(experiment: Experiment, recipe: str) -> bool:
    """Is there a run of this recipe where the experiment would be run?"""
    folder = folder_of(experiment.model_copy(update={"recipe": recipe}))
    return is_run(folder) and experiment_of(folder).recipe == recipe

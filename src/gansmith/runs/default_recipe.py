"""The default recipe, when none is named: the one that measured best on similar images.

Measured by `python -m benchmarks.advice` at 32 px on a CPU: docs/results.md has the table. A run that was begun with a
default recipe is continued with it, also when images were added since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gansmith import catalog
from gansmith.catalog import ROLES
from gansmith.data.open import open_source
from gansmith.experiment.schema import Experiment
from gansmith.runs.folder import experiment_of, folder_of, is_run
from gansmith.system.device import choose_device

RECIPES = ("sngan_small", "dcgan_augmented", "dcgan")
FEW = 10_000  # images: between the sets that were measured, of 1,300 and 1,650 images and of 48,000
# Fields that name a part of the game: with one of them set, no recipe is chosen. Options of parts change a recipe.
_OPTIONS = {"penalties", "augment", "prior", "optimizer", "averaging", "batch", "game", "objective", *ROLES}
_PARTS = ("game", "objective", *ROLES)
_OWN = {"recipe", "start_from", *_PARTS, *(f"{part}.name" for part in _PARTS)}


class DefaultRecipe(NamedTuple):
    """A recipe's name, None for the plain defaults, and the reason, for the user."""

    recipe: str | None
    reason: str

    def __str__(self) -> str:
        if self.recipe is None:
            return f"no recipe, plain defaults (dcgan where no network is named): {self.reason}. For one: --recipe NAME"
        return f"recipe {self.recipe}: {self.reason}. For another one: --recipe NAME"


def default_recipe(experiment: Experiment, sources: Mapping[str, str]) -> DefaultRecipe | None:
    """The recipe for the images of an experiment whose layers name none; its own settings change it.

    None, and nothing to say, where a layer names a recipe, a second domain or a format from outside gansmith.
    sources: {dotted field: layer}, as `layers.resolve` returns it. Raises DataError for images that are not there.
    """
    data = experiment.data
    named = sorted(_OWN & sources.keys())
    if "data.path" not in sources or "recipe" in named or data.other is not None or "." in (data.format or ""):
        return None
    if named:
        which = ", ".join(named[:3])
        return DefaultRecipe(None, f"{which} {'is' if len(named) == 1 else 'are'} set")
    own = {path.partition(".")[0] for path in sources} & _OPTIONS
    if own and _exists(experiment, None):
        return DefaultRecipe(None, "the run in this folder was begun without one")
    return _by_images(experiment)


def _by_images(experiment: Experiment) -> DefaultRecipe:
    """By kind and number of the images, unless a run was begun with a recipe of these."""
    data = experiment.data
    source = open_source(data)
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
    like = "sets of about 2,000" if count < FEW else "a set of 48,000"
    return DefaultRecipe(best_recipe(count), f"at 32 px it measured best on {like} images; these are {count:,}")


def best_recipe(count: int) -> str:
    """The recipe that measured best at 32 px on a CPU on sets of about `count` images.

    >>> best_recipe(2_000), best_recipe(50_000)
    ('sngan_small', 'dcgan_augmented')
    """
    return "sngan_small" if count < FEW else "dcgan_augmented"


def _exists(experiment: Experiment, recipe: str | None) -> bool:
    """Is there a run of this recipe, or without one, where the experiment would be run?"""
    folder = folder_of(experiment.model_copy(update={"recipe": recipe}))
    return is_run(folder) and experiment_of(folder).recipe == recipe

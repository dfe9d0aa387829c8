"""The recipe to begin with when none is named: the one that measured best on like images, and why.

Measured by `python -m benchmarks.advice` at 32 px on a CPU: docs/results.md has the table. A run that was begun with an
advised recipe is continued with it, also when images have come since.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gansmith import catalog
from gansmith.data.open import open_dataset
from gansmith.experiment.schema import ROLES, Experiment
from gansmith.runs import folder as run_folder
from gansmith.system.device import choose_device

RECIPES = ("sngan_small", "dcgan_augmented", "dcgan")  # what is recommended
FEW = 10_000  # images: between the sets that were measured, of 1,300 and 1,650 images and of 48,000
# Whoever sets one of these has a game of his own in mind.
_OWN = {"recipe", "game", "objective", "penalties", "augment", "prior", "optimizer", "averaging", "batch", "start_from"}
_OWN |= {*ROLES}


class Advice(NamedTuple):
    """A recipe's name, and why this one, in half a sentence."""

    recipe: str
    why: str


def advise(experiment: Experiment, sources: Mapping[str, str]) -> Advice | None:
    """For the images of an experiment whose layers name no recipe; None where a layer set a part of the game itself, a
    second domain, or a format of its own. `sources`: {dotted field: layer}, as `experiment.resolve` gives it. Raises
    DataError for images that are not there."""
    chosen, data = {path.partition(".")[0] for path in sources}, experiment.data
    if "data.path" not in sources or chosen & _OWN or data.other is not None or "." in (data.format or ""):
        return None
    source = open_dataset(data.path, format=data.format, **data.options)
    if source.points:
        known = f"r3gan_{source.name}"
        return Advice(known if known in catalog.names("recipes") else "mlp_ring", "these are points in the plane")
    count = round(len(source) * data.fraction)
    begun = [name for name in RECIPES if _is_begun(experiment, name)]
    if begun:
        return Advice(begun[0], "the run in this folder was begun with it")
    device = choose_device(experiment.device).type
    if device != "cpu":
        return Advice("dcgan", f"on {device} nothing was measured yet")
    if count < FEW:
        return Advice("sngan_small", f"at 32 px it measured best on sets of about 2,000 images; these are {count:,}")
    return Advice("dcgan_augmented", f"at 32 px it measured best on a set of 48,000 images; these are {count:,}")


def _is_begun(experiment: Experiment, recipe: str) -> bool:
    """Is there a run of this recipe where the experiment would be run?"""
    folder = run_folder.folder_of(experiment.model_copy(update={"recipe": recipe}))
    return run_folder.is_run(Path(folder)) and run_folder.experiment(folder).recipe == recipe

"""The default recipe, when none is named: the one that measured best on similar images, by the table in defaults.yaml.

With it come its settings and a size. A run that was begun with a default recipe is continued with it and with what it
recorded of those settings, also when images were added or the table changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gansmith import catalog
from gansmith.catalog import ROLES
from gansmith.data.open import open_source
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.stages.resolve import sample
from gansmith.experiment.field_paths import flat, nested
from gansmith.experiment.layers import Layer
from gansmith.experiment.schema import Experiment
from gansmith.pretrained.weights import weights_are_here
from gansmith.runs.defaults_table import Facts, Row, defaults
from gansmith.runs.folder import experiment_of, folder_of, is_run
from gansmith.runs.image_defaults import MIRRORED, classes_note, mirrored
from gansmith.system.device import choose_device
from gansmith.training.precision import native_bfloat16

_SAMPLED = 32  # images that a size is chosen by
_OWN_SIZE = range(16, 65)  # pixels a side: images that are all of one such size are trained at it
# Fields that name a part of the game: with one of them set, no recipe is chosen. Options of parts change a recipe.
_OPTIONS = {"penalties", "augment", "prior", "optimizer", "averaging", "batch", "game", "objective", *ROLES}
_PARTS = ("game", "objective", *ROLES)
_OWN = {"recipe", "start_from", *_PARTS, *(f"{part}.name" for part in _PARTS)}
# Fields that a default may set whatever the row, and that a run is continued with as it recorded them
_KEPT = ("data.size", "data.flip", "precision", "threads", "images", "time")


@dataclass(frozen=True)
class DefaultRecipe:
    """A recipe's name, None for the plain defaults; the reason, for the user; settings over the recipe's; a note on the
    images, or nothing."""

    recipe: str | None
    reason: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.recipe is None:
            return f"no recipe, plain defaults (dcgan where no network is named): {self.reason}. For one: --recipe NAME"
        words = f"recipe {self.recipe}: {self.reason}. For another one: --recipe NAME{_choices(self.settings)}"
        return f"{words}\n{self.note}" if self.note else words

    def layer(self) -> Layer:
        """The settings, to lie directly on the recipe."""
        return Layer(f"default for {self.recipe}", self.settings)


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
    return _by_images(experiment, sources)


def _by_images(experiment: Experiment, sources: Mapping[str, str]) -> DefaultRecipe:
    """By the images, the machine and the time, unless a run was begun with a recipe of the table."""
    source = open_source(experiment.data)
    if source.points:
        recipe = f"r3gan_{source.name}"
        return DefaultRecipe(
            recipe if recipe in catalog.names("recipes") else "mlp_ring", "these are points in the plane"
        )
    row, facts, size = _row(experiment, source)
    existing = [name for name in defaults().recipes if _exists(experiment, name)]
    if existing:
        recipe = row.recipe if row.recipe in existing else existing[0]
        return DefaultRecipe(recipe, "the run in this folder was begun with it", _recorded(experiment, recipe))
    data: dict[str, Any] = {"size": size} if size else {}
    reason = row.reason(facts)
    if mirrored(experiment, sources, source):
        data["flip"] = True
        reason += f"; {MIRRORED}"
    settings = {**row.settings_for(facts), **({"data": data} if data else {})}
    return DefaultRecipe(row.recipe, reason, settings, classes_note(source, experiment))


def beside_start(experiment: Experiment, sources: Mapping[str, str]) -> tuple[Layer, str]:
    """What a run that takes over the settings of its start has of a run without one: the table's precision and whether
    the images are mirrored, where no layer names these. With the words that say so.

    Nothing for a game other than of images of one kind. A run that is there keeps what it recorded.
    Raises DataError for images that are not there.
    """
    data = experiment.data
    if "data.path" not in sources or data.other is not None or "." in (data.format or ""):
        return Layer("default", {}), ""
    folder = folder_of(experiment)
    if is_run(folder):  # its precision is taken over later, with its memory format
        flip = {} if "data.flip" in sources else {"data": {"flip": experiment_of(folder).data.flip}}
        return Layer(str(folder), flip), ""
    source = open_source(data)
    if source.points or experiment.game.name != "two_player":
        return Layer("default", {}), ""
    row, facts, _ = _row(experiment, source)
    precision = None if "precision" in sources else row.settings_for(facts).get("precision")
    settings: dict[str, Any] = {} if precision is None else {"precision": precision}
    words = _choices(settings)
    if mirrored(experiment, sources, source):
        settings["data"] = {"flip": True}
        words += f"{'; ' if words else '. '}{MIRRORED}"
    note = classes_note(source, experiment)
    return Layer("default", settings), f"{words}\n{note}" if note else words


def _choices(settings: Mapping[str, Any]) -> str:
    """What else was chosen, with the option that chooses otherwise; nothing where nothing was."""
    size, precision, threads = (settings.get("data", {}).get("size"), *map(settings.get, ("precision", "threads")))
    words = {
        f"{size} px (--size)": size,
        f"{precision} (--precision)": precision,
        f"{threads} threads (--set threads=N)": threads,
    }
    said = ", ".join(word for word, chosen in words.items() if chosen)
    return f". Chosen with it: {said}" if said else ""


def _row(experiment: Experiment, source: Source) -> tuple[Row, Facts, int | None]:
    """The row for these images, the facts that chose it, and the size to train at where it is neither asked for nor
    the images' own."""
    data, table = experiment.data, defaults()
    device = choose_device(experiment.device)
    seen = list(sample(source, data.background, _SAMPLED)) if len(source) else []
    facts = Facts(
        device=device.type,
        images=round(len(source) * data.fraction),
        minutes=None if experiment.time is None else experiment.time / 60,
        labelled=source.labels is not None,
        grey=all(grey for _, grey in seen) if data.channels is None else data.channels == 1,
        weights=frozenset(name for name in table.weights if weights_are_here(name)),
        bfloat16=native_bfloat16(device),
    )
    sizes = table.sizes_for(facts)
    own = _own_size(data, source, [size for size, _ in seen], max(sizes.of))
    size = sizes.filled(float(np.median([min(one) for one, _ in seen]))) if own is None and seen else None
    facts = facts._replace(size=size if own is None else max(own))
    return table.row(facts), facts, size


def _own_size(data: DataSettings, source: Source, seen: list[tuple[int, int]], largest: int) -> tuple[int, int] | None:
    """The size that is asked for, else that the set recommends or all images have, if it is at most `largest`."""
    if data.size is not None:
        return data.size
    sizes = {source.size} if source.size is not None else set(seen)
    size = sizes.pop() if len(sizes) == 1 else None
    return size if size and all(side in _OWN_SIZE and side <= largest for side in size) else None


def _recorded(experiment: Experiment, recipe: str) -> dict[str, Any]:
    """What the run of this recipe recorded of the fields that a default, of this version or another, may set."""
    recorded = flat(experiment_of(_folder(experiment, recipe)).plain())
    return nested({path: value for path, value in recorded if path in _KEPT or path.split(".")[0] in _OPTIONS})


def best_recipe(count: int, seconds: float | None = None) -> str:
    """The recipe that measured best on a CPU on sets of about `count` images; seconds: of a run with a `time`.

    >>> best_recipe(2_000), best_recipe(2_000, 60), best_recipe(500, 60)
    ('stylegan2_small', 'dcgan_fast', 'dcgan_few')
    """
    return defaults().row(Facts(images=count, minutes=None if seconds is None else seconds / 60)).recipe


def _folder(experiment: Experiment, recipe: str | None) -> Path:
    return folder_of(experiment.model_copy(update={"recipe": recipe}))


def _exists(experiment: Experiment, recipe: str | None) -> bool:
    """Is there a run of this recipe, or without one, where the experiment would be run?"""
    folder = _folder(experiment, recipe)
    return is_run(folder) and experiment_of(folder).recipe == recipe

"""Objectives of earlier versions that are an objective and a penalty: their exact equivalents.

`dragan` was the non-saturating objective with the penalty dragan, `lecam` the hinge with the penalty lecam. A file that
names one of them (a run's experiment.yaml, a checkpoint, a file of settings) is read as the pair, which computes the
same numbers to the bit; elsewhere the error names the pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gansmith import catalog
from gansmith.errors import UnknownNameError

# name, which is that of the penalty too -> the objective of the pair, its options and what these were by default
RETIRED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "dragan": ("nonsaturating", {"smoothing": 0.0}),
    "lecam": ("hinge", {"discriminator_steps": 1}),
}


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """A file's nested settings with a retired objective replaced by its pair. Other settings are as they were.

    >>> renamed({"objective": {"name": "lecam", "weight": 1.0}, "batch": 8})
    {'objective': {'name': 'hinge', 'discriminator_steps': 1}, 'batch': 8, 'penalties': {'lecam': {'weight': 1.0}}}
    """
    part, penalties = values.get("objective"), values.get("penalties") or {}
    options = {"name": part} if isinstance(part, str) else dict(part) if isinstance(part, Mapping) else {}
    name = options.pop("name", None)
    if not isinstance(name, str) or name not in RETIRED or not isinstance(penalties, Mapping) or name in penalties:
        return dict(values)
    objective, usual = RETIRED[name]
    of_objective = {**usual, **{option: value for option, value in options.items() if option in usual}}
    of_penalty = {option: value for option, value in options.items() if option not in usual}
    return {**values, "objective": {"name": objective, **of_objective}, "penalties": {name: of_penalty, **penalties}}


def refuse(name: str, options: Mapping[str, Any]) -> None:
    """Raises UnknownNameError for a retired objective, with the command-line options of its exact equivalent."""
    if name not in RETIRED:
        return
    objective, usual = RETIRED[name]
    weight = catalog.keyword_options(catalog.find("penalties", name))["weight"].default
    settings = {option: value for option, value in options.items() if option in usual}
    chosen = [f"--set objective.{option}={value}" for option, value in settings.items()]
    of_penalty = {"weight": weight, **{option: value for option, value in options.items() if option not in usual}}
    chosen += [f"--set penalties.{name}.{option}={value}" for option, value in of_penalty.items()]
    if catalog.build("penalties", name).per_sample:  # which batch normalisation, the default, does not allow
        chosen.append("--set discriminator.normalisation=layer")
    raise UnknownNameError(
        f"there is no objective {name!r} any more: it was the objective {objective} with the penalty {name}. "
        f"For the whole experiment give --recipe {name}, for the same numbers on other networks "
        f"--objective {objective} {' '.join(chosen)}"
    )

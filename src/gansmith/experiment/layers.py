"""Layers of settings, and the experiment that they make: defaults, recipe, file, environment, options.

Later layers win. Every value remembers which layer it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from gansmith.errors import ExperimentError
from gansmith.experiment.field_errors import explain_booleans, explain_fields, explain_group
from gansmith.experiment.field_paths import GROUPS, flat, nested
from gansmith.experiment.schema import MAY_CHANGE, PARTS, Experiment
from gansmith.system.option_words import booleans_as_numbers

# fields that hold fields: another value would hide those of earlier layers
_NESTED = (
    *GROUPS,
    "optimizer",
    "penalties",
    "freeze",
)


@dataclass(frozen=True)
class Layer:
    """Values from one source, as a nested dictionary."""

    source: str
    values: Mapping[str, Any]


def resolve(layers: Iterable[Layer], *, parts: bool = True) -> tuple[Experiment, dict[str, str]]:
    """The experiment that the layers make, and {dotted field: source} for every field a layer set.

    parts: begin with the default parts and their options; not where a layer is complete, as a run's own file is.

    A layer that names another entry for a part (`objective: minimax`) drops the options that earlier layers gave it.
    Raises ExperimentError saying for each bad field what was given, where, and the nearest name.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in (Layer("default", _part_defaults() if parts else {}), *layers):
        for path, value in flat(layer.values):
            if path in _NESTED and not isinstance(value, Mapping):
                raise ExperimentError(explain_group(path, value, layer.source))
            owner, _, last = path.rpartition(".")
            renamed = last == "name" and values.get(path) not in (None, value)
            for other in list(values):
                replaced = other.startswith(f"{path}.") or path.startswith(f"{other}.")
                if replaced or (renamed and other.startswith(f"{owner}.")):
                    del values[other], sources[other]
            values[path] = value
            sources[path] = layer.source
    tree = nested(values)
    try:
        experiment = Experiment.model_validate(tree)
    except ValidationError as error:
        raise ExperimentError("\n".join(explain_fields(error, values, sources))) from None
    booleans = explain_booleans(booleans_as_numbers(tree, experiment), values, sources)
    if booleans:
        raise ExperimentError("\n".join(booleans))
    return experiment, {path: source for path, source in sources.items() if source != "default"}


def difference(old: Experiment, new: Experiment) -> list[str]:
    """`field: old -> new` for every field that a resumed run may not change and that differs."""
    before, after = dict(flat(old.plain())), dict(flat(new.plain()))
    return [
        f"{path}: {before.get(path)} -> {after.get(path)}"
        for path in dict.fromkeys([*before, *after])
        if not {path, path.partition(".")[0]} & MAY_CHANGE and before.get(path) != after.get(path)
    ]


def _part_defaults() -> dict[str, Any]:
    plain = Experiment().plain()
    features = {"features": plain["metrics"]["features"]}
    return {**{key: plain[key] for key in (*PARTS, "optimizer")}, "metrics": features}

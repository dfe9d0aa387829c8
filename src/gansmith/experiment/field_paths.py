"""Dotted paths of an experiment's fields: nested settings {part: {option: value}} to flat ones {"part.option": value},
and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from gansmith.errors import ExperimentError
from gansmith.experiment.schema import PARTS, Experiment

_FEATURES = "metrics.features"
GROUPS = tuple(  # the fields that hold settings which belong together, each with a default of its own
    name
    for name, field in Experiment.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel) and name not in PARTS
)


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """(dotted path, value) of every field; a part given by its name alone is its `.name`, data by their path `.path`.
    A group without content (`data: null`, `data: {}`) says nothing.

    >>> dict(flat({"objective": "hinge", "data": {"size": 64}}))
    {'objective.name': 'hinge', 'data.size': 64}
    """
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, str):
            yield _in_full(path), value
        elif path in GROUPS and (value is None or value == {}):
            continue
        elif isinstance(value, Mapping) and value and not _is_value(value) and path != "data.options":
            # the name goes first: it drops the options of another entry before its own are set
            ordered = sorted(value.items(), key=lambda item: item[0] != "name")
            yield from flat(dict(ordered), f"{path}.")
        else:
            yield path, value


def _in_full(path: str) -> str:
    """The path of the field that a word stands for: `objective` -> `objective.name`, `data` -> `data.path`."""
    return f"{path}.name" if _is_part(path) else "data.path" if path == "data" else path


def _is_part(path: str) -> bool:
    """Does the field hold a name with options?"""
    return path in (*PARTS, _FEATURES) or path.rpartition(".")[0] == "optimizer"


def _is_value(value: Mapping[str, Any]) -> bool:
    """Is this mapping one value (a schedule) and not a group of fields?"""
    return bool({"start", "phases", "points"} & value.keys())


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """The nested settings of flat ones. Raises ExperimentError for a field that is both one value and a group.

    >>> nested({"objective": "hinge", "data.size": 64})
    {'objective': {'name': 'hinge'}, 'data': {'size': 64}}
    """
    tree: dict[str, Any] = {}
    for field, value in values.items():
        path = _in_full(field) if isinstance(value, str) else field
        *groups, last = path.split(".")
        branch: Any = tree
        for group in groups:
            branch = branch.setdefault(group, {}) if isinstance(branch, dict) else None
        if not isinstance(branch, dict) or (
            last in branch and isinstance(branch[last], dict) != isinstance(value, dict)
        ):
            raise ExperimentError(f"{field} is given both as one value and as a group of fields")
        branch[last] = {**branch.get(last, {}), **value} if isinstance(value, dict) else value
    return tree

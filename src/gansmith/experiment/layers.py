"""Layers of settings: how an experiment is put together from the default, recipe, file, environment and options.

Later layers win: the defaults of the schema, the recipe, a YAML file, the environment with two underscores for each
dot (`GANSMITH_OBJECTIVE__NAME=minimax`), the command line. Every value remembers which layer it came from.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gansmith import catalog
from gansmith.data.settings import DataSettings
from gansmith.errors import ExperimentError, nearest
from gansmith.experiment.retired import renamed
from gansmith.experiment.schema import MAY_CHANGE, PARTS, Experiment

# environment variables of the program that are no field of an experiment
NOT_FIELDS = frozenset(("GANSMITH_DATASETS", "GANSMITH_CACHE", "GANSMITH_TEST_DATA"))


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
        for path, value in _flat(layer.values):
            owner, _, last = path.rpartition(".")
            renamed = last == "name" and values.get(path) not in (None, value)
            for other in list(values):
                replaced = other.startswith(f"{path}.") or path.startswith(f"{other}.")
                if replaced or (renamed and other.startswith(f"{owner}.")):
                    del values[other], sources[other]
            values[path] = value
            sources[path] = layer.source
    try:
        experiment = Experiment.model_validate(_nested(values))
    except ValidationError as error:
        raise ExperimentError("\n".join(_explained(error, values, sources))) from None
    return experiment, {path: source for path, source in sources.items() if source != "default"}


def from_file(path: Path) -> Layer:
    """A YAML file of settings. Raises ExperimentError when it is absent or not a mapping."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ExperimentError(f"could not read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values or {}, dict):
        raise ExperimentError(f"{path} must hold a mapping of fields to values, not {type(values).__name__}")
    return Layer(str(path), renamed(values or {}))


def from_recipe(name: str) -> Layer:
    """A recipe of the catalog, or a recipe file of one's own (a path ending in .yaml)."""
    if name.endswith((".yaml", ".yml")):
        return Layer(f"recipe {name}", {**from_file(Path(name)).values, "recipe": Path(name).stem})
    path = catalog.path_of("recipes", name)
    return Layer(f"recipe {path.stem}", {**from_file(path).values, "recipe": path.stem})


def from_environment(environment: Mapping[str, str]) -> Layer:
    """`GANSMITH_BATCH=32`, `GANSMITH_DATA__SIZE=48x64`. Raises ExperimentError for a name that is no field."""
    given = {key: value for key, value in environment.items() if key.startswith("GANSMITH_") and key not in NOT_FIELDS}
    values = {}
    for key, text in given.items():
        path = key.removeprefix("GANSMITH_").lower().replace("__", ".")
        if path.partition(".")[0] not in Experiment.model_fields:
            names = {f"gansmith_{field}": f"GANSMITH_{field.upper()}" for field in Experiment.model_fields}
            names |= {name.lower(): name for name in NOT_FIELDS}
            close = difflib.get_close_matches(key.lower(), names, n=1)
            hint = f"Did you mean {names[close[0]]}? " if close else ""
            raise ExperimentError(
                f"the environment variable {key} is no field of an experiment. {hint}Fields are written "
                f"GANSMITH_BATCH or, inside a part, GANSMITH_OBJECTIVE__NAME; unset it if it is not meant"
            )
        values[path] = parse_value(text, path)
    return Layer("environment", _nested(values))


def from_assignments(assignments: Iterable[str]) -> Layer:
    """`["objective.name=minimax", "generator.width=32"]`, as `--set` takes them."""
    values = {}
    for text in assignments:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise ExperimentError(f"--set {text}: write it as field=value, for example --set generator.width=32")
        values[path.strip()] = parse_value(value, path.strip())
    return Layer("--set", _nested(values))


def parse_value(text: str, path: str = "") -> Any:
    """A value as YAML reads it: numbers, true/false, null, lists, words; a word where a field wants one (`out=007`)."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    owner, _, last = path.rpartition(".")
    fields = DataSettings.model_fields if owner == "data" else {} if owner else Experiment.model_fields
    wants_word = last in fields and fields[last].annotation in (str, str | None)
    return text if isinstance(value, date) or (wants_word and value is not None) else value


def difference(old: Experiment, new: Experiment) -> list[str]:
    """`field: old -> new` for every field that a resumed run may not change and that differs."""
    before, after = dict(_flat(old.plain())), dict(_flat(new.plain()))
    return [
        f"{path}: {before.get(path)} -> {after.get(path)}"
        for path in dict.fromkeys([*before, *after])
        if not {path, path.partition(".")[0]} & MAY_CHANGE and before.get(path) != after.get(path)
    ]


def _part_defaults() -> dict[str, Any]:
    plain = Experiment().plain()
    return {key: plain[key] for key in (*PARTS, "optimizer")}


_FEATURES = "metrics.features"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in values.items():
        path = f"{prefix}{key}"
        if _is_part(path) and isinstance(value, str):
            yield f"{path}.name", value
        elif isinstance(value, Mapping) and value and not _is_value(value) and path != "data.options":
            # the name goes first: it drops the options of another entry before its own are set
            ordered = sorted(value.items(), key=lambda item: item[0] != "name")
            yield from _flat(dict(ordered), f"{path}.")
        else:
            yield path, value


def _is_part(path: str) -> bool:
    """Does the field hold a name with options?"""
    return path in (*PARTS, _FEATURES) or path.rpartition(".")[0] == "optimizer"


def _is_value(value: Mapping[str, Any]) -> bool:
    """Is this mapping one value (a schedule) and not a group of fields?"""
    return bool({"start", "phases", "points"} & value.keys())


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for given, value in values.items():
        path = f"{given}.name" if isinstance(value, str) and _is_part(given) else given
        *groups, last = path.split(".")
        branch: Any = tree
        for group in groups:
            branch = branch.setdefault(group, {}) if isinstance(branch, dict) else None
        if not isinstance(branch, dict) or (
            last in branch and isinstance(branch[last], dict) != isinstance(value, dict)
        ):
            raise ExperimentError(f"{given} is given both as one value and as a group of fields")
        branch[last] = {**branch.get(last, {}), **value} if isinstance(value, dict) else value
    return tree


def _explained(errors: ValidationError, values: Mapping[str, Any], sources: Mapping[str, str]) -> list[str]:
    """One line for each field: a schedule that is none, for example, is several errors to pydantic."""
    lines: dict[str, str] = {}
    for error in errors.errors():
        path, given = ".".join(str(step) for step in error["loc"]), error["input"]
        for whole in (key for key in values if path.startswith(f"{key}.")):  # one side of a size, one of a list
            path, given = whole, values[whole]
        lines.setdefault(path, _explain(error, path, given, sources))
    return list(lines.values())


def _explain(error: Any, path: str, given: Any, sources: Mapping[str, str]) -> str:
    owner = path.rpartition(".")[0] if error["type"] == "missing" else path
    source = next(
        (f" ({source})" for key, source in sources.items() if key == path or key.startswith(f"{owner}.")),
        "",
    )
    if error["type"] == "missing":
        return f"{path} is missing; {owner} has options{source} but no name"
    if error["type"] == "extra_forbidden":
        model: Any = Experiment
        for step in error["loc"][:-1]:
            model = model.model_fields[step].annotation
        return f"there is no field {path!r}{source}. {nearest(str(error['loc'][-1]), model.model_fields)}".rstrip()
    return f"{path} = {given!r}{source} is not allowed: {error['msg'].removeprefix('Value error, ')}"

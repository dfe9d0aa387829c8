"""Layers of settings from their sources: a YAML file, a recipe, environment variables, `--set` on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from gansmith import catalog
from gansmith.data.settings import DataSettings
from gansmith.errors import ExperimentError
from gansmith.experiment.field_paths import nested
from gansmith.experiment.layers import Layer
from gansmith.experiment.retired import renamed
from gansmith.experiment.schema import Experiment
from gansmith.experiment.yaml_reader import Refused, read_file, read_text

# environment variables of the program that are no field of an experiment
NOT_FIELDS = frozenset(("GANSMITH_DATASETS", "GANSMITH_CACHE", "GANSMITH_TEST_DATA", "GANSMITH_CHECK_COLLECTIVES"))


def from_file(path: Path) -> Layer:
    """A YAML file of settings. Raises ExperimentError when it is absent, not YAML or not a mapping."""
    values = read_file(Path(path))
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
    variables = {
        key: value for key, value in environment.items() if key.startswith("GANSMITH_") and key not in NOT_FIELDS
    }
    values = {}
    for key, text in variables.items():
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
    return Layer("environment", nested(values))


def from_assignments(assignments: Iterable[str]) -> Layer:
    """`["objective.name=minimax", "generator.width=32"]`, as `--set` takes them."""
    values = {}
    for text in assignments:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise ExperimentError(f"--set {text}: write it as field=value, for example --set generator.width=32")
        values[path.strip()] = parse_value(value, path.strip())
    return Layer("--set", nested(values))


def parse_value(text: str, path: str = "") -> Any:
    """A value as YAML reads it: numbers, true/false, null, lists, words; a word where a field wants one (`out=007`).

    Raises ExperimentError for what the reader's bounds refuse.
    """
    try:
        value = read_text(text)
    except Refused as error:
        raise ExperimentError(f"{path} = {text[:60]!r} is refused: {error}") from error
    except yaml.YAMLError:
        return text
    owner, _, last = path.rpartition(".")
    fields = DataSettings.model_fields if owner == "data" else {} if owner else Experiment.model_fields
    wants_word = last in fields and fields[last].annotation in (str, str | None)
    if owner == "data" and last == "classes" and not isinstance(value, list):  # 007 is a class, and no is one
        wants_word = True
    return text if isinstance(value, date) or (wants_word and value is not None) else value

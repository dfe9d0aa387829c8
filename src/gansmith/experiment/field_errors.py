"""Messages for fields that are missing, unknown or not allowed: what was given, where, and the nearest name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from gansmith.errors import nearest
from gansmith.experiment.schema import Experiment
from gansmith.system.option_words import allowed, explain, field_annotation, shown


def explain_fields(errors: ValidationError, values: Mapping[str, Any], sources: Mapping[str, str]) -> list[str]:
    """One line for each field: a schedule that is none, for example, is several errors to pydantic."""
    lines: dict[str, str] = {}
    for error in errors.errors():
        steps = _field_of(error["loc"])
        path, value = ".".join(str(step) for step in steps), error["input"]
        if len(steps) < len(error["loc"]):
            inner = {key[len(path) + 1 :]: each for key, each in values.items() if key.startswith(f"{path}.")}
            value = inner or values.get(path, value)
        for whole in (key for key in values if path.startswith(f"{key}.")):  # one side of a size, one of a list
            path, value = whole, values[whole]
        lines.setdefault(path, _explain(error, path, value, sources))
    return list(lines.values())


def _field_of(location: Sequence[Any]) -> Sequence[Any]:
    """The steps that lead to a field, without those inside its value (the kinds of a schedule, one side of a size)."""
    annotation: Any = Experiment
    for place, step in enumerate(location):
        fields = _fields_of(annotation)
        if fields and step not in fields:
            return location[: place + 1]
        if not fields and get_origin(annotation) is not dict:
            return location[:place]
        annotation = field_annotation(fields[step]) if fields else get_args(annotation)[-1]
    return location


def explain_booleans(
    paths: Iterable[tuple[str, ...]], values: Mapping[str, Any], sources: Mapping[str, str]
) -> list[str]:
    """One line for each field that was given true or false for a number."""
    lines: dict[str, str] = {}
    for steps in paths:
        dotted = ".".join(steps)
        path = next((key for key in values if dotted == key or dotted.startswith(f"{key}.")), dotted)
        source = f" ({sources[path]})" if path in sources else ""
        takes = allowed(_annotation(path.split("."))) or "a number"
        lines.setdefault(path, f"{path} = {shown(values.get(path))}{source} is not allowed: it takes {takes}")
    return list(lines.values())


def explain_group(path: str, value: Any, source: str) -> str:
    """The line for a group of fields that was given something else."""
    fields = getattr(Experiment.model_fields[path].annotation, "model_fields", None)
    has = f"it has the fields {', '.join(fields)}" if fields else f"write {path}: {{}} for none, or {path}.NAME"
    return f"{path} = {shown(value)} ({source}) is not allowed: {path} is a group, {has}"


def _fields_of(annotation: Any) -> Mapping[str, Any]:
    """The fields of a group, which may also be null; none of anything else."""
    choices = () if get_origin(annotation) is dict else (annotation, *get_args(annotation))
    return next((one.model_fields for one in choices if hasattr(one, "model_fields")), {})


def _annotation(steps: Sequence[Any]) -> Any:
    """The annotation of the field at a path of steps; Any where the path leads into options or a list."""
    annotation: Any = Experiment
    for step in steps:
        fields = _fields_of(annotation)
        if step in fields:
            annotation = field_annotation(fields[step])
        else:
            annotation = get_args(annotation)[-1] if get_origin(annotation) is dict else Any
    return annotation


def _explain(error: Any, path: str, value: Any, sources: Mapping[str, str]) -> str:
    whole = ".".join(map(str, error["loc"]))
    owner = whole.rpartition(".")[0] if error["type"] == "missing" else path
    source = next(
        (f" ({source})" for key, source in sources.items() if key in (path, owner) or key.startswith(f"{owner}.")),
        "",
    )
    if error["type"] == "missing":
        return f"{whole} is missing; {owner} has options{source} but no name"
    if error["type"] == "extra_forbidden" and path == whole:
        group: Any = Experiment
        for step in error["loc"][:-1]:
            field = getattr(group, "model_fields", {}).get(step)  # none of a schedule, whose kind stands in its place
            group = None if field is None else field.annotation
        known = getattr(group, "model_fields", {})
        return f"there is no field {path!r}{source}. {nearest(str(error['loc'][-1]), known)}".rstrip()
    return f"{path} = {shown(value)}{source} is not allowed: {explain(error, _annotation(path.split('.')))}"

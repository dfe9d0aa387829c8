"""Messages for fields that are missing, unknown or not allowed: what was given, where, and the nearest name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from gansmith.errors import nearest
from gansmith.experiment.schema import Experiment


def explain_fields(errors: ValidationError, values: Mapping[str, Any], sources: Mapping[str, str]) -> list[str]:
    """One line for each field: a schedule that is none, for example, is several errors to pydantic."""
    lines: dict[str, str] = {}
    for error in errors.errors():
        path, value = ".".join(str(step) for step in error["loc"]), error["input"]
        for whole in (key for key in values if path.startswith(f"{key}.")):  # one side of a size, one of a list
            path, value = whole, values[whole]
        lines.setdefault(path, _explain(error, path, value, sources))
    return list(lines.values())


def _explain(error: Any, path: str, value: Any, sources: Mapping[str, str]) -> str:
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
    return f"{path} = {value!r}{source} is not allowed: {error['msg'].removeprefix('Value error, ')}"

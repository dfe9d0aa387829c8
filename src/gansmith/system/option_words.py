"""What an option takes, in words: `a whole number from 1 to 1,000,000, or null`, from its annotation."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Takes:
    """Words for what an annotation takes, between which its bounds stand: `Annotated[int, BeforeValidator(...),
    Field(ge=1), Takes("a number of images", ", such as 50k")]`."""

    words: str
    examples: str = ""


_BOUNDS = ("ge", "gt", "le", "lt", "multiple_of", "min_length")
_LONGEST = 200  # letters of a value in a message
_KEYWORDS: Mapping[Any, str] = {
    bool: "true or false",
    str: "a word",
    type(None): "null",
    dict: "a group of options {name: value}",
}


def explain(error: Mapping[str, Any], annotation: Any) -> str:
    """What is wrong with a value: what a check of ours says of it, else what the option takes.

    error: one of pydantic's `ValidationError.errors()`.

    >>> explain({"type": "greater_than_equal", "msg": "..."}, Annotated[int, FieldInfo(ge=1)])
    'it takes a whole number of at least 1'
    """
    if error["type"] == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    words = allowed(annotation)
    finite = "it must be finite: " if error["type"] == "finite_number" else ""
    return f"{finite}it takes {words}" if words else f"{finite}{error['msg']}"


def shown(value: Any) -> str:
    """A value as a person writes it; a long one is cut."""
    text = str(value).lower() if isinstance(value, bool) else "null" if value is None else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def allowed(annotation: Any) -> str:
    """The values that an annotation takes; an empty string where there are no words for them.

    >>> allowed(Literal["normal", "sphere"]), allowed(tuple[int, int])
    ('normal or sphere', 'a list of 2 (a whole number each)')
    """
    return _allowed(annotation, {})


def field_annotation(field: FieldInfo) -> Any:
    """The annotation of a model's field with the bounds that pydantic keeps beside it."""
    bounds = tuple(field.metadata)
    return Annotated[field.annotation, *bounds] if bounds else field.annotation


def _allowed(annotation: Any, bounds: Mapping[str, Any]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        said = next((one for one in arguments[1:] if isinstance(one, Takes)), None)
        bounds = {**_bounds(arguments[1:]), **bounds}
        return _allowed(arguments[0], bounds) if said is None else _number(said.words, bounds) + said.examples
    if origin in (Union, types.UnionType):
        listed = [get_args(one) if get_origin(one) is Literal else (_allowed(one, bounds),) for one in arguments]
        return _either(dict.fromkeys(str(word) for words in listed for word in words))
    if origin is not None:
        of_many: dict[Any, Callable[[], str]] = {
            Literal: lambda: _either(map(str, arguments)),
            tuple: lambda: _list(arguments),
            dict: lambda: f"a group of options {{name: {allowed(arguments[1]) or 'value'}}}",
        }
        return of_many.get(origin, lambda: _KEYWORDS.get(origin, ""))()
    if annotation in (int, float):
        return _number("a whole number" if annotation is int else "a number", bounds)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        named = annotation.model_config.get("extra") == "allow"
        return "a name, or {name: NAME, ...}" if named else f"{{{', '.join(annotation.model_fields)}}}"
    return _KEYWORDS.get(annotation, "")


def _bounds(metadata: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in metadata:
        for part in one.metadata if isinstance(one, FieldInfo) else (one,):
            found |= {name: getattr(part, name) for name in _BOUNDS if getattr(part, name, None) is not None}
    return found


def _number(kind: str, bounds: Mapping[str, Any]) -> str:
    least, most = bounds.get("ge"), bounds.get("le")
    above, below = bounds.get("gt"), bounds.get("lt")
    parts = []
    least = None if above is not None else least
    if least is not None and most is not None:
        parts.append(f"from {_figure(least)} to {_figure(most)}")
    else:
        parts += [f"of at least {_figure(least)}"] if least is not None else []
        parts += [f"above {_figure(above)}"] if above is not None else []
        parts += [f"up to {_figure(most)}"] if most is not None else []
        parts += [f"below {_figure(below)}"] if below is not None else []
    if "multiple_of" in bounds:
        parts.append(f"that is a multiple of {_figure(bounds['multiple_of'])}")
    return " ".join([kind, ", ".join(parts)]) if parts else kind


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def _list(arguments: tuple[Any, ...]) -> str:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        inner = allowed(arguments[0])
        return f"a list ({inner} each)" if inner else "a list"
    kinds = list(dict.fromkeys(allowed(one) for one in arguments))
    inner = f" ({kinds[0]} each)" if len(kinds) == 1 and kinds[0] else ""
    return f"a list of {len(arguments)}{inner}"


def _either(words: Iterable[str]) -> str:
    *others, last = [word for word in words if word] or [""]
    return f"{', '.join(others)} or {last}" if others else last


def booleans_as_numbers(given: Any, read: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths inside a value at which `given` is true or false and what pydantic made of it, `read`, is a number.

    >>> list(booleans_as_numbers({"batch": True, "flip": True}, {"batch": 1, "flip": True}))
    [('batch',)]
    """
    if isinstance(given, bool):
        if isinstance(read, int | float) and not isinstance(read, bool):
            yield path
    elif isinstance(given, Mapping):
        if isinstance(read, BaseModel):
            read = {**dict(read), **(read.model_extra or {})}
        if isinstance(read, Mapping):
            for key, value in given.items():
                if isinstance(key, bool) and key not in [one for one in read if isinstance(one, bool)]:
                    yield (*path, str(key).lower())
                elif key in read:
                    yield from booleans_as_numbers(value, read[key], (*path, str(key)))
    elif isinstance(given, Sequence) and not isinstance(given, str | bytes) and isinstance(read, list | tuple):
        for number, (one, other) in enumerate(zip(given, read, strict=False)):
            yield from booleans_as_numbers(one, other, (*path, str(number)))

"""One field of an item (a named tuple, a dictionary, a tuple) changed, the others kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gansmith.errors import OptionError, nearest


def change(item: Any, field: str | int | None, function: Callable[[Any], Any]) -> Any:
    """`function(item)`, or `item` with only `field` changed by it. Raises OptionError for no such field."""
    if field is None:
        return function(item)
    if isinstance(item, Mapping):
        if field not in item:
            raise _no_field(field, [str(name) for name in item])
        return {name: function(value) if name == field else value for name, value in item.items()}
    if isinstance(item, tuple):
        names = list(getattr(item, "_fields", ()))
        place = names.index(field) if field in names else field
        if not isinstance(place, int) or not 0 <= place < len(item):
            raise _no_field(field, names or [str(number) for number in range(len(item))])
        values = [function(value) if number == place else value for number, value in enumerate(item)]
        return type(item)(*values) if names else tuple(values)
    raise OptionError(f"items of type {type(item).__name__} have no fields; leave out field={field!r}")


def _no_field(field: str | int, names: list[str]) -> OptionError:
    return OptionError(f"items have no field {field!r}. {nearest(str(field), names)}They have: {', '.join(names)}")

"""Validation of options that hold several names: a list, words with commas, or a mapping from names to amounts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from gansmith.errors import unknown


def names_among(kind: str, known: Collection[str]) -> Callable[[Any], Any]:
    """A validator: `"color, cutout"` or `["color", "cutout"]` -> `("color", "cutout")`; a mapping stays as it is.

    It raises ValueError, with the nearest name, for one that is not `known`, and for one that stands twice.
    """

    def checked(value: Any) -> Any:
        if isinstance(value, str):
            value = [word.strip() for word in value.split(",") if word.strip()]
        if not isinstance(value, (list, tuple, Mapping)):
            raise ValueError(f"give names out of {', '.join(known)}")
        for name in value:
            if name not in known:
                raise ValueError(unknown(kind, str(name), known))
            if not isinstance(value, Mapping) and list(value).count(name) > 1:
                raise ValueError(f"{name!r} stands twice")
        return value if isinstance(value, Mapping) else tuple(value)

    return checked

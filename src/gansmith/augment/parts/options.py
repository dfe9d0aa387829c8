"""Options that name several things at once: a list, words with commas, or a mapping from names to amounts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from gansmith.errors import unknown


def names_among(kind: str, known: Collection[str]) -> Callable[[Any], Any]:
    """A validator: `"color, cutout"` or `["color", "cutout"]` -> `("color", "cutout")`; a mapping stays as it is.

    It raises ValueError, with the nearest name, for one that is not `known`, and for one that stands twice.
    """

    def checked(given: Any) -> Any:
        if isinstance(given, str):
            given = [word.strip() for word in given.split(",") if word.strip()]
        if not isinstance(given, (list, tuple, Mapping)):
            raise ValueError(f"give names out of {', '.join(known)}")
        for name in given:
            if name not in known:
                raise ValueError(unknown(kind, str(name), known))
            if not isinstance(given, Mapping) and list(given).count(name) > 1:
                raise ValueError(f"{name!r} stands twice")
        return given if isinstance(given, Mapping) else tuple(given)

    return checked

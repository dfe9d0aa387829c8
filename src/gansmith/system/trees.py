"""Nested dictionaries, lists and tuples: a function applied to each leaf, and the leaves in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def map_leaves(function: Callable[[Any, str], Any], tree: Any, path: str) -> Any:
    """The same structure with function(leaf, path) at its leaves; a path is written as in Python.

    >>> map_leaves(lambda leaf, path: f"{path} = {leaf}", {"a": [1, 2]}, "x")
    {'a': ["x['a'][0] = 1", "x['a'][1] = 2"]}
    """
    if isinstance(tree, dict):
        return {key: map_leaves(function, value, f"{path}[{key!r}]") for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        items = [map_leaves(function, value, f"{path}[{index}]") for index, value in enumerate(tree)]
        if isinstance(tree, list):
            return items
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    return function(tree, path)


def leaves(tree: Any, path: str = "") -> list[tuple[Any, str]]:
    """The leaves of `tree` in order, each with its path.

    >>> leaves({"a": [1, 2]}, "x")
    [(1, "x['a'][0]"), (2, "x['a'][1]")]
    """
    collected: list[tuple[Any, str]] = []
    map_leaves(lambda leaf, where: collected.append((leaf, where)), tree, path)
    return collected

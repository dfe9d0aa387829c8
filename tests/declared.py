"""Sizes that a model of the catalog declares (`SMALLEST`, `MULTIPLE`), for tests of something else that need one."""

from __future__ import annotations

from gansmith import catalog
from gansmith.adversarial import Dimensions


def declared(model: str) -> tuple[int, int]:
    """The shortest side that all networks of a model's file have by default, and what divides both sides."""
    smallest, multiple = (catalog.stated("models", model, name, 1) for name in ("SMALLEST", "MULTIPLE"))
    return smallest, multiple


def fitted(model: str, size: Dimensions) -> Dimensions:
    """`size` with both sides as large as `model` declares, or larger so that it can be made."""
    smallest, multiple = declared(model)
    height, width = (-(-max(side, smallest) // multiple) * multiple for side in (size.height, size.width))
    return size._replace(height=height, width=width)

"""Taking from a Side what a metric needs of it, or saying that it is not there."""

from __future__ import annotations

from typing import Literal

from gansmith.errors import DataError
from gansmith.evaluation.evidence import Features, Side


def needed(side: Side, field: Literal["features", "probabilities"], metric: str) -> Features:
    """`side.features` [N, D] or `side.probabilities` [N, K]. Raises DataError naming side and metric without it."""
    found = side.features if field == "features" else side.probabilities
    if found is None:
        way = "an extractor" if field == "features" else "an extractor that has classes, or a classifier of your own"
        raise DataError(f"{metric} needs the {field} of {side.name}, and there are none: give {way} (--features)")
    return found

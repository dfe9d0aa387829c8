"""Types of options: what each takes and what it refuses."""

from __future__ import annotations

from typing import Annotated, Any, get_origin

import pytest
from pydantic import TypeAdapter, ValidationError

from gansmith.system import option_types

INFINITE = (float("inf"), float("nan"))
EVERY: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {  # what is taken, what is refused
    "PositiveInt": ((1, 2), (0, -1, 1.5, 2**31, 10**30)),
    "NonNegativeInt": ((0, 1), (-1, 0.5, 2**31)),
    "AtLeastTwo": ((2, 3), (1, 0, 2.5, 2**31)),
    "SmallAtLeastTwo": ((2, 1000), (1, 1001)),
    "SmallInt": ((1, 1000), (0, 1001)),
    "NonNegativeSmallInt": ((0, 1000), (-1, 1001)),
    "FiniteFloat": ((-1e9, 0, 1e9), INFINITE),
    "PositiveFloat": ((1e-9, 1e9), (0, -1, *INFINITE)),
    "NonNegativeFloat": ((0, 1e9), (-1e-9, *INFINITE)),
    "Fraction": ((0, 0.3, 1), (-1e-9, 1 + 1e-9, *INFINITE)),
    "FractionAboveZero": ((1e-9, 1), (0, 1 + 1e-9, *INFINITE)),
    "FractionBelowOne": ((0, 1 - 1e-9), (-1e-9, 1, *INFINITE)),
    "FractionToHalf": ((0, 0.5), (-1e-9, 0.5 + 1e-9, *INFINITE)),
    "FractionBelowHalf": ((0, 0.5 - 1e-9), (-1e-9, 0.5, *INFINITE)),
}


@pytest.mark.parametrize("name", [name for name, value in vars(option_types).items() if get_origin(value) is Annotated])
def test_bounds(name: str) -> None:
    adapter = TypeAdapter(getattr(option_types, name))
    taken, refused = EVERY[name]
    for value in taken:
        assert adapter.validate_python(value) == value
    for value in refused:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)

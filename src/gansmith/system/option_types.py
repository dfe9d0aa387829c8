"""Types of options: numbers within bounds, as pydantic checks them. Infinities and NaN are refused.

Schedules and numbers with units (`50k`) are in `gansmith.schedules`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LARGEST = 2**31 - 1  # of a whole number: what torch counts in 64 bits is then a product of two
SMALL = 1000  # of a number that is small in any use: layers, blocks, pixels of a margin, updates in a step
LARGEST_FLOAT = 1e9  # of a number with a fraction: its fourth power is one in float32
MOST_WORKERS = 512  # processes
LARGEST_INPUT = 1024  # pixels a side, of the images that a feature extractor reads

PositiveInt = Annotated[int, Field(ge=1, le=LARGEST)]
NonNegativeInt = Annotated[int, Field(ge=0, le=LARGEST)]
AtLeastTwo = Annotated[int, Field(ge=2, le=LARGEST)]
SmallInt = Annotated[int, Field(ge=1, le=SMALL)]
NonNegativeSmallInt = Annotated[int, Field(ge=0, le=SMALL)]
SmallAtLeastTwo = Annotated[int, Field(ge=2, le=SMALL)]

FiniteFloat = Annotated[float, Field(ge=-LARGEST_FLOAT, le=LARGEST_FLOAT, allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(gt=0, le=LARGEST_FLOAT, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, le=LARGEST_FLOAT, allow_inf_nan=False)]

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
FractionAboveZero = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
FractionBelowOne = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
FractionToHalf = Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)]
FractionBelowHalf = Annotated[float, Field(ge=0, lt=0.5, allow_inf_nan=False)]

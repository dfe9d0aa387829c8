"""Option types that several penalties share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Every = Annotated[int, Field(ge=1)]  # steps
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

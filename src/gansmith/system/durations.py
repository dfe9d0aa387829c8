"""Lengths of time as people write them: 90s, 15m, 1h30m."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from gansmith.system.option_words import Takes

LONGEST = 10**9  # seconds: thirty years


def parse_duration(value: Any) -> float:
    """`"1h30m"` -> 5400.0 seconds; hours, minutes, seconds in this order, each with its unit.

    Raises ValueError for anything else, a bare number too: nobody knows whether 15 is seconds or minutes.

    >>> parse_duration("1h30m"), parse_duration("1.5 m")
    (5400.0, 90.0)
    """
    number = r"(?:(\d*\.?\d+)\s*%s)?\s*"
    parts = re.fullmatch(r"\s*" + "".join(number % unit for unit in "hms"), str(value).lower(), re.ASCII)
    if not isinstance(value, str) or not value.strip() or not parts:
        raise ValueError(f"a time is written like 90s, 15m or 1h30m, not {value!r}")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return 3600 * hours + 60 * minutes + seconds


def duration_words(seconds: float) -> str:
    """`5400.0` -> `"1h30m"`; what `parse_duration` reads as the same number.

    >>> duration_words(5400.0), duration_words(61.5), duration_words(0.5)
    ('1h30m', '1m1.5s', '0.5s')
    """
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{number:.0f}{unit}" for number, unit in ((hours, "h"), (minutes, "m")) if number]
    return "".join([*parts, f"{rest:.10g}s"] if rest or not parts else parts)


def rate_words(rate: float) -> str:
    """A number for each second: whole from 10 on, else two digits.

    >>> rate_words(1234.5), rate_words(2.34), rate_words(0.031)
    ('1,234', '2.3', '0.031')
    """
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


Duration = Annotated[
    float,
    Field(gt=0, le=LONGEST, allow_inf_nan=False),
    BeforeValidator(parse_duration),
    PlainSerializer(duration_words, return_type=str),
    Takes("a time", ", such as 90s, 15m or 1h30m"),
]

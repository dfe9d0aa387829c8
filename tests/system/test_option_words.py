"""What an option takes, in words; true and false where a number is wanted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter

from gansmith.schedules import MOST_IMAGES, Count, Value
from gansmith.system.option_types import Fraction, FractionBelowOne, PositiveInt
from gansmith.system.option_words import Takes, allowed, booleans_as_numbers, shown


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "a whole number"),
        (PositiveInt, "a whole number from 1 to 2,147,483,647"),
        (PositiveInt | None, "a whole number from 1 to 2,147,483,647 or null"),
        (Fraction, "a number from 0 to 1"),
        (FractionBelowOne, "a number of at least 0, below 1"),
        (Annotated[int, Field(ge=14, multiple_of=14)], "a whole number of at least 14, that is a multiple of 14"),
        (Literal["a", "b", "c"], "a, b or c"),
        (bool, "true or false"),
        (str | None, "a word or null"),
        (tuple[float, float], "a list of 2 (a number each)"),
        (tuple[str, ...], "a list (a word each)"),
        (dict[str, int], "a group of options {name: a whole number}"),
        (dict[str, Any], "a group of options {name: value}"),
        (
            Annotated[Count, Field(gt=0)],
            f"a number of images above 0, up to {MOST_IMAGES:,}, such as 50000, 50k or 1.5M",
        ),
        (
            Value,
            "a number, {start, end, hold, decay, shape}, {start, end, last, shape}, "
            "{start, halving}, {phases} or {points}",
        ),
        (Annotated[tuple[int, int], Takes("64 or 48x64")] | None, "64 or 48x64 or null"),
        (Any, ""),
    ],
)
def test_what_is_allowed(annotation: Any, words: str) -> None:
    assert allowed(annotation) == words


@pytest.mark.parametrize(
    ("annotation", "given", "paths"),
    [
        (int, True, [()]),
        (float, False, [()]),
        (bool, True, []),
        (bool | int, True, []),
        (tuple[int, float], [1, True], [("1",)]),
        (dict[str, float], {"a": True, "b": 1}, [("a",)]),
        (Value, True, [()]),
        (Value, {"start": True, "decay": 4}, [("start",)]),
        (Value, {"phases": {True: 1.0}}, [("phases", "true")]),
        (Value, {"points": {0: 1.0, 2: False}}, [("points", "2")]),
    ],
)
def test_booleans_are_not_numbers(annotation: Any, given: Any, paths: list[tuple[str, ...]]) -> None:
    assert list(booleans_as_numbers(given, TypeAdapter(annotation).validate_python(given))) == paths


def test_values_as_they_are_written() -> None:
    assert [shown(value) for value in (True, None, "x", 1.5)] == ["true", "null", "'x'", "1.5"]
    assert len(shown("x" * 10_000)) < 300

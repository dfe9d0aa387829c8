"""Lengths of time: how they are written, what is none, and that they are read back as the same number."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gansmith.system.durations import LONGEST, Duration, duration_words, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), ("1h 30m 5s", 5405), (" 2H ", 7200), (".5m", 30), ("1.5h", 5400)],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("value", ["", " ", "15", 15, 15.0, "m", "15m1h", "1d", "-5m", "5 apples", "1h30", True, None])
def test_what_is_no_time(value: Any) -> None:
    with pytest.raises(ValueError, match="90s, 15m or 1h30m") as raised:
        parse_duration(value)
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("value", ["0s", f"{LONGEST + 1}s"])
def test_a_time_has_bounds(value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(value)


@given(st.integers(1, 10**7).map(lambda tenths: tenths / 10))
def test_words_are_read_as_the_same_number(seconds: float) -> None:
    assert parse_duration(duration_words(seconds)) == pytest.approx(seconds, rel=1e-12)

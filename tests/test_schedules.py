"""Schedules at their corners, and the spellings of a number of images."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gansmith.schedules import Decay, Phases, Value, Weight, parse_count, schedule


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("50000", 50_000),
        ("50k", 50_000),
        ("50K", 50_000),
        (" 1.5M ", 1_500_000),
        ("2e7", 20_000_000),
        ("1G", 1_000_000_000),
        ("1_000", 1_000),
        ("0.5k", 500),
        (".5k", 500),
        ("0", 0),
        (7, 7),
        (2e7, 20_000_000),
    ],
)
def test_counts(text: Any, count: int) -> None:
    assert parse_count(text) == count
    assert isinstance(parse_count(text), int)


@pytest.mark.parametrize("text", ["", "k", "-5", "5 apples", "1.5.5", "5kk", "1e", "fifty"])
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(ValueError, match=r"50000, 50k, 1\.5M.*2e7") as raised:
        parse_count(text)
    assert repr(text) in str(raised.value)


def value(plain: Any) -> Any:
    return schedule(TypeAdapter(Value).validate_python(plain))


def test_a_number_holds_for_ever() -> None:
    for plain in (3, 0.25):
        assert [value(plain)(images) for images in (0, 1, 10**9)] == [plain] * 3


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_a_decay_at_its_corners(shape: str) -> None:
    at = value({"start": 2.0, "end": 1.0, "hold": "1k", "decay": "4k", "shape": shape})
    corners = {0: 2.0, 999: 2.0, 1000: 2.0, 3000: 1.5, 5000: 1.0, 5001: 1.0, 10**9: 1.0}
    assert {images: at(images) for images in corners} == pytest.approx(corners)
    quarter = 1.75 if shape == "linear" else 1 + (1 + math.cos(math.pi / 4)) / 2
    assert at(2000) == pytest.approx(quarter)
    assert 1.0 < at(4999) < at(1001) < 2.0


def test_amounts_may_be_words() -> None:
    """YAML reads 2e-4, without a point, as a word."""
    assert [value(text)(5) for text in ("2e-4", "0.5", "10k", "1.5M")] == [2e-4, 0.5, 10_000.0, 1_500_000.0]
    assert value({"start": "2e-4", "end": "1e-4", "decay": "1k"})(500) == pytest.approx(1.5e-4)


def test_a_decay_may_rise_and_ends_at_zero_by_default() -> None:
    assert Decay(start=0.0, end=8.0, decay=100).at(25) == 2.0
    assert Decay(start=4.0, decay=100).at(75) == 1.0
    assert Decay(start=4.0, decay=100).at(100) == 0.0


def test_inverse_time_is_the_lessons_learning_rate_decay() -> None:
    """torch's optim.sgd: rate / (1 + step * decay); at batch 8 a decay of 1e-3 halves the rate in 8,000 images."""
    at = value({"start": 0.5, "halving": "8k"})
    for step in (0, 1, 7, 1000, 10**6):
        assert at(8 * step) == pytest.approx(0.5 / (1 + step * 1e-3))
    for wrong in ({"start": 0.5, "halving": 0}, {"start": 0.5, "halving": 5, "end": 0}):
        with pytest.raises(ValidationError):
            value(wrong)


def test_a_weight_is_never_negative() -> None:
    for plain in (-1, {"start": 1, "end": -1, "decay": 5}, {"start": -1, "halving": 5}, {"phases": {0: 1, 5: -1}}):
        with pytest.raises(ValidationError, match="must not be negative"):
            TypeAdapter(Weight).validate_python(plain)
    for plain in (0, {"start": 1, "decay": 5}, {"start": 1, "halving": 5}, {"points": {0: 1, 5: 0}}):
        TypeAdapter(Weight).validate_python(plain)


def test_phases_begin_at_their_number_of_images() -> None:
    at = value({"phases": {"0": 1e-4, "1M": 1e-5, "2M": 1e-6}})
    assert [at(images) for images in (0, 999_999, 1_000_000, 1_999_999, 2_000_000, 10**9)] == [
        *(1e-4, 1e-4),
        *(1e-5, 1e-5),
        *(1e-6, 1e-6),
    ]
    assert Phases(phases={100: 5.0, 50: 3.0}).at(0) == 3.0  # before the first phase: the first phase's value


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        ({"start": 1.0}, "Field required"),
        ({"start": 1.0, "decay": 0}, "greater than 0"),
        ({"start": 1.0, "decay": -5}, "greater than"),
        ({"start": 1.0, "decay": 10, "hold": "x"}, "50000, 50k"),
        ({"start": 1.0, "decay": 10, "shape": "square"}, "'linear' or 'cosine'"),
        ({"start": 1.0, "decay": 10, "ends": 0}, "Extra inputs are not permitted"),
        ({"phases": {}}, "at least 1 item"),
        ({"phases": {"soon": 1.0}}, "50000, 50k"),
        ("fast", "0.0002, 2e-4.*'fast'"),
    ],
)
def test_descriptions_that_are_refused(plain: Any, text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        value(plain)


def test_points_are_joined_by_straight_lines() -> None:
    at = value({"points": {"12k": 0.8, "0": 0.08, "24k": 0.008}})  # in any order
    corners = {0: 0.08, 3_000: 0.26, 6_000: 0.44, 12_000: 0.8, 18_000: 0.404, 24_000: 0.008, 10**9: 0.008}
    assert {images: at(images) for images in corners} == pytest.approx(corners)
    late = value({"points": {100: 1.0, 200: 3.0}})
    assert [late(images) for images in (0, 100, 150, 200, 201)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    with pytest.raises(ValidationError):
        value({"points": {0: 1.0}})

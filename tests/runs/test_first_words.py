"""What a training says in its first seconds, each line once, by a clock that the test turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansmith.runs.first_words import FirstWords


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_the_path_of_a_sheet_once_and_not_of_the_first_moments(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    words = FirstWords(1_000, clock=clock)
    words.saved(Path("run/samples/000000000.png"))  # before the start
    words.start(0)
    assert said(capsys) == []
    clock.now += 4.9
    words.saved(Path("run/samples/000000100.png"))
    assert said(capsys) == []
    clock.now += 0.1
    words.saved(Path("run/samples/000000200.png"))
    words.saved(Path("run/samples/000000500.png"))
    assert [line.count("run/samples/000000200.png") for line in said(capsys)] == [1]


def test_the_forecast_once_by_the_rate_of_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    words = FirstWords(300_000, clock=clock)
    words.start(2_000)
    for drawn in range(2_500, 12_000, 500):  # 500 a second
        clock.now += 1.0
        words.after_step(drawn)
        assert (drawn >= 7_000) or not said(capsys)
    (line,) = said(capsys)
    assert "300,000 images" in line
    assert "10 minutes" in line  # (300,000 - 7,000) / 500 seconds
    assert "500 a second" in line
    assert "--time" in line


def test_less_than_an_image_a_second_is_no_zero(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    words = FirstWords(1_000, clock=clock)
    words.start(0)
    clock.now += 100.0
    words.after_step(32)
    (line,) = said(capsys)
    assert "0.32 a second" in line


def test_no_forecast_where_a_time_is_given_and_no_sheet_of_a_run_that_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    words = FirstWords(None, clock=clock)
    words.start(64)
    clock.now += 60
    words.saved(Path("x.png"))
    words.after_step(640)
    assert said(capsys) == []

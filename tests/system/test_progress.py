"""Progress: rate, time gone, time left."""

from __future__ import annotations

import io
import re
import sys

import pytest

from gansmith.system import progress
from gansmith.system.progress import bar, format_duration, track


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (-3, "0:00"), (9.4, "0:09"), (75.2, "1:15"), (59.6, "1:00"), (3599.6, "1:00:00"), (3725, "1:02:05")],
)
def test_clock(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


class Time:
    """A clock that moves when told."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(progress, "time", fake)
    return fake


def test_plain_lines_now_and_then(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    with bar("training", 1000, done=200) as advance:
        time.now += 5
        advance(100, "D 1.2")
        assert capsys.readouterr().err == ""
        time.now += 5
        advance(100)
        assert capsys.readouterr().err == (
            "training: 400/1,000 images, 20 images/s, 0:10 gone, 0:30 left  D 1.2\n"  # 200 fresh in 10 s, 600 to go
        )
        time.now += 30
        advance(600)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["training: 1,000/1,000 images, 20 images/s, 0:40 gone  D 1.2"]  # once, not again at the end


def test_time_left_follows_the_rate_of_now(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten times as slow for a minute: the mean since the start would say 22 a second."""
    with bar("training", 10_000) as advance:
        for rate in [100] * 10 + [10] * 60:
            time.now += 1
            advance(rate)
        last = capsys.readouterr().err.splitlines()[-1]
    assert "10 images/s" in last
    assert "14:00 left" in last  # 8,400 at 10 a second


def test_what_is_quick_says_nothing(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([3, 4], "reading", 2, "files")) == [3, 4]
    assert capsys.readouterr().err == ""


def test_track_counts_every_item(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in track(range(3), "reading", 3, "files"):
        time.now += 2
    assert capsys.readouterr().err == "reading: 3/3 files, 0.5 files/s, 0:06 gone\n"


def test_nothing_goes_to_standard_output(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    with bar("x", 1) as advance:
        time.now += 60
        advance()
    assert capsys.readouterr().out == ""


class Terminal(io.StringIO):
    """Standard error, as a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    with bar("training", 1000, done=200) as advance:
        advance(300, "D 1.2")
        advance(200)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "training" in shown
    assert "700/1,000 images" in shown
    assert re.search(r"\d/s +\d+:\d\d left  D 1.2", shown)


def test_what_was_done_before_is_no_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    with bar("training", 1000, done=200) as advance:
        advance(0)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "200/1,000 images 0.0/s" in " ".join(shown.split())


def test_seconds_have_no_rate(time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    with bar("measuring", 15, unit="seconds") as advance:
        time.now += 10
        advance(10)
    said = capsys.readouterr().err
    assert "10/15 seconds" in said
    assert "/s" not in said
    assert "/s" not in progress.bar_line(80, "measuring", 10, 15, unit="seconds", rate=1.0)

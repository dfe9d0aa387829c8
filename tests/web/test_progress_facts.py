"""How far a training is, as the page says it: one clock, a time left that does not jump, no health without records."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gansmith.web.progress_facts import health_of, images_drawn, seconds_left, steady_rate


def rows(*marks: tuple[float, int], **more: Any) -> list[dict[str, Any]]:
    return [{"step": n, "seconds": seconds, "images": images, **more} for n, (seconds, images) in enumerate(marks, 1)]


def test_a_sheet_of_the_first_seconds_is_on_the_same_clock(tmp_path: Path) -> None:
    """The first sheet comes at 100 images, the first record at 2,000."""
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "000000128.png").write_bytes(b"")
    assert images_drawn(tmp_path, {}, 128, training=True) == 128
    assert images_drawn(tmp_path, {}, None, training=True) == 0
    assert images_drawn(tmp_path, {"images": 2000}, 128, training=True) == 2000
    assert images_drawn(tmp_path, {}, 128, training=False) == 0  # then the model says it


def test_a_sheet_of_before_a_resumption_moves_no_clock(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    sheet, events = tmp_path / "samples" / "000005000.png", tmp_path / "events.jsonl"
    for path in (sheet, events):
        path.write_bytes(b"")
    os.utime(sheet, (1000, 1000))
    os.utime(events, (2000, 2000))
    assert images_drawn(tmp_path, {"images": 4000}, 5000, training=True) == 4000
    os.utime(sheet, (3000, 3000))
    assert images_drawn(tmp_path, {"images": 4000}, 5000, training=True) == 5000


def test_the_start_of_the_networks_is_in_no_rate() -> None:
    """Two thousand images in 9 s, of which 8 s are the start; then 1,000 a second."""
    after = [(9.0 + 2 * n, 2000 * (1 + n)) for n in range(4)]
    assert [steady_rate(rows(*after[:count])) for count in range(1, 5)] == [None, None, 1000.0, 1000.0]


def test_a_rate_that_still_changes_is_measured_on() -> None:
    slowing = [(2.0, 2000), (3.0, 4000), (4.0, 6000), (9.0, 8000)]
    assert steady_rate(rows(*slowing)) is None
    assert steady_rate(rows(*slowing, (14.0, 10000))) == pytest.approx(8000 / 12)  # long enough to be a mean


def test_only_the_last_half_minute_counts() -> None:
    fast = [(float(n), 100 * n) for n in range(1, 41)]
    slow = [(40.0 + n, 4000 + 10 * n) for n in range(1, 41)]
    assert steady_rate(rows(*fast, *slow)) == 10.0


def test_a_slow_training_has_a_rate_from_its_first_record_on() -> None:
    assert steady_rate(rows((400.0, 2000))) == 5.0
    assert steady_rate(rows((400.0, 2000), (900.0, 4000))) == pytest.approx(4000 / 900)


def test_records_of_metrics_hold_no_time() -> None:
    assert steady_rate([*rows((1.0, 100), (5.0, 500)), {"step": 9, "images": 600, "kid": 0.1}]) is None


@pytest.mark.parametrize("seconds", [float("nan"), None, "9", True])
def test_damaged_times_are_left_out(seconds: Any) -> None:
    good = rows((1.0, 100), (3.0, 300), (5.0, 500))
    assert steady_rate([*good, {"step": 4, "images": 600, "seconds": seconds}]) == 100.0


def test_time_left_does_not_jump_when_a_run_by_time_knows_its_length() -> None:
    first = rows((9.0, 2000))
    assert seconds_left([], 0, total=None, time=60.0) == 60.0
    assert seconds_left(first, 2000, total=None, time=60.0) == 51.0
    assert seconds_left(first, 2000, total=50_000, time=60.0) == 51.0  # no rate yet: not 216 s
    steady = rows((9.0, 2000), (11.0, 4000), (13.0, 6000))
    assert seconds_left(steady, 6000, total=50_000, time=60.0) == 44.0
    assert seconds_left(first, 2000, total=50_000) is None
    assert seconds_left(steady, 6000, total=6000) == 0.0


@pytest.mark.parametrize("words", ["balanced", "discriminator winning, diverging"])
def test_health_takes_five_records_good_or_bad(words: str) -> None:
    marks = [(float(n), 2000 * n) for n in range(1, 6)]
    metrics = {"step": 4, "images": 8000, "metric/kid": 0.1}
    assert health_of([]) is None
    assert health_of([*rows(*marks[:4], health=words), metrics]) is None
    assert health_of([*rows(*marks, health=words), metrics]) == words
    assert health_of(rows(*marks, health="")) is None

"""The recorder: when a record is written, what is in it, and views that fail."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from gansmith.errors import GansmithError, NotFiniteError
from gansmith.records import recorder as module
from gansmith.records.recorder import Record, Recorder


class Kept:
    """A view that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.closed = 0

    def record(self, record: Record) -> None:
        self.records.append(record)

    def close(self) -> None:
        self.closed += 1


class Broken(Kept):
    """A view that fails at its second record, and when it is closed."""

    def record(self, record: Record) -> None:
        super().record(record)
        if len(self.records) == 2:
            raise ConnectionError("the server went away")

    def close(self) -> None:
        raise OSError("the disk is full")


class Time:
    now = 50.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(module, "time", fake)
    return fake


def add(recorder: Recorder, step: int, loss: float = 1.0, drawn: int = 40) -> None:
    played = [("d", {"loss": torch.tensor(loss)}), ("g", {"loss": torch.tensor(-loss)})]
    recorder.add(played, step=step, images=step * drawn, drawn=drawn, waited=0.25)


def test_a_record_each_so_many_images(time: Time) -> None:
    view = Kept()
    recorder = Recorder([view], every=100, seconds=7.0)
    recorder.start(0)
    for step in range(1, 11):  # 40 images a step: multiples of 100 are passed at 120, 200, 320, 400
        time.now += 0.5
        add(recorder, step, float(step))
    assert [record["images"] for record in view.records] == [120, 200, 320, 400]
    assert view.records[0] == {
        "step": 3,
        "images": 120,
        "seconds": 8.5,  # 7 of the sittings before
        "images_per_second": 80.0,
        "waiting": 0.5,
        "d/loss": 2.0,
        "g/loss": -2.0,
    }
    assert list(view.records[0])[:3] == ["step", "images", "seconds"]
    assert view.records[1]["d/loss"] == 4.5  # steps 4 and 5 only
    assert [record["seconds"] for record in view.records] == [8.5, 9.5, 11.0, 12.0]


def test_pauses_are_not_training_time(time: Time) -> None:
    view = Kept()
    recorder = Recorder([view], every=40)
    time.now += 1000  # building the networks
    recorder.start(0)
    time.now += 2
    add(recorder, 1)
    time.now += 500  # a checkpoint was written
    recorder.pause()
    time.now += 3
    add(recorder, 2)
    assert [record["seconds"] for record in view.records] == [2.0, 5.0]
    assert view.records[1]["images_per_second"] == pytest.approx(13.3333)
    assert recorder.seconds == 5.0


def test_a_resumed_run_counts_on(time: Time) -> None:
    view = Kept()
    recorder = Recorder([view], every=100)
    recorder.start(80)
    time.now += 1
    add(recorder, 3)  # 120: passes 100
    assert [record["images"] for record in view.records] == [120]
    recorder = Recorder([view], every=100)
    recorder.start(120)
    add(recorder, 4)  # 160: does not
    assert len(view.records) == 1


def test_flush_writes_what_there_is_and_nothing_twice(time: Time) -> None:
    view = Kept()
    recorder = Recorder([view], every=1000)
    recorder.start(0)
    recorder.flush(step=0, images=0)
    assert view.records == []
    add(recorder, 1, 5.0)
    recorder.flush(step=1, images=40)
    recorder.flush(step=1, images=40)
    assert [(record["step"], record["d/loss"]) for record in view.records] == [(1, 5.0)]


def test_flush_proves_the_terms_finite() -> None:
    view = Kept()
    recorder = Recorder([view], every=1000)
    recorder.start(0)
    add(recorder, 1, math.nan)
    with pytest.raises(NotFiniteError, match="'loss' of turn 'd' became nan"):
        recorder.flush(step=1, images=40)
    assert view.records == []


def test_a_view_that_fails_is_left_out_and_training_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    broken, kept = Broken(), Kept()
    recorder = Recorder([broken, kept], every=40)
    recorder.start(0)
    for step in range(1, 5):
        add(recorder, step)
    assert (len(broken.records), len(kept.records)) == (2, 4)
    assert recorder.views == [kept]
    assert capsys.readouterr().err == ("warning: Broken failed and is left out from here on: the server went away\n")


def test_our_own_errors_stop_the_training() -> None:
    class Full(Kept):
        def record(self, record: Record) -> None:
            raise GansmithError("could not write events.jsonl: No space left on device")

    recorder = Recorder([Full()], every=40)
    recorder.start(0)
    with pytest.raises(GansmithError, match="No space left"):
        add(recorder, 1)


def test_closing_closes_every_view(capsys: pytest.CaptureFixture[str]) -> None:
    views: list[Any] = [Kept(), Broken(), Kept()]
    Recorder(views, every=1).close()
    assert (views[0].closed, views[2].closed) == (1, 1)
    assert capsys.readouterr().err == "warning: Broken could not be closed: the disk is full\n"

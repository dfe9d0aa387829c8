"""Where records go: JSON lines, the terminal, TensorBoard."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gansmith.errors import GansmithError, MissingExtraError
from gansmith.records import jsonl
from gansmith.records import terminal as terminal_module
from gansmith.records.recorder import Recorder
from gansmith.records.tensorboard import TensorBoard
from gansmith.records.terminal import Stopwatch, Terminal, terms
from gansmith.system import extras, progress
from refusals import refused

RECORDS = [{"step": step, "images": 64 * step, "seconds": 0.5 * step, "d/loss": 1.0 / step} for step in range(1, 6)]


def written(path: Path) -> None:
    view = jsonl.JsonLines(path)
    for record in RECORDS:
        view.record(record)
    view.close()


# ---- JSON lines


def test_one_record_per_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    written(path)
    assert len(path.read_text().splitlines()) == 5
    assert jsonl.read(path) == RECORDS
    assert jsonl.read(tmp_path / "absent") == []


def test_each_record_is_there_at_once_and_appended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"step": 0, "images": 0}\n')
    view = jsonl.JsonLines(path)
    view.record(RECORDS[0])
    assert jsonl.read(path) == [{"step": 0, "images": 0}, RECORDS[0]]  # before it is closed
    view.close()


def test_a_half_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    written(path)
    raw = path.read_bytes()
    whole = raw.index(b"\n", len(raw) // 2) + 1
    for cut_at in range(whole + 1, min(len(raw), whole + 60)):
        path.write_bytes(raw[:cut_at])
        found = jsonl.read(path)
        assert found == RECORDS[: len(found)]
        assert len(found) == raw[:cut_at].count(b"\n") + (raw[cut_at - 1 : cut_at] == b"}")


def test_resuming_cuts_the_file_back(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    written(path)
    with path.open("a") as file:
        file.write('{"step": 6, "ima')
    jsonl.cut(path, 3)
    assert jsonl.read(path) == RECORDS[:3]
    assert path.read_text().endswith("}\n")
    view = jsonl.JsonLines(path)
    view.record(RECORDS[3])
    view.close()
    assert jsonl.read(path) == RECORDS[:4]
    jsonl.cut(path, 0)
    assert path.read_text() == ""
    jsonl.cut(tmp_path / "new" / "events.jsonl", 0)
    assert (tmp_path / "new" / "events.jsonl").read_text() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_stops_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    view = jsonl.JsonLines(Path("/dev/full"))
    recorder = Recorder([view], every=1)
    with refused("/dev/full", "No space left on device", "untouched", error=GansmithError):
        recorder._hand_out(RECORDS[0])
    recorder.close()  # does not hide that error behind its own
    assert "warning: JsonLines could not be closed" in capsys.readouterr().err


# ---- terminal


def test_the_note_beside_the_bar() -> None:
    record = {
        "step": 3,
        "images": 192,
        "seconds": 1.5,
        "discriminator/loss": 1.2345,
        "discriminator/score_real": 0.5,
        "discriminator/accuracy": 0.625,
        "generator/loss": 0.855,
    }
    assert terms(record) == ["D 1.23", "G 0.85", "accuracy 0.62"]
    assert terms({"step": 1, "images": 64}) == []
    assert terms({"health": "discriminator winning, memorising"}) == ["discriminator winning", "memorising"]
    two = {f"discriminator_{domain}/{term}": 0.5 for domain in "ab" for term in ("loss", "accuracy")}
    assert terms(two) == ["D_a 0.50", "D_b 0.50", "accuracy_a 0.50", "accuracy_b 0.50"]


def test_the_bar_moves_with_every_step(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Time:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

    time = Time()
    monkeypatch.setattr(progress, "time", time)
    terminal = Terminal(images=1000, done=200)
    terminal.step(100)
    time.now = 20
    terminal.record({"images": 300, "d/loss": 0.5})
    assert capsys.readouterr().err == "training: 300/1,000 images, 5.0 images/s, 0:20 gone, 2:20 left  D 0.50\n"
    terminal.step(700)
    terminal.close()
    assert capsys.readouterr().err == "training: 1,000/1,000 images, 40 images/s, 0:20 gone  D 0.50\n"
    last = Terminal(images=1000, done=200)
    for drawn in (500, 500, 500):  # the last batches go beyond
        last.step(drawn)
    time.now += 5
    last.close()
    assert "training: 1,000/1,000 images" in capsys.readouterr().err


def test_a_stopwatch_shows_nothing_once_it_is_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Time:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

    time = Time()
    for module in (progress, terminal_module):
        monkeypatch.setattr(module, "time", time)
    watch = Stopwatch(10)
    time.now = 10.1
    watch.step(64)
    watch.close()
    assert capsys.readouterr().err == "measuring: 10/10 seconds, 0:10 gone\n"  # once
    time.now = 40.0
    watch.step(64)
    watch.record({"d/loss": 0.5})
    watch.close()
    assert capsys.readouterr().err == ""


# ---- TensorBoard


def test_tensorboard_files_hold_every_number(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    view = TensorBoard(tmp_path)
    for record in RECORDS:
        view.record(record)
    view.close()
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert sorted(events.Tags()["scalars"]) == ["d/loss", "seconds"]
    for name in ("d/loss", "seconds"):
        found = [(event.step, event.value) for event in events.Scalars(name)]
        assert found == [(record["images"], pytest.approx(record[name])) for record in RECORDS]


def test_without_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with refused("TensorBoard", extras.install("tensorboard"), error=MissingExtraError):
        TensorBoard(tmp_path)

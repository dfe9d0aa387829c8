"""A time instead of a number of images: measured once, written before the first checkpoint, and resumed as such."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from trainer_processes import assert_same_end

import gansmith
from forked import Forked, fork
from gansmith.errors import GansmithError, RunError
from gansmith.runs import trainer as module
from gansmith.runs.run import Run
from small import OPTIONS, SMALL

RATE = {"start": 2e-4, "end": 0, "last": "40%"}
COOLING: dict[str, Any] = {
    **{name: value for name, value in SMALL.items() if name != "images"},
    "optimizer": {"generator": {"name": "adam", "lr": RATE}, "discriminator": {"name": "adam", "lr": RATE}},
    "averaging": {"half_life": {"start": 100, "end": 400, "last": "20%"}},
}
BY_TIME = [option for option in OPTIONS if option not in ("--images", "320", "averaging.half_life=100")]
BY_TIME = [option for place, option in enumerate(BY_TIME) if [*BY_TIME, ""][place : place + 2] != ["--set", ""]]


def as_long(run: Run, out: Path) -> Path:
    """A run of the settings that `run` came to, by its file, without a time."""
    plain = {**run.experiment.plain(), "time": None, "out": str(out)}
    (out.parent / "again.yaml").write_text(gansmith_yaml(plain))
    return gansmith.train(config=out.parent / "again.yaml").path


def gansmith_yaml(plain: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(plain))


def test_a_time_becomes_images_and_schedules_and_the_run_is_one_of_so_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = gansmith.train(**COOLING, time="4s", out=str(tmp_path / "run"))
    said = capsys.readouterr().err
    experiment = run.experiment
    assert experiment.time == 4.0
    assert experiment.images != 1_000_000
    assert f"time 4s: {experiment.images:,} images" in said
    assert "continuing" not in said
    assert said.count("into ") == said.count("measuring: ") == 1
    assert said.index("measuring: ") < said.index("time 4s: ")
    assert f"training: {experiment.images:,}/{experiment.images:,} images" in said  # not what the last batch drew
    images = run.checkpoint()["images"]
    assert experiment.images <= images < experiment.images + 16
    plain = experiment.plain()
    rate, half_life = plain["optimizer"]["generator"]["lr"], plain["averaging"]["half_life"]
    assert rate["hold"] + rate["decay"] == experiment.images == half_life["hold"] + half_life["decay"]
    assert half_life["decay"] == round(0.2 * experiment.images)
    names = {path.stem for path in (run.path / "samples").glob("*.png")}
    marks = [0, *range(160, images, 160), images]  # no sheet where the measuring ended
    assert names == {f"{-(-mark // 16) * 16:09}" for mark in marks}
    records = run.records
    assert [record["step"] for record in records] == sorted({record["step"] for record in records})
    assert_same_end(run.path, as_long(run, tmp_path / "again"))


def test_the_same_command_again_and_resume_keep_the_images(run: Path, tmp_path: Path, capsys: Any) -> None:
    begun = gansmith.train(**COOLING, time="2s", out=str(tmp_path / "run2"))
    images, checkpoint = begun.experiment.images, begun.checkpoint()
    capsys.readouterr()
    for again in (lambda: gansmith.train(**COOLING, time="2s", out=str(begun.path)), begun.resume):
        again()
        assert f"is complete at {checkpoint['images']:,} images" in capsys.readouterr().err
        assert (begun.experiment.images, begun.experiment.time) == (images, 2.0)
    begun.resume(images=images + 320)
    said = capsys.readouterr().err
    assert "learning rates have ended" in said
    assert f"{images:,}" in said
    assert (begun.experiment.images, begun.experiment.time) == (images + 320, None)
    rate = begun.experiment.plain()["optimizer"]["generator"]["lr"]
    assert rate["hold"] + rate["decay"] == images  # as it was


def test_another_time_is_a_number_of_images_at_the_rate_of_the_run(tmp_path: Path, capsys: Any) -> None:
    begun = gansmith.train(**COOLING, images=320, out=str(tmp_path / "run"))
    last = begun.records[-1]
    capsys.readouterr()
    seconds = round(2 * last["seconds"], 1)
    gansmith.train(**COOLING, time=f"{seconds}s", out=str(begun.path))
    assert begun.experiment.images == round(last["images"] / last["seconds"] * seconds)
    assert begun.experiment.time == seconds
    assert f"{begun.experiment.images:,} images" in capsys.readouterr().err


def test_a_run_without_a_record_has_no_rate(run: Path) -> None:
    (run / "events.jsonl").unlink()
    with pytest.raises(RunError, match="--images"):
        gansmith.train(**{**SMALL, "time": "1m", "images": None}, out=str(run))


def test_both_lengths_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GansmithError) as raised:
        gansmith.train(**SMALL, time="1m", out=str(tmp_path / "run"))
    assert "--time" in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_metrics_count_and_leave_no_trace(tmp_path: Path) -> None:
    metrics = {"names": ["kid"], "samples": 20, "every": 10_000}
    run = gansmith.train(**COOLING, metrics=metrics, time="2s", out=str(tmp_path / "run"))
    measured = [record for record in run.records if "protocol" in record]
    assert len([record for record in measured if record["images"] < 10_000]) <= 1  # that of the end
    assert all(record["images"] >= min(run.experiment.images, 10_000) for record in measured)


def wait_for_a_record(out: Path, process: Forked) -> None:
    deadline, path = time.monotonic() + 240, out / "events.jsonl"
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


DYING = """
import os, signal, gansmith.models.saved, gansmith.runs.time_budget, gansmith.runs.trainer
owner = {owner}
whole, calls = owner.{name}, iter(range(1, 10**6))
def dying(*arguments, **options):
    if next(calls) == {count}:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*arguments, **options)
owner.{name} = dying
"""
MOMENTS = {  # when the window is over is known after the second step at the earliest
    "measuring": ("gansmith.runs.time_budget.TimeBudget", "after_step", 2),
    "known": ("gansmith.runs.trainer", "settled", 1),
    "not saved": ("gansmith.runs.trainer", "capture", 1),
    "saved": ("gansmith.models.saved", "save", 1),  # not the model yet
}
LAST = ("--set", "optimizer.generator.lr={start: 2.e-4, last: 40%}")


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_around_the_moment_that_the_length_is_known(moment: str, tmp_path: Path) -> None:
    """Either nothing is saved and the run begins again, or its length is."""
    out = tmp_path / "run"
    owner, name, count = MOMENTS[moment]
    before = DYING.format(owner=owner, name=name, count=count)
    with fork("train", *BY_TIME, "--time", "2s", *LAST, "--out", out, before=before) as process:
        process.communicate(timeout=240)
        assert process.returncode == -signal.SIGKILL
    assert ("last" in Run(out).experiment.plain()["optimizer"]["generator"]["lr"]) == (moment in ("measuring", "known"))
    assert bool(Run(out).checkpoints.names()) == (moment == "saved")
    require_same_end(out, tmp_path)


@pytest.mark.prove
@pytest.mark.parametrize("seconds", [0.0, 1.4, 1.5, 1.6])
def test_killed_at_any_moment(seconds: float, tmp_path: Path) -> None:
    """The window is 1.5 seconds."""
    out = tmp_path / "run"
    with fork("train", *BY_TIME, "--time", "6s", *LAST, "--out", out) as process:
        wait_for_a_record(out, process)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=240)
    require_same_end(out, tmp_path)


def require_same_end(out: Path, folder: Path) -> None:
    """What goes on from there ends as one that was given so many images."""
    begun = Run(out)
    saved = begun.checkpoints.names()
    length = begun.experiment.images
    rate = begun.experiment.plain()["optimizer"]["generator"]["lr"]
    begun.resume()
    ended = Run(out)
    if saved:
        assert begun.experiment.images == length
        assert rate["hold"] + rate["decay"] in (length, length + 1)  # one more where the measuring took all of the time
    assert ended.experiment.images <= ended.checkpoint()["images"] < ended.experiment.images + 16
    assert_same_end(out, as_long(ended, folder / "again"))


@pytest.mark.parametrize("wait", [0.0, pytest.param(1.2, marks=pytest.mark.prove)])
def test_stopped_by_a_signal_it_is_saved_with_a_length(wait: float, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with fork("train", *BY_TIME, "--time", "3s", "--out", out) as process:
        wait_for_a_record(out, process)
        time.sleep(wait)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=240)
        assert process.returncode == 143, said
    images = Run(out).experiment.images
    assert f"of {images:,} images; everything is saved" in said
    Run(out).resume()
    assert Run(out).experiment.images == images
    assert Run(out).checkpoint()["images"] >= images


def test_nothing_is_saved_before_the_length_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by checkpoint_every either; experiment.yaml has the number when the first checkpoint is written."""
    seen: list[tuple[int, Any]] = []
    save = module.Trainer._save

    def watched(self: module.Trainer, *arguments: Any, **options: Any) -> None:
        first = not self.checkpoints.names()
        save(self, *arguments, **options)
        if first:
            seen.append((self.step * 16, Run(self.folder).experiment.images))

    monkeypatch.setattr(module.Trainer, "_save", watched)
    run = gansmith.train(**{**COOLING, "checkpoint_every": 16, "keep_every": 32}, time="1s", out=str(tmp_path / "run"))
    assert len(seen) == 1
    assert seen[0][0] > 16
    assert seen[0][1] == run.experiment.images

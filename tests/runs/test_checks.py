"""Checks of a training at fixed counts of images: they change no bit of it, and a killed run says the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import gansmith
from forked import fork
from gansmith.evaluation.features import pixels
from gansmith.evaluation.types import Extractor
from gansmith.records import jsonl
from gansmith.records.health import Health
from gansmith.runs import checks
from gansmith.runs.notices import Notice
from gansmith.runs.run import Run
from small import OPTIONS, SMALL

CHECKED: dict[str, Any] = {**SMALL, "fraction": 1.0, "holdout": 0.05, "checks": {"every": 64}}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features are on this machine: the pixels stand for them."""
    extractor = pixels.build(device="cpu")

    def build(device: torch.device) -> Extractor:
        return extractor

    monkeypatch.setattr(checks, "extractor_here", build)


def checks_of(run: Run) -> list[dict[str, Any]]:
    return [record for record in run.records if "signs" in record]


@pytest.mark.usefixtures("here")
def test_the_best_recipe_is_that_of_the_whole_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is chosen before any image is held out."""
    counts: list[int] = []

    def best(count: int, seconds: float | None = None) -> str:
        counts.append(count)
        return "dcgan_few"

    monkeypatch.setattr(checks, "best_recipe", best)
    gansmith.train(**{**CHECKED, "images": 64}, out=str(tmp_path / "run"))
    assert {*counts} == {1_797}


@pytest.mark.usefixtures("here")
def test_checks_are_taken_by_the_images_clock_and_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "notices", lambda *_: [Notice("sign", "what was seen", "paste this", again=True)])
    run = gansmith.train(**CHECKED, out=str(tmp_path / "run"))
    found = checks_of(run)
    assert [record["images"] for record in found] == [64, 128, 192, 256, 320]
    for record in found:
        assert {"check/ruler", "check/told_apart", "check/spread"} <= record.keys()
        assert record["notices"] == [{"sign": "sign", "words": "what was seen", "paste": "paste this"}]
    assert capsys.readouterr().err.count("what was seen\n  paste this\n") == 5
    without = gansmith.train(**{**CHECKED, "checks": {"every": 0}}, out=str(tmp_path / "without"))
    assert checks_of(without) == []
    for name in ("generator", "discriminator"):
        file = f"model/{name}.safetensors"
        assert (run.path / file).read_bytes() == (without.path / file).read_bytes()
    kept = ("seconds", "images_per_second", "waiting")
    plain = [{k: v for k, v in record.items() if k not in kept} for record in run.records if "seconds" in record]
    assert plain == [{k: v for k, v in record.items() if k not in kept} for record in without.records]


def test_without_features_here_the_networks_alone_are_asked(tmp_path: Path) -> None:
    run = gansmith.train(**CHECKED, out=str(tmp_path / "run"))
    for record in checks_of(run):
        assert {name for name in record if name.startswith("check/")} == {"check/told_apart", "check/spread"}


BEFORE = """
import os, signal
import gansmith.runs.checks as checks, gansmith.runs.trainer as trainer
from gansmith.evaluation.features import pixels
checks.extractor_here = lambda device: pixels.build(device="cpu")
import gansmith.runs.notices as notices
notices.TOLD_APART = notices.TEXTURE = 0.45
after = trainer.Trainer._after_step
def killed(self, engine):
    after(self, engine)
    if self.step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
trainer.Trainer._after_step = killed
"""


def test_a_run_that_is_killed_says_the_same_words(tmp_path: Path) -> None:
    """At a step of a check (4, 8, 12 ...), of a checkpoint (8, 16), and between them."""
    options = [*OPTIONS, "--fraction", "1.0", "--holdout", "0.05", "--set", "checks.every=64", "--no-ruler"]

    def play(name: str, *steps: int) -> tuple[Run, list[int | None]]:
        ended = []
        for step in (*steps, 0):
            with fork("train", *options, "--out", tmp_path / name, before=BEFORE.format(step=step)) as process:
                process.communicate(timeout=240)
                ended.append(process.returncode)
        return Run(tmp_path / name), ended

    whole, ended = play("whole")
    assert ended == [0]
    expected = checks_of(whole)
    assert any(record["notices"] for record in expected)
    for steps in ((5, 12), (8, 19)):
        run, ended = play(f"killed{steps[0]}", *steps)
        assert ended == [-9, -9, 0]
        for record, other in zip(checks_of(run), expected, strict=True):
            assert str(record).replace(f"killed{steps[0]}", "whole") == str(other)


def test_health_after_a_resume_reads_no_checks(tmp_path: Path) -> None:
    """The records of checks have no accuracy: among the latest five they would leave fewer to judge by."""
    run = gansmith.train(**{**CHECKED, "images": 192}, out=str(tmp_path / "run"))
    whole = gansmith.train(**CHECKED, out=str(tmp_path / "whole"))
    run.resume(images=320)
    words = [[record["health"] for record in one.records if "health" in record] for one in (run, whole)]
    assert words[0] == words[1]
    assert Health(record for record in jsonl.read(run.path / "events.jsonl") if "seconds" in record)

"""`--auto`: augmentation and length are decided at fixed counts of images, the same after any kill, and recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import gansmith
from forked import fork
from gansmith import catalog
from gansmith.augment.diffaugment import STEP, TARGET, build
from gansmith.evaluation.features import pixels
from gansmith.evaluation.types import Extractor
from gansmith.experiment.schema import Experiment
from gansmith.pretrained import weights as published
from gansmith.runs import checks
from gansmith.runs.auto import ADAPT_EVERY, SETTLED, auto_layer, settled_reason
from gansmith.runs.run import Run
from gansmith.runs.train import experiment_from
from small import OPTIONS, SMALL

OF_THE_CLOCK = ("seconds", "images_per_second", "waiting")


def test_p_follows_how_well_training_images_are_told_apart() -> None:
    augment = build(adapt_every=100)
    assert augment.p == 0.0
    rises = [augment.decide(TARGET + 0.01) for _ in range(12)]
    assert rises == pytest.approx([min(1.0, STEP * number) for number in range(1, 13)])
    assert [augment.decide(TARGET) for _ in range(11)][-2:] == [0.0, 0.0]
    assert augment.decide(None) == 1.0


def test_p_is_the_share_of_images_that_are_changed() -> None:
    augment, always = build(policy=("cutout",), adapt_every=100), build(policy=("cutout",))
    images = torch.ones(4000, 1, 8, 8)
    assert augment(images) is images
    augment.p = 0.3
    changed = (augment(images) != 1).flatten(1).any(1).float().mean()
    assert float(changed) == pytest.approx(0.3, abs=0.03)
    augment.p = 1.0
    torch.manual_seed(5)
    one = augment(images)
    torch.manual_seed(5)
    torch.testing.assert_close(one, always(images), rtol=0, atol=0)


def test_its_state_is_p_and_an_augmentation_that_is_always_on_has_none() -> None:
    augment, other = build(adapt_every=100), build(adapt_every=100)
    augment.decide(1.0)
    other.load_state_dict(augment.state_dict())
    assert other.p == augment.p == STEP
    assert build().state_dict() == {}
    assert build().seen() == {}
    assert build().p == 1.0


def test_auto_sets_what_nobody_named() -> None:
    plain = experiment_from("digits", auto=True, environment={})[0]
    assert (plain.augment.name, plain.augment.options["adapt_every"]) == ("diffaugment", ADAPT_EVERY)  # type: ignore[union-attr]
    assert plain.stop.settled == SETTLED
    named = experiment_from("digits", auto=True, assignments=["augment=noise", "stop.settled=9"], environment={})[0]
    assert (named.augment.name, named.stop.settled) == ("noise", 9)  # type: ignore[union-attr]
    recipe = experiment_from("digits", recipe="dcgan_augmented", auto=True, environment={})[0]
    assert recipe.augment.options.get("adapt_every") in (None, 0)  # type: ignore[union-attr]
    without = experiment_from("digits", environment={})[0]
    assert (without.augment, without.stop.settled) == (None, 0)
    assert auto_layer(Experiment.model_validate({"game": "cycle"}), {}) is None


@pytest.mark.parametrize(
    ("own", "facts"),
    [
        ({}, ["augmentation diffaugment begins at 0", "6 checks (150,000 images)"]),
        ({"recipe": "dcgan_few"}, ["diffaugment stays as set", "--set augment.adapt_every=5000", "6 checks"]),
        ({"recipe": "r3gan_cifar10"}, ["ada stays as set;", "6 checks"]),
        ({"assignments": ["augment=diffaugment", "augment.adapt_every=2k"]}, ["diffaugment adapts as set", "6 checks"]),
        ({"assignments": ["stop.settled=9", "checks.every=1k"]}, ["begins at 0", "9 checks (9,000 images)"]),
        ({"assignments": ["stop.settled=0"]}, ["begins at 0", "length", "stop.settled"]),
        ({"recipe": "cyclegan"}, ["changes nothing", "cycle"]),
    ],
)
def test_one_line_says_what_auto_can_change_and_what_not(
    own: dict[str, Any], facts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    experiment_from("digits", environment={}, **own)
    assert "--auto" not in capsys.readouterr().err
    experiment_from("digits", auto=True, environment={}, **own)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("--auto")]
    assert [fact for fact in facts if fact not in line] == []
    assert ("--set" in line) == any("--set" in fact for fact in facts)


def test_without_features_auto_cannot_end_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(published, "folder", lambda: tmp_path)
    experiment_from("digits", auto=True, environment={})
    assert "gansmith features install mobilenet" in capsys.readouterr().err
    for name in catalog.stated("features", "mobilenet", "NEEDS", {})["files"]:
        (tmp_path / name).touch()
    experiment_from("digits", auto=True, environment={})
    assert "install" not in capsys.readouterr().err


def check(images: int, ruler: float) -> dict[str, Any]:
    return {"step": 1, "images": images, "check/ruler": ruler, "signs": []}


def test_a_training_ends_once_so_many_checks_reached_no_lower() -> None:
    three = Experiment.model_validate({"stop": {"settled": 3}})
    falling = [check(25_000 * number, 1 / number) for number in range(1, 9)]
    assert settled_reason(falling, three) is None
    still = [*falling, *(check(25_000 * number, 0.2) for number in (9, 10))]
    assert settled_reason(still, three) is None
    reason = settled_reason([*still, check(275_000, 0.125)], three)
    assert reason is not None
    assert "0.12 at 200" in reason
    assert settled_reason([*still, check(275_000, 0.124)], three) is None
    assert settled_reason([*still, check(275_000, 0.2)], Experiment()) is None
    assert settled_reason([{"step": 1, "images": 5, "seconds": 1.0}], three) is None


def test_a_run_that_ended_by_itself_stays_ended_until_it_is_told_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def build_pixels(device: torch.device) -> Extractor:
        return pixels.build(device="cpu")

    monkeypatch.setattr(checks, "extractor_here", build_pixels)
    monkeypatch.setattr("gansmith.evaluation.short_ruler.ShortRuler.of", lambda *_: {"ruler": 0.5})
    fields = {**SMALL, "checks": {"every": 32}, "stop": {"settled": 2}}
    run = gansmith.train(**fields, out=str(tmp_path / "run"))
    assert run.checkpoint()["images"] == 96  # of 320
    assert "ended by the stop rule: the ruler reached no lower in 2 checks than 0.50 at 32 images" in (
        capsys.readouterr().err
    )
    run.resume()
    assert "--set stop.settled=0" in capsys.readouterr().err
    assert run.checkpoint()["images"] == 96
    run.resume(assignments=["stop.settled=0"])
    assert run.checkpoint()["images"] == 320


BEFORE = """
import os, signal
import gansmith.augment.diffaugment as diffaugment, gansmith.runs.checks as checks, gansmith.runs.trainer as trainer
from gansmith.evaluation.features import pixels
checks.extractor_here = lambda device: pixels.build(device="cpu")
diffaugment.TARGET = 0.5
after = trainer.Trainer._after_step
def killed(self, engine):
    after(self, engine)
    if self.step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
trainer.Trainer._after_step = killed
"""


def test_after_a_kill_the_decisions_and_the_weights_are_the_same(tmp_path: Path) -> None:
    """Killed at a step of a decision (2, 4, 6 ...), of a checkpoint (8, 16), and between them."""
    options = [*OPTIONS, "--fraction", "1.0", "--holdout", "0.05", "--set", "checks.every=64", "--no-ruler", "--auto"]
    options += ["--set", "augment.name=diffaugment", "--set", "augment.adapt_every=32"]

    def play(name: str, *steps: int) -> Run:
        for step in (*steps, 0):
            with fork("train", *options, "--out", tmp_path / name, before=BEFORE.format(step=step)) as process:
                _, errors = process.communicate(timeout=400)
                assert process.returncode == (-9 if step else 0), errors
        return Run(tmp_path / name)

    whole = play("whole")
    decided = [record["auto/augment"] for record in whole.records if "auto/augment" in record]
    assert len(decided) == 10
    assert len({*decided}) > 1
    assert any("auto/augment" in record and "notices" in record for record in whole.records)
    expected = [{k: v for k, v in record.items() if k not in OF_THE_CLOCK} for record in whole.records]
    state = whole.checkpoint()
    for steps in ((6, 13), (8, 17)):
        run = play(f"killed{steps[0]}", *steps)
        plain = [{k: v for k, v in record.items() if k not in OF_THE_CLOCK} for record in run.records]
        assert json.dumps(plain).replace(f"killed{steps[0]}", "whole") == json.dumps(expected)
        other = run.checkpoint()
        assert other["game"] == state["game"]
        for player, weights in state["players"].items():
            torch.testing.assert_close(other["players"][player], weights, rtol=0, atol=0)

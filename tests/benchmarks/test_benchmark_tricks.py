"""The table of the bag of tricks, tiny."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.trained import train

from benchmarks import report, tricks
from gansmith.data.open import open_dataset
from gansmith.evaluation.metrics.kid import kid
from gansmith.experiment import completion, layers

FEW = {"data": {"path": "digits", "size": 16, "channels": 1, "fraction": 0.1, "holdout": 0.0}}
TINY: dict[str, Any] = {
    "generator": {"width": 2},
    "discriminator": {"width": 2},
    "prior": {"size": 4},
    "batch": 16,
}


@pytest.fixture(scope="module")
def judge() -> tricks.Judge:
    return tricks.judge_of("digits", "pixels", samples=40)


@pytest.mark.parametrize("name", tricks.TRICKS)
def test_every_trick_is_an_experiment_that_differs_in_itself_alone(name: str) -> None:
    pair = [layers.Layer("base", tricks.BASE), layers.Layer("trick", tricks.TRICKS[name].changes)]
    plain, _ = layers.resolve(pair[:1])
    changed, _ = layers.resolve(pair)
    different = layers.difference(completion.complete(plain), completion.complete(changed))
    assert bool(different) == (name != "as it is")
    fields = {line.partition(":")[0].rpartition(".")[0] or line.partition(":")[0] for line in different}
    assert len(fields) <= (2 if name.startswith("kernel") else 1), different
    assert tricks.TRICKS[name].about in ("+", "-", "")


@pytest.mark.parametrize("name", tricks.TRICKS)
def test_every_trick_trains(name: str) -> None:
    trained = train(tricks.BASE, FEW, TINY, {"images": 16}, tricks.TRICKS[name].changes)
    assert trained.steps == 1
    assert all(bool(torch.isfinite(p).all()) for p in trained.parts.game.players["generator"].parameters())


def test_the_judge_measures_against_the_real_images(judge: tricks.Judge) -> None:
    assert judge.real.shape == (40, 32, 32, 1)
    assert judge.features.shape == (40, 256)
    noise = np.random.default_rng(0).integers(256, size=judge.real.shape, dtype=np.uint8)
    far, near = judge.figures(noise), judge.figures(judge.real[::-1].copy())
    features = np.stack([image[:, :, 0].reshape(16, 2, 16, 2).mean((1, 3)).ravel() for image in noise]) / 127.5 - 1
    assert far["kid"] == pytest.approx(1000 * kid(judge.features, features.astype(np.float32)).value, rel=1e-4)
    assert near["kid"] < far["kid"]
    assert near["checkerboard"] == pytest.approx(0, abs=1e-9)


def test_the_features_of_a_classifier() -> None:
    found = tricks.judge_of("digits", "classifier", images=64, samples=8)
    assert found.features.shape == (8, 500)
    assert found.extractor.classes == tuple("0123456789")


def test_a_run_and_its_figures(judge: tricks.Judge) -> None:
    found = tricks.measure(trick="kernel 5", seed=0, data="digits", images=16, judge=judge, **TINY)
    assert found.keys() == {"kid", "checkerboard", "seconds"}
    assert found["kid"] > 0


def test_a_run_that_diverged(judge: tricks.Judge) -> None:
    """At a learning rate of 1e30 the weights are no numbers after a few steps."""
    adam = {"name": "adam", "lr": 1e30, "betas": [0.5, 0.999]}
    broken = {**TINY, "optimizer": {"generator": adam, "discriminator": adam}}
    found = tricks.measure(
        trick="output: linear", seed=0, data="digits", images=48, judge=judge, averaging={"half_life": 0}, **broken
    )
    assert (found["kid"], found["checkerboard"]) == (None, None)


def test_the_data_are_fashion_where_it_is_found() -> None:
    name = tricks.default_data()
    assert name in ("fashion_mnist", "digits")
    assert len(open_dataset(name)) > 1000


def test_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"as it is": (40.0, 50.0), "kernel 5": (45.0, 57.0), "max pooling": (None, 49.0)}

    def measure(*, trick: str, seed: int, **_: Any) -> dict[str, Any]:
        return {"kid": values[trick][seed], "checkerboard": 1.5, "seconds": 60.0}

    monkeypatch.setattr(tricks, "measure", measure)
    monkeypatch.setattr(tricks, "judge_of", lambda *_: tricks.Judge("pixels", np.zeros((7, 1, 1, 1)), np.zeros((7, 1))))
    page = tmp_path / "page.md"
    page.write_text(f"{report.BEGIN}\n{report.END}\n")
    given = ["--seeds", "0,1", "--tricks", ", ".join(values), "--data", "digits", "--write", str(page)]
    monkeypatch.setattr(sys, "argv", ["tricks", *given])
    tricks.main()
    text = page.read_text()
    assert text.count("\n") == len(values) + 8
    assert "digits at 32 px, 100,000 images drawn in each run, n = 2 seeds, 7 samples" in text
    assert "features: pixels" in text
    assert "| as it is |  | 45.0 +- 7.1 |  | 1.5 +- 0.0 | 60 +- 0 |" in text
    assert "| kernel 5 | - | 51.0 +- 8.5 | 6.0 +- 1.4 | 1.5 +- 0.0 | 60 +- 0 |" in text
    assert "| max pooling | - | 49.0 (1 of 2 diverged) | -1.0 | 1.5 +- 0.0 | 60 +- 0 |" in text
    assert "trick kernel 5, seed 1, kid 57.0" in capsys.readouterr().out


def test_an_unknown_trick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tricks", "--tricks", "kernel 7"])
    with pytest.raises(SystemExit, match=r"^no trick called 'kernel 7'. Known: as it is; output: sigmoid; "):
        tricks.main()

"""The count of modes in stacked digits, tiny."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.trained import classifier_of
from torch import Tensor

from benchmarks import report, stacked
from gansmith.data.open import open_dataset
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.experiment import completion, layers

TINY: dict[str, Any] = {"width": 2, "digits": "digits", "count": 40}


@pytest.fixture(scope="module")
def known() -> Extractor:
    """Knows every digit of the set by heart, and takes a 9 for an 8."""
    digits = open_dataset("digits")
    every = digits[np.arange(len(digits))]
    labels = {image.tobytes(): min(int(label), 8) for image, label in zip(every.image, every.label, strict=True)}

    def run(images: Tensor) -> Outputs:
        numbers = [labels.get(image.movedim(0, -1).contiguous().numpy().tobytes(), 0) for image in images]
        return Outputs(images.float().flatten(1), torch.eye(10)[numbers])

    return Extractor("by heart", "0", "as they are", run)


@pytest.mark.parametrize("objective", stacked.SETTINGS)
def test_every_objective_trains(objective: str, known: Extractor) -> None:
    found = stacked.measure(objective=objective, seed=0, images=128, batch=16, reader=known, samples=8, **TINY)
    assert found.keys() == {"found", "kl", "seconds"}
    assert found["found"] == 1  # nothing that is made is known, so it reads 000
    assert found["kl"] == pytest.approx(math.log(1000))


@pytest.mark.parametrize("objective", stacked.SETTINGS)
def test_every_objective_is_an_experiment_on_stacked_digits(objective: str) -> None:
    layer = stacked.layer_of(objective, width=8, digits="mnist", count=100)
    made = completion.complete(layers.resolve([layers.Layer("test", layer)])[0])
    assert made.data.path == "stacked_digits"
    assert made.data.options == {"digits": "mnist", "count": 100}
    assert made.objective is not None
    assert made.objective.name == objective
    assert made.discriminator is not None
    assert made.discriminator.options["normalisation"] == stacked.SETTINGS[objective][2]


def test_a_run_that_diverged_has_no_modes(known: Extractor) -> None:
    adam = {"name": "adam", "lr": 1e30, "betas": [0.5, 0.999]}
    found = stacked.measure(
        objective="hinge",
        seed=0,
        images=48,
        reader=known,
        samples=8,
        batch=16,
        averaging={"half_life": 0},
        generator={"name": "dcgan", "output": "linear"},
        optimizer={"generator": adam, "discriminator": adam},
        **TINY,
    )
    assert (found["found"], found["kl"]) == (0, None)


def test_controls_say_what_the_classifier_adds_and_takes(known: Extractor) -> None:
    found = stacked.controls(known, "digits", samples=4000)
    source = open_dataset("stacked_digits", count=4000)
    assert source.labels is not None
    with_nine = np.array(["9" in f"{label:03}" for label in source.labels])
    assert found["stacks misread"] == round(float(with_nine.mean()), 4)
    assert found["modes in the real stacks"] <= 9**3
    assert found["their KL"] > found["their true KL"] > 0
    assert found["modes found in stacks of 100"] <= 81


def test_the_classifier_learns_digits_and_its_error_is_of_those_held_out() -> None:
    reader, error = classifier_of({"path": "digits"}, images=6_000)
    assert reader.classes == tuple("0123456789")
    assert 0 <= error < 0.5
    _, untrained = classifier_of({"path": "digits"}, images=64)
    assert untrained > error


def test_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*, objective: str, seed: int, **_: Any) -> dict[str, Any]:
        return {"found": 900 + 10 * seed, "kl": 0.25 if objective == "hinge" else None, "seconds": 30.0}

    monkeypatch.setattr(stacked, "measure", measure)
    monkeypatch.setattr(stacked, "controls", lambda *_: {"modes in the real stacks": 999})
    monkeypatch.setattr(stacked, "classifier_of", lambda *_, **__: ("reader", 0.0123456))
    page = tmp_path / "page.md"
    page.write_text(f"{report.BEGIN}\n{report.END}\n")
    given = ["--objectives", "hinge,r3gan", "--seeds", "0,2", "--write", str(page)]
    monkeypatch.setattr(sys, "argv", ["stacked", *given])
    stacked.main()
    text = page.read_text()
    assert "n = 2 seeds" in text
    assert "classifier's error on held-out digits 0.0123; modes in the real stacks 999" in text
    assert "| `hinge` | 910 +- 14 | 0.25 +- 0.00 | 30 +- 0 |" in text
    assert "| `r3gan` | 910 +- 14 | - (2 of 2 diverged) | 30 +- 0 |" in text


def test_an_objective_without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["stacked", "--objectives", "hinge,huge"])
    with pytest.raises(SystemExit, match=r"^no settings for the objective 'huge'. Known: nonsaturating, lsgan"):
        stacked.main()

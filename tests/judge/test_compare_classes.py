"""Comparison of conditional runs: samples are scored with the class they were made for, real images with their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gansmith
from gansmith import Run
from gansmith.data.prepare import prepare
from gansmith.errors import DataError, OptionError, RunError
from gansmith.judge.compare.compare_runs import compare
from gansmith.system.ranking import accuracy
from small import SMALL

CONDITIONAL = {"name": "dcgan", "width": 4, "conditional": True}
HERE: dict[str, Any] = {"device": "cpu", "metrics": (), "samples": 30}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("conditional")
    both = {"generator": CONDITIONAL, "discriminator": CONDITIONAL}
    for name, change in {"one": {"seed": 1}, "two": {"seed": 2}}.items():
        gansmith.train(out=str(root / name), **{**SMALL, **both, **change, "images": 64})
    gansmith.train(out=str(root / "plain"), **{**SMALL, "images": 32})
    np.save(root / "unlabelled.npy", np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8))
    (root / "strange").mkdir()
    for name, labels in (("half", np.arange(60) % 2), ("strange", np.arange(60) % 12)):
        folder = root / name
        folder.mkdir(exist_ok=True)
        np.save(folder / "images.npy", np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8))
        np.save(folder / "images.labels.npy", labels.astype(np.int64))
    halves = {**SMALL, **both, "path": str(root / "half" / "images.npy"), "images": 32, "fraction": 1.0}
    gansmith.train(out=str(root / "two_classes"), **halves)
    return {path.name: path for path in root.iterdir()}


def test_the_matrix_is_what_the_networks_say_of_labelled_images(runs: dict[str, Path]) -> None:
    """By hand; with the labels in another order the figures are others."""
    found = compare([runs["one"], runs["two"]], **HERE)
    data = prepare(Run(runs["one"]).experiment.data)
    assert data.holdout is not None
    held = data.holdout[np.arange(len(data.holdout))]
    real, classes = torch.from_numpy(held.image).movedim(-1, 1) / 127.5 - 1, torch.from_numpy(held.label)
    shuffled = []
    for judge, row in zip(found.play.names, found.play.accuracy, strict=True):
        discriminator, _ = Run(runs[judge]).network("discriminator")
        for name, number in zip(found.play.names, row, strict=True):
            renderer = Run(runs[name]).renderer(device="cpu")
            made, labels = renderer.images(range(30)).images, renderer.labels(range(30))
            assert labels is not None
            fake = ((made + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1
            with torch.no_grad():
                expected = accuracy(discriminator(real, classes), discriminator(fake, labels))
                wrong = accuracy(discriminator(real, classes.flip(0)), discriminator(fake, labels.flip(0)))
            assert number.value == pytest.approx(float(expected), abs=0.005)
            shuffled.append(abs(float(wrong) - number.value))
    assert max(shuffled) > 0.01
    assert any("class that it was made for" in note for note in found.notes)


def test_metrics_of_classes_are_measured(runs: dict[str, Path]) -> None:
    wanted = {**HERE, "samples": 60, "metrics": ["classification_accuracy", "kid"]}
    found = compare([runs["one"], runs["two"]], against="digits", **wanted)
    assert set(found.metrics) == {"classification_accuracy", "kid"}
    for numbers in found.metrics["classification_accuracy"].numbers.values():
        assert 0 <= numbers["accuracy"].value <= 1
        assert numbers["real_accuracy"].value > 0.5
    with pytest.raises(OptionError, match="class_error"):
        compare([runs["one"], runs["two"]], **{**HERE, "metrics": ["class_error"]})


@pytest.mark.parametrize(
    ("names", "against", "kind", "facts"),
    [
        (("one", "plain"), None, RunError, ["one", "plain", "no class", "gansmith evaluate"]),
        (("plain", "one"), None, RunError, ["one", "plain", "no class"]),
        (("one", "two_classes"), None, RunError, ["10 (0, 1, 2, 3, 4, ...)", "2 (0, 1)"]),
        (("one", "two"), "unlabelled.npy", DataError, ["unlabelled", "--against"]),
        (("one", "two"), "strange", DataError, ["10, 11", "0, 1"]),
    ],
)
def test_what_cannot_be_compared(
    names: tuple[str, str], against: str | None, kind: type[Exception], facts: list[str], runs: dict[str, Path]
) -> None:
    place = None if against is None else runs[against]
    place = place / "images.npy" if against == "strange" and place is not None else place
    with pytest.raises(kind) as raised:
        compare([runs[name] for name in names], against=place, **HERE)
    assert [fact for fact in facts if fact not in str(raised.value)] == []

"""The table of objectives on images, tiny."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.trained import methods
from PIL import Image

from benchmarks import objectives
from gansmith import catalog
from gansmith.evaluation.extract import extract
from gansmith.evaluation.metrics.kid import kid
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run

NAMES = [*methods(), *objectives.METHODS]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of a few channels on the embedded digits."""
    whole = objectives.settings

    def smaller(name: str) -> dict[str, object]:
        layer = whole(name)
        for role in ("generator", "discriminator"):
            layer[role] = {**layer[role], "width": 2}
        return {**layer, "prior": {"kind": "normal", "size": 4}, "batch": 16}

    monkeypatch.setattr(objectives, "settings", smaller)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_an_experiment(name: str) -> None:
    layer = objectives.settings(name)
    if name in objectives.METHODS:
        assert layer == {"recipe": name}
        return
    asking = name in ("dragan", "r3gan", "wgan_gp")
    assert (layer["discriminator"]["normalisation"] == "layer") == asking
    assert layer["objective"]["name"] == {"dragan": "nonsaturating", "lecam": "hinge"}.get(name, name)
    assert [*layer.get("penalties", {})] == [name for name in [name] if name in ("dragan", "lecam")]
    assert layer["optimizer"]["generator"] == layer["optimizer"]["discriminator"]


def test_a_run_is_only_continued(small: None, tmp_path: Path) -> None:
    given = {"data": "digits", "images": 32, "seed": 1}
    first = objectives.train(tmp_path / "run", "hinge", **given)
    again = objectives.train(tmp_path / "run", "hinge", **given)
    assert [one["images"] for one in again.records] == [one["images"] for one in first.records]
    assert again.records[-1]["images"] == 32


def test_the_figures(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """KID of the very samples of the run against the images named by --test, and the table, best first."""
    file, picture = tmp_path / "found.json", tmp_path / "rows.png"
    given = "--images 32 --seeds 0,1 --only hinge,wgan --data digits --test digits --features pixels --samples 20"
    given += f" --work {tmp_path / 'runs'} --json {file} --picture {picture}"
    monkeypatch.setattr(sys, "argv", ["objectives", *given.split()])
    objectives.main()
    found = json.loads(file.read_text())
    assert (found["samples"], found["real"], found["seeds"], found["the classifier's error"]) == (20, 20, [0, 1], None)
    assert {name: len(one["kid"]) for name, one in found["found"].items()} == {"hinge": 2, "wgan": 2}
    table = capsys.readouterr().out.splitlines()[-2:]
    best, other = sorted(found["found"], key=lambda name: np.mean(found["found"][name]["kid"]))
    assert table[0].startswith(f"| {best} | {np.mean(found['found'][best]['kid']):.1f} | ")
    assert table[1].startswith(f"| {other} | ")
    whole = np.asarray(Image.open(picture))
    assert whole.shape == (2 + 3 * 34, 2 + 20 * 34)
    images = [
        to_uint8(Run(tmp_path / f"runs/{name}-0").sample(range(20), device="cpu").images) for name in (best, other)
    ]
    for row, made in enumerate(images):
        assert (whole[36 + 34 * row : 68 + 34 * row, 36:68] == made[1, :, :, 0]).all()


def test_kid_is_that_of_the_samples(small: None, tmp_path: Path) -> None:
    run = objectives.train(tmp_path / "run", "hinge", data="digits", images=32, seed=0)
    pixels = catalog.build("features", "pixels", device="cpu")
    shown = to_uint8(run.sample(range(24), device="cpu").images)
    features, _ = extract(shown, pixels, what="samples", cache=False)
    real = np.random.default_rng(0).normal(size=(10, features.shape[1])).astype(np.float32)
    assert objectives.measured(run, real, pixels, samples=24) == pytest.approx(1000 * kid(real, features).value)

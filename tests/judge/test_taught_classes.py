"""gansmith evaluate RUN --train-on-samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gansmith
from gansmith.cli.main import app
from gansmith.errors import DataError, OptionError, RunError
from gansmith.evaluation.extract import extract
from gansmith.evaluation.features import pixels
from gansmith.evaluation.generated_images import generated_images
from gansmith.evaluation.train_on_samples import train_on_samples
from gansmith.judge.image_sets import subject_of
from gansmith.judge.opened import open_for_judging
from gansmith.judge.reference_images import reals_of
from gansmith.judge.train_on_samples import FILE, evaluate
from gansmith.runs.run import Run
from small import SMALL

CLASSES = {role: {**SMALL[role], "conditional": True} for role in ("generator", "discriminator")}
TINY = {**SMALL, "images": 32, "holdout": 0.2}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("taught") / "run"
    gansmith.train(out=str(out), **{**TINY, **CLASSES})
    return out


def test_it_is_the_function_on_the_runs_images(run: Path) -> None:
    taught = evaluate(run, features="pixels", samples=60, device="cpu")
    renderer = open_for_judging(Run(run), "generator", device="cpu").renderer()
    labels = renderer.labels(range(60))
    assert labels is not None
    judged = subject_of(run, 60, 1, checkpoint=None, raw=False, device="cpu", trust=False)
    reals = reals_of(judged, against=None, holdout=None, most=60, seed=0)
    assert reals.holdout is not None
    extractor = pixels.build(device="cpu")
    sides = [
        (extract(images, extractor, what="rows")[0], known)
        for images, known in ((generated_images(renderer, range(60)), labels.numpy()), reals.train, reals.holdout)
    ]
    expected = train_on_samples(*sides)  # type: ignore[arg-type]
    assert dict(taught.numbers) == expected
    assert taught.classes == 10
    record = json.loads((run / "audit" / FILE).read_text())
    assert record["numbers"]["accuracy"]["value"] == expected["accuracy"].value
    assert record["protocol"]["fake_count"] == 60
    assert record["protocol"]["real_count"] == len(sides[2][0])


def test_the_command(run: Path, tmp_path: Path) -> None:
    words = ["evaluate", str(run), "--train-on-samples", "--samples", "40", "--features", "pixels", "--device", "cpu"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "new")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    for fact in ("learned from 40 samples", "learned from 40 real images", "difference", "10 classes", FILE):
        assert fact in done.output
    assert (tmp_path / "new" / FILE).is_file()
    refused = CliRunner().invoke(app, [*words, "--metrics", "kid"])
    assert isinstance(refused.exception, OptionError)
    assert "--metrics" in str(refused.exception)


def test_what_has_no_labels_or_no_held_out_images_is_refused(run: Path, tmp_path: Path) -> None:
    plain = gansmith.train(out=str(tmp_path / "plain"), **TINY)
    with pytest.raises(RunError, match=r"conditional=true"):
        evaluate(plain.path, features="pixels", device="cpu")
    whole = gansmith.train(out=str(tmp_path / "whole"), **{**TINY, **CLASSES, "holdout": 0})
    with pytest.raises(DataError, match=r"data\.holdout"):
        evaluate(whole.path, features="pixels", samples=40, device="cpu")
    with pytest.raises(OptionError, match="needs a run"):
        evaluate(run / "model", features="pixels", device="cpu")
    with pytest.raises(OptionError, match="samples = 3"):
        evaluate(run, samples=3, device="cpu")

"""Grading a classification run: on its held-out images, or on others whose classes it knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer import Typer
from typer.testing import CliRunner

import gansmith
from gansmith import catalog
from gansmith.cli.evaluate import evaluate as command
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.data.stream import normalised
from gansmith.errors import DataError, GansmithError, OptionError
from gansmith.evaluation import class_error
from gansmith.evaluation.types import Side
from gansmith.judge import classifier as grade
from gansmith.runs.run import Run
from small import SMALL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A minute of nothing: a small classifier of digits, with a look at its errors on the way."""
    folder = tmp_path_factory.mktemp("graded") / "run"
    return gansmith.train(
        "digits",
        recipe="mnist_net",
        size=16,
        images=6000,
        batch=50,
        holdout=0.2,
        metrics={"names": ["class_error"], "every": 2000, "against": "holdout", "samples": 2000},
        out=str(folder),
    )


def predictions(run: Run) -> tuple[Any, Any]:
    data = prepare(run.experiment.data).holdout
    assert data is not None
    picture = data[np.arange(len(data))]
    network, _ = run.network("classifier")
    with torch.no_grad():
        logits = network(normalised(torch.from_numpy(np.ascontiguousarray(picture.image))))
    return logits, torch.from_numpy(picture.label)


def test_the_error_is_that_of_its_held_out_images(run: Run) -> None:
    logits, labels = predictions(run)
    wrong = float((logits.argmax(1) != labels).float().mean())
    assert wrong < 0.25  # it has learned something
    grading = grade.evaluate(run.path)
    written = json.loads((run.path / "audit/classification.json").read_text())
    assert grading.classification.record().items() <= written.items()
    assert written["protocol"]["images"] == len(labels)
    assert f"{wrong:.3f}"[:4] in json.dumps(written)
    with Image.open(run.path / "audit/confusion.png") as picture:
        assert picture.size[0] > 100
    looks = [record for record in run.records if "look" in record]
    assert [record["images"] for record in looks] == [2000, 4000, 6000]
    assert looks[-1]["metric/class_error"] == pytest.approx(wrong)
    cross_entropy = float(torch.nn.functional.cross_entropy(logits, labels))
    assert looks[-1]["metric/cross_entropy"] == pytest.approx(cross_entropy, rel=1e-4)
    assert run.checkpoint("best")["images"] in (2000, 4000, 6000)


def test_on_other_images_classes_are_matched_by_name(run: Run, tmp_path: Path) -> None:
    """Only sevens and threes, in folders: their numbers in this set are 0 and 1, the classifier's 3 and 7."""
    source = prepare(DataSettings(path="digits", size=(16, 16), holdout=0)).train
    picture = source[np.arange(len(source))]
    for name in ("7", "3"):
        (tmp_path / "some" / name).mkdir(parents=True)
        for number in np.flatnonzero(picture.label == int(name))[:20]:
            Image.fromarray(picture.image[number, :, :, 0]).save(tmp_path / "some" / name / f"{number}.png")
    grading = grade.evaluate(run.path, against=str(tmp_path / "some"), out=tmp_path / "out")
    record = json.loads((tmp_path / "out/classification.json").read_text())
    assert record["protocol"]["images"] == 40
    assert grading.folder == tmp_path / "out"
    network, _ = run.network("classifier")
    chosen = np.concatenate([np.flatnonzero(picture.label == value)[:20] for value in (3, 7)])
    with torch.no_grad():
        guessed = network(normalised(torch.from_numpy(np.ascontiguousarray(picture.image[chosen])))).argmax(1).numpy()
    assert record["numbers"]["class_error"]["value"] == pytest.approx(float((guessed != picture.label[chosen]).mean()))


def test_mistakes(run: Run, tmp_path: Path) -> None:
    def refused(kind: type[GansmithError], place: Path, **options: Any) -> str:
        with pytest.raises(kind) as raised:
            grade.evaluate(place, **options, out=options.get("out", tmp_path / "out"))
        return str(raised.value)

    flat = tmp_path / "flat.npy"
    np.save(flat, np.zeros((30, 16, 16, 1), np.uint8))
    assert "has no labels" in refused(DataError, run.path, against=str(flat))
    strange = tmp_path / "strange"
    for name in ("3", "cat"):
        (strange / name).mkdir(parents=True)
        Image.new("L", (16, 16)).save(strange / name / "a.png")
    assert "cat. It knows: 0, 1, 2" in refused(DataError, run.path, against=str(strange))
    assert "--against DATA" in refused(OptionError, run.path / "model")
    with pytest.raises(OptionError, match=r"model.*--out DIR"):
        grade.evaluate(run.path / "model", against="digits")
    assert not (tmp_path / "out").exists()


def test_what_is_a_classifier(run: Run, tmp_path: Path) -> None:
    assert grade.is_classifier(run.path)
    assert grade.is_classifier(run.path / "model")
    assert not grade.is_classifier(tmp_path)
    assert not grade.is_classifier(gansmith.train(**SMALL, out=str(tmp_path / "gan")).path)


def test_the_command(run: Run) -> None:
    app = Typer()
    app.command()(command)
    done = CliRunner().invoke(app, [str(run.path)])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("class_error ")
    assert done.stdout.splitlines()[-1] == f"-> {run.path}/audit"
    refused = CliRunner().invoke(app, [str(run.path), "--samples", "2000", "--raw"])
    assert isinstance(refused.exception, OptionError)
    assert all(fact in str(refused.exception) for fact in ("--samples, --raw", str(run.path), "classifier"))


def test_class_error_by_hand() -> None:
    probabilities = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.9, 0.05, 0.05]], np.float32)
    labels = np.array([0, 1, 0, 2])
    numbers = class_error(labels, probabilities)
    assert numbers["class_error"].value == 0.5
    expected = -np.log(np.array([0.5, 0.8, 0.3, 0.05])).mean()
    assert numbers["cross_entropy"].value == pytest.approx(expected, rel=1e-5)
    metric = catalog.build("metrics", "class_error")
    assert metric.measure(Side("real", labels=labels), Side("answers", probabilities=probabilities)) == numbers
    with pytest.raises(DataError, match=r"real has no labels.*class_error"):
        metric.measure(Side("real", features=probabilities), Side("answers", probabilities=probabilities))
    for asked, message in (
        (labels[:1], "each labelled image"),
        (labels + 1, "from 1 to 3: 0 to 2"),
        (labels - 1, "from -1 to 1: 0 to 2"),
    ):
        with pytest.raises(DataError, match=message):
            class_error(asked, probabilities)
    with pytest.raises(DataError, match=r"at least 2.*1"):
        class_error(labels[:1], probabilities[:1])

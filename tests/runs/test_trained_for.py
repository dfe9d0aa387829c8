"""How long the weights were trained that a command uses, said by each of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gansmith
from gansmith.cli.main import app
from gansmith.judge.audit_run import evaluate
from gansmith.runs.run import Run
from gansmith.runs.trained_for import TrainedFor, trained_for
from small import SMALL


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 320 images that is to do 640, with a checkpoint kept at 128."""
    out = tmp_path_factory.mktemp("runs") / "run"
    run = gansmith.train(**{**SMALL, "keep_every": 128, "fraction": 1.0}, out=str(out))
    text = (run.path / "experiment.yaml").read_text()
    (run.path / "experiment.yaml").write_text(text.replace("images: 320", "images: 640"))
    return out


def test_of_the_model_of_a_checkpoint_and_of_models_alone(unfinished: Path, finished: Path, tmp_path: Path) -> None:
    run = Run(unfinished)
    assert str(trained_for(run)) == "320 of 640 images"
    assert str(trained_for(run, raw=True)) == "320 of 640 images"
    assert str(trained_for(run, checkpoint="000000128")) == "128 of 640 images"
    assert not trained_for(run).at_the_end
    assert str(trained_for(Run(finished))) == "320 images"
    assert trained_for(Run(finished)).at_the_end
    assert str(TrainedFor(20_032, 20_000)) == "20,032 images"
    models = shutil.copytree(unfinished / "model", tmp_path / "models")
    assert str(trained_for(Run(models))) == "320 images"
    assert str(trained_for(Run(models / "generator.safetensors"))) == "320 images"


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "{run}", "--seeds", "0-3"],
        ["interpolate", "{run}", "1", "2", "--steps", "2"],
        ["arithmetic", "{run}", "--plus", "1", "--minus", "2"],
        ["probe", "{run}", "--data", "digits", "--images", "200", "--random-networks", "2"],
        ["evaluate", "{run}", "--samples", "20", "--repeats", "1", "--real", "60", "--features", "pixels"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_command_says_it(
    arguments: list[str], unfinished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = shutil.copytree(unfinished, tmp_path / "run")
    words = [word.format(run=run) for word in arguments]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert f"{run}: weights after 320 of 640 images\n" in done.output
    if arguments[0] != "evaluate":
        done = CliRunner().invoke(app, [*words, "--checkpoint", "000000128"], catch_exceptions=False)
        assert f"{run}: weights after 128 of 640 images\n" in done.output


def test_a_comparison_says_it_of_each(unfinished: Path, finished: Path) -> None:
    words = ["compare", f"{unfinished}@000000128", str(finished), "--against", "digits", "--samples", "40"]
    done = CliRunner().invoke(app, [*words, "--metrics", "none"], catch_exceptions=False)
    assert f"{unfinished}: weights after 128 of 640 images\n" in done.output
    assert f"{finished}: weights after 320 images\n" in done.output


def test_the_report_says_it_where_the_run_has_not_ended(unfinished: Path, tmp_path: Path) -> None:
    audit = evaluate(unfinished, samples=20, repeats=1, real=60, features="pixels", out=tmp_path / "one")
    assert audit.facts["trained for"] == "320 of 640 images"
    assert audit.facts["weights"] == "the model so far"
    assert any("320 of 640 images" in note for note in audit.notes)
    assert "320 of 640 images" in (tmp_path / "one/report.html").read_text()
    kept = evaluate(
        unfinished, samples=20, repeats=1, real=60, features="pixels", checkpoint="000000128", out=tmp_path / "two"
    )
    assert kept.facts["trained for"] == "128 of 640 images"
    record = json.loads((tmp_path / "two/audit.json").read_text())
    assert record["facts"]["weights"] == "000000128"


def test_the_report_of_a_whole_run_has_no_such_note(finished: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(finished, tmp_path / "run")
    text = (whole / "experiment.yaml").read_text()
    (whole / "experiment.yaml").write_text(text.replace("fraction: 0.2", "fraction: 1.0"))
    audit = evaluate(whole, samples=20, repeats=1, real=60, features="pixels", against="digits", holdout="digits")
    assert audit.facts["trained for"] == "320 images"
    assert audit.facts["weights"] == "the model at the end"
    assert not any(" of 320 images" in note for note in audit.notes)

"""Metrics while training: when they are taken, what is kept, and when the stop rule ends the training."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gansmith
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.errors import ExperimentError, OptionError, UnknownNameError
from gansmith.evaluation import kid
from gansmith.evaluation.types import Metric, Number
from gansmith.experiment.assemble import assemble
from gansmith.experiment.with_data import with_data
from gansmith.latent.renderer import Renderer
from gansmith.records.images import to_uint8
from gansmith.runs.dry_run import dry_run_report
from gansmith.runs.periodic_metrics import PeriodicMetrics
from gansmith.runs.run import Run
from gansmith.runs.team import Team
from gansmith.runs.train import experiment_from
from small import SMALL, files

MEASURED: dict[str, Any] = {**SMALL, "metrics": {"names": ["kid"], "every": 64, "samples": 40}, "checkpoint_every": 96}


def train(out: Path, **fields: Any) -> Run:
    return gansmith.train(**{**MEASURED, **fields, "out": str(out)})


def measurements_of(run: Run) -> list[dict[str, Any]]:
    return [record for record in run.records if "look" in record]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tmp_path_factory.mktemp("looks") / "run")


def test_looks_are_taken_by_the_images_clock(run: Run) -> None:
    found = measurements_of(run)
    assert [record["images"] for record in found] == [64, 128, 192, 256, 320]
    assert [record["look"] for record in found] == [1, 2, 3, 4, 5]
    for record in found:
        assert record["metric/kid/low"] < record["metric/kid"] < record["metric/kid/high"]
        assert record["protocol"]["kid"].startswith("kid(")
        assert "40 of this run (averaged, seeds 0-39) against 40 of digits, train" in record["protocol"]["kid"]
    closing = run.records[-1]
    assert closing["images"] == 320
    assert "look" not in closing
    assert closing["metric/kid"] == found[-1]["metric/kid"]  # nothing was trained between the two


def test_the_number_is_the_metric_of_the_samples(run: Run) -> None:
    """By hand: the averaged generator's images of seeds 0 to 39 against 40 real ones, by their pixels."""
    images = to_uint8(run.renderer().images(range(40)).images)
    data = prepare(DataSettings(path="digits", size=(8, 8), fraction=0.2))
    metrics = PeriodicMetrics(assemble(*with_data(experiment_from(**MEASURED, environment={})[0])))
    real, _ = metrics.sides.own(metrics.parts.game.players, Team())
    assert real.images is not None
    known = {image.tobytes() for image in data.train[np.arange(len(data.train))].image}
    assert all(image.tobytes() in known for image in real.images)  # none of the held-out ones
    features = [(side.reshape(40, -1).astype(np.float32) / 127.5 - 1) for side in (real.images, images)]
    number = kid(*features)
    assert measurements_of(run)[-1]["metric/kid"] == pytest.approx(number.value, rel=1e-3, abs=1e-5)


def test_best_and_last_are_kept(run: Run) -> None:
    found = measurements_of(run)
    best = min(found, key=lambda record: record["metric/kid"])
    assert run.checkpoint("best")["images"] == best["images"]
    assert run.checkpoint("latest")["images"] == 320


def test_what_is_said_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measurements_of(train(tmp_path / "run"))
    best = min(found, key=lambda record: record["metric/kid"])
    assert (
        f"kid: last {found[-1]['metric/kid']:.4g} at 320 images; best {best['metric/kid']:.4g} at "
        f"{best['images']}, of 5 measurements, kept as checkpoint 'best'" in capsys.readouterr().err
    )


def test_looking_changes_nothing(run: Run, tmp_path: Path) -> None:
    plain = gansmith.train(**{**SMALL, "checkpoint_every": 96, "out": str(tmp_path / "plain")})
    for player in ("generator", "discriminator"):
        ours, theirs = (r.network(player)[0].state_dict() for r in (run, plain))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_resumed_run_has_the_same_looks(run: Run, tmp_path: Path) -> None:
    """Cut back to a checkpoint in the middle, with the records of later looks still there."""
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    kept = torch.load(copy / "checkpoints/previous.pt", weights_only=True)
    assert kept["images"] < 320
    shutil.copy(copy / "checkpoints/previous.pt", copy / "checkpoints/latest.pt")
    resumed = Run(copy).resume()
    assert measurements_of(resumed) == measurements_of(run)
    assert resumed.checkpoint("best")["images"] == run.checkpoint("best")["images"]


def test_a_longer_run_does_not_remember_the_closing_look(run: Run, tmp_path: Path) -> None:
    short = train(tmp_path / "short", images=160)
    assert "look" not in short.records[-1]
    longer = short.resume(images=320)
    assert measurements_of(longer) == measurements_of(run)


@pytest.mark.parametrize("left", ["", '{"step": 20, "ima'])
@pytest.mark.parametrize("stop", [{}, {"stop": {"metric": "kid", "patience": 100_000, "target": 1e9}}])
def test_a_run_killed_before_its_closing_measurement(stop: dict[str, Any], left: str, tmp_path: Path) -> None:
    """What it lacks is written when it is continued, whether its images or its stop rule ended it, and no more than
    that; a line that was being written is removed."""
    path = train(tmp_path / "run", **stop).path
    whole, events = files(path), path / "events.jsonl"
    lines = events.read_text().splitlines(keepends=True)
    assert "look" not in json.loads(lines[-1])
    events.write_text("".join(lines[:-1]) + left)
    Run(path).resume()
    assert files(path) == whole
    Run(path).resume()
    assert files(path) == whole


def scripted(monkeypatch: pytest.MonkeyPatch, *values: float, better: str = "lower") -> None:
    coming = iter(values)

    def build() -> Metric:
        return Metric(lambda real, fake: {"kid": Number(next(coming))}, {"kid": better}, "scripted")  # type: ignore[dict-item]

    monkeypatch.setattr("gansmith.evaluation.metrics.kid.build", build)


STOP = {"stop": {"metric": "kid", "patience": 128}}


def test_the_stop_rule_waits_for_its_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted(monkeypatch, 5, 3, 4, 3, 9, 9)
    run = train(tmp_path / "run", **STOP)
    measured_at = [record["images"] for record in measurements_of(run)]
    assert measured_at == [64, 128, 192, 256]  # the third value is no improvement, for it equals the first
    assert run.checkpoint()["images"] == 256
    assert run.checkpoint("best")["images"] == 128
    assert Run(tmp_path / "run").network("generator")[1].images == 256
    said = capsys.readouterr().err
    assert "ended by the stop rule: kid has not improved for 128 images (patience 128)" in said
    train(tmp_path / "run", **STOP)
    assert (
        f"{tmp_path}/run was ended by its stop rule at 256 images: kid has not improved for 128 images (patience 128). "
        f"To train on: gansmith resume {tmp_path}/run --set stop.metric=null" in capsys.readouterr().err
    )
    scripted(monkeypatch, 8, 8)
    assert run.resume(assignments=["stop.metric=null"]).checkpoint()["images"] == 320


@pytest.mark.parametrize(("better", "target", "ends"), [("lower", 3, 192), ("higher", 6, 64), ("lower", 0.5, 320)])
def test_the_training_ends_at_its_target(
    better: str,
    target: float,
    ends: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scripted(monkeypatch, 6, 4, 3, 2, 1, 1, better=better)
    stop = {"metric": "kid", "patience": 100_000, "target": target}
    run = train(tmp_path / "run", stop=stop)
    assert run.checkpoint()["images"] == ends
    said = capsys.readouterr().err
    assert (f"target {target:g}" in said and "seconds of training" in said) == (ends < 320)


def test_a_target_without_a_metric_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"stop\.target.*stop\.metric=kid"):
        train(tmp_path / "run", stop={"target": 0.5})


def test_the_stop_rule_knows_which_way_is_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, 1, 2, 3, 4, 5, 5, better="higher")
    assert train(tmp_path / "up", **STOP).checkpoint("best")["images"] == 320
    scripted(monkeypatch, 5, 4, 3, 2, 1, 1, better="higher")
    assert train(tmp_path / "down", **STOP).checkpoint()["images"] == 192


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"metrics": {"names": ["kit"]}}, UnknownNameError, "no metric called 'kit'. Did you mean 'kid'? Known: "),
        (
            {"stop": {"metric": "fid"}},
            ExperimentError,
            "stop.metric: no metric called 'fid'. Did you mean 'kid'? Known: kid",
        ),
        (
            {"metrics": {}, "stop": {"metric": "kid"}},
            ExperimentError,
            "stop.metric: no metric called 'kid'. Known: none",
        ),
        (
            {"metrics": {**MEASURED["metrics"], "against": "holdout"}, "holdout": 0},
            ExperimentError,
            "metrics.against = 'holdout'",
        ),
    ],
)
def test_mistakes(fields: dict[str, Any], kind: type[Exception], text: str, tmp_path: Path) -> None:
    with pytest.raises(kind) as raised:
        train(tmp_path / "run", **fields)
    assert str(raised.value).startswith(text)


BOTH = {"generator": {"name": "dcgan", "width": 4, "conditional": True}}
BOTH["discriminator"] = BOTH["generator"]


@pytest.mark.parametrize(
    ("names", "fields", "facts"),
    [
        ("classification_accuracy", {}, ["conditional generator", "generator.conditional=true"]),
        ("classification_accuracy", {"path": "plain.npy"}, ["classes", "plain"]),
        ("class_error", {}, ["class_error", "classifier"]),
        ("inception_score", {}, ["inception_score", "pixels"]),
        ("kid", {"path": "ring", "generator": "mlp", "discriminator": "mlp"}, ["points"]),
        ("kid", {"recipe": "mnist_net", "path": "digits", "size": 28}, ["kid", "class_error"]),
    ],
)
def test_what_cannot_be_measured_is_refused_before_the_training(
    names: str, fields: dict[str, Any], facts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("plain.npy", np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8))
    base: dict[str, Any] = {name: value for name, value in SMALL.items() if name not in ("generator", "discriminator")}
    base = base if "recipe" in fields else dict(SMALL)
    if fields.get("path") == "ring":
        base = {name: value for name, value in base.items() if name not in ("size", "fraction")}
    wanted = {**base, "metrics": {"names": [names], "every": 64, "samples": 40}, **fields}
    for attempt in (
        lambda: gansmith.train(**{**wanted, "out": "run"}),
        lambda: dry_run_report(*experiment_from(environment={}, **wanted)),
    ):
        with pytest.raises((ExperimentError, OptionError)) as raised:
            attempt()
        assert [fact for fact in facts if fact not in str(raised.value)] == []
    assert not (tmp_path / "run" / "events.jsonl").exists()


def test_a_conditional_generator_is_measured_by_the_classes_of_its_samples(tmp_path: Path) -> None:
    wanted = {"names": ["classification_accuracy"], "every": 160, "samples": 100}
    run = train(tmp_path / "run", **BOTH, metrics=wanted)
    first, second = measurements_of(run)
    for record in (first, second):
        assert 0 <= record["metric/accuracy"] <= 1
        assert record["metric/real_accuracy"] > 0.3  # digits at 8 px, of ten classes
    data = with_data(run.experiment)
    parts = assemble(*data)
    labels = Renderer(parts.game.players["generator"], parts.prior).labels(range(100))
    assert labels is not None
    assert len(set(labels.tolist())) > 5


def test_records_are_json(run: Run) -> None:
    for line in (run.path / "events.jsonl").read_text().splitlines():
        json.loads(line)
    assert files(run.path)

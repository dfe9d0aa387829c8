"""Comparison of runs, checkpoints and folders of models: each judged by the discriminators of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gansmith
from gansmith import Run
from gansmith.adversarial import Dimensions
from gansmith.data.prepare import prepare
from gansmith.data.prior import Prior
from gansmith.errors import CheckpointError, DataError, GansmithError, OptionError, RunError, UnknownNameError
from gansmith.evaluation.cross_play import cross_play
from gansmith.judge.compare.compare_runs import compare
from gansmith.judge.compare.comparison import notes
from gansmith.judge.compare.contenders import Labelled, open_all, parse, sampled, scores
from gansmith.judge.compare.real_images import Reals, reals
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.records.images import to_uint8
from gansmith.system.ranking import accuracy
from gansmith.system.seeding import seeded
from small import SMALL

HERE = {"device": "cpu", "metrics": ()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three short runs on the same digits, one with a kept checkpoint; and others that do not fit."""
    root = tmp_path_factory.mktemp("compared")
    changes: dict[str, dict[str, Any]] = {
        "one": {"seed": 1, "keep_every": 128},
        "two": {"seed": 2, "images": 640},
        "three": {"seed": 3, "images": 64},
        "other": {"fraction": 0.1},
        "wide": {"size": "8x12"},
        "whole": {"holdout": 0},
    }
    for name, change in changes.items():
        length = 32 if name in ("other", "wide", "whole") else SMALL["images"]
        gansmith.train(out=str(root / name), **{**SMALL, "images": length, **change})
    return {name: root / name for name in changes}


def chosen(runs: dict[str, Path], *names: str) -> list[Path]:
    return [runs[name] for name in names]


def test_the_matrix_is_what_the_networks_say(runs: dict[str, Path]) -> None:
    """By hand: renderer, 8 bits, held-out pictures, each discriminator, the accuracy of training."""
    found = compare(chosen(runs, "one", "two", "three"), samples=30, **HERE)
    assert found.play.names == ("one", "two", "three")
    assert found.play.adjusted
    assert found.metrics == {}
    data = prepare(Run(runs["one"]).experiment.data)
    assert data.holdout is not None
    real = torch.from_numpy(data.holdout[np.arange(len(data.holdout))].image).movedim(-1, 1) / 127.5 - 1
    for judge, row in zip(found.play.names, found.play.accuracy, strict=True):
        discriminator, _ = Run(runs[judge]).network("discriminator")
        for name, number in zip(found.play.names, row, strict=True):
            made = Run(runs[name]).sample(range(30), device="cpu").images
            fake = ((made + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1
            with torch.no_grad():
                expected = accuracy(discriminator(real), discriminator(fake))
            assert number.value == pytest.approx(float(expected), abs=0.005)
    assert found.protocol.real_count == len(data.holdout)
    assert found.protocol.fake_count == 30
    assert found.protocol.real.startswith("digits (held out), ")
    assert found.protocol.averaging == "averaged"


def test_the_notes(runs: dict[str, Path]) -> None:
    two = compare(chosen(runs, "one", "two"), samples=10, **HERE)
    said = " ".join(two.notes)
    assert "The intervals are over images." in said
    assert "repeats itself" in said
    assert "cannot be compared with each other" in said
    assert "real images were held out" in said
    assert "checkpoints of one run" not in said
    three = compare([f"{runs['one']}@000000128", runs["one"], runs["two"]], samples=10, **HERE)
    said = " ".join(three.notes)
    assert "cannot be compared with each other" not in said
    assert "Some are checkpoints of one run" in said


def test_the_notes_on_judges(runs: dict[str, Path]) -> None:
    """A judge without an opinion, and one that prefers samples."""
    contenders = open_all(chosen(runs, "one", "two", "three"), raw=False, device="cpu", trust=False)
    shown, made = np.arange(200.0), np.arange(200.0)
    play = cross_play(["one", "two", "three"], [shown] * 3, [[made] * 3, [made, made, made + 150], [made - 150] * 3])
    said = notes(play, contenders, Reals(np.zeros((200, 8, 8, 1), dtype=np.uint8), "some", False))
    assert len(said) == 4
    assert "discriminator of one " in said[2]
    assert "discriminator of two scores samples of three above" in said[3]
    some = notes(play, contenders, Reals(np.zeros((99, 8, 8, 1), dtype=np.uint8), "some", False))
    assert "99 real images" in some[-1]


def test_checkpoints_of_one_run(runs: dict[str, Path]) -> None:
    early, late = f"{runs['one']}@000000128", f"{runs['one']}@latest"
    found = compare([early, late], samples=12, **HERE)
    assert found.play.names == ("one@000000128", "one@latest")
    first, second = open_all([early, late], raw=False, device="cpu", trust=False)
    averaged, _ = Run(runs["one"]).network("generator", checkpoint="000000128")
    torch.testing.assert_close(first.renderer.generator.state_dict(), averaged.state_dict(), rtol=0, atol=0)
    judge, _ = Run(runs["one"]).network("discriminator", checkpoint="000000128")
    torch.testing.assert_close(first.discriminator.network.state_dict(), judge.state_dict(), rtol=0, atol=0)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(second.discriminator.network.state_dict(), judge.state_dict())
    assert not any(module.training for module in first.discriminator.network.modules())


def test_equal_discriminators_judge_none_of_their_generators(runs: dict[str, Path]) -> None:
    """A run and its latest checkpoint are the same thing under two names."""
    twice = [runs["one"], f"{runs['one']}@latest"]
    with pytest.raises(GansmithError, match=r"one, one@latest.*same discriminator"):
        compare(twice, samples=5, **HERE)
    found = compare([*twice, runs["two"]], samples=10, **HERE)
    assert found.play.kin == (0, 0, 2)
    assert any("one, one@latest" in note for note in found.notes)
    standing = {one.name: one.told_apart.value for one in found.play.standings}
    assert standing["one"] == standing["one@latest"]
    assert found.record()["accuracy"]["one"]["one@latest"]["own"] is True


def test_raw_weights(runs: dict[str, Path]) -> None:
    first, _ = open_all(chosen(runs, "one", "two"), raw=True, device="cpu", trust=False)
    expected, _ = Run(runs["one"]).network("generator", raw=True)
    torch.testing.assert_close(first.renderer.generator.state_dict(), expected.state_dict(), rtol=0, atol=0)
    assert first.generator.averaging == "raw"
    assert compare(chosen(runs, "one", "two"), samples=4, raw=True, **HERE).protocol.averaging == "raw"


def test_samples_and_scores(runs: dict[str, Path]) -> None:
    """More than a batch of each: as many as asked for, the same in whatever portions."""
    contender = open_all(chosen(runs, "one", "two"), raw=False, device="cpu", trust=False)[0]
    images = sampled(contender, 65).images
    assert images.shape == (65, 8, 8, 1)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images[:5], sampled(contender, 5).images)
    alone = to_uint8(Run(runs["one"]).sample(range(65), device="cpu").images)  # one image at a time
    np.testing.assert_array_equal(images, alone)
    said = scores(contender.discriminator.network, Labelled(images), torch.device("cpu"))
    assert said.shape == (65,)
    np.testing.assert_allclose(
        said[60:], scores(contender.discriminator.network, Labelled(images[60:]), torch.device("cpu")), atol=1e-5
    )


def test_metrics_side_by_side(runs: dict[str, Path]) -> None:
    found = compare(chosen(runs, "one", "two"), samples=20, metrics=("kid", "spectrum"), device="cpu")
    assert set(found.metrics) == {"kid", "spectrum"}
    kid = found.metrics["kid"]
    assert set(kid.numbers) == {"one", "two"}
    assert kid.better == {"kid": "lower"}
    assert kid.numbers["one"]["kid"] != kid.numbers["two"]["kid"]
    assert kid.protocol.fake == "one, two"
    assert kid.protocol.features.startswith("pixels@")
    assert kid.protocol.size == "8x8x1, 8 bits"
    assert json.loads(json.dumps(found.record()))["metrics"]["kid"]["protocol"]["features"] == kid.protocol.features


def test_the_record(runs: dict[str, Path]) -> None:
    found = compare(chosen(runs, "one", "two", "three"), samples=20, **HERE)
    record = json.loads(json.dumps(found.record()))
    assert record["compared"] == ["one", "two", "three"]
    assert record["accuracy"]["one"]["one"]["own"] is True
    assert record["accuracy"]["one"]["two"]["own"] is False
    assert record["accuracy"]["one"]["two"]["value"] == found.play.accuracy[0][1].value
    assert [one["name"] for one in record["ranking"]] == [one.name for one in found.play.standings]
    assert record["ranking"][0]["told_apart"]["interval"][0] <= record["ranking"][0]["told_apart"]["value"]
    assert len(record["pairs"]) == 3
    assert record["pairs"][0]["separated"] is found.play.pairs[0].separated
    assert record["protocol"]["text"] == str(found.protocol)
    assert record["notes"] == list(found.notes)


def test_given_images_and_models_alone(runs: dict[str, Path]) -> None:
    """`against` needs no run: folders of models serve, and runs on different data."""
    found = compare([runs["one"] / "model", runs["other"], runs["two"]], against="digits", samples=10, **HERE)
    assert found.play.names == ("model", "other", "two")
    assert found.protocol.real_count == 1797
    assert found.protocol.real.startswith("digits (given), ")


def test_many_real_images_are_thinned(runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansmith.judge.compare.real_images.MOST", 50)
    contenders = open_all(chosen(runs, "one", "two"), raw=False, device="cpu", trust=False)
    some, again = (reals(contenders, against="digits").images for _ in range(2))
    assert some.shape == (50, 8, 8, 1)
    np.testing.assert_array_equal(some, again)
    assert len(np.unique(some.reshape(50, -1), axis=0)) == 50


def of_points(folder: Path, seed: int) -> Path:
    """A folder of models: a generator and a discriminator of points, with random weights."""
    players = {}
    for role in ("generator", "discriminator"):
        card = Card(role, role, "mlp", {"width": 16}, Dimensions(2, 1, 1, 2), Prior("uniform", 2))
        with seeded(role, seed):
            players[role] = (card, card.build().state_dict())
    saved.save(folder, players)
    return folder


def test_points_are_compared_too(tmp_path: Path) -> None:
    made = [of_points(tmp_path / f"run{number}", number) for number in range(3)]
    found = compare(made, against="grid", samples=50, **HERE)
    assert found.protocol.size == "1x1x2"
    opened = open_all(made, raw=False, device="cpu", trust=False)
    points = sampled(opened[0], 70).images
    assert points.dtype == np.float32
    expected = opened[0].renderer.images(range(70)).images.movedim(1, -1).numpy()
    np.testing.assert_array_equal(points, expected)  # not rounded to 8 bits
    with pytest.raises(OptionError, match=r"points.*--metrics none"):
        compare(made, against="grid", samples=50, device="cpu")


def test_runs_that_cannot_be_compared(runs: dict[str, Path], tmp_path: Path) -> None:
    lone = tmp_path / "lone"
    card = saved.read_card(runs["one"] / "model" / "generator.safetensors")
    saved.save(lone, {"generator": (card, card.build().state_dict())})
    one, two = runs["one"], runs["two"]
    cases: list[tuple[list[Any], dict[str, Any], type[Exception], str]] = [
        ([one], {}, OptionError, "1 run given.*two"),
        ([], {}, OptionError, "0 runs given"),
        ([one, one], {}, OptionError, "one was given twice.*RUN@CHECKPOINT"),
        ([one, tmp_path / "none"], {}, RunError, "there is no run"),
        ([one, lone], {}, RunError, "lone has no discriminator.*generator"),
        ([one, runs["wide"]], {}, RunError, "one.*8x8x1.*wide.*8x12x1"),
        ([one, runs["other"]], {}, DataError, r"one and other were not trained.*fraction: 0.2 \| 0.1.*--against DATA"),
        ([runs["whole"], one], {}, DataError, r"whole and one were not trained.*holdout: 0.0 \| 0.248"),
        ([one, two / "model"], {}, RunError, "model holds models only.*--against"),
        ([f"{one}@nothing", two], {}, CheckpointError, "there is no checkpoint 'nothing'"),
        ([f"{tmp_path}/away@", two], {}, OptionError, "away@: write RUN@CHECKPOINT"),
        ([one / "model", two], {"raw": True}, CheckpointError, "holds models only; --raw"),
        ([one, two], {"samples": 1}, OptionError, "samples = 1 .*at least 2"),
        ([one, two], {"samples": 10**12}, OptionError, "samples = 1000000000000 .*at most 200,000"),
        ([one, two], {"metrics": ["kdi"]}, UnknownNameError, "'kdi'.*'kid'"),
        ([one, two], {"metrics": ["kid"], "features": "pixel"}, UnknownNameError, "Did you mean 'pixels'"),
        ([one, two], {"metrics": ["class_error"]}, OptionError, "class_error"),
        (
            [one, two],
            {"metrics": ["inception_score"]},
            OptionError,
            "inception_score.*pixels.*--features",
        ),
        ([one, two], {"metrics": ["kid"], "weights": "w.pth"}, OptionError, "w.pth.*--features"),
        (
            [one, two],
            {"metrics": ["kid"], "features": "pixels", "weights": "w.pth"},
            OptionError,
            "pixels has no weights",
        ),
        (
            [one, two],
            {"metrics": ["precision_recall"], "samples": 3},
            OptionError,
            "at least 4 images.*3 samples",
        ),
        ([one, two], {"against": tmp_path / "gone"}, DataError, "no file or folder"),
    ]
    for given, options, kind, message in cases:
        with pytest.raises(kind, match=f"(?s){message}"):
            compare(given, **{**HERE, "samples": 5, **options})
    both = [runs["whole"], tmp_path / "same"]
    gansmith.train(out=str(both[1]), **{**SMALL, "images": 32, "holdout": 0, "seed": 4})
    with pytest.raises(DataError, match=r"digits.*holdout: 0.*--against"):
        compare(both, samples=5, **HERE)


def test_metrics_of_averaged_and_raw_weights_are_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    card = saved.read_card(runs["one"] / "model" / "generator.safetensors")
    judge, judged_by = Run(runs["one"]).network("discriminator")
    unaveraged = Card(**{**vars(card), "averaged": False})
    players = {"generator": (unaveraged, card.build().state_dict()), "discriminator": (judged_by, judge.state_dict())}
    saved.save(plain, players)
    with pytest.raises(GansmithError, match=r"averaging: averaged \| raw"):
        compare([runs["two"], plain], against="digits", samples=5, device="cpu")
    assert compare([runs["two"], plain], against="digits", samples=5, **HERE).protocol.averaging == "mixed"


def test_names_tell_runs_apart(runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent).mkdir()
        (tmp_path / parent / "run@home").symlink_to(runs["one" if parent == "a" else "two"])
    monkeypatch.chdir(tmp_path)
    assert parse("a/run@home") == (Path("a/run@home"), None)
    assert parse("a/run@home@latest") == (Path("a/run@home"), "latest")
    monkeypatch.undo()
    opened = open_all([tmp_path / "a" / "run@home", runs["three"]], raw=False, device="cpu", trust=False)
    assert [one.name for one in opened] == ["one", "three"]
    models = [runs["one"] / "model", runs["two"] / "model"]
    assert [one.name for one in open_all(models, raw=False, device="cpu", trust=False)] == [
        str(path) for path in models
    ]


def test_a_run_whose_images_changed_is_refused(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (80, 8, 8, 1), dtype=np.uint8)
    np.save(tmp_path / "mine.npy", images)
    made = []
    for seed in (0, 1):
        fields = {"path": str(tmp_path / "mine.npy"), "fraction": 1.0, "holdout": 0.2, "seed": seed, "images": 64}
        made.append(gansmith.train(**{**SMALL, **fields, "out": str(tmp_path / f"run{seed}")}).path)
    compare(made, samples=20)
    np.save(tmp_path / "mine.npy", images[::-1])
    with pytest.raises(DataError, match=r"run0.*mine\.npy"):
        compare(made, samples=20)

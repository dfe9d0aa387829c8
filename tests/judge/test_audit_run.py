"""From a run, or files, to an audit on disk: which images are compared, what is refused, what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gansmith
from gansmith.data.prepare import prepare
from gansmith.data.settings import DataSettings
from gansmith.errors import DataError, ExperimentError, GansmithError, OptionError, RunError, UnknownNameError
from gansmith.evaluation.audit.audit import read
from gansmith.evaluation.types import QUESTIONS
from gansmith.judge import audit_run as judge
from gansmith.judge.image_sets import subject_of
from gansmith.judge.reference_images import reals_of
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run
from small import SMALL, files

FEW: dict[str, Any] = {"samples": 60, "repeats": 2, "features": "pixels"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("judged") / "run"
    return gansmith.train(**{**SMALL, "fraction": 1.0, "holdout": 0.1, "out": str(folder)})


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 digits as 8 x 8 images, from those the run was trained on."""
    data = prepare(DataSettings(path="digits", size=(8, 8), holdout=0.1)).train
    path = tmp_path_factory.mktemp("images") / "real.npy"
    np.save(path, data[np.arange(100)].image)
    return path


def test_a_run_is_judged_against_its_own_images(run: Run) -> None:
    audit = judge.evaluate(run.path, **FEW)
    written = json.loads((run.path / "audit/audit.json").read_text())
    for question in QUESTIONS:
        assert written[question]["verdict"] in ("good", "bad", "cannot tell")
        assert set(written[question]) >= {"verdict", "evidence", "interval", "protocol"}
        protocol = written[question]["protocol"]
        assert protocol["size"] == "8x8x1"
        assert protocol["averaging"] == "averaged"
        assert protocol["seeds"] == "0-119"
        assert protocol["fake"] == "run"
        assert "digits " in protocol["real"]
    assert written["quality"]["verdict"] == "bad"  # 320 images of training
    page = (run.path / "audit/report.html").read_text()
    assert "<html" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert 'src="data:' in page
    assert set(audit.answers) == set(QUESTIONS)
    assert audit.facts["trained for"] == "320 images"


def test_the_same_again_is_the_same(run: Run, tmp_path: Path) -> None:
    first = judge.evaluate(run.path, **FEW, out=tmp_path / "a").record()
    second = judge.evaluate(run.path, **FEW, out=tmp_path / "b").record()
    for question in QUESTIONS:
        assert first[question] == second[question]
    other = judge.evaluate(run.path, **FEW, out=tmp_path / "c", raw=True).record()
    assert (other["run"]["raw"], other["run"]["options"]) == (True, ["--features", "pixels"])
    assert other["protocol"]["averaging"] == "raw"


def test_what_a_run_makes_and_from_which_seeds(run: Run) -> None:
    subject = subject_of(run.path, 70, 2, checkpoint=None, raw=False, device="cpu", trust=False)
    made = subject.generate()
    assert subject.run is not None
    assert subject.shape == (8, 8, 1)
    assert [part.shape for part in made.parts] == [(70, 8, 8, 1)] * 2
    assert made.seeds == "0-139"
    expected = run.sample(range(140)).images
    both = np.concatenate(made.parts).astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(both, expected.movedim(1, -1).numpy(), atol=1.01 / 255)


def test_the_real_images_are_those_of_the_run(run: Run) -> None:
    data = prepare(run.experiment.data)
    subject = subject_of(run.path, 30, 1, checkpoint=None, raw=False, device="cpu", trust=False)
    options: dict[str, Any] = {"seed": 0}
    found = reals_of(subject, against=None, holdout=None, most=10_000, **options)
    assert found.holdout is not None
    assert data.holdout is not None
    sides = ((found.train, data.train), (found.holdout, data.holdout))
    for (images, labels), side in sides:
        picture = side[np.arange(len(side))]
        np.testing.assert_array_equal(images, picture.image)
        np.testing.assert_array_equal(labels, picture.label)
    assert not found.notes
    few = reals_of(subject, against=None, holdout=None, most=50, **options)
    assert len(few.train[0]) == len(few.holdout[0]) == 50  # type: ignore[index]
    assert few.notes[0].startswith("50 of the ")
    same = reals_of(subject, against="digits", holdout=None, most=10_000, **options)
    np.testing.assert_array_equal(same.train[0], found.train[0])  # its own images by name: still with its hold-out


def test_files_are_judged_against_what_is_given(run: Run, real: Path, tmp_path: Path) -> None:
    images = np.load(real)
    folder = tmp_path / "made"
    folder.mkdir()
    for number, image in enumerate(images[:40]):
        Image.fromarray(image[:, :, 0]).save(folder / f"{number}.png")
    audit = judge.evaluate(folder, against=str(real), **FEW, out=tmp_path / "out")
    assert audit.protocol.averaging == "files"
    assert audit.protocol.seeds == ""
    assert audit.counts["samples"] == 40
    assert any("stands in for them" in note for note in audit.notes)
    assert (tmp_path / "out/report.html").is_file()
    held = judge.evaluate(folder, against=str(real), holdout="digits", **FEW, out=tmp_path / "held")
    assert not any("stands in for them" in note for note in held.notes)
    assert held.counts["real images held out"] > 1000


def test_a_run_has_its_own_size(run: Run, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--size is of image files"):
        judge.evaluate(run.path, **FEW, size=64, out=tmp_path / "out")


def test_enough_files_make_several_repeats(tmp_path: Path, real: Path) -> None:
    subject = subject_of(real, 30, 3, checkpoint=None, raw=False, device="cpu", trust=False)
    made = subject.generate()
    assert subject.run is None
    assert [len(part) for part in made.parts] == [30, 30, 30]
    whole = {image.tobytes() for image in np.load(real)}
    assert all(image.tobytes() in whole for part in made.parts for image in part)
    made = subject_of(real, 40, 3, checkpoint=None, raw=False, device="cpu", trust=False).generate()
    assert [len(part) for part in made.parts] == [40]


def test_any_metric_of_the_catalog_is_measured_beside_the_answers(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of someone else's, one that reads features, one that reads images, and one that needs more of them."""
    package = tmp_path / "metrics_from_elsewhere"
    package.mkdir()
    (package / "brightness_gap.py").write_text(
        "from gansmith.evaluation.types import Metric, Number\n"
        "def build():\n"
        '    """How much brighter the samples are, in levels."""\n'
        "    def measure(real, fake):\n"
        "        return {'gap': Number(float(fake.images.mean() - real.images.mean()), means='levels')}\n"
        "    return Metric(measure, better={}, words='brightness_gap', needs=('images',))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    names = ["kid", "spectrum", "fid_infinity", "metrics_from_elsewhere.brightness_gap"]
    audit = judge.evaluate(run.path, **FEW, metrics=names, out=tmp_path / "out")
    assert list(audit.metrics) == names
    samples = to_uint8(run.sample(range(120)).images)
    train = prepare(run.experiment.data).train
    real = train[np.arange(len(train))].image
    expected = samples.astype(float).mean() - real.astype(float).mean()
    assert audit.metrics["metrics_from_elsewhere.brightness_gap"].numbers["gap"].value == pytest.approx(
        expected, abs=0.02
    )
    kid = audit.metrics["kid"]
    assert kid.numbers["kid"].low is not None
    assert kid.protocol.fake_count == 120
    assert kid.protocol.features.startswith("pixels@")
    assert audit.metrics["spectrum"].protocol.features == ""
    few = audit.metrics["fid_infinity"]  # of 64 features it takes 256 samples
    assert not few.numbers
    assert "256" in few.problem
    assert read(tmp_path / "out").metrics == audit.metrics
    written = json.loads((tmp_path / "out/audit.json").read_text())["metrics"]
    assert written["kid"]["numbers"]["kid"]["value"] == kid.numbers["kid"].value
    assert f"\nkid: {kid.numbers['kid'].value:.4g} [" in audit.as_text()
    page = (tmp_path / "out/report.html").read_text()
    assert "Metrics for comparison" in page
    assert '<th scope="row">gap' in page
    assert "Metrics for comparison" not in (judge_page(run, tmp_path / "plain"))


def judge_page(run: Run, out: Path) -> str:
    judge.evaluate(run.path, **FEW, out=out)
    return (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"metrics": ["kdi"]}, UnknownNameError, "'kid'"),
        ({"metrics": ["inception_score"]}, OptionError, "pixels"),
        ({"metrics": ["class_error"]}, OptionError, "class_error"),
        ({"samples": 5}, OptionError, "samples = 5"),
        ({"repeats": 0}, OptionError, "repeats = 0"),
        (
            {"samples": 150_000, "repeats": 2},
            OptionError,
            "at most 200,000",
        ),
        ({"real": 30}, OptionError, "at least 40"),
        (
            {"features": "inseption"},
            UnknownNameError,
            "'inception'",
        ),
        ({"features": "auto", "device": "gpu"}, ExperimentError, "'gpu'"),
        ({"features": "auto", "weights": "w.pth"}, OptionError, "--weights w.pth"),
        ({"features": "mobilenet", "weights": "no.pth"}, GansmithError, "no.pth"),
        ({"against": "nowhere"}, DataError, "no file or folder nowhere"),
        ({"checkpoint": "000"}, RunError, "there is no checkpoint '000'"),
    ],
)
def test_mistakes(run: Run, tmp_path: Path, options: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as raised:
        judge.evaluate(run.path, **{**FEW, **options}, out=tmp_path / "out")
    assert text in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_mistakes_with_files(real: Path, tmp_path: Path) -> None:
    def refused(kind: type[Exception], subject: Path, **options: Any) -> str:
        with pytest.raises(kind) as raised:
            judge.evaluate(subject, **{**FEW, **options})
        return str(raised.value)

    out = tmp_path / "out"
    assert "--out DIR" in refused(OptionError, real, against="digits")
    assert "--against DATA" in refused(OptionError, real, out=out)
    assert "--checkpoint and --raw" in refused(OptionError, real, out=out, raw=True)
    assert "ring holds points" in refused(DataError, Path("ring"), out=out, against="digits")
    one = tmp_path / "one.npy"
    np.save(one, np.zeros((1, 8, 8, 1), np.uint8))
    assert "one holds 1 image" in refused(DataError, one, out=out, against="digits")
    assert "only 1 real image" in refused(DataError, real, out=out, against=str(one))
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for number in range(25):
        Image.new("L", (8 + number // 20, 8)).save(mixed / f"{number}.png")
    said = refused(DataError, mixed, out=out, against="digits")
    assert all(fact in said for fact in ("20 of 8x8, 5 of 8x9", "gansmith data pack"))
    assert not out.exists()
    said = refused(OptionError, real, out=one / "audit", against="digits")
    assert all(fact in said for fact in (f"{one}/audit", f"{one} is a file"))


def test_a_run_that_is_not_there_is_told_with_those_beside_it(run: Run) -> None:
    with pytest.raises(RunError, match=rf"/rum\b.*{run.path}"):
        judge.evaluate(run.path.with_name("rum"))


def test_a_run_whose_images_changed_is_told(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (80, 8, 8, 1), dtype=np.uint8)
    path = tmp_path / "mine.npy"
    np.save(path, images)
    run = gansmith.train(**{**SMALL, "path": str(path), "fraction": 1.0, "holdout": 0.4, "out": str(tmp_path / "run")})
    np.save(path, images[::-1])
    audit = judge.evaluate(run.path, **FEW)
    assert any("they changed since" in note for note in audit.notes)


def test_points_are_no_images(tmp_path: Path) -> None:
    run = gansmith.train("ring", recipe="mlp_ring", images=256, batch=64, out=str(tmp_path / "ring"))
    before = files(run.path)
    with pytest.raises(DataError, match="makes points, and only images can be judged"):
        judge.evaluate(run.path, **FEW)
    assert files(run.path) == before

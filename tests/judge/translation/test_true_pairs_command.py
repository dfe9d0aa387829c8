"""What is written of distances from true images: the record, the sheet, the words of the command."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer import Typer
from typer.testing import CliRunner, Result

import gansmith
from gansmith import __version__
from gansmith.adversarial import Dimensions
from gansmith.cli.evaluate import evaluate as command
from gansmith.data.prepare import prepare_domains
from gansmith.data.prior import Prior
from gansmith.errors import GansmithError, OptionError
from gansmith.judge import translation as true_pairs
from gansmith.judge import true_pairs_report
from gansmith.judge.true_pairs_report import Likeness
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.records.images import draw_sheet, to_uint8
from gansmith.runs.run import Run
from gansmith.system.seeding import seeded
from held_pairs import (
    HELD,
    SIZE,
    by_network,
    make_run,
    read,
    sides,
)
from small import SMALL

# ---- what is written


def test_the_record_holds_what_the_text_says(two: tuple[Path, Path], tmp_path: Path) -> None:
    found = true_pairs.evaluate(two[0], beside=[two[1]], device="cpu", out=tmp_path / "out" / "deep")
    assert found.folder == tmp_path / "out" / "deep"
    assert {path.name for path in found.folder.iterdir()} == {"true_pairs.json", "true_pairs.png"}
    assert not (two[0] / "audit").exists()
    record = json.loads((found.folder / "true_pairs.json").read_text())
    assert record == json.loads(json.dumps(found.record()))
    data = prepare_domains(Run(two[0]).experiment.data)
    assert {key: record[key] for key in ("gansmith", "data", "to", "pairs", "clusters", "lpips")} == {
        "gansmith": __version__,
        "data": f"{data.name} {data.digest}",
        "to": "b",
        "pairs": 36,
        "clusters": 12,
        "lpips": None,
    }
    assert record["notes"] == list(found.notes)
    lines = found.as_text().splitlines()
    assert lines[0] == f"36 true pairs held out, 12 independent, translated to b: {record['data']}"
    order = sorted(record["distance"], key=lambda way: record["distance"][way]["l1"]["value"])

    def said(number: dict[str, Any]) -> str:
        return f"l1 {number['value']:.4f} [{number['interval'][0]:.4f}, {number['interval'][1]:.4f}]"

    assert lines[1:5] == [f"{way:15}  {said(record['distance'][way]['l1'])}" for way in order]
    expected = [
        f"{run} against {way}: l1 {true_pairs_report.gain(found.nearer[run][way]['l1'])}"
        for run, ways in record["nearer"].items()
        for way, row in ways.items()
    ]
    assert lines[5:] == expected
    assert len(expected) == 5


def test_the_sheet(given: dict[str, Any], domains: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    plain = draw_sheet

    def sheet(images: Any, **options: Any) -> Any:
        seen.append((images, options))
        return plain(images, **options)

    monkeypatch.setattr("gansmith.judge.true_pairs_report.draw_sheet", sheet)
    run = make_run(tmp_path / "run", **given)
    true_pairs.evaluate(run, device="cpu")
    ((images, options),) = seen
    shown = to_uint8(images).reshape(12, 4, SIZE, SIZE, 3)
    names, _ = sides(given)
    chosen = [names[index] for index in np.linspace(0, len(names) - 1, 12).round().astype(int)]
    source = read(domains / "a", chosen)
    np.testing.assert_array_equal(shown[:, 0], source)
    np.testing.assert_array_equal(shown[:, 2], by_network(run, source))
    np.testing.assert_array_equal(shown[:, 3], read(domains / "b", chosen))
    assert options == {"columns": 4, "labels": ("untouched", "colour transfer", "run", "true", *[""] * 44)}
    with Image.open(run / "audit" / "true_pairs.png") as picture:
        assert picture.height > 2.5 * picture.width


def test_nothing_is_half_written(given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, out = make_run(tmp_path / "run", **given), tmp_path / "out"
    out.mkdir()
    for name in ("true_pairs.json", "true_pairs.png"):
        (out / name).write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GansmithError, match=r"true_pairs\.json.*No space left"):
        true_pairs.evaluate(run, device="cpu", out=out, force=True)
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        "true_pairs.json": "old",
        "true_pairs.png": "old",
    }


# ---- runs that were trained, and the command


@pytest.fixture(scope="module")
def trained(domains: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """16 images of training."""
    folder = shutil.copytree(domains, tmp_path_factory.mktemp("trained") / "data")
    small = {"name": "cyclegan", "width": 2}
    return gansmith.train(
        str(folder / "a"),
        other=str(folder / "b"),
        holdout=HELD,
        game="cycle",
        translator={**small, "blocks": 1},
        discriminator=small,
        objective="lsgan",
        images=16,
        batch=4,
        sheet=4,
        device="cpu",
        out=str(folder.parent / "run"),
    )


def invoke(*arguments: Any) -> Result:
    app = Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command(trained: Run, tmp_path: Path) -> None:
    done = invoke(trained.path, "--to", "a", "--device", "cpu", "--seed", 2, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    expected: Likeness = true_pairs.evaluate(trained.path, to="a", device="cpu", seed=2, out=tmp_path / "again")
    said = f"{expected.as_text()}\nnote: {expected.notes[0]}\n-> {tmp_path}/out\n"
    assert done.stdout.split() == said.split()  # lines are wrapped
    assert len(expected.notes) == 1  # of the weights: the images are those that it was trained on
    written = [(tmp_path / name / "true_pairs.json").read_text() for name in ("out", "again")]
    assert written[0] == written[1]
    assert json.loads(written[0])["to"] == "a"
    other = invoke(trained.path, "--device", "cpu")
    assert other.stdout.splitlines()[0].split(": ")[0].endswith("translated to b")
    assert other.stdout.splitlines()[-1] == f"-> {trained.path}/audit"


def test_the_command_with_a_run_beside(trained: Run, tmp_path: Path) -> None:
    copies = [shutil.copytree(trained.path, tmp_path / name) for name in ("second", "third")]
    given = [word for copy in copies for word in ("--beside", copy)]
    done = invoke(trained.path, *given, "--device", "cpu", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    assert "run against second: l1 nearer by 0.0000 [0.0000, 0.0000], not clear\n" in done.stdout
    assert "second against third: l1 nearer by 0.0000 [0.0000, 0.0000], not clear\n" in done.stdout
    refused = invoke(trained.path, "--weights", "no.ckpt")
    assert "no.ckpt" in str(refused.exception)


def test_options_that_do_nothing_are_refused(trained: Run, tmp_path: Path, given: dict[str, Any]) -> None:
    refused = invoke(trained.path, "--samples", 10, "--raw")
    assert isinstance(refused.exception, OptionError)
    assert all(fact in str(refused.exception) for fact in ("--samples, --raw", str(trained.path)))
    image = tmp_path / "images.npy"
    np.save(image, np.zeros((30, 8, 8, 1), np.uint8))
    refused = invoke(image, "--against", "digits", "--to", "a", "--beside", trained.path)
    assert isinstance(refused.exception, OptionError)
    assert all(fact in str(refused.exception) for fact in ("--to, --beside", str(image)))


def test_a_classifier_has_no_direction(tmp_path: Path) -> None:
    card = Card("classifier", "classifier", "mnist_net", {}, Dimensions(1, 16, 16, 0, 10), Prior(size=1))
    with seeded("true pairs"):
        saved.save(tmp_path, {"classifier": (card, card.build().state_dict())})
    refused = invoke(tmp_path, "--to", "a")
    assert isinstance(refused.exception, OptionError)
    assert all(fact in str(refused.exception) for fact in ("--to ", str(tmp_path)))


def test_other_runs_are_judged_as_before(tmp_path: Path) -> None:
    run = gansmith.train(**{**SMALL, "images": 16, "holdout": 0.1, "out": str(tmp_path / "run")})
    done = invoke(run.path, "--samples", 20, "--repeats", 1, "--features", "pixels", "--real", 40)
    assert done.exit_code == 0, done.exception
    assert (run.path / "audit" / "report.html").is_file()
    assert not (run.path / "audit" / "true_pairs.json").exists()


def test_images_that_changed_since_are_told(trained: Run, tmp_path: Path) -> None:
    copied = shutil.copytree(trained.path.parent, tmp_path / "copied")
    run = copied / "run"
    data = trained.experiment.data
    experiment = (run / "experiment.yaml").read_text().replace(str(trained.path.parent), str(copied))
    (run / "experiment.yaml").write_text(experiment)
    assert len(true_pairs.evaluate(run, device="cpu").notes) == 1
    name = next(iter(sorted((copied / "data" / "a").iterdir())))
    Image.new("RGB", (SIZE, SIZE)).save(name)
    for found in (
        true_pairs.evaluate(run, device="cpu"),
        true_pairs.evaluate(make_run(tmp_path / "new", **Run(run).experiment.data.model_dump()), beside=[run]),
    ):
        assert all(fact in found.notes[0] for fact in (f"{copied}/data/a", str(run), "changed"))
        assert len(found.notes) == 2
    assert Path(data.path).exists()

"""`gansmith train`: its options become an experiment, and it says where things are."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

import gansmith
from forked import fork
from gansmith import catalog
from gansmith.cli import main as cli
from gansmith.experiment.layers import Layer
from gansmith.experiment.schema import Experiment
from gansmith.runs.run import Run
from small import OPTIONS, SMALL


def gansmith_says(monkeypatch: pytest.MonkeyPatch, capsys: Any, *arguments: Any) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command in this process."""
    monkeypatch.setattr(sys, "argv", ["gansmith", *map(str, arguments)])
    capsys.readouterr()
    status = 0
    try:
        cli.main()
    except SystemExit as end:
        status = int(end.code or 0)
    out, said = capsys.readouterr()
    return status, out, said


def test_a_run_from_the_command_line(tmp_path: Path) -> None:
    """In a process of its own: plain lines, no traceback, and the end says where to look and what to try."""
    out = tmp_path / "run"
    with fork("train", *OPTIONS, "--out", out) as process:
        said, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    lines = said.splitlines()
    assert lines[0] == f"done: sheets in {out}/samples, their film {out}/progress.webp, the model in {out}/model"
    assert lines[1].startswith("how good: not measured")
    assert f"  gansmith resume {out} --images 640" in lines
    assert lines[-3:] == [
        f"also: gansmith sample {out} --seeds 0-63 --out grid.png",
        f"      gansmith interpolate {out} 3 8 12 --out strip.png",
        f"      gansmith evaluate {out}",
    ]
    assert errors.startswith("no recipe, ")
    assert errors.splitlines()[1].startswith("warning: only 359 images")
    assert "\x1b" not in errors
    assert "\r" not in errors
    python = gansmith.train(**SMALL, out=str(tmp_path / "python"))
    plain, same = Run(out).experiment.plain(), python.experiment.plain()
    assert plain.pop("out") != same.pop("out")
    assert plain == same
    assert (out / "model/generator.safetensors").read_bytes() == (
        python.path / "model/generator.safetensors"
    ).read_bytes()


EVERY: list[tuple[list[str], str, Any]] = [
    (["--size", "48x64"], "data.size", "48x64"),
    (["--channels", "4"], "data.channels", 4),
    (["--fraction", "0.5"], "data.fraction", 0.5),
    (["--images", "1.5k"], "images", 1500),
    (["--batch", "8"], "batch", 8),
    (["--seed", "-3"], "seed", -3),
    (["--out", "2024"], "out", "2024"),
    (["--device", "cpu"], "device", "cpu"),
    (["--precision", "bfloat16"], "precision", "bfloat16"),
    (["--workers", "2"], "workers", 2),
    (["--flip"], "data.flip", True),
    (["--no-flip"], "data.flip", False),
    (["--holdout", "0.2"], "data.holdout", 0.2),
    (["--holdout-by", "name:^(.)"], "data.holdout_by", "name:^(.)"),
    (["--skip-unreadable"], "data.skip_unreadable", True),
    (["--checkpoint-every", "7k"], "checkpoint_every", 7000),
    (["--samples-every", "9k"], "samples_every", 9000),
    (["--from", "elsewhere"], "start_from", "elsewhere"),
    (["--freeze", "discriminator.first=3"], "freeze.discriminator.first", 3),
    (["--objective", "minimax"], "objective.name", "minimax"),
    (["--augment", "noise"], "augment.name", "noise"),
    (["--tensorboard"], "tensorboard", True),
    (["--set", "generator.width=8"], "generator.width", 8),
    (["--set", "sheet=9", "--set", "seed=4"], "sheet", 9),
]


@pytest.mark.parametrize(("options", "path", "value"), EVERY)
def test_every_option_sets_its_field(
    options: list[str], path: str, value: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    seen: list[tuple[Experiment, dict[str, str]]] = []

    def report(experiment: Experiment, sources: dict[str, str], *, full: bool, processes: tuple[int, int]) -> str:
        assert (full, processes) == (False, (1, 1))
        seen.append((experiment, sources))
        return "seen"

    monkeypatch.setattr("gansmith.runs.dry_run.dry_run_report", report)
    monkeypatch.setattr("gansmith.runs.train.default_recipe", lambda *_: None)
    monkeypatch.setattr("gansmith.runs.train.settings_of", lambda _: Layer("elsewhere", {}))
    monkeypatch.setattr("gansmith.runs.train.beside_start", lambda *_: (Layer("default", {}), ""))
    status, out, _ = gansmith_says(monkeypatch, capsys, "train", "photos", *options, "--dry-run")
    assert (status, out) == (0, "seen\n")
    (experiment, sources), found = seen[0], seen[0][0].plain()
    for step in path.split("."):
        found = found[step]
    assert found == value
    assert sources[path] == ("--set" if options[0] == "--set" else "arguments")
    assert experiment.data.path == "photos"
    default = Experiment().plain()
    touched = {path.partition(".")[0], "data", *(["seed"] if "seed=4" in options else [])}
    assert {k: v for k, v in experiment.plain().items() if k not in touched} == {
        k: v for k, v in default.items() if k not in touched
    }


LINES = ["recipe", "data", "training", "machine", "forecast", "output"]


def test_full_does_nothing_alone_and_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    status, _, said = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--full")
    assert status != 0
    assert "--dry-run" in said


def test_a_dry_run_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, _ = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--dry-run")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()][:6] == LINES
    status, out, _ = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--dry-run", "--full")
    assert status == 0
    assert [line.split()[1] for line in out.splitlines()[:6]] == LINES
    assert yaml.safe_load(out)["generator"]["width"] == 4
    assert re.search(r"^  width: 4 +# --set$", out, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_the_same_command_continues_and_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    out = tmp_path / "run"
    assert gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--out", out)[0] == 0
    status, _, said = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--out", out)
    assert status == 0
    assert "is complete at 320 images" in said
    status, done, said = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--out", out, "--objective", "minimax")
    assert status == 1
    assert done == ""
    first, way_out, *_, different = [
        line for line in said.splitlines() if not line.startswith(("no recipe", "warning"))
    ]
    assert "of 320 images" in first
    assert f"gansmith resume {out}" in way_out
    assert different == "  objective.name: nonsaturating -> minimax"


MISTAKES: list[tuple[list[str], str]] = [
    (["--objective", "minmax"], "no objective called 'minmax'. Did you mean 'minimax'?"),
    (["--set", "generator.name=dcgn"], "no model called 'dcgn'. Did you mean 'dcgan'?"),
    (["--set", "optimizer.generator.lr=-1"], "optimizer adam: Invalid learning rate: -1.0"),
    (["--set", "optimizer.generator.betas=[2,3]"], "optimizer adam: Invalid beta parameter at index 0: 2.0"),
    (["--set", "batch"], "--set batch: write it as field=value, for example --set generator.width=32"),
    (["--set", "data.format=foldr"], "digits is a built-in dataset: it has no format to choose"),
    (["--device", "gpu"], "there is no device called 'gpu'. Allowed: auto, cpu, cuda, cuda:N, mps"),
    (
        ["--precision", "float16"],
        "precision = 'float16' (arguments) is not allowed: it takes auto, ",
    ),
    (["--batch", "0"], "batch = 0 (arguments) is not allowed: it takes a whole number from 1"),
    (["--size", "0"], "data.size = '0' (arguments) is not allowed"),
    (["--size", "3x"], "data.size = '3x' (arguments) is not allowed: a size is a number of pixels (64) or height x"),
    (["--size", "4x4"], "dcgan cannot make 4x4 images: both sides must be at least 8 pixels"),
    (["--channels", "2"], "data.channels = 2 (arguments) is not allowed: it takes 1, 3, 4 or null"),
    (["--images", "-5"], "images = '-5' (arguments) is not allowed: a number of images is written like 50000, 50k"),
    (["--fraction", "2"], "data.fraction = 2.0 (arguments) is not allowed: it takes a number above 0, up to 1"),
    (["--holdout-by", "nam"], "data.holdout_by = 'nam' (arguments) is not allowed: must be 'similar', 'class', 'file'"),
    (["--config", "absent.yaml"], "could not read absent.yaml: No such file or directory"),
    (["--from", "absent"], "there is no run absent. Runs beside it: none"),
    (["--objective", "my_lab.spiral"], "objective 'my_lab.spiral': could not import it: No module named 'my_lab'"),
]


@pytest.mark.parametrize(("options", "expected"), MISTAKES)
def test_mistakes(
    options: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, said = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--out", "run", *options)
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert status == 1
    assert out == ""
    assert expected in errors[0]
    assert said.endswith(errors[0] + "\n")  # and nothing after it
    assert not (tmp_path / "run").exists()


def test_points_and_a_network_for_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, said = gansmith_says(monkeypatch, capsys, "train", "ring", "--set", "generator.name=dcgan")
    assert status == 1
    assert "error: dcgan cannot make 1x1 images" in said
    assert "for points (ring, grid) --recipe mlp_ring" in said


def test_folders_that_cannot_be_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    for path, expected in (
        ("empty", "error: no images in empty: files that end in .png"),
        ("xyz", "error: no file or folder xyz, and no built-in dataset of that name. Built-in: "),
        ("digitz", "Did you mean 'digits'?"),
    ):
        status, _, said = gansmith_says(monkeypatch, capsys, "train", path)
        assert status == 1
        assert expected in said
    assert not any((tmp_path / "runs").glob("*/*"))


def test_only_one_sheet_makes_no_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """A game that shows nothing: the last lines name no film that is not there."""
    toy = ["--set", "game=toys.classify", "--set", "classifier=toys.tiny", "--set", "optimizer.classifier=sgd"]
    out = tmp_path / "run"
    options = [*OPTIONS[:-6], "--set", "averaging.half_life=100", *toy, "--images", "32", "--out", out]
    status, done, said = gansmith_says(monkeypatch, capsys, "train", *options)
    assert status == 0, said
    assert "film" not in done
    assert not (out / "progress.webp").exists()


def test_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("game: toys.spoiled\n")
    given = ["train", *OPTIONS, "--images", "16", "--out", tmp_path / "run"]
    status, _, said = gansmith_says(monkeypatch, capsys, *given, "--config", own)
    assert status == 1
    assert "error: game 'toys.spoiled' is code from outside gansmith, and importing is executing. " in said
    assert gansmith_says(monkeypatch, capsys, *given, "--config", own, "--trust")[0] == 0
    catalog.forget_vouched()
    by_hand = [*given[:-1], tmp_path / "other", "--set", "game=toys.spoiled"]
    assert gansmith_says(monkeypatch, capsys, *by_hand)[0] == 0


def test_a_set_of_pictures_without_any_option_but_the_shortest(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    folder = tmp_path / "pics"
    folder.mkdir()
    for index in range(8):
        Image.new("RGB", (16, 20), (index * 30, 0, 0)).save(folder / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    status, out, _ = gansmith_says(monkeypatch, capsys, "train", "pics", "--images", "64", "--set", "generator.width=2")
    assert status == 0
    assert out.startswith("done: sheets in runs/pics-dcgan_few/samples, their film ")
    assert Run("runs/pics-dcgan_few").experiment.plain()["data"]["size"] == "20x16"


def test_a_dry_run_of_several_processes_begins_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gansmith.cli.several.launch", lambda *_, **__: pytest.fail("launched"))
    status, out, _ = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--processes", "2", "--dry-run")
    assert status == 0
    assert "2 processes, each with" in out
    assert "8 of 16 images" in out
    status, out, said = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--processes", "17", "--dry-run")
    assert (status, out) == (1, "")
    assert "at most 16 processes" in said


@pytest.mark.parametrize(("rank", "lines"), [("0", 6), ("1", 0)])
def test_of_processes_that_torchrun_started_one_says_a_dry_run(
    rank: str, lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    status, out, _ = gansmith_says(monkeypatch, capsys, "train", *OPTIONS, "--dry-run")
    assert status == 0
    assert len([line for line in out.splitlines() if line.split()[0] in LINES]) == lines
    assert ("4 processes (2 on a machine)" in out) == (lines > 0)

"""What a run begins with: settings and weights of another run, of model files, or of a model of the zoo."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gansmith
from gansmith import zoo
from gansmith.errors import RunError
from gansmith.experiment.schema import Experiment
from gansmith.runs import default_recipe
from gansmith.runs.start import place_of, start_for
from gansmith.runs.train import experiment_from
from small import SMALL

SHORT: dict[str, Any] = {key: SMALL[key] for key in ("path", "size", "fraction", "checkpoint_every", "sheet", "device")}


def settings(**given: Any) -> Any:
    return experiment_from(choose_recipe=True, environment={}, **given)[0]


def test_without_a_recipe_the_settings_of_the_start_are_taken(finished: Path, tmp_path: Path) -> None:
    """The networks and how they are trained; not the images, the length, the seed or the folder."""
    own = settings(path="fashion_mnist", start_from=str(finished))
    assert own.generator.options["width"] == own.discriminator.options["width"] == 4
    assert (own.batch, own.prior.size, own.averaging.half_life) == (16, 8, 100)
    assert (own.data.path, own.data.size, own.images, own.out) == ("fashion_mnist", None, 1_000_000, None)
    changed = settings(path="digits", start_from=str(finished), batch=8, objective="hinge", generator={"width": 6})
    assert (changed.batch, changed.objective.name, changed.generator.options["width"]) == (8, "hinge", 6)
    named = settings(path="digits", start_from=str(finished), recipe="dcgan_small")
    assert (named.recipe, named.generator.options["width"], named.prior.size) == ("dcgan_small", 32, 64)
    plain = experiment_from(path="digits", start_from=str(finished), environment={})[0]
    assert plain.generator is not None
    assert plain.generator.options.get("width", 64) == 64


def test_the_cards_of_model_files_are_settings_too(finished: Path, tmp_path: Path) -> None:
    """Their recipe, where it is known, with their own networks and prior."""
    model = Path(shutil.copytree(finished / "model", tmp_path / "theirs"))
    own = settings(path="digits", start_from=str(model))
    assert (own.generator.options["width"], own.prior.size, own.recipe) == (4, 8, None)
    run = gansmith.train(
        **{**SHORT, "images": 16}, recipe="hinge_digits", generator={"width": 4}, out=str(tmp_path / "run")
    )
    own = settings(path="digits", start_from=str(run.model))
    assert (own.recipe, own.generator.options["width"]) == ("hinge_digits", 4)
    assert own.images == settings(path="digits", recipe="hinge_digits").images != 16  # the recipe's, not that run's
    for role in ("generator", "discriminator"):
        assert own.optimizer[role].options["lr"] == run.experiment.optimizer[role].options["lr"] != 1e-3


def test_the_same_command_continues_though_the_start_is_gone(finished: Path, tmp_path: Path, capsys: Any) -> None:
    """And a run that an earlier version began with the defaults keeps these."""
    source = Path(shutil.copytree(finished, tmp_path / "source"))
    given = {**SHORT, "start_from": str(source), "out": str(tmp_path / "new")}
    made = gansmith.train(**given, images=32)
    assert made.experiment.generator.options["width"] == 4
    shutil.rmtree(source)
    assert gansmith.train(**given, images=64).checkpoint()["images"] == 64
    plain = {**SHORT, "start_from": str(finished), "out": str(tmp_path / "plain")}
    own = {"generator": {"name": "dcgan", "width": 4, "kernel": 4}, "discriminator": {"name": "dcgan", "width": 4}}
    gansmith.train(**plain, **own, batch=8, recipe="dcgan", prior={"size": 8}, images=16)
    assert gansmith.train(**plain, images=32).experiment.batch == 8


@pytest.mark.parametrize("native", [True, False])
def test_precision_and_mirroring_are_those_of_a_run_without_a_start(
    native: bool, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(default_recipe, "native_bfloat16", lambda device: native)
    monkeypatch.chdir(tmp_path)
    either = np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1)).astype(np.uint8)
    np.save("either.npy", either)

    def chosen(path: str, **own: Any) -> tuple[str, bool, list[str]]:
        capsys.readouterr()
        experiment = settings(path=path, device="cpu", start_from=str(finished), **own)
        return experiment.precision, experiment.data.flip, capsys.readouterr().err.splitlines()

    table = "bfloat16" if native else "auto"
    precision, flip, said = chosen("either.npy")
    assert (precision, flip, len(said)) == (table, True, 1)
    assert ("bfloat16 (--precision)" in said[0], "--no-flip" in said[0]) == (native, True)
    precision, flip, said = chosen("digits")
    assert (precision, flip) == (table, False)
    assert "--no-flip" not in said[0]
    assert "10 classes" in said[1]
    precision, flip, said = chosen("either.npy", precision="float32", flip=False)
    assert (precision, flip) == ("float32", False)
    assert "--precision" not in said[0]
    assert "--no-flip" not in said[0]
    assert chosen("either.npy", recipe="dcgan_small")[:2] == ("auto", False)


def test_a_run_that_is_there_keeps_its_precision_and_whether_it_is_mirrored(finished: Path, tmp_path: Path) -> None:
    """As an earlier version began it: in float32, its images not mirrored, whatever they are."""
    np.save(tmp_path / "either.npy", np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1)).astype(np.uint8))
    given: dict[str, Any] = {
        **{name: value for name, value in SHORT.items() if name != "fraction"},
        **{"path": str(tmp_path / "either.npy"), "start_from": str(finished), "out": str(tmp_path / "new")},
    }
    gansmith.train(**given, images=16, precision="float32", flip=False)
    again = gansmith.train(**given, images=32)
    assert again.checkpoint()["images"] == 32
    assert (again.experiment.precision, again.experiment.data.flip) == ("float32", False)


def test_a_run_that_begins_with_something_is_advised_no_other_start() -> None:
    for channels in (1, 3):
        name = start_for(Experiment(data={"channels": channels}))
        assert name is not None
        assert zoo.channels(name) == channels
    assert start_for(Experiment(start_from="runs/a")) is None


@pytest.mark.parametrize("taken", [[], ["hand_signs", "emoji"]])
def test_a_name_that_is_none(taken: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "_FOLDER", tmp_path / "zoo")
    for name in taken:
        (tmp_path / "zoo" / name).mkdir(parents=True)
        (tmp_path / "zoo" / name / "experiment.yaml").touch()
    with pytest.raises(RunError, match="there is no run hand_sings") as error:
        place_of("hand_sings")
    assert ("Did you mean 'hand_signs'?" in str(error.value)) == bool(taken)
    assert f"Models of the zoo: {', '.join(sorted(taken)) or 'none'}" in str(error.value)
    if taken:
        assert place_of("emoji") == tmp_path / "zoo" / "emoji"
        (tmp_path / "emoji").mkdir()  # a folder of that name comes first
        with pytest.raises(RunError, match="emoji is not a run"):
            place_of("emoji")


def test_another_size_and_grey_from_colour(finished: Path, tmp_path: Path, capsys: Any) -> None:
    """From 8 px grey to 16 px RGB: the stages near the image, in both networks."""
    given = {**SHORT, "size": 16, "channels": 3, "images": 32, "start_from": str(finished)}
    gansmith.train(**given, out=str(tmp_path / "new"))
    said = capsys.readouterr().err
    generator = next(line for line in said.splitlines() if line.startswith("generator: "))
    assert "; moved to fit the size: layers.3, layers.4, layers.6;" in generator
    assert "; changed to fit: layers.6" in generator
    assert len([line for line in said.splitlines() if " tensors (" in line]) == 2
    assert all(len(line) < 300 for line in said.splitlines() if " tensors (" in line)

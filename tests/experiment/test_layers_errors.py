"""Wrong settings: one line each, with the value and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gansmith.errors import ExperimentError, GansmithError, OptionError, UnknownNameError
from gansmith.experiment.completion import complete
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.schema import Experiment
from gansmith.experiment.sources import from_assignments, from_environment, from_file, from_recipe
from gansmith.runs.train import experiment_from
from gansmith.system import collectives

WRONG: list[tuple[list[str], str]] = [
    (["bacth=3"], "there is no field 'bacth' (--set). Did you mean 'batch'?"),
    (["data.sise=3"], "there is no field 'data.sise' (--set). Did you mean 'size'?"),
    (["zzzzz=3"], "there is no field 'zzzzz' (--set)."),
    (
        ["prior.kind=nrmal"],
        "prior.kind = 'nrmal' (--set) is not allowed: it takes normal, uniform or sphere",
    ),
    (["batch=zero"], "batch = 'zero' (--set) is not allowed"),
    (["batch=0"], "batch = 0 (--set) is not allowed"),
    (["batch=true"], "batch = true (--set) is not allowed: it takes a whole number from 1 to "),
    (["prior.size=false"], "prior.size = false (--set) is not allowed: it takes a whole number from 1 to "),
    (["data.fraction=true"], "data.fraction = true (--set) is not allowed: it takes a number above 0, up to 1"),
    (["data.background=[true,0,0]"], "data.background = [True, 0, 0] (--set) is not allowed: it takes a list of 3"),
    (["data.size=true"], "data.size = true (--set) is not allowed: it takes a number of pixels (64) or height x width"),
    (["averaging.half_life={start: true, decay: 9}"], "(--set) is not allowed: it takes a number, {start, "),
    (["images=1e30"], "images = 1000000000000000019884624838656 (--set) is not allowed: it takes a number of images"),
    (["images=1e400"], "images = inf (--set) is not allowed: it must be finite"),
    (
        ["averaging.half_life={start: 1, decay: 9, x: 2}"],
        "averaging.half_life = {'start': 1, 'decay': 9, 'x': 2}",
    ),
    (["objective={name: {a: 1}}"], "objective.name = {'a': 1} (--set) is not allowed: it takes a word"),
    (["generator={}"], "generator.name is missing; generator has options (--set) but no name"),
    (["optimizer.generator=null"], "optimizer.generator = null (--set) is not allowed: it takes a name"),
    (["optimizer=adam"], "optimizer = 'adam' (--set) is not allowed: optimizer is a group"),
    (["penalties=null"], "penalties = null (--set) is not allowed: penalties is a group"),
    (["metrics=kid"], "metrics = 'kid' (--set) is not allowed: metrics is a group, it has the fields names, "),
    (["images=0"], "images = 0 (--set) is not allowed"),
    (
        ["images=many"],
        "images = 'many' (--set) is not allowed: a number of images is written like 50000, 50k, 1.5M or 2e7",
    ),
    (["images=1.5"], "images = 1.5 (--set) is not allowed"),
    (["data.size=0"], "data.size = 0 (--set) is not allowed"),
    (["data.size=3x"], "data.size = '3x' (--set) is not allowed: a size is a number of pixels (64) or height x width"),
    (
        ["data.background=[0,300,0]"],
        "data.background = [0, 300, 0] (--set) is not allowed",
    ),
    (["data.channels=2"], "data.channels = 2 (--set) is not allowed: it takes 1, 3, 4 or null"),
    (["data.fraction=2"], "data.fraction = 2 (--set) is not allowed"),
    (["data=3"], "data = 3 (--set) is not allowed"),
    (["averaging.half_life=-5"], "averaging.half_life = -5 (--set) is not allowed"),
    (["averaging.half_life={start: 1, end: -1, decay: 9}"], "(--set) is not allowed"),
    (["averaging.half_life={phases: {0: 1, 5: -1}}"], "(--set) is not allowed"),
    (["averaging.half_life=long"], "averaging.half_life = 'long' (--set) is not allowed"),
    (["averaging.half_life={x: 1}"], "averaging.half_life = {'x': 1} (--set) is not allowed: it takes a number"),
    (["averaging.half_life={start: 1, end: 2, decay: 3, x: 1}"], "'x': 1} (--set) is not allowed: it takes a number"),
    (["averaging.half_life={Decay: {start: 1}}"], "{'Decay': {'start': 1}} (--set) is not allowed: it takes a number"),
    (
        ["averaging.rampup=-1"],
        "averaging.rampup = -1 (--set) is not allowed",
    ),
    (["generator=[1]"], "generator = [1] (--set) is not allowed"),
    (["classifier.width=3"], "classifier.name is missing; classifier has options (--set) but no name"),
    (["batch=3", "batch.x=3"], "batch.x is given both"),
    (["batch.x=3", "batch=3"], "batch is given both"),
    (["batch"], "--set batch: write it as field=value"),
    (["=3"], "--set =3: write it as field=value"),
]


@pytest.mark.parametrize(("assignments", "said"), WRONG)
def test_a_wrong_setting_is_one_clear_line(assignments: list[str], said: str) -> None:
    with pytest.raises(ExperimentError) as raised:
        resolve([from_assignments(assignments)])
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_two_wrong_settings_are_two_lines_with_their_layers() -> None:
    with pytest.raises(ExperimentError) as raised:
        resolve([Layer("own.yaml", {"batch": 0}), from_assignments(["sede=1"])])
    lines = str(raised.value).splitlines()
    assert len(lines) == 2
    assert "batch = 0 (own.yaml)" in lines[0]
    assert "there is no field 'sede' (--set). Did you mean 'seed'?" in lines[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"batch: [", "is not YAML"),
        (b"batch: \xff\xfe", "is not YAML"),
        (b"\x00", "is not YAML"),
        (b"- 1", "not list"),
        (b"words", "not str"),
    ],
)
def test_files_that_hold_no_settings(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(content)
    with pytest.raises(ExperimentError) as raised:
        from_file(path)
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_and_one_that_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"absent\.yaml: No such file"):
        from_file(tmp_path / "absent.yaml")
    with pytest.raises(ExperimentError, match="Is a directory"):
        from_file(tmp_path)
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert from_file(tmp_path / "empty.yaml").values == {}


def test_environment_variables_that_are_no_field() -> None:
    with pytest.raises(ExperimentError) as raised:
        from_environment({"GANSMITH_BACTH": "3"})
    for fact in ("GANSMITH_BACTH", "Did you mean GANSMITH_BATCH", "GANSMITH_OBJECTIVE__NAME", "unset"):
        assert fact in str(raised.value)
    kept = {
        "GANSMITH_CACHE": "x",
        "GANSMITH_DATASETS": "y",
        "GANSMITH_TEST_DATA": "z",
        collectives.CHECK: "1",
        "PATH": "p",
    }
    assert from_environment(kept).values == {}
    with pytest.raises(ExperimentError, match=r"'data\.sise' \(environment\)"):
        experiment_from(environment={"GANSMITH_DATA__SISE": "8"})
    assert experiment_from(environment={"GANSMITH_DATA__SIZE": "48x64"})[0].data.size == (48, 64)


def test_recipes_by_name_and_by_file(tmp_path: Path) -> None:
    assert from_recipe("dcgan-digits").source == "recipe dcgan_digits"
    assert from_recipe("dcgan_digits").values["recipe"] == "dcgan_digits"
    with pytest.raises(UnknownNameError, match=r"recipe.*'dcgam'.*'dcgan'"):
        from_recipe("dcgam")
    with pytest.raises(ExperimentError, match="could not read"):
        from_recipe(str(tmp_path / "mine.yaml"))


COMPLETING: list[tuple[list[str], type[GansmithError], str]] = [
    (["generator.name=dcgn"], UnknownNameError, "no model called 'dcgn'. Did you mean 'dcgan'?"),
    (["objective=minmax"], UnknownNameError, "no objective called 'minmax'. Did you mean 'minimax'?"),
    (["game=two_playr"], UnknownNameError, "no game called 'two_playr'. Did you mean 'two_player'?"),
    (["generator.widht=3"], OptionError, "models/dcgan has no option 'widht'. Did you mean 'width'? It has: width"),
    (["generator.width=wide"], OptionError, "models/dcgan: width = 'wide' is not allowed: it takes a whole number"),
    (["game.x=1"], OptionError, "games/two_player has no option 'x'. It has: flips"),
    (["optimizer.generator=adm"], UnknownNameError, "no optimizer called 'adm'. Did you mean 'adam'?"),
    (["optimizer.generator.lrr=1"], OptionError, "optimizer adam has no option 'lrr'. Did you mean 'lr'?"),
    (["optimizer.generator.lr=fast"], OptionError, "optimizer adam: lr = 'fast' is not allowed"),
    (["optimizer.gnerator=adam"], OptionError, "no role called 'gnerator'. Did you mean 'generator'?"),
    (
        ["generator=null"],
        ExperimentError,
        "the game two_player needs its generator: --set generator.name=NAME, of: biggan, ",
    ),
    (["batch=16", "accumulate=3"], ExperimentError, "a batch of 16 cannot be played in 3 equal parts"),
    (["generator.width=true"], OptionError, "width = true is not allowed: it takes a whole number"),
    (["optimizer.generator.lr=true"], OptionError, "optimizer adam: lr = true is not allowed: it takes a number"),
    (["optimizer.generator.betas=[0.5, true]"], OptionError, "betas = [0.5, True] is not allowed"),
    (["penalties.r1.weight=true"], OptionError, "penalties/r1: weight = true is not allowed: it takes a number"),
    (["objective=my_lab.spiral"], UnknownNameError, "objective 'my_lab.spiral' is code from outside"),
]


@pytest.mark.parametrize(("assignments", "kind", "said"), COMPLETING)
def test_parts_that_do_not_exist_or_do_not_fit(assignments: list[str], kind: type[GansmithError], said: str) -> None:
    experiment, _ = resolve([from_assignments(assignments)])
    with pytest.raises(kind) as raised:
        complete(experiment)
    assert said in str(raised.value)


def test_a_played_role_without_optimizer() -> None:
    experiment, _ = resolve([Layer("file", {"generator": "dcgan", "optimizer": {"discriminator": "sgd"}})], parts=False)
    with pytest.raises(ExperimentError, match=r"--set optimizer\.generator"):
        complete(experiment)


def test_complete_leaves_nothing_open() -> None:
    experiment = complete(Experiment())
    assert experiment.generator is not None
    assert experiment.generator.options == {
        **{"width": 64, "upsample": "transposed", "extra_layers": 0, "kernel": 4, "activation": "relu"},
        **{"output": "tanh", "dropout": 0.0, "order": "normalisation_first", "conditional": False},
    }
    assert experiment.optimizer["generator"].options["eps"] == 1e-8
    assert experiment.classifier is None
    assert complete(experiment) == experiment


def test_the_experiment_is_frozen_and_strict() -> None:
    build: Callable[..., Experiment] = Experiment
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        build(bacth=3)
    with pytest.raises(ValueError, match="frozen"):
        Experiment().batch = 3  # type: ignore[misc]

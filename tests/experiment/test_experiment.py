"""Layers of settings: who wins, where each value came from, and what is said of a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gansmith.errors import ExperimentError, GansmithError, OptionError, UnknownNameError
from gansmith.experiment.completion import complete
from gansmith.experiment.layers import (
    Layer,
    by_hand,
    difference,
    from_assignments,
    from_environment,
    from_file,
    from_recipe,
    parse_value,
    resolve,
)
from gansmith.experiment.schema import MAY_CHANGE, Experiment
from gansmith.runs.run import describe

EVERY: dict[str, Any] = {  # every field of an experiment, with a value that is not its default
    "recipe": "mine",
    "data.path": "photos",
    "data.other": "drawings",
    "data.format": "folder",
    "data.options": {"labels": False},
    "data.size": "48x64",
    "data.channels": 4,
    "data.fit": "pad",
    "data.background": [0, 10, 255],
    "data.fraction": 0.5,
    "data.holdout": 0.25,
    "data.holdout_by": "class",
    "data.flip": True,
    "data.skip_unreadable": True,
    "data.cache": False,
    "game.name": "solo",
    "generator.name": "mlp",
    "discriminator.name": "mlp",
    "classifier.name": "wrn",
    "translator.name": "cyclegan",
    "autoencoder.name": "munit",
    "objective.name": "minimax",
    "penalties": {"r1": {"weight": 5.0, "every": 16}},
    "augment.name": "diffaugment",
    "prior.kind": "sphere",
    "prior.size": 7,
    "prior.labels": "independent",
    "optimizer.generator.name": "sgd",
    "optimizer.discriminator.name": "sgd",
    "optimizer.classifier.name": "sgd",
    "optimizer.translator.name": "sgd",
    "optimizer.autoencoder.name": "sgd",
    "averaging.half_life": {"start": 5.0, "end": 1.0, "hold": 0, "decay": 10, "shape": "cosine"},
    "averaging.rampup": 0.5,
    "averaging.buffers": "copy",
    "images": 123,
    "batch": 12,
    "accumulate": 3,
    "seed": 9,
    "device": "cuda:1",
    "precision": "bfloat16",
    "memory_format": "contiguous",
    "threads": 3,
    "workers": 2,
    "out": "007",
    "start_from": "12",
    "sheet": 16,
    "record_every": 11,
    "samples_every": 13,
    "checkpoint_every": 17,
    "keep_every": 19,
    "tensorboard": True,
    "metrics.names": ["kid", "fid"],
    "metrics.features.name": "mobilenet",
    "metrics.samples": 321,
    "metrics.every": 777,
    "metrics.against": "holdout",
    "stop.metric": "kid",
    "stop.patience": 5000,
}


def value_at(experiment: Experiment, path: str) -> Any:
    value: Any = experiment.plain()
    for step in path.split("."):
        value = value[step]
    return value


def nested(path: str, value: Any) -> dict[str, Any]:
    for step in reversed(path.split(".")):
        value = {step: value}
    return value


def test_the_table_above_misses_no_field() -> None:
    """A new field is tested the moment it exists."""
    leaves = set()
    for name, field in Experiment.model_fields.items():
        inner = getattr(field.annotation, "model_fields", {})
        leaves |= {f"{name}.{key}" for key in inner} or {name}
    parts = {"objective", "metrics.features", "augment"}
    leaves = leaves - parts | {f"{part}.name" for part in parts}
    roles = {"generator", "discriminator", "classifier", "translator", "autoencoder"}
    expected = leaves - roles - {"optimizer"} | {f"{r}.name" for r in roles} | {f"optimizer.{r}.name" for r in roles}
    assert set(EVERY) == expected


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("way", ["file", "environment", "--set", "arguments"])
def test_every_field_can_be_set_every_way(path: str, way: str, tmp_path: Path) -> None:
    value = EVERY[path]
    text = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True).strip("\n.")
    if way == "file":
        (tmp_path / "own.yaml").write_text(yaml.safe_dump(nested(path, value)))
        layer = from_file(tmp_path / "own.yaml")
    elif way == "environment":
        layer = from_environment({f"GANSMITH_{path.upper().replace('.', '__')}": text})
    elif way == "--set":
        layer = from_assignments([f"{path}={text}"])
    else:
        layer = Layer("arguments", nested(path, value))
    experiment, sources = resolve([layer])
    assert value_at(experiment, path) == value
    assert value_at(Experiment(), path.partition(".")[0]) != value_at(experiment, path.partition(".")[0])
    given = {key: source for key, source in sources.items() if key == path or key.startswith(f"{path}.")}
    assert given
    assert set(given.values()) == {layer.source}
    # and it survives being written down
    assert resolve([Layer("again", yaml.safe_load(experiment.to_yaml()))], parts=False)[0] == experiment


def test_later_layers_win_and_each_value_knows_where_it_came_from(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    recipe = tmp_path / "recipe.yaml"
    names = ["sheet", "record_every", "samples_every", "checkpoint_every", "seed"]
    recipe.write_text(yaml.safe_dump(dict.fromkeys(names, 1)))
    own.write_text(yaml.safe_dump(dict.fromkeys(names[1:], 2)))
    environment = {f"GANSMITH_{name.upper()}": "3" for name in names[2:]}
    experiment, sources = describe(
        recipe=str(recipe),
        config=own,
        environment=environment,
        checkpoint_every="4",
        seed=4,
        assignments=["seed=5"],
    )
    assert [getattr(experiment, name) for name in names] == [1, 2, 3, 4, 5]
    assert [sources[name] for name in names] == [f"recipe {recipe}", str(own), "environment", "arguments", "--set"]
    assert "batch" not in sources
    assert experiment.batch == 64
    assert experiment.recipe == "recipe"


def test_another_name_drops_the_options_of_earlier_layers() -> None:
    recipe = Layer(
        "recipe", {"generator": {"name": "dcgan", "width": 16}, "discriminator": {"name": "dcgan", "width": 8}}
    )
    experiment, sources = resolve([recipe, from_assignments(["generator.name=mlp", "generator.hidden=[3]"])])
    assert experiment.generator is not None
    assert experiment.generator.options == {"hidden": [3]}
    assert experiment.discriminator is not None
    assert experiment.discriminator.options == {"width": 8}
    assert sources["generator.hidden"] == "--set"
    assert "generator.width" not in sources
    same, _ = resolve([recipe, from_assignments(["generator.name=dcgan"])])
    assert same.generator is not None
    assert same.generator.options == {"width": 16}
    optimizer, _ = resolve([from_assignments(["optimizer.generator=sgd"])])
    assert optimizer.optimizer["generator"].options == {}
    assert optimizer.optimizer["discriminator"].options == {"lr": 2e-4, "betas": [0.5, 0.999]}


@pytest.mark.parametrize(
    "assignments",
    [["generator=mlp", "generator.hidden=[4]"], ["generator.hidden=[4]", "generator=mlp"]],
)
def test_a_bare_name_and_its_options_in_any_order(assignments: list[str]) -> None:
    for layer in (
        from_assignments(assignments),
        from_environment(
            {f"GANSMITH_{k.upper().replace('.', '__')}": v for k, v in (a.split("=") for a in assignments)}
        ),
    ):
        experiment, _ = resolve([layer])
        assert experiment.generator is not None
        assert (experiment.generator.name, experiment.generator.options) == ("mlp", {"hidden": [4]})


def test_schedules_are_values() -> None:
    """A later layer replaces a schedule whole."""
    decay = "{start: 2e-4, hold: 50k, decay: 1M, shape: cosine}"
    assignments = [f"optimizer.generator.lr={decay}", "averaging.half_life={phases: {0: 100, 1k: 5000}}"]
    experiment, _ = resolve([from_assignments(assignments)])
    experiment = complete(experiment)
    whole = {"start": 2e-4, "end": 0.0, "hold": 50_000, "decay": 1_000_000, "shape": "cosine"}
    assert experiment.optimizer["generator"].options["lr"] == whole
    assert value_at(experiment, "averaging.half_life") == {"phases": {"0": 100.0, "1000": 5000.0}}
    stored = Layer("file", yaml.safe_load(experiment.to_yaml()))
    again, _ = resolve([stored], parts=False)
    assert difference(experiment, complete(again)) == []
    plain, _ = resolve([stored, from_assignments(["optimizer.generator.lr=0.1", "averaging.half_life=7"])], parts=False)
    assert plain.optimizer["generator"].options["lr"] == 0.1
    assert plain.averaging.half_life == 7


@pytest.mark.parametrize(
    ("text", "value"),
    [("50k", 50_000), ("1.5M", 1_500_000), ("2e3", 2000), (" 7 ", 7), ("1_000", 1000)],
)
def test_counts_of_images(text: str, value: int) -> None:
    assert describe(images=text, environment={})[0].images == value
    assert describe(environment={"GANSMITH_CHECKPOINT_EVERY": text})[0].checkpoint_every == value


def test_values_as_yaml_reads_them_but_for_fields_that_are_words() -> None:
    assert [parse_value(text) for text in ("3", "2.5", "yes", "[1, 2]", "word", "null", "{", "2024-01-02")] == [
        *(3, 2.5, True, [1, 2], "word", None, "{", "2024-01-02"),
    ]
    assert parse_value("2024-01-02", "out") == "2024-01-02"
    assert parse_value("010", "out") == "010"
    assert parse_value("10", "data.path") == "10"
    assert parse_value("null", "out") is None
    assert parse_value("10", "batch") == 10
    assert parse_value("10", "generator.path") == 10


WRONG: list[tuple[list[str], str]] = [
    (["bacth=3"], "there is no field 'bacth' (--set). Did you mean 'batch'?"),
    (["data.sise=3"], "there is no field 'data.sise' (--set). Did you mean 'size'?"),
    (["zzzzz=3"], "there is no field 'zzzzz' (--set)."),
    (
        ["prior.kind=nrmal"],
        "prior.kind = 'nrmal' (--set) is not allowed: Input should be 'normal', 'uniform' or 'sphere'",
    ),
    (["batch=zero"], "batch = 'zero' (--set) is not allowed: Input should be a valid integer, unable to parse string"),
    (["batch=0"], "batch = 0 (--set) is not allowed: Input should be greater than or equal to 1"),
    (["images=0"], "images = 0 (--set) is not allowed: Input should be greater than or equal to 1"),
    (
        ["images=many"],
        "images = 'many' (--set) is not allowed: a number of images is written like 50000, 50k, 1.5M or 2e7",
    ),
    (["images=1.5"], "images = 1.5 (--set) is not allowed: Input should be a valid integer"),
    (["data.size=0"], "data.size = 0 (--set) is not allowed: Input should be greater than 0"),
    (["data.size=3x"], "data.size = '3x' (--set) is not allowed: a size is a number of pixels (64) or height x width"),
    (
        ["data.background=[0,300,0]"],
        "data.background = [0, 300, 0] (--set) is not allowed: Input should be less than or",
    ),
    (["data.channels=2"], "data.channels = 2 (--set) is not allowed: Input should be 1, 3 or 4"),
    (["data.fraction=2"], "data.fraction = 2 (--set) is not allowed: Input should be less than or equal to 1"),
    (["data=3"], "data = 3 (--set) is not allowed: Input should be a valid dictionary"),
    (["averaging.half_life=-5"], "averaging.half_life = -5 (--set) is not allowed: it must not be negative"),
    (["averaging.half_life={start: 1, end: -1, decay: 9}"], "(--set) is not allowed: it must not be negative"),
    (["averaging.half_life={phases: {0: 1, 5: -1}}"], "(--set) is not allowed: it must not be negative"),
    (["averaging.half_life=long"], "averaging.half_life = 'long' (--set) is not allowed: "),
    (
        ["averaging.rampup=-1"],
        "averaging.rampup = -1 (--set) is not allowed: Input should be greater than or equal to 0",
    ),
    (["generator=[1]"], "generator = [1] (--set) is not allowed: Input should be a valid dictionary"),
    (["classifier.width=3"], "classifier.name is missing; classifier has options (--set) but no name"),
    (["batch=3", "batch.x=3"], "batch.x is given both as one value and as a group of fields"),
    (["batch.x=3", "batch=3"], "batch is given both as one value and as a group of fields"),
    (["batch"], "--set batch: write it as field=value, for example --set generator.width=32"),
    (["=3"], "--set =3: write it as field=value, for example --set generator.width=32"),
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
        (b"batch: [", "is not YAML: while parsing a flow node expected the node content"),
        (b"batch: \xff\xfe", "is not YAML: 'utf-8' codec can't decode"),
        (b"\x00", "is not YAML: unacceptable character"),
        (b"- 1", "must hold a mapping of fields to values, not list"),
        (b"words", "must hold a mapping of fields to values, not str"),
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
    with pytest.raises(ExperimentError, match=r"could not read .*absent\.yaml: No such file or directory"):
        from_file(tmp_path / "absent.yaml")
    with pytest.raises(ExperimentError, match="Is a directory"):
        from_file(tmp_path)
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert from_file(tmp_path / "empty.yaml").values == {}


def test_environment_variables_that_are_no_field() -> None:
    with pytest.raises(ExperimentError) as raised:
        from_environment({"GANSMITH_BACTH": "3"})
    assert str(raised.value) == (
        "the environment variable GANSMITH_BACTH is no field of an experiment. Did you mean GANSMITH_BATCH? Fields are "
        "written GANSMITH_BATCH or, inside a part, GANSMITH_OBJECTIVE__NAME; unset it if it is not meant"
    )
    kept = {"GANSMITH_CACHE": "x", "GANSMITH_DATASETS": "y", "GANSMITH_TEST_DATA": "z", "PATH": "p"}
    assert from_environment(kept).values == {}
    with pytest.raises(ExperimentError, match=r"there is no field 'data.sise' \(environment\)"):
        describe(environment={"GANSMITH_DATA__SISE": "8"})
    assert describe(environment={"GANSMITH_DATA__SIZE": "48x64"})[0].data.size == (48, 64)


def test_recipes_by_name_and_by_file(tmp_path: Path) -> None:
    assert from_recipe("dcgan-digits").source == "recipe dcgan_digits"
    assert from_recipe("dcgan_digits").values["recipe"] == "dcgan_digits"
    with pytest.raises(UnknownNameError, match=r"no recipe called 'dcgam'. Did you mean 'dcgan'\?"):
        from_recipe("dcgam")
    with pytest.raises(ExperimentError, match="could not read"):
        from_recipe(str(tmp_path / "mine.yaml"))


COMPLETING: list[tuple[list[str], type[GansmithError], str]] = [
    (["generator.name=dcgn"], UnknownNameError, "no model called 'dcgn'. Did you mean 'dcgan'?"),
    (["objective=minmax"], UnknownNameError, "no objective called 'minmax'. Did you mean 'minimax'?"),
    (["game=two_playr"], UnknownNameError, "no game called 'two_playr'. Did you mean 'two_player'?"),
    (["generator.widht=3"], OptionError, "models/dcgan has no option 'widht'. Did you mean 'width'? It has: width"),
    (["generator.width=wide"], OptionError, "models/dcgan: width = 'wide' is not allowed: Input should be a valid"),
    (["game.x=1"], OptionError, "games/two_player has no option 'x'. It has: flips"),
    (["optimizer.generator=adm"], UnknownNameError, "no optimizer called 'adm'. Did you mean 'adam'?"),
    (["optimizer.generator.lrr=1"], OptionError, "optimizer adam has no option 'lrr'. Did you mean 'lr'?"),
    (["optimizer.generator.lr=fast"], OptionError, "optimizer adam: 'fast' is not allowed"),
    (["optimizer.gnerator=adam"], OptionError, "no role called 'gnerator'. Did you mean 'generator'?"),
    (
        ["generator=null"],
        ExperimentError,
        "the game two_player needs its generator: --set generator.name=NAME, of: biggan, ",
    ),
    (["batch=16", "accumulate=3"], ExperimentError, "a batch of 16 cannot be played in 3 equal parts: choose a batch"),
    (["objective=my_lab.spiral"], UnknownNameError, "objective 'my_lab.spiral' is code from outside gansmith"),
]


@pytest.mark.parametrize(("assignments", "kind", "said"), COMPLETING)
def test_parts_that_do_not_exist_or_do_not_fit(assignments: list[str], kind: type[GansmithError], said: str) -> None:
    experiment, _ = resolve([from_assignments(assignments)])
    with pytest.raises(kind) as raised:
        complete(experiment)
    assert said in str(raised.value)


def test_a_played_role_without_optimizer() -> None:
    experiment, _ = resolve([Layer("file", {"generator": "dcgan", "optimizer": {"discriminator": "sgd"}})], parts=False)
    with pytest.raises(
        ExperimentError, match=r"the generator has no optimizer. Give it one: --set optimizer.generator"
    ):
        complete(experiment)


def test_complete_leaves_nothing_open() -> None:
    experiment = complete(Experiment())
    assert experiment.generator is not None
    assert experiment.generator.options == {
        **{"width": 64, "upsample": "transposed", "extra_layers": 0, "kernel": 4, "activation": "relu"},
        **{"output": "tanh", "dropout": 0.0, "conditional": False},
    }
    assert experiment.optimizer["generator"].options["eps"] == 1e-8
    assert experiment.classifier is None
    assert complete(experiment) == experiment


def test_difference_lists_what_may_not_change() -> None:
    old, new = complete(Experiment()), complete(resolve([from_assignments(["generator.width=8", "seed=3"])])[0])
    assert difference(old, new) == ["generator.width: 64 -> 8", "seed: 0 -> 3"]
    for path in MAY_CHANGE:
        changed, _ = resolve([Layer("x", nested(path, EVERY[path]))])
        assert difference(Experiment(), changed) == [], path
    frozen = [path for path in EVERY if not {path, path.partition(".")[0]} & MAY_CHANGE]
    for path in frozen:
        changed, _ = resolve([Layer("x", nested(path, EVERY[path]))])
        assert difference(Experiment(), changed), path


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([from_assignments(["objective=lab.spiral"])], True),
        ([Layer("arguments", {"objective": "lab.spiral"})], True),
        ([Layer("own.yaml", {"objective": "lab.spiral"})], False),
        ([Layer("recipe mine", {"objective": "lab.spiral"})], False),
        ([Layer("environment", {"objective": "lab.spiral"})], False),
        ([Layer("own.yaml", {"game": "lab.game"}), from_assignments(["objective=lab.spiral"])], False),
        ([Layer("own.yaml", {"objective": "lab.spiral"}), from_assignments(["objective=lab.spiral"])], True),
        ([from_assignments(["data.format=lab.scans"])], True),
        ([Layer("own.yaml", {"data": {"format": "lab.scans"}}), from_assignments(["objective=lab.spiral"])], False),
        ([], False),
    ],
)
def test_code_from_outside_is_trusted_when_given_by_hand(layers: list[Layer], expected: bool) -> None:
    assert by_hand(*resolve(layers)) is expected


def test_the_experiment_is_frozen_and_strict() -> None:
    build: Callable[..., Experiment] = Experiment
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        build(bacth=3)
    with pytest.raises(ValueError, match="frozen"):
        Experiment().batch = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "names"), [("kid", ("kid",)), ("kid, fid", ("kid", "fid")), ("[kid, fid]", ("kid", "fid"))]
)
def test_names_of_metrics_need_no_brackets(text: str, names: tuple[str, ...]) -> None:
    assert resolve([from_assignments([f"metrics.names={text}"])])[0].metrics.names == names

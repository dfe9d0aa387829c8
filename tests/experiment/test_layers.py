"""Layers of settings: which one wins, and where each value came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gansmith.experiment.completion import complete
from gansmith.experiment.layers import Layer, difference, resolve
from gansmith.experiment.schema import MAY_CHANGE, Experiment
from gansmith.experiment.settings import Part
from gansmith.experiment.sources import from_assignments, from_environment, from_file, parse_value
from gansmith.runs.train import experiment_from

EVERY: dict[str, Any] = {  # every field of an experiment, with a value that is not its default
    "recipe": "mine",
    "data.path": "photos",
    "data.other": "drawings",
    "data.format": "folder",
    "data.options": {"labels": False},
    "data.size": "48x64",
    "data.channels": 4,
    "data.load_size": "60x80",
    "data.classes": ["1", "7"],
    "data.fit": "pad",
    "data.background": [0, 10, 255],
    "data.fraction": 0.5,
    "data.holdout": 0.25,
    "data.holdout_by": "class",
    "data.disjoint": True,
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
    "time": "1h30m",
    "checks.every": 7000,
    "batch": 12,
    "accumulate": 3,
    "batch_statistics": "local",
    "engine": "elastic",
    "elastic.period": 4,
    "elastic.moving_rate": 0.5,
    "seed": 9,
    "device": "cuda:1",
    "precision": "bfloat16",
    "memory_format": "contiguous",
    "reproducible": False,
    "threads": 3,
    "workers": 2,
    "out": "007",
    "start_from": "12",
    "start_raw": True,
    "freeze": {"discriminator": {"first": 3, "last": 1}},
    "sheet": 16,
    "record_every": 11,
    "samples_every": 13,
    "checkpoint_every": 17,
    "keep_every": 19,
    "tensorboard": True,
    "stop.settled": 6,
    "metrics.names": ["kid", "fid"],
    "metrics.features.name": "mobilenet",
    "metrics.samples": 321,
    "metrics.every": 777,
    "metrics.against": "holdout",
    "stop.metric": "kid",
    "stop.patience": 5000,
    "stop.target": 0.5,
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
    experiment, sources = experiment_from(
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


GROUPS_UNSAID = [{"data": None}, {"data": {}}, {"prior": None}, {"averaging": {}}, {"metrics": None}, {"stop": {}}]


@pytest.mark.parametrize("said", GROUPS_UNSAID, ids=str)
def test_a_group_without_content_keeps_what_earlier_layers_say(said: dict[str, Any]) -> None:
    earlier = {
        "data": {"path": "photos", "size": 48, "flip": True},
        **{"prior": {"size": 7}, "averaging": {"rampup": 0.5}, "metrics": {"every": 9}, "stop": {"metric": "kid"}},
    }
    later = Layer("arguments", {"data": {"path": "drawings"}})
    with_it, _ = resolve([Layer("recipe", earlier), Layer("own.yaml", said), later])
    without, _ = resolve([Layer("recipe", earlier), later])
    assert with_it == without
    assert (with_it.data.size, with_it.data.flip, with_it.data.path) == ((48, 48), True, "drawings")


def test_data_by_their_path_alone_keep_the_other_settings_of_data() -> None:
    earlier = Layer("recipe", {"data": {"path": "photos", "size": 48, "flip": True}})
    ways = [
        from_environment({"GANSMITH_DATA": "drawings"}),
        from_assignments(["data=drawings"]),
        Layer("own.yaml", {"data": "drawings"}),
    ]
    for layer in ways:
        data = resolve([earlier, layer])[0].data
        assert (data.path, data.size, data.flip) == ("drawings", (48, 48), True), layer.source
    both = from_environment({"GANSMITH_DATA": "drawings", "GANSMITH_DATA__SIZE": "16"})
    assert resolve([earlier, both])[0].data.size == (16, 16)
    assert experiment_from(data="drawings", size=16, environment={})[0].data.size == (16, 16)


@pytest.mark.parametrize(
    ("text", "value"),
    [("50k", 50_000), ("1.5M", 1_500_000), ("2e3", 2000), (" 7 ", 7), ("1_000", 1000)],
)
def test_counts_of_images(text: str, value: int) -> None:
    assert experiment_from(images=text, environment={})[0].images == value
    assert experiment_from(environment={"GANSMITH_CHECKPOINT_EVERY": text})[0].checkpoint_every == value


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
    ("text", "names"), [("kid", ("kid",)), ("kid, fid", ("kid", "fid")), ("[kid, fid]", ("kid", "fid"))]
)
def test_names_of_metrics_need_no_brackets(text: str, names: tuple[str, ...]) -> None:
    assert resolve([from_assignments([f"metrics.names={text}"])])[0].metrics.names == names


def test_an_option_of_a_part_with_a_default_needs_no_name() -> None:
    """`metrics.features.size=8` is an option of the default extractor; another name drops it, as for every part."""
    assert resolve([from_assignments(["metrics.features.size=8"])])[0].metrics.features == Part(name="pixels", size=8)
    named = resolve([from_assignments(["metrics.features.size=8"]), from_assignments(["metrics.features=mobilenet"])])
    assert named[0].metrics.features == Part(name="mobilenet")
    for part in ("game", "generator", "discriminator", "objective", "optimizer.generator", "metrics.features"):
        experiment, sources = resolve([from_assignments([f"{part}.size=8"])])
        assert sources == {f"{part}.size": "--set"}
        assert experiment.plain()

"""Schedules over the last share of a run: absolute once the length is known, and those of a run that is there already;
a length is said once."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gansmith.errors import OptionError
from gansmith.experiment.completion import complete
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.length import (
    with_absolute_schedules,
    with_one_length,
    with_recorded_schedules,
)
from gansmith.experiment.schema import Experiment
from gansmith.schedules import Decay, Value, schedule

LAST: dict[str, Any] = {"start": 5e-4, "end": 0, "last": "50%"}
EVERYWHERE: dict[str, Any] = {
    "images": 1000,
    "optimizer": {
        "generator": {"name": "adam", "lr": LAST, "betas": [{"start": 0.5, "end": 0, "last": 0.25}, 0.999]},
        "discriminator": {"name": "adam", "lr": {"start": 1e-3, "end": 1e-4, "last": "10%", "shape": "cosine"}},
    },
    "penalties": {"r1": {"weight": {"start": 10, "last": 1}}},
    "averaging": {"half_life": {"start": 1000, "end": 5000, "last": "20%"}},
}


def experiment_of(values: dict[str, Any]) -> Experiment:
    return resolve([Layer("arguments", values)])[0]


def decay(start: float, end: float, hold: int, over: int, shape: str = "linear") -> dict[str, Any]:
    return {"start": start, "end": end, "hold": hold, "decay": over, "shape": shape}


def test_every_cooldown_becomes_absolute_when_the_number_of_images_is_known() -> None:
    plain = complete(experiment_of(EVERYWHERE)).plain()
    assert plain["optimizer"]["generator"]["lr"] == decay(5e-4, 0, 500, 500)
    assert plain["optimizer"]["generator"]["betas"] == [decay(0.5, 0, 750, 250), 0.999]
    assert plain["optimizer"]["discriminator"]["lr"] == decay(1e-3, 1e-4, 900, 100, "cosine")
    assert plain["penalties"]["r1"]["weight"] == decay(10, 0, 0, 1000)
    assert plain["averaging"]["half_life"] == decay(1000, 5000, 800, 200)
    assert complete(Experiment.model_validate(plain)).plain() == plain  # once and for all
    longer = Experiment.model_validate({**plain, "images": 4000})
    assert {**complete(longer).plain(), "images": 1000} == plain


def test_with_a_time_it_stays_open_and_is_the_start_until_then() -> None:
    timed = complete(experiment_of({**EVERYWHERE, "time": "15m"}))
    assert has_cooldown(timed)
    rate = TypeAdapter(Value).validate_python(timed.optimizer["generator"].options["lr"])
    assert [schedule(rate)(images) for images in (0, 10, 10**9)] == [5e-4] * 3
    known = with_absolute_schedules(timed.model_copy(update={"images": 1000}))
    assert not has_cooldown(known)
    assert {**known.plain(), "time": None} == complete(experiment_of(EVERYWHERE)).plain()


def test_a_decay_does_not_begin_before_what_was_trained_with_the_start() -> None:
    late = with_absolute_schedules(experiment_of(EVERYWHERE), after=600).plain()
    assert late["optimizer"]["generator"]["lr"] == decay(5e-4, 0, 600, 400)
    assert late["averaging"]["half_life"] == decay(1000, 5000, 800, 200)
    assert with_absolute_schedules(experiment_of(EVERYWHERE), after=1000).plain()["penalties"]["r1"]["weight"] == (
        decay(10, 0, 1000, 1)  # nothing is left, and a decay has a length
    )


def test_a_run_that_is_there_keeps_its_schedules_whatever_length_is_asked_for() -> None:
    recorded = complete(experiment_of(EVERYWHERE))
    longer = with_recorded_schedules(experiment_of({**EVERYWHERE, "images": 9000}), recorded)
    assert complete(longer).plain() == {**recorded.plain(), "images": 9000}
    other = {**EVERYWHERE, "averaging": {"half_life": {"start": 777, "end": 5000, "last": "20%"}}}
    changed = complete(with_recorded_schedules(experiment_of(other), recorded)).plain()
    assert changed["averaging"]["half_life"] == decay(777, 5000, 800, 200)  # its own: the difference is refused later
    assert changed["optimizer"] == recorded.plain()["optimizer"]


def test_an_experiment_without_is_left_as_it_is() -> None:
    plain = experiment_of({"images": 1000})
    assert with_absolute_schedules(plain) is plain
    assert with_recorded_schedules(plain, plain) is plain
    assert not has_cooldown(plain)


@pytest.mark.parametrize("last", [0, "0%", "101%", -0.1, "half", "50 %%", None])
def test_what_is_no_share(last: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Value).validate_python({"start": 1.0, "last": last})


def test_a_cooldown_of_a_length() -> None:
    value: Any = TypeAdapter(Value).validate_python({"start": 2.0, "end": 1.0, "last": "25%"})
    assert value.of_length(400) == Decay(start=2.0, end=1.0, hold=300, decay=100)
    assert sorted(value.turning_points()) == [1.0, 2.0]


def has_cooldown(experiment: Experiment) -> bool:
    return "'last':" in str(experiment.plain())


FILE = {"images": 300, "time": "1h"}  # as a run's own file has both


@pytest.mark.parametrize(
    ("layers", "time", "images"),
    [
        ([("recipe x", {"images": 300}), ("arguments", {"time": "15m"})], 900, 300),
        ([("a.yaml", FILE), ("arguments", {"images": 20})], None, 20),
        ([("a.yaml", FILE), ("--set", {"images": 20})], None, 20),
        ([("environment", {"time": "2m"}), ("arguments", {"images": 20})], None, 20),
        ([("a.yaml", FILE)], 3600, 300),
        ([("recipe x", {"images": 300})], None, 300),
        ([], None, 1_000_000),
        ([("a.yaml", {"images": 7, "time": None}), ("arguments", {"time": "1s"})], 1, 7),
    ],
)
def test_the_last_layer_says_how_long(layers: list[Any], time: float | None, images: int) -> None:
    stack = [Layer(source, values) for source, values in layers]
    settled = with_one_length(resolve(stack)[0], stack)
    assert (settled.time, settled.images) == (time, images)


@pytest.mark.parametrize("second", ["arguments", "--set"])
def test_a_command_that_says_both_is_refused(second: str) -> None:
    stack = [Layer("arguments", {"time": "15m"}), Layer(second, {"images": 5000})]
    with pytest.raises(OptionError) as raised:
        with_one_length(resolve(stack)[0], stack)
    for fact in ("--time", "--images", "15m", "5,000"):
        assert fact in str(raised.value)

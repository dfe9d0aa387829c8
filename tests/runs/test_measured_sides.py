"""What several processes measure while training is what one measures, and none makes or extracts what another does."""

from __future__ import annotations

from typing import Any

import pytest

from gansmith.evaluation.types import Side
from gansmith.experiment.assemble import assemble
from gansmith.experiment.with_data import with_data
from gansmith.runs import measured_sides
from gansmith.runs.periodic_metrics import PeriodicMetrics
from gansmith.runs.team import Team
from gansmith.runs.train import experiment_from
from gansmith.system.sharing import share
from processes import together
from small import SMALL

NAMES = ["kid", "fid", "precision_recall", "spectrum"]
GENERATOR: dict[str, Any] = {**SMALL, "metrics": {"names": NAMES, "every": 64, "samples": 200}}
WITH_CLASSES = {**SMALL["generator"], "conditional": True}
CONDITIONAL = {
    **SMALL,
    "metrics": {"names": ["classification_accuracy"], "every": 64, "samples": 200},
    **{"generator": WITH_CLASSES, "discriminator": WITH_CLASSES},
}
CLASSIFIER = {
    **{"recipe": "mnist_net", "path": "digits", "size": 28, "fraction": 0.3, "batch": 16, "device": "cpu"},
    "metrics": {"names": ["class_error"], "every": 64, "samples": 200, "against": "holdout"},
}


def measured(fields: dict[str, Any], forget: bool = False) -> tuple[dict[str, Any], dict[str, int], list[str]]:
    """The record of two measurements in a row, how many images of each side were extracted here, and what was gathered.
    forget: rank 1 has nothing of the samples."""
    extracted: dict[str, int] = {}
    of, team, told = measured_sides.side_of, Team(share()), list[str]()

    def counting(name: str, images: Any, *arguments: Any, **options: Any) -> Side:
        extracted[name] = extracted.get(name, 0) + len(images)
        return of(name, images, *arguments, **options)

    def noting(own: Any, team: Team) -> Any:
        told.append("nothing" if own is None else f"{own.dtype} {list(own.shape[1:])}")
        return before(None if forget and team.rank else own, team)

    before, measured_sides.gathered = measured_sides.gathered, noting
    measured_sides.side_of = counting
    parts = assemble(*with_data(experiment_from(environment={}, **fields)[0]))
    metrics = PeriodicMetrics(parts, team=team)
    if team.rank:
        for _ in range(2):
            metrics.take_part(parts.game.players)
        return {}, extracted, told
    first, second = (metrics.measure(parts.game.players, step=1, images=64) for _ in range(2))
    assert {**first, "look": 2} == second
    return first, extracted, told


def test_a_generator_is_measured_as_by_one_process() -> None:
    """Two processes of 128 and 72 images a side. The real ones are extracted once, the samples at each measurement."""
    (alone, extracted, told), *_ = together(measured, GENERATOR, world=1)
    assert extracted == {"train": 200, "samples": 400}
    (first, of_first, gathered), (_, of_second, others) = together(measured, GENERATOR, world=2)
    assert first["protocol"] == alone["protocol"]
    for name, value in alone.items():
        if name.startswith("metric/"):
            assert first[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    assert of_first == {"train": 128, "samples": 256}
    assert of_second == {"train": 72, "samples": 144}
    assert told == []
    assert gathered == others
    assert sorted(set(gathered)) == ["float32 [64]", "int64 []", "nothing", "uint8 [8, 8, 1]"]


@pytest.mark.parametrize(("fields", "name"), [(CONDITIONAL, "accuracy"), (CLASSIFIER, "class_error")])
def test_what_needs_classes_has_those_of_all_ranks(fields: dict[str, Any], name: str) -> None:
    """A classifier's answers to each rank's held-out images, and the classes of all samples, in their order."""
    (alone, everything, _), *_ = together(measured, fields, world=1)
    (first, mine, _), (_, theirs, _) = together(measured, fields, world=2)
    assert first["protocol"] == alone["protocol"]
    for key, value in alone.items():
        if key.startswith("metric/"):
            assert first[key] == pytest.approx(value, rel=1e-6), key
    assert 0 < first[f"metric/{name}"] < 1
    assert {side: mine[side] + theirs[side] for side in mine} == everything
    assert min(theirs.values()) > 0


def test_nothing_is_gathered_for_what_adds_up() -> None:
    adds_up = {**GENERATOR, "metrics": {**GENERATOR["metrics"], "names": ["kid", "fid"]}}
    (_, _, told), (_, _, others) = together(measured, adds_up, world=2)
    assert told == others == []


def test_a_part_that_is_left_out_is_noticed() -> None:
    names = {**GENERATOR, "metrics": {**GENERATOR["metrics"], "names": ["precision_recall"]}}
    (alone, *_), *_ = together(measured, names, world=1)
    (first, *_), _ = together(measured, names, True, world=2)
    assert [name for name in alone if name.startswith("metric/") and first[name] != alone[name]]


def test_more_ranks_than_parts() -> None:
    """100 images are two parts of 64: the third rank has none, and takes part."""
    few = {**GENERATOR, "metrics": {**GENERATOR["metrics"], "samples": 100}}
    (alone, *_), *_ = together(measured, few, world=1)
    (first, *_), _, (_, extracted, _) = together(measured, few, world=3)
    assert extracted == {}
    for name, value in alone.items():
        if name.startswith("metric/"):
            assert first[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name

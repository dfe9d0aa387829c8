"""The table of elastic averaging beside summed gradients, without its trainings."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import elastic
from gansmith.experiment.layers import Layer, resolve

IMAGES = 19_200


def settings(task: str, arm: elastic.Arm) -> Any:
    layers = (elastic.COMMON, elastic.TASKS[task], arm.settings(task, IMAGES))
    return resolve([Layer("test", values) for values in layers])[0]


@pytest.mark.parametrize("task", elastic.TASKS)
def test_arms_send_what_they_are_compared_at(task: str) -> None:
    """Elastic averaging sends a sum each period, summed gradients one each step: as many at the same images."""
    sums = {}
    for arm in elastic.ARMS:
        experiment = settings(task, arm)
        steps = experiment.images // experiment.batch
        assert experiment.images == IMAGES or arm.share < 1
        sums[arm] = steps // experiment.elastic.period if experiment.engine == "elastic" else steps
    by_period = {arm.period: sums[arm] for arm in elastic.ARMS if arm.engine == "elastic"}
    assert by_period == {1: 300, 10: 30, 50: 6}
    assert [sums[arm] for arm in elastic.ARMS if arm.engine == "all_reduce"] == [300, 30, 6, 30, 30]
    assert len({f"{arm.name}, {arm.share:g}" for arm in elastic.ARMS}) == len(elastic.ARMS)


def test_rates_for_a_larger_batch() -> None:
    plain, faster = (
        next(arm for arm in elastic.ARMS if arm.times == 10 and arm.faster is wanted) for wanted in (False, True)
    )
    for task, role, factor in (("classifier", "classifier", 10), ("GAN", "generator", 10**0.5)):
        before = 0.01 if task == "classifier" else settings(task, plain).optimizer[role].options["lr"]
        assert settings(task, faster).optimizer[role].options["lr"] == pytest.approx(factor * before)


def test_the_page_has_a_row_for_each_task_and_arm() -> None:
    runs = [
        {"task": task, "arm": f"{arm.name}, {arm.share:g}", "seed": seed, "value": 0.25 + seed, "megabytes": 7.0}
        | {"images": 640, "seconds": 1.0}
        for task in elastic.TASKS
        for arm in elastic.ARMS
        for seed in (0, 1)
    ]
    text = elastic.page(runs, {"cores": 2})
    assert text.startswith("n = 2 seeds")
    assert "| GAN | elastic, period 10 | 640 | 7.0 | 0.8 +- 0.7 |" in text
    assert text.count("\n| ") == 2 + len(elastic.ARMS) * len(elastic.TASKS)

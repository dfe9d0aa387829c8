"""Elastic averaging in assembled experiments and in run folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from elastic_players import same
from safetensors.torch import load_file

import gansmith
from gansmith.errors import DamagedCheckpointError, ExperimentError, RunError
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.layers import Layer, resolve
from gansmith.experiment.with_data import with_data
from gansmith.runs.run import Run
from gansmith.runs.training_state import capture, restore
from gansmith.system import sharing
from gansmith.training.engine import play_until
from processes import together

ELASTIC: dict[str, Any] = {
    "engine": "elastic",
    "elastic": {"period": 3},
    "batch_statistics": "local",
    "batch": 9,
    "seed": 3,
    "precision": "float32",
    "device": "cpu",
}
DIGITS = {"path": "digits", "size": 8, "fraction": 0.2}
GAN: dict[str, Any] = {
    "data": DIGITS,
    "generator": {"name": "dcgan", "width": 4},
    "discriminator": {"name": "dcgan", "width": 4},
    "prior": {"size": 8},
    "augment": {"name": "ada", "speed": 100, "every": 2, "target": 0.3},
}
CLASSIFIER: dict[str, Any] = {
    "data": DIGITS,
    "game": "classify",
    "generator": None,
    "discriminator": None,
    "objective": None,
    "classifier": {"name": "wrn", "depth": 10, "widen": 1, "dropout": 0.3},
    "optimizer": {"classifier": {"name": "sgd", "lr": 0.05, "momentum": 0.5}},
}


def parts_of(*layers: dict[str, Any]) -> Assembly:
    return assemble(*with_data(resolve([Layer("test", values) for values in layers])[0]))


def trained(settings: dict[str, Any], *stops: int) -> Any:
    """Play to each step, beginning anew from the checkpoint between: the last checkpoint on rank 0."""
    state: Any = None
    for step in stops:
        parts = parts_of(ELASTIC, settings)
        if state is not None:
            restore(state, parts, Path("run"), processes=sharing.share().world)
        play_until(parts.engine, step * 9, step=0 if state is None else state["step"])
        told: list[Any] = [None]
        if sharing.share().rank == 0:
            told = [capture(parts, step=step, seconds=0.0, processes=sharing.share().world)]
            parts.go_on()
        else:
            parts.serve()
        torch.distributed.broadcast_object_list(told)
        state = told[0]
        assert same(state["players"], {name: player.state_dict() for name, player in parts.game.players.items()})
    return state


def both(first: int, last: int) -> list[Any]:
    return [[trained(settings, last), trained(settings, first, last)] for settings in (GAN, CLASSIFIER)]


def test_a_checkpoint_of_two_goes_on_exactly_and_in_two_alone() -> None:
    """A GAN with batch normalisation and an adaptive probability of each worker's own; a classifier with dropout."""
    results, others = together(both, 4, 8, world=2, limit=300)
    for (whole, resumed), (other, _), settings in zip(results, others, (GAN, CLASSIFIER), strict=True):
        assert same(whole, resumed)
        assert same(whole, other)
        assert len(whole["workers"]) == whole["processes"] == 2
        one, two = (worker["players"] for worker in whole["workers"])
        assert not same(one, two)
        assert not same(one, whole["players"])
        for processes, words in ((1, "2 processes.*1 process:"), (3, "2 processes.*3 processes")):
            with pytest.raises(RunError, match=words):
                restore(whole, parts_of(ELASTIC, settings), Path("run"), processes=processes)
    (one, two) = (worker["game"]["augment"] for worker in results[0][0]["workers"])
    assert (one["p"], one["signs"]) != (two["p"], two["signs"])


def test_a_run_keeps_the_centre_and_resumes(tmp_path: Path) -> None:
    settings = {**GAN, **ELASTIC, "path": "digits", "averaging": {"half_life": 0}, "checkpoint_every": 9}
    settings |= {**settings.pop("data"), "record_every": 9, "samples_every": 1000, "checks": {"every": 0}}
    gansmith.train(**settings, images=144, out=str(tmp_path / "whole"))
    gansmith.train(**settings, images=63, out=str(tmp_path / "stopped"))
    Run(tmp_path / "stopped").resume(images=144)
    left, right = (Run(tmp_path / name).checkpoint() for name in ("whole", "stopped"))
    for key in ("players", "workers", "optimizers", "averaging", "game"):
        assert same(left[key], right[key]), key
    (worker,) = left["workers"]
    saved = load_file(next((tmp_path / "whole" / "model").glob("generator*.safetensors")))
    assert same(saved, {name: left["players"]["generator"][name] for name in saved})
    assert not same(worker["players"], left["players"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({**GAN, "batch_statistics": "global"}, "engine=elastic.*batch_statistics=global.*batch_statistics=local"),
        (
            {
                **CLASSIFIER,
                "game": {"name": "classify", "padding": 0},
                "classifier": {"name": "wrn", "depth": 10, "widen": 1},
                "optimizer": {"classifier": "lbfgs"},
                "batch": 270,
            },
            "lbfgs.*engine=elastic.*engine=all_reduce",
        ),
    ],
)
def test_what_workers_cannot_do_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ExperimentError, match=words):
        parts_of(ELASTIC, changes)


def test_a_game_without_batch_normalisation_needs_no_local_statistics() -> None:
    parts = parts_of(ELASTIC, {**GAN, "batch_statistics": "global", "generator": "mlp", "discriminator": "mlp"})
    assert parts.elastic is not None


@pytest.mark.parametrize(("field", "value"), [("moving_rate", 0.0), ("moving_rate", 1.5), ("period", 0)])
def test_rates_outside_their_range(field: str, value: float) -> None:
    with pytest.raises(ExperimentError, match=rf"elastic\.{field}"):
        resolve([Layer("test", {"elastic": {field: value}})])


def test_a_worker_that_is_damaged_is_named() -> None:
    parts = parts_of(ELASTIC, GAN)
    play_until(parts.engine, 36)
    state = capture(parts, step=4, seconds=0.0)
    (worker,) = state["workers"]
    weights = worker["players"]["generator"]
    name, value = next((name, value) for name, value in weights.items() if value.is_floating_point())
    spoiled = {**worker, "players": {**worker["players"], "generator": {**weights, name: value / 0}}}
    moved = {**worker, "optimizers": {}}
    for workers, words in (
        (None, "workers is None"),
        ([], "workers is a list"),
        ([spoiled], f"worker 0: players.generator.{name} is not finite"),
        ([moved], "worker 0: optimizers has no 'discriminator', no 'generator'"),
        ([7], "worker 0: it has no"),
    ):
        with pytest.raises(DamagedCheckpointError, match=words):
            restore({**state, "workers": workers}, parts_of(ELASTIC, GAN), Path("run"))
    restore(state, parts_of(ELASTIC, GAN), Path("run"))

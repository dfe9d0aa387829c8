"""A checkpoint that is whole and holds something else than this run's state: the one before it is taken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from trainer_processes import assert_same_end

import gansmith
from gansmith.errors import CheckpointError, DamagedCheckpointError, RunError
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.with_data import with_data
from gansmith.games.parts.pool import Pool
from gansmith.runs.run import Run
from gansmith.runs.training_state import restore
from refusals import refused
from small import SMALL

State = dict[str, Any]
Change = Callable[[State], object]
NAN, INFINITE = float("nan"), float("inf")


def put(path: str, value: Any) -> Change:
    """Sets the value at a path of keys and indices; one that is called is given the value of before."""

    def change(state: State) -> None:
        *way, last = (int(key) if key.isdecimal() else key for key in path.split("/"))
        for key in way:
            state = state[key]
        state[last] = value(state[last]) if callable(value) else value

    return change


def without(path: str) -> Change:
    def change(state: State) -> None:
        *way, last = (int(key) if key.isdecimal() else key for key in path.split("/"))
        for key in way:
            state = state[key]
        del state[last]

    return change


def spoiled(tensor: torch.Tensor) -> torch.Tensor:
    return torch.full_like(tensor, NAN)


WEIGHT = "players/generator/layers.0.weight"
ADAM = "optimizers/generator/state/0"
TOP = ("format", "versions", "experiment", "data", "step", "images", "seconds", "stream", "players", "optimizers")
CHANGES: dict[str, Change] = {
    **{f"no {name}": without(name) for name in (*TOP, "averaging", "game", "threads", "device")},
    "a format in words": put("format", "1"),
    "versions as a list": put("versions", []),
    "an experiment of nothing": put("experiment", None),
    "an experiment with a batch in words": put("experiment/batch", "many"),
    "an experiment with an unknown field": put("experiment/bacht", 1),
    "a step in words": put("step", "20"),
    "a step below 0": put("step", -1),
    "a step that is true": put("step", True),
    "half a step": put("step", 2.5),
    "images that are NaN": put("images", NAN),
    "images beside the stream": put("images", 16),
    "a stream beside the images": put("stream/drawn", 16),
    "a stream without a number": put("stream", {}),
    "images that are no whole batches": lambda state: (put("images", 7)(state), put("stream/drawn", 7)(state)),
    "seconds that are NaN": put("seconds", NAN),
    "seconds without end": put("seconds", INFINITE),
    "seconds in words": put("seconds", "long"),
    "no threads at all": put("threads", 0),
    "a million threads": put("threads", 10**6),
    "players as a list": put("players", []),
    "a player fewer": without("players/generator"),
    "a player more": put("players/other", {}),
    "a player as a tensor": put("players/generator", torch.zeros(3)),
    "a weight fewer": without(WEIGHT),
    "a weight more": put("players/generator/other", torch.zeros(3)),
    "a weight of another shape": put(WEIGHT, torch.zeros(3, 3)),
    "a weight of another type": put(WEIGHT, lambda weight: weight.long()),
    "a weight as a list": put(WEIGHT, lambda weight: weight.tolist()),
    "a weight that is NaN": put(WEIGHT, spoiled),
    "an average fewer": without("averaging/generator"),
    "an average of another shape": put(WEIGHT.replace("players", "averaging"), torch.zeros(3, 3)),
    "an average that is NaN": put(WEIGHT.replace("players", "averaging"), spoiled),
    "an optimizer fewer": without("optimizers/discriminator"),
    "an optimizer of nothing": put("optimizers/generator", None),
    "an optimizer without groups": without("optimizers/generator/param_groups"),
    "an optimizer without a state": without("optimizers/generator/state"),
    "no group": put("optimizers/generator/param_groups", []),
    "a group of fewer parameters": put("optimizers/generator/param_groups/0/params", [0]),
    "a group without a rate": without("optimizers/generator/param_groups/0/lr"),
    "a rate that is NaN": put("optimizers/generator/param_groups/0/lr", NAN),
    "a rate in words": put("optimizers/generator/param_groups/0/lr", "fast"),
    "one beta": put("optimizers/generator/param_groups/0/betas", [0.5]),
    "a moment fewer": without(f"{ADAM}/exp_avg"),
    "a moment of another shape": put(f"{ADAM}/exp_avg", torch.zeros(2, 2)),
    "a moment that is NaN": put(f"{ADAM}/exp_avg_sq", spoiled),
    "a moment as a list": put(f"{ADAM}/exp_avg", []),
    "a moment of no parameter": put("optimizers/generator/state/999", {}),
    "no part of the game": put("game", {}),
    "a part of the game as a number": lambda state: state.update(game=dict.fromkeys(state["game"], 1)),
    "a part of the game without its values": lambda state: state.update(game={name: {} for name in state["game"]}),
    "a probability that is NaN": put("game/augment/p", torch.tensor(NAN)),
    "a probability in words": put("game/augment/p", "half"),
    "a count of turns of nothing": put("game/lecam/turns", None),
    "an average of scores of another shape": put("game/lecam/real", torch.zeros(7)),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State, Assembly]:
    """A run with state in every place, its state, and the same run assembled anew."""
    out = tmp_path_factory.mktemp("runs") / "run"
    given = {**SMALL, "images": 64, "objective": "hinge", "penalties": {"lecam": {}}, "augment": "ada"}
    run = gansmith.train(**given, out=str(out))
    return out, run.checkpoint(), assemble(*with_data(run.experiment))


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_state_is_called_damaged(change: str, trained: tuple[Path, State, Assembly]) -> None:
    out, state, parts = trained
    changed = copy.deepcopy(state)
    CHANGES[change](changed)
    with pytest.raises(DamagedCheckpointError):
        restore(changed, parts, out)
    restore(copy.deepcopy(state), parts, out)


@pytest.mark.parametrize("change", ["no step", "a weight of another shape", "a moment fewer", "seconds that are NaN"])
def test_the_one_before_it_is_taken(change: str, run: Path, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = Run(run).checkpoint()
    CHANGES[change](state)
    torch.save(state, run / "checkpoints/latest.pt")
    Run(run).resume()
    said = capsys.readouterr().err
    assert f"warning: the checkpoint {run}/checkpoints/latest.pt is damaged (" in said
    assert f"continuing {run} at 256 images" in said
    assert_same_end(run, finished)
    assert (run / "checkpoints/latest.damaged").is_file()


def test_a_state_of_another_network_is_not_sampled(run: Path) -> None:
    """By `--raw` or by name, where no run is assembled to compare with."""
    state = Run(run).checkpoint()
    put(WEIGHT, torch.zeros(3, 3))(state)
    torch.save(state, run / "checkpoints/latest.pt")
    with refused("latest", "generator", "layers.0.weight", error=CheckpointError):
        Run(run).sample(range(2), raw=True)
    del state["averaging"]["generator"]
    torch.save(state, run / "checkpoints/latest.pt")
    with refused("latest", "generator", "layers.0.weight", error=CheckpointError):
        Run(run).sample(range(2), checkpoint="latest")
    del state["players"]["generator"]
    torch.save(state, run / "checkpoints/latest.pt")
    with refused("latest", "generator", error=CheckpointError):
        Run(run).sample(range(2), checkpoint="latest")
    del state["players"]
    torch.save(state, run / "checkpoints/latest.pt")
    with pytest.raises(CheckpointError, match=r"latest\.pt is damaged \(it has no 'players'\)"):
        Run(run).sample(range(2), checkpoint="latest")


def test_an_image_pool_of_another_size() -> None:
    pool = Pool(4)
    for images in (torch.zeros(5, 3, 8, 8), torch.zeros(3, 8)):
        with pytest.raises(CheckpointError, match="pool of 4"):
            pool.load_state_dict({"images": images})
    pool.load_state_dict({"images": torch.zeros(2, 3, 8, 8)})
    with pytest.raises(RunError, match=r"\[3, 8, 8\].*\[3, 16, 16\]"):
        pool.mixed(torch.zeros(2, 3, 16, 16), torch.Generator())

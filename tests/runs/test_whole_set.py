"""L-BFGS and conjugate gradients train a classifier on its whole set, by a loss that is the same at each evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import gansmith
from gansmith.errors import ExperimentError, OptionError, RunError
from gansmith.experiment import completion
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.compatibility import require_whole_set
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data
from gansmith.runs.run import Run
from gansmith.training import optimizers
from gansmith.training.engine import Events, play_until
from gansmith.training.whole_set import CLASSES

COUNT = 180  # images of the tenth of the digits that are trained on, none held out


def fields(name: str = "lbfgs", **changes: Any) -> dict[str, Any]:
    """An experiment on a tenth of the digits at 8 pixels, with batch normalisation."""
    return {
        "data": {"path": "digits", "fraction": 0.1, "size": 8, "holdout": 0},
        "game": {"name": "classify", "padding": 0},
        **dict.fromkeys(("generator", "discriminator", "objective")),
        "classifier": {"name": "darknet", "groups": [1, 1], "width": 4},
        "optimizer": {"classifier": {"name": name}},
        "batch": COUNT,
        "images": 4 * COUNT,
        "device": "cpu",
        **changes,
    }


def parts(**changes: Any) -> Assembly:
    return assemble(*with_data(Experiment.model_validate(fields(**changes))))


def losses(made: Assembly) -> list[float]:
    collected: list[float] = []
    made.engine.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: collected.append(float(engine.state.output[0][1]["loss"]))
    )
    play_until(made.engine, made.experiment.images)
    return collected


@pytest.mark.parametrize("name", CLASSES)
def test_every_step_is_lower_and_moves_clock_and_buffers_once(name: str) -> None:
    made = parts(name=name)
    network = made.game.players["classifier"]
    tracked = [buffer for key, buffer in network.named_buffers() if key.endswith("num_batches_tracked")]
    calls: list[int] = []
    network.register_forward_hook(lambda *_: calls.append(1))
    values = losses(made)
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0]
    assert len(values) == 4 < len(calls)
    assert made.stream.drawn == 4 * COUNT
    assert tracked
    assert {int(buffer) for buffer in tracked} == {4}


@pytest.mark.parametrize("name", CLASSES)
def test_the_buffers_are_those_of_the_weights_before_the_step(name: str) -> None:
    made = parts(name=name, images=COUNT)
    network = made.game.players["classifier"]
    other = parts(name=name, images=COUNT).game.players["classifier"]
    other.load_state_dict(network.state_dict())
    batch = made.first_batch()["real"]
    losses(made)
    other.train()
    other(batch.image)
    for (key, ours), theirs in zip(network.named_buffers(), other.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=lambda text, key=key: f"{key}: {text}")


def test_a_step_is_torchs_on_the_same_loss() -> None:
    """Three iterations of L-BFGS: the weights are those of torch's own loop."""
    made = parts(images=3 * COUNT, classifier={"name": "darknet", "groups": [1, 1], "width": 2})
    network = made.game.players["classifier"]
    plain = parts(classifier={"name": "darknet", "groups": [1, 1], "width": 2}).game.players["classifier"]
    plain.load_state_dict(network.state_dict())
    start = {key: buffer.clone() for key, buffer in plain.named_buffers()}
    theirs = torch.optim.LBFGS(plain.parameters(), max_iter=1, max_eval=25, line_search_fn="strong_wolfe")
    stream = parts().stream
    plain.train()
    for _ in range(3):
        batch = next(stream)["real"]

        def closure(batch: Any = batch) -> torch.Tensor:
            theirs.zero_grad()
            for key, buffer in plain.named_buffers():
                buffer.copy_(start[key])
            loss = torch.nn.functional.cross_entropy(plain(batch.image), batch.label)
            loss.backward()
            for parameter in plain.parameters():
                parameter.grad = parameter.grad.contiguous()
            return loss

        theirs.step(closure)
    losses(made)
    for ours, expected in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", CLASSES)
def test_parts_of_the_batch_add_up_to_it(name: str) -> None:
    """Without batch normalisation's statistics of a part the steps would be equal; here the losses are near."""
    whole, halves = losses(parts(name=name, images=2 * COUNT)), losses(parts(name=name, images=2 * COUNT, accumulate=2))
    assert whole == pytest.approx(halves, rel=0.2)
    assert halves[1] < halves[0]


@pytest.mark.parametrize("name", CLASSES)
def test_resume_is_exact(name: str, tmp_path: Path) -> None:
    settings = {**fields(name, record_every=COUNT, checkpoint_every=COUNT), "data": None}
    data = fields()["data"]
    path = data.pop("path")
    settings |= {"data": data}
    whole = gansmith.train(path, **settings, out=str(tmp_path / "whole"))
    parted = gansmith.train(path, **{**settings, "images": 2 * COUNT}, out=str(tmp_path / "parted"))
    assert parted.checkpoint()["images"] == 2 * COUNT
    parted.resume(images=4 * COUNT)
    assert (tmp_path / "whole/model/classifier.safetensors").read_bytes() == (
        tmp_path / "parted/model/classifier.safetensors"
    ).read_bytes()
    assert [record.get("classifier/loss") for record in whole.records] == [
        record.get("classifier/loss") for record in Run(tmp_path / "parted").records
    ]
    assert len([record for record in whole.records if "classifier/loss" in record]) == 4


def test_a_state_of_another_network_is_damage(tmp_path: Path) -> None:
    data = fields()["data"]
    path = data.pop("path")
    run = gansmith.train(path, **{**fields(images=2 * COUNT), "data": data}, out=str(tmp_path / "run"))
    file = tmp_path / "run/checkpoints/latest.pt"
    state = torch.load(file, weights_only=True)
    state["optimizers"]["classifier"]["state"][0]["d"] = torch.zeros(7)
    torch.save(state, file)
    (tmp_path / "run/checkpoints/previous.pt").unlink(missing_ok=True)
    with pytest.raises(RunError) as raised:
        run.resume(images=4 * COUNT)
    assert all(word in str(raised.value) for word in ("state.0.d", "[7]"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch": 60}, ["lbfgs", "180", "60", "--set batch=180"]),
        ({"game": {"name": "classify", "padding": 2}}, ["lbfgs", "game.padding=2", "--set game.padding=0"]),
        ({"game": {"name": "classify", "padding": 0, "flip": True}}, ["game.flip=true", "--set game.flip=false"]),
        ({"data": {**fields()["data"], "flip": True}}, ["data.flip=true", "--set data.flip=false"]),
        ({"data": {**fields()["data"], "load_size": 12}}, ["data.load_size"]),
        ({"precision": "bfloat16"}, ["bfloat16", "--precision float32"]),
    ],
)
def test_where_the_loss_would_change_it_is_refused_with_the_way_out(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ExperimentError) as raised:
        parts(**changes)
    assert [word for word in words if word not in str(raised.value)] == []


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_in_a_game_of_two_it_is_refused_with_the_reason(role: str) -> None:
    optimizer = {"generator": {"name": "adam"}, "discriminator": {"name": "adam"}, role: {"name": "cg"}}
    with pytest.raises(ExperimentError) as raised:
        completion.complete(Experiment.model_validate({"optimizer": optimizer}))
    assert [word for word in (role, "cg", "two_player", "classify") if word not in str(raised.value)] == []


def test_whole_numbers_among_the_options() -> None:
    assert optimizers.check("lbfgs", {})["max_iter"] == 1
    assert optimizers.check("lbfgs", {})["line_search_fn"] == "strong_wolfe"
    assert optimizers.check("cg", {"trials": 7})["trials"] == 7
    for name, option in (("lbfgs", "history_size"), ("cg", "memory")):
        with pytest.raises(OptionError) as raised:
            optimizers.check(name, {option: 1.5})
        assert option in str(raised.value)


def test_dropout_is_refused() -> None:
    made = parts()
    network = torch.nn.Sequential(torch.nn.Dropout(0.5))
    with pytest.raises(ExperimentError) as raised:
        require_whole_set(made.experiment, made.data, {"classifier": network})
    assert [word for word in ("lbfgs", "dropout", "(0)", "adam") if word not in str(raised.value)] == []
    require_whole_set(made.experiment, made.data, {"classifier": torch.nn.Sequential(torch.nn.Dropout(0.0))})

"""Torch's optimizers by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from gansmith.errors import OptionError, UnknownNameError
from gansmith.training import optimizers

FIRST_ORDER = [
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "asgd",
    "nadam",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
]  # of torch 2.6 and later; sparseadam needs sparse gradients, muon matrices only
WHOLE_SET = ["cg", "lbfgs"]  # need a closure: tests/runs/test_whole_set.py


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def step(network: nn.Module, optimizer: torch.optim.Optimizer, times: int = 3) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    for _ in range(times):
        optimizer.zero_grad()
        network(torch.randn(5, 3, generator=rng)).square().mean().backward()
        optimizer.step()
    return [p.detach().clone() for p in network.parameters()]


def test_the_known_names() -> None:
    names = optimizers.names()
    assert names == sorted(names)
    assert set(FIRST_ORDER) <= set(names)
    assert set(WHOLE_SET) <= set(names)
    assert not {"sparseadam", "muon", "optimizer"} & set(names)


@pytest.mark.parametrize("name", sorted({*optimizers.names()} - {*WHOLE_SET}))
def test_each_takes_torchs_steps(name: str) -> None:
    """Built by name, with its defaults: the weights after three steps are those of torch's own class."""
    kind = next(value for key, value in vars(torch.optim).items() if key.lower() == name)
    ours, theirs = net(), net()
    mine = optimizers.build(name, ours.parameters(), {"lr": 0.02})
    found = step(ours, mine.optimizer)
    for left, right, start in zip(
        found, step(theirs, kind(theirs.parameters(), lr=0.02)), net().parameters(), strict=True
    ):
        torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-6)
        assert not torch.equal(left, start)


def test_fused_where_there_is_a_fused_one() -> None:
    for name in ("adam", "adamw", "sgd"):
        assert optimizers.build(name, net().parameters(), {}).optimizer.defaults["fused"] is True
    assert not optimizers.build("rmsprop", net().parameters(), {}).optimizer.defaults.get("fused")


def test_options_reach_torch() -> None:
    made = optimizers.build("adam", net().parameters(), {"lr": 3e-4, "betas": [0.0, 0.99], "eps": 1e-6}).optimizer
    group = made.param_groups[0]
    assert (group["lr"], tuple(group["betas"]), group["eps"]) == (3e-4, (0.0, 0.99), 1e-6)
    assert optimizers.build("sgd", net().parameters(), {"nesterov": True, "momentum": 0.9}).optimizer.defaults[
        "nesterov"
    ]


def test_the_learning_rate_may_be_scheduled() -> None:
    made = optimizers.build("sgd", net().parameters(), {"lr": {"start": 1.0, "end": 0.5, "hold": 10, "decay": 10}})
    assert made.optimizer.param_groups[0]["lr"] == 1.0
    made.set_images(15)
    assert made.optimizer.param_groups[0]["lr"] == 0.75
    made.set_images(0)
    assert made.optimizer.param_groups[0]["lr"] == 1.0


def test_any_number_may_be_scheduled() -> None:
    """One cycle: the rate rises while the momentum falls; a beta of a pair by itself; the others stay."""
    cycle = {"lr": {"points": {0: 0.1, 10: 1.0}}, "momentum": {"points": {0: 0.95, 10: 0.85}}, "weight_decay": 0.01}
    made = optimizers.build("sgd", net().parameters(), {**cycle, "nesterov": True})
    (group,) = made.optimizer.param_groups
    made.set_images(5)
    assert (group["lr"], group["momentum"], group["weight_decay"]) == pytest.approx((0.55, 0.9, 0.01))
    made = optimizers.build("adam", net().parameters(), {"betas": [0.5, {"start": 0.9, "end": 0.99, "decay": 10}]})
    (group,) = made.optimizer.param_groups
    assert group["betas"] == (0.5, 0.9)
    made.set_images(10)
    assert group["betas"] == (0.5, 0.99)
    assert group["lr"] == 1e-3
    assert optimizers.plain("adam", {"betas": [0.5, {"phases": {0: 0.9}}]})["betas"] == [0.5, {"phases": {"0": 0.9}}]


def test_the_scheduled_momentum_is_what_the_step_uses() -> None:
    ours, theirs = net(), net()
    made = optimizers.build("sgd", ours.parameters(), {"lr": 0.1, "momentum": {"phases": {0: 0.9, 10: 0.5}}})
    plain = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    for images, momentum in ((0, 0.9), (10, 0.5), (20, 0.5)):
        made.set_images(images)
        plain.param_groups[0]["momentum"] = momentum
        for left, right in zip(step(ours, made.optimizer, 1), step(theirs, plain, 1), strict=True):
            torch.testing.assert_close(left, right)


def test_plain_is_complete_and_plain() -> None:
    plain = optimizers.plain("adam", {"lr": {"start": 1, "decay": "1k"}})
    assert plain["lr"] == {"start": 1.0, "end": 0.0, "hold": 0, "decay": 1000, "shape": "linear"}
    assert plain["betas"] == [0.9, 0.999]
    assert plain["weight_decay"] == 0.0
    assert not {"params", "fused", "foreach", "maximize"} & plain.keys()
    for name in optimizers.names():  # a run's file holds these, and they build the same again
        plain = optimizers.plain(name, {})
        assert optimizers.plain(name, plain) == plain
        optimizers.build(name, net().parameters(), plain)


@pytest.mark.parametrize(
    ("name", "options", "kind", "text"),
    [
        ("adm", {}, UnknownNameError, "no optimizer called 'adm'. Did you mean 'adam'? Known: adadelta, "),
        ("muon", {}, UnknownNameError, "no optimizer called 'muon'. "),
        (
            "adam",
            {"beta": 1},
            OptionError,
            "optimizer adam has no option 'beta'. Did you mean 'betas'? It has: lr, betas, eps, ",
        ),
        ("adam", {"fused": True}, OptionError, "optimizer adam has no option 'fused'. "),
        ("adam", {"maximize": True}, OptionError, "optimizer adam has no option 'maximize'. "),
        (
            "adam",
            {"lr": "fast"},
            OptionError,
            "optimizer adam: lr = 'fast' is not allowed: a number is written like 0.0002, 2e-4, 50k or 1.5M",
        ),
        (
            "adam",
            {"betas": ["a", 1]},
            OptionError,
            "optimizer adam: betas = ['a', 1] is not allowed: a number is written like 0.0002, 2e-4, 50k or 1.5M",
        ),
        (
            "sgd",
            {"nesterov": "maybe"},
            OptionError,
            "optimizer sgd: nesterov = 'maybe' is not allowed: it takes true or false",
        ),
        (
            "adam",
            {"eps": "small"},
            OptionError,
            "optimizer adam: eps = 'small' is not allowed: a number is written like 0.0002, 2e-4, 50k or 1.5M",
        ),
        (
            "adagrad",
            {"initial_accumulator_value": {"phases": {0: 1}}},
            OptionError,
            "optimizer adagrad: initial_accumulator_value = {'phases': {0: 1}} is not allowed: it takes a number",
        ),
    ],
)
def test_mistakes(name: str, options: dict[str, Any], kind: type[Exception], text: str) -> None:
    for attempt in (
        lambda: optimizers.check(name, options),
        lambda: optimizers.build(name, net().parameters(), options),
    ):
        with pytest.raises(kind) as raised:
            attempt()
        assert str(raised.value).startswith(text)

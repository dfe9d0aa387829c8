"""The moving average in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gansmith.schedules import Decay
from gansmith.training.averaging import Averaging


def player(value: float = 0.0) -> nn.Module:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    fill(network, value)
    return network


def fill(network: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)


def of(averaging: Averaging) -> float:
    """The one value that all averaged weights have."""
    values = torch.cat([p.flatten() for p in averaging.players["g"].parameters()])
    torch.testing.assert_close(values, values[:1].expand_as(values), rtol=0, atol=0)
    return float(values[0])


@pytest.mark.parametrize("batch", [1, 10, 50, 100])
def test_after_a_half_life_half_the_distance_is_left(batch: int) -> None:
    network = player(0.0)
    averaging = Averaging({"g": network}, half_life=lambda images: 100, rampup=None)
    fill(network, 1.0)
    for images in range(batch, 101, batch):
        averaging.update(batch, images)
    assert of(averaging) == pytest.approx(0.5, rel=1e-5)
    for images in range(100 + batch, 201, batch):
        averaging.update(batch, images)
    assert of(averaging) == pytest.approx(0.75, rel=1e-5)


def test_the_rampup_shortens_the_half_life_early_on() -> None:
    """At 40 images a rampup of 0.05 allows a half-life of 2: of a step of 4 images a quarter is kept."""
    network = player(0.0)
    averaging = Averaging({"g": network}, half_life=lambda images: 10_000, rampup=0.05)
    fill(network, 1.0)
    averaging.update(4, 40)
    assert of(averaging) == pytest.approx(0.75, rel=1e-6)
    fill(network, 0.0)
    averaging.update(100, 1_000_000)  # past the rampup the half-life is its own: 10,000
    assert of(averaging) == pytest.approx(0.75 * 0.5**0.01, rel=1e-6)


def test_a_half_life_of_zero_follows_at_once() -> None:
    network = player(0.0)
    averaging = Averaging({"g": network}, half_life=lambda images: 0)
    fill(network, 3.0)
    averaging.update(1, 1)
    assert of(averaging) == 3.0


def test_the_half_life_may_follow_a_schedule() -> None:
    """R3GAN begins at 0 and ends at its final value."""
    network = player(0.0)
    schedule = Decay(start=0, end=100, decay=1000).at
    averaging = Averaging({"g": network}, half_life=schedule, rampup=None)
    fill(network, 1.0)
    averaging.update(50, 500)  # half-life 50
    assert of(averaging) == pytest.approx(0.5, rel=1e-6)


def shifted(buffers: str) -> tuple[nn.Module, Averaging]:
    network = player()
    averaging = Averaging({"g": network}, half_life=lambda images: 10, rampup=None, buffers=buffers)  # type: ignore[arg-type]
    with torch.no_grad():
        network[1].running_mean.fill_(4.0)  # type: ignore[union-attr]
        network[1].running_var.fill_(9.0)  # type: ignore[union-attr]
        network[1].num_batches_tracked.fill_(7)  # type: ignore[union-attr]
    averaging.update(10, 10)
    return averaging.players["g"][1], averaging  # type: ignore[index]


def test_floating_buffers_are_averaged_and_counters_copied() -> None:
    normal, _ = shifted("average")
    torch.testing.assert_close(normal.running_mean, torch.full((3,), 2.0))
    torch.testing.assert_close(normal.running_var, torch.full((3,), 5.0))  # between 1 and 9
    assert normal.num_batches_tracked == 7


def test_buffers_can_be_the_players_own() -> None:
    normal, _ = shifted("copy")
    torch.testing.assert_close(normal.running_mean, torch.full((3,), 4.0))
    torch.testing.assert_close(normal.running_var, torch.full((3,), 9.0))
    assert normal.num_batches_tracked == 7


def test_the_average_is_a_copy_in_evaluation_mode_without_gradients() -> None:
    network = player(1.0).train()
    averaging = Averaging({"g": network}, half_life=lambda images: 10)
    copy = averaging.players["g"]
    assert not any(module.training for module in copy.modules())
    assert not any(parameter.requires_grad for parameter in copy.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert network.training
    fill(network, 2.0)
    assert of(averaging) == 1.0
    averaging.update(5, 1000)
    assert all(bool((p == 2.0).all()) for p in network.parameters())  # the player is not moved
    assert 1.0 < of(averaging) < 2.0


def test_state_survives_a_round_trip() -> None:
    network = player(0.0)
    averaging = Averaging({"g": network}, half_life=lambda images: 10, rampup=None)
    fill(network, 1.0)
    averaging.update(10, 10)
    other = Averaging({"g": network}, half_life=lambda images: 10, rampup=None)
    other.load_state_dict(averaging.state_dict())
    assert of(other) == of(averaging) == 0.5
    for one in (averaging, other):
        one.update(10, 20)  # the loaded average is the one that moves
    assert of(other) == of(averaging) == 0.75


def test_an_average_of_a_trajectory() -> None:
    """Against the sum written out: a(n) = (1 - k) sum over i of k^(n - i) w(i) + k^n w(0)."""
    network = player(0.0)
    averaging = Averaging({"g": network}, half_life=lambda images: 30, rampup=None)
    kept = 0.5 ** (8 / 30)
    values = [math.sin(i) for i in range(1, 20)]
    for number, value in enumerate(values, start=1):
        fill(network, value)
        averaging.update(8, 8 * number)
    expected = sum((1 - kept) * kept ** (len(values) - 1 - i) * value for i, value in enumerate(values))
    assert of(averaging) == pytest.approx(expected, rel=1e-5)

"""The three loops: equal losses are real, and a loop that computes something else is noticed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from small_experiment import half, small
from torch import Tensor, nn

from gansmith.experiment.schema import Experiment
from gansmith.runs.train import experiment_from
from gansmith.speed import interleave as side_by_side
from gansmith.speed.reference_loops import ByHand, Inputs, Textbook

# -- the three loops compute the same


def losses_of(experiment: Experiment, change: Callable[[Any], object] | None = None) -> dict[str, list[list[float]]]:
    parts = side_by_side.synthetic(experiment)
    plain = side_by_side.by_plain_torch(parts)
    if change is not None:
        change(plain["by hand"])
    loops: dict[str, Any] = {**plain, "gansmith": side_by_side.Ours(parts)}
    return {name: side_by_side.first_losses(loop, 4) for name, loop in loops.items()}


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_three_loops_have_equal_losses(prior: str) -> None:
    losses = losses_of(small(prior={"kind": prior, "size": 10}))
    assert side_by_side.equal(losses, 1e-3)
    first = losses["gansmith"]
    assert len(first) == 4
    assert all(len(pair) == 2 for pair in first)
    assert len({loss for pair in first for loss in pair}) == 8  # they move: no constant agrees with a constant


def test_bfloat16_agrees_with_the_textbook_only_loosely() -> None:
    losses = losses_of(small(precision="bfloat16"))
    assert losses["by hand"] != losses["textbook"]
    assert side_by_side.equal(losses, 5e-2)
    by_hand = {name: losses[name] for name in ("by hand", "gansmith")}
    assert side_by_side.equal(by_hand, 1e-3)  # both in bfloat16


def never_updates_the_discriminator(loop: ByHand) -> None:
    loop.adam_d.step = lambda *given: None  # type: ignore[method-assign, assignment]


def other_latents(loop: ByHand) -> None:
    latents = loop.inputs.latents
    loop.inputs = Inputs(
        loop.inputs.real, lambda step, turn: -latents(step, turn), loop.inputs.adam, torch.device("cpu")
    )


def other_images(loop: ByHand) -> None:
    real = loop.inputs.real
    loop.inputs = Inputs(lambda step: real(step + 1), loop.inputs.latents, loop.inputs.adam, torch.device("cpu"))


@pytest.mark.parametrize("wrong", [half, never_updates_the_discriminator, other_latents, other_images])
def test_a_loop_that_computes_something_else_is_found_out(wrong: Callable[[Any], object]) -> None:
    assert not side_by_side.equal(losses_of(small(), wrong), side_by_side.TOLERANCE["float32"])


def test_the_tolerance_is_a_share_of_the_loss() -> None:
    for tolerance in (1e-3, 5e-2):
        assert side_by_side.equal({"a": [[2.0]], "b": [[2.0 * (1 + 0.99 * tolerance)]]}, tolerance)
        assert not side_by_side.equal({"a": [[2.0]], "b": [[2.0 * (1 + 1.01 * tolerance)]]}, tolerance)


def test_equal_looks_at_every_loss_of_every_loop() -> None:
    values = [[1.0, 2.0], [3.0, 4.0]]
    assert side_by_side.equal({"a": values, "b": copy.deepcopy(values)}, 1e-3)
    for step_, place in np.ndindex(2, 2):
        other = copy.deepcopy(values)
        other[step_][place] *= 1.002
        assert not side_by_side.equal({"a": values, "b": other}, 1e-3)
        assert not side_by_side.equal({"a": values, "b": values, "c": other}, 1e-3)
    assert not side_by_side.equal({"a": values, "b": values[:1]}, 1e-3)
    assert not side_by_side.equal({"a": [[float("nan")]], "b": [[float("nan")]]}, 1e-3)


class Flat(nn.Module):
    """One weight: a generator of constant images, or a discriminator of the mean pixel."""

    def __init__(self, weight: float, *, image: bool) -> None:
        super().__init__()
        self.weight, self.image = nn.Parameter(torch.tensor(weight)), image

    def forward(self, x: Tensor) -> Tensor:
        if self.image:
            return (self.weight * x[:, :1])[:, :, None, None].expand(-1, 1, 2, 2)
        return self.weight * x.flatten(1).mean(1)


@pytest.mark.parametrize("kind", [Textbook, ByHand])
def test_the_plain_loops_in_closed_form(kind: Any) -> None:
    """G(z) = g z, D(x) = d mean(x); real pixels of 255 are x = 1; z = 1 and 2; Adam's first step is lr sign(gradient).

    First turn: L_D = softplus(-d) + softplus(d g), both slopes known; second: L_G = softplus(-d' 2 g).
    """
    g, d, rate = 0.5, 0.25, 0.125
    inputs = Inputs(
        real=lambda step: np.full((3, 2, 2, 1), 255, dtype=np.uint8),
        latents=lambda step, turn: torch.full((3, 1), float(turn + 1)),
        adam={role: {"lr": rate} for role in ("generator", "discriminator")},
        device=torch.device("cpu"),
    )
    loop = kind(Flat(g, image=True), Flat(d, image=False), inputs)
    loss_d, loss_g = loop.step()

    def softplus(x: float) -> float:
        return float(np.log1p(np.exp(x)))

    def sigmoid(x: float) -> float:
        return 1 / (1 + float(np.exp(-x)))

    slope = -sigmoid(-d) + g * sigmoid(d * g)
    assert slope < 0
    after = d + rate
    assert float(loss_d) == pytest.approx(softplus(-d) + softplus(d * g), rel=1e-6)
    assert float(loss_g) == pytest.approx(softplus(-after * 2 * g), rel=1e-6)
    assert loop.discriminator.weight.item() == pytest.approx(after, rel=1e-6)
    assert loop.generator.weight.item() == pytest.approx(g + rate, rel=1e-6)  # the generator raises the score
    assert loop.steps == 1


def test_by_hand_leaves_no_gradient_of_the_generator_s_turn_on_the_discriminator() -> None:
    parts = side_by_side.synthetic(small())
    loop = side_by_side.by_plain_torch(parts)["by hand"]
    assert isinstance(loop, ByHand)
    kept: list[Tensor] = []
    right = loop.adam_d.step

    def remember() -> None:
        right()
        kept.extend(p.grad.clone() for p in loop.discriminator.parameters() if p.grad is not None)

    loop.adam_d.step = remember  # type: ignore[method-assign, assignment]
    loop.step()
    after = [p.grad for p in loop.discriminator.parameters()]
    assert kept
    torch.testing.assert_close(after, kept, rtol=0, atol=0)


def test_interleaved_plays_all_loops_equally_often_and_begins_with_another_each_round() -> None:
    order: list[str] = []
    loops: dict[str, Callable[[int], object]] = {
        name: (lambda steps, name=name: order.append(f"{name}{steps}")) for name in "abc"
    }
    times = side_by_side.interleaved(loops, torch.device("cpu"), steps=5, seconds=0)
    assert order == ["a5", "b5", "c5", "b5", "c5", "a5", "c5", "a5", "b5"]
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3, "c": 3}


@pytest.mark.parametrize(
    ("recipe", "labelled", "domains"),
    [
        ("darknet_fashion", True, 1),
        ("mnist_net", True, 1),
        ("biggan_fashion", True, 1),
        ("r3gan_ring", False, 1),
        ("wgan_digits", False, 1),
        ("cyclegan_emoji", False, 2),
        ("munit_emoji", False, 2),
        ("pix2pix_emoji", False, 2),
    ],
)
def test_recipes_of_every_game_step_on_synthetic_images(recipe: str, labelled: bool, domains: int) -> None:
    """With labels where a network reads or learns them, and two sets of images where a game has two domains."""
    experiment, _ = experiment_from(recipe=recipe, batch=4, device="cpu", precision="float32", environment={})
    parts = side_by_side.synthetic(experiment)
    assert side_by_side.reads_labels(parts.experiment) == labelled
    assert (parts.data.classes is not None) == labelled
    assert (2 if parts.data.other is not None else 1) == domains
    ours = side_by_side.Ours(parts)
    ours.play(1)
    assert parts.stream.drawn >= ours.step_images > 0


def test_a_conditional_pair_steps_on_synthetic_images() -> None:
    both = ["generator.conditional=true", "discriminator.conditional=true"]
    experiment, _ = experiment_from(recipe="biggan_fashion", batch=4, device="cpu", assignments=both, environment={})
    parts = side_by_side.synthetic(experiment)
    assert parts.prior.classes == side_by_side.CLASSES
    side_by_side.Ours(parts).play(1)
    assert next(parts.stream)["real"].label is not None


def test_the_plain_loops_are_not_compared_with_a_conditional_pair() -> None:
    conditional = {"generator": {"conditional": True}, "discriminator": {"conditional": True}}
    assert side_by_side.why_not(small()) is None
    experiment, _ = experiment_from(environment={}, **conditional)
    reason = side_by_side.why_not(experiment)
    assert reason is not None
    assert "labels" in reason

"""The engine: equality with a loop in plain PyTorch, freezing, accumulation, precision, and learning rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from plain_players import Batches, Notes, real_batch, run
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Batch, Game, Moment, Objective, Sample, Terms, Turn
from gansmith.data.prior import Prior
from gansmith.errors import OutOfMemoryError
from gansmith.games import two_player
from gansmith.system.seeding import mix
from gansmith.training import optimizers
from gansmith.training.engine import build_engine, play_until, trained_parameters, unfreeze_only
from refusals import refused

LATENT, PIXELS = 3, 4


class Make(nn.Module):
    def __init__(self, normalised: bool) -> None:
        super().__init__()
        middle: nn.Module = nn.BatchNorm1d(5) if normalised else nn.Identity()
        self.layers = nn.Sequential(nn.Linear(LATENT, 5), middle, nn.Tanh(), nn.Linear(5, PIXELS), nn.Tanh())

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.layers(z.double()).unflatten(1, (1, 2, 2))


class Judge(nn.Module):
    def __init__(self, normalised: bool) -> None:
        super().__init__()
        middle: nn.Module = nn.BatchNorm1d(6) if normalised else nn.Identity()
        self.layers = nn.Sequential(nn.Linear(PIXELS, 6), middle, nn.LeakyReLU(0.2), nn.Linear(6, 1))
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        self.shown.append(image.detach().clone())
        return self.layers(image.flatten(1)).squeeze(1)


def players(normalised: bool = False) -> dict[str, nn.Module]:
    torch.manual_seed(5)
    return {"generator": Make(normalised).double(), "discriminator": Judge(normalised).double()}


def adam(networks: Mapping[str, nn.Module], **options: Any) -> dict[str, optimizers.Scheduled]:
    options = {"lr": 0.01, "betas": [0.5, 0.9], **options}
    return {name: optimizers.build("adam", network.parameters(), options) for name, network in networks.items()}


def two(networks: Mapping[str, nn.Module], objective: str | Objective = "nonsaturating") -> Game:
    chosen = catalog.build("objectives", objective) if isinstance(objective, str) else objective
    return two_player.build(networks, chosen, Prior("uniform", LATENT))


def weights(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {f"{name}.{key}": v.clone() for name, net in networks.items() for key, v in net.state_dict().items()}


def assert_same(left: Mapping[str, Tensor], right: Mapping[str, Tensor], tolerance: float = 0.0) -> None:
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(
            left[name], right[name], rtol=tolerance, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


# ---- equality with a plain loop


def plain_loop(networks: Mapping[str, nn.Module], steps: int, generator_loss: Callable[[Tensor], Tensor]) -> Any:
    """The game written out: binary cross entropy, two optimizers, nothing frozen. Independent of the package."""
    make, judge = networks["generator"], networks["discriminator"]
    of_g = torch.optim.Adam(make.parameters(), lr=0.01, betas=(0.5, 0.9), foreach=False)
    of_d = torch.optim.Adam(judge.parameters(), lr=0.01, betas=(0.5, 0.9), foreach=False)
    ones, zeros = torch.ones(8, dtype=torch.float64), torch.zeros(8, dtype=torch.float64)
    losses, gradients = [], []
    for step in range(steps):
        real = real_batch(step)

        def latents(turn: int, step: int = step) -> Tensor:
            rng = torch.Generator().manual_seed(mix(4, step, turn, 0, 0))
            return torch.rand(8, LATENT, generator=rng) * 2 - 1

        of_d.zero_grad()
        on_real = F.binary_cross_entropy_with_logits(judge(real), ones)
        on_fake = F.binary_cross_entropy_with_logits(judge(make(latents(0)).detach()), zeros)
        (on_real + on_fake).backward()
        gradients.append([p.grad.clone() for p in judge.parameters()])
        of_d.step()
        of_g.zero_grad()
        loss = generator_loss(judge(make(latents(1))))
        loss.backward()
        gradients.append([p.grad.clone() for p in make.parameters()])
        of_g.step()
        losses.append(((on_real + on_fake).item(), loss.item()))
    return losses, gradients


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("objective", ["nonsaturating", "minimax"])
def test_three_steps_are_those_of_a_plain_loop(objective: str, normalised: bool) -> None:
    def generator_loss(scores: Tensor) -> Tensor:
        if objective == "nonsaturating":
            return F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))
        return -F.binary_cross_entropy_with_logits(scores, torch.zeros_like(scores))

    theirs = players(normalised)
    losses, gradients = plain_loop(theirs, 3, generator_loss)

    ours = players(normalised)
    game = two(ours, objective)
    seen: list[list[Tensor]] = []

    def spied(name: str, scheduled: optimizers.Scheduled) -> optimizers.Scheduled:
        def look(*_: Any) -> None:
            seen.append([p.grad.clone() for p in ours[name].parameters() if p.grad is not None])

        scheduled.optimizer.register_step_pre_hook(look)
        return scheduled

    chosen = {name: spied(name, scheduled) for name, scheduled in adam(ours).items()}
    played = run(build_engine(game, Batches(), chosen, seed=4), 24)
    assert [[turn for turn, _ in step] for step in played] == [["discriminator", "generator"]] * 3
    found = [tuple(float(terms["loss"]) for _, terms in step) for step in played]
    torch.testing.assert_close(
        torch.tensor(found, dtype=torch.float64), torch.tensor(losses, dtype=torch.float64), rtol=1e-12, atol=0
    )
    assert len(seen) == len(gradients) == 6
    for left, right in zip(seen, gradients, strict=True):
        for a, b in zip(left, right, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-13)
    assert_same(weights(ours), weights(theirs), 1e-8)  # batch statistics and their counters too


def test_real_and_fake_are_judged_in_separate_batches() -> None:
    """The running statistics are those of two updates, real first, and the generator's turn adds a third."""
    networks = players(normalised=True)
    judge = networks["discriminator"]
    game = two(networks)
    fixed = Sample(real_batch(0))
    first, normal = judge.layers[0], judge.layers[1]
    at = Moment(0, 0, 0, torch.Generator().manual_seed(1))
    game.turns[0].play({"real": fixed}, at)
    real, fake = judge.shown
    torch.testing.assert_close(real, fixed.image, rtol=0, atol=0)
    mean = torch.zeros(6, dtype=torch.float64)
    with torch.no_grad():
        for shown in (real, fake):
            mean = 0.9 * mean + 0.1 * first(shown.flatten(1)).mean(0)
    torch.testing.assert_close(normal.running_mean, mean, rtol=1e-12, atol=1e-14)
    assert normal.num_batches_tracked == 2
    game.turns[1].play({"real": fixed}, at)
    assert normal.num_batches_tracked == 3


# ---- freezing


def test_idle_players_are_frozen_and_get_no_gradient() -> None:
    networks = players()
    game = two(networks)
    wanted: list[tuple[str, bool, bool]] = []

    def watched(turn: Turn) -> Turn:
        def play(batch: Batch, at: Moment) -> Terms:
            wanted.append(
                (
                    turn.name,
                    *(all(p.requires_grad for p in networks[n].parameters()) for n in ("generator", "discriminator")),
                )
            )
            assert len({p.requires_grad for p in networks["generator"].parameters()}) == 1
            return turn.play(batch, at)

        return replace(turn, play=play)

    game = replace(game, turns=tuple(watched(turn) for turn in game.turns))
    engine = build_engine(game, Batches(), adam(networks))
    run(engine, 16)
    assert wanted == [("discriminator", False, True), ("generator", True, False)] * 2

    for parameter in networks["discriminator"].parameters():
        parameter.grad = None
    unfreeze_only(trained_parameters(replace(game, players=networks)), ("generator",))
    game.turns[1].play({"real": Sample(real_batch(0))}, Moment(0, 0, 0, torch.Generator())).total().backward()
    assert all(p.grad is None for p in networks["discriminator"].parameters())


def test_the_generators_turn_leaves_the_discriminators_gradient_as_it_was() -> None:
    """What the optimizer of the discriminator saw last is still there, to the bit, after the generator's turn."""
    networks = players()
    chosen = adam(networks)
    seen: list[Tensor] = []
    judge = list(networks["discriminator"].parameters())
    chosen["discriminator"].optimizer.register_step_pre_hook(lambda *_: seen.extend(p.grad.clone() for p in judge))
    run(build_engine(two(networks), Batches(), chosen), 8)
    for parameter, before in zip(judge, seen, strict=True):
        torch.testing.assert_close(parameter.grad, before, rtol=0, atol=0)


def test_no_graph_leads_back_to_the_generator_in_the_discriminators_turn() -> None:
    networks = players()
    shown: list[bool] = []
    networks["discriminator"].register_forward_pre_hook(lambda _, args: shown.append(args[0].requires_grad))
    batch = {"real": Sample(real_batch(0))}
    two(networks).turns[0].play(batch, Moment(0, 0, 0, torch.Generator()))
    assert shown == [False, False]
    two(networks).turns[1].play(batch, Moment(0, 0, 0, torch.Generator()))
    assert shown == [False, False, True]


def test_parameters_frozen_before_stay_frozen() -> None:
    networks = players()
    networks["generator"].layers[0].requires_grad_(False)
    before = weights(networks)
    run(build_engine(two(networks), Batches(), adam(networks)), 16)
    after = weights(networks)
    for name in ("generator.layers.0.weight", "generator.layers.0.bias"):
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=0)
    assert not torch.equal(after["generator.layers.3.weight"], before["generator.layers.3.weight"])
    assert not networks["generator"].layers[0].weight.requires_grad


# ---- accumulation


def test_accumulating_four_parts_is_the_whole_batch() -> None:
    """For networks without batch statistics: losses, gradients and weights, over three steps."""
    found = []
    for parts in (1, 4):
        networks = players()
        played = run(build_engine(two(networks), Batches(), adam(networks), accumulate=parts), 24)
        gradients = {f"{n}.{k}": p.grad.clone() for n, net in networks.items() for k, p in net.named_parameters()}
        shown = networks["discriminator"].shown
        terms = {
            f"{i}.{t}.{k}": v for i, step in enumerate(played) for t, d in step for k, v in d.items() if k != "accuracy"
        }
        found.append((weights(networks), gradients, terms))
        assert {len(images) for images in shown} == {8 // parts}
    for one, four in zip(*found, strict=True):
        assert_same(one, four, 1e-9)


def test_accumulated_labels_follow_their_images() -> None:
    seen: list[tuple[list[float], list[int]]] = []
    notes = Notes()

    def play(batch: Batch, at: Moment) -> Terms:
        image, label = batch["real"]
        assert label is not None
        seen.append((image.flatten().tolist(), label.tolist()))
        return Terms({"loss": notes.net.weight.sum()})

    class Labelled(Batches):
        def __next__(self) -> Batch:
            self.drawn += 4
            return {"real": Sample(torch.arange(4.0).reshape(4, 1, 1, 1), torch.arange(4) * 10)}

    run(notes.engine(Turn("a", ("one",), play), source=Labelled(4), accumulate=2), 4)
    assert seen == [([0.0, 1.0], [0, 10]), ([2.0, 3.0], [20, 30])]


def test_an_uneven_batch_cannot_be_accumulated() -> None:
    notes = Notes()
    with refused("batch of 6", "4 equal parts"):
        run(notes.engine(Turn("a", ("one",), notes.play("a")), source=Batches(6), accumulate=4), 6)
    assert not notes.happened


# ---- learning rate, precision, memory


def test_the_learning_rate_follows_the_clock_of_the_turn() -> None:
    networks = players()
    chosen = {
        name: optimizers.build("sgd", net.parameters(), {"lr": {"start": 1.0, "end": 0.0, "decay": 32}})
        for name, net in networks.items()
    }
    rates: dict[str, list[float]] = {"generator": [], "discriminator": []}
    for name, scheduled in chosen.items():
        scheduled.optimizer.register_step_pre_hook(lambda o, *_, n=name: rates[n].append(o.param_groups[0]["lr"]))
    run(build_engine(two(networks), Batches(), chosen), 40)
    assert rates == {"generator": [1.0, 0.75, 0.5, 0.25, 0.0], "discriminator": [1.0, 0.75, 0.5, 0.25, 0.0]}


def test_networks_run_in_bfloat16_and_losses_stay_float32() -> None:
    networks = {name: net.float() for name, net in players().items()}
    make, judge = networks["generator"], networks["discriminator"]
    make.forward = lambda z, label=None: make.layers(z).unflatten(1, (1, 2, 2))  # type: ignore[method-assign]
    kinds: list[torch.dtype] = []
    judge.layers[0].register_forward_hook(lambda *args: kinds.append(args[-1].dtype))

    class Single(Batches):
        def __next__(self) -> Batch:
            return {"real": Sample(super().__next__()["real"].image.float())}

    played = run(build_engine(two(networks), Single(), adam(networks), precision="bfloat16"), 8)
    assert kinds == [torch.bfloat16] * 3
    assert {value.dtype for _, terms in played[0] for value in terms.values()} == {torch.float32}
    assert {p.dtype for net in networks.values() for p in net.parameters()} == {torch.float32}
    assert {p.grad.dtype for net in networks.values() for p in net.parameters()} == {torch.float32}


def test_an_allocation_that_fails_says_what_to_halve() -> None:
    notes = Notes()

    def greedy(batch: Batch, at: Moment) -> Terms:
        return Terms({"loss": torch.empty(1 << 50).sum() * notes.net.weight.sum()})

    with pytest.raises(
        OutOfMemoryError, match=r"^out of memory at batch 6\. Halve it \(--batch 3\), or keep the batch and"
    ):
        run(notes.engine(Turn("a", ("one",), greedy), source=Batches(6)), 6)


def test_the_engine_never_reads_a_number_from_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """No .item(), float() or the like on a tensor while a step is played."""
    networks = players()
    engine = build_engine(two(networks), Batches(), adam(networks))

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a number was read in the hot path")

    with monkeypatch.context() as patch:
        for name in ("item", "tolist", "numpy", "__float__", "__bool__", "__int__"):
            patch.setattr(torch.Tensor, name, refuse)
        play_until(engine, 16)


def test_afterwards_every_player_wants_gradients_again() -> None:
    """So that the same networks can be played again, in another engine."""
    networks = players()
    for _ in range(2):
        play_until(build_engine(two(networks), Batches(), adam(networks)), 16)
        assert all(p.requires_grad for network in networks.values() for p in network.parameters())

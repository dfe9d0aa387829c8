"""Path length: Eq. 4 by an explicit Jacobian, its running mean, and that a game remembers it."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions, Game, Moment, Objective, OnLatents, Sample, Terms
from gansmith.data.prior import Prior
from gansmith.errors import ExperimentError
from gansmith.experiment.assemble import assemble
from gansmith.experiment.completion import complete
from gansmith.experiment.schema import Experiment
from gansmith.experiment.with_data import with_data
from gansmith.models import stylegan2
from gansmith.penalties.path_length import MeanLength
from gansmith.training import optimizers
from gansmith.training.engine import Events, build_engine, play_until
from gansmith.training.wiring import check_wiring
from toys import tiny

SIZE = Dimensions(1, 8, 8, 5)
BATCH = 8


def made(**options: Any) -> OnLatents:
    built = catalog.build("penalties", "path_length", **options)
    assert isinstance(built, OnLatents)
    return built


def mean_of(penalty: OnLatents) -> MeanLength:
    assert isinstance(penalty.term.state, MeanLength)
    return penalty.term.state


def generator(size: Dimensions = SIZE) -> stylegan2.Generator:
    torch.manual_seed(0)
    return stylegan2.generator(size, width=4, styles=3, depth=2, conditional=size.classes > 0)


def by_jacobian(network: stylegan2.Generator, w: Tensor, y: Tensor, a: float) -> tuple[Tensor, Tensor]:
    """(|J' y| - a_new)^2 [B] and the lengths, from the whole Jacobian of each image by its w [L, W]."""
    lengths = []
    for one, noise in zip(w, y, strict=True):
        compute: Callable[[Tensor], Tensor] = lambda own: network.synthesize(own[None])[0]  # noqa: E731
        jacobian: Tensor = torch.autograd.functional.jacobian(compute, one, create_graph=True)  # [C, H, W, L, W']
        along = torch.einsum("chw,chwld->ld", noise, jacobian) / math.sqrt(noise.shape[1] * noise.shape[2])
        lengths.append(along.pow(2).sum(1).mean().sqrt())
    found = torch.stack(lengths)
    mean = 0.99 * a + 0.01 * float(found.detach().mean())
    return (found - mean).pow(2), found


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("a", [0.0, 0.75])
def test_values_and_gradients_by_the_jacobian(classes: int, a: float) -> None:
    network, penalty = generator(SIZE._replace(classes=classes)).double().eval(), made()
    mean_of(penalty).load_state_dict({"mean": torch.tensor(a)})
    rng = torch.Generator().manual_seed(1)
    z = torch.randn(5, 5, generator=rng, dtype=torch.float64)
    label = torch.tensor([0, 1, 2, 1, 0]) if classes else None
    found = penalty.term.penalty(network, z, label, torch.Generator().manual_seed(2))
    assert found.shape == (3,)  # half of the latents, rounded up
    y = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(2)).double()
    w = network.styles(z[:3], None if label is None else label[:3])
    expected, lengths = by_jacobian(network, w, y, a)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-12)
    named = dict(network.named_parameters())
    one, other = (torch.autograd.grad(value.sum(), [*named.values()], allow_unused=True) for value in (found, expected))
    for name, first, second in zip(named, one, other, strict=True):
        assert (first is None) == (second is None), name
        if first is not None and second is not None:
            torch.testing.assert_close(first, second, rtol=1e-6, atol=1e-10)
    assert float(mean_of(penalty).mean) == pytest.approx(a)  # nothing is observed yet
    mean_of(penalty).observe(Terms({}))
    assert float(mean_of(penalty).mean) == pytest.approx(0.99 * a + 0.01 * float(lengths.detach().mean()))


def test_lengths_do_not_grow_with_the_size_of_the_image() -> None:
    """Images that repeat w in every pixel: |J' y| / root(H W) is about root(W) whatever the size."""

    class Repeats(nn.Module):
        def __init__(self, side: int) -> None:
            super().__init__()
            self.side = side

        def styles(self, z: Tensor, label: Tensor | None) -> Tensor:
            return z[:, None].clone().requires_grad_()

        def synthesize(self, w: Tensor) -> Tensor:
            return w[:, 0, :, None, None].expand(-1, -1, self.side, self.side)

    for side in (4, 64):
        penalty = made(shrink=1)
        z = torch.randn(400, 9, generator=torch.Generator().manual_seed(0))
        penalty.term.penalty(Repeats(side), z, None, torch.Generator().manual_seed(1))
        mean_of(penalty).observe(Terms({}))
        assert float(mean_of(penalty).mean) / 0.01 == pytest.approx(2.92, abs=0.1)  # E of a chi of 9 degrees


def test_the_mean_over_turns_and_parts() -> None:
    mean = MeanLength(0.9)
    for _ in range(2):  # the parts of one batch
        assert float(mean.ahead(torch.tensor([1.0, 3.0]))) == pytest.approx(0.2)
    mean.observe(Terms({}))
    mean.observe(Terms({}))  # a turn in which the penalty was not due
    assert float(mean.seen()["mean_path_length"]) == pytest.approx(0.2)
    mean.ahead(torch.tensor([10.0]))
    mean.observe(Terms({}))
    assert float(mean.mean) == pytest.approx(0.9 * 0.2 + 1.0)


def test_a_generator_without_w_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"path_length.*stylegan2"):
        made().term.penalty(tiny.generator(SIZE), torch.zeros(2, 5), None, torch.Generator())


def test_a_game_without_latents_is_refused() -> None:
    asked = {
        "data": {"path": "digits", "other": "digits", "size": 16},
        "game": "cycle",
        "objective": "lsgan",
        "translator": {"name": "cyclegan", "width": 4},
        "discriminator": {"name": "cyclegan", "width": 4},
        "penalties": {"path_length": {}},
        "batch": 2,
    }
    with pytest.raises(ExperimentError, match=r"path_length.*cycle.*two_player"):
        assemble(*with_data(complete(Experiment.model_validate(asked))))


# ---- in a game


class Batches:
    """Batches of random images, the same whenever so many were drawn."""

    def __init__(self, drawn: int = 0) -> None:
        self.drawn = drawn

    def __next__(self) -> dict[str, Sample]:
        self.drawn += BATCH
        rng = torch.Generator().manual_seed(self.drawn)
        return {"real": Sample(torch.rand(BATCH, *SIZE[:3], generator=rng) * 2 - 1)}


Optimizers = dict[str, optimizers.Scheduled]
Output = list[tuple[str, dict[str, Tensor]]]


def game(**options: Any) -> Game:
    torch.manual_seed(0)
    players: dict[str, nn.Module] = {
        "generator": stylegan2.generator(SIZE, width=4, styles=3, depth=2),
        "discriminator": stylegan2.discriminator(SIZE, width=4),
    }
    r1 = catalog.build("penalties", "r1", weight=0.1, every=options.get("every", 1))
    objective: Objective = catalog.build("objectives", "nonsaturating").penalised(
        {"path_length": made(decay=0.5, **options), "r1": r1}
    )
    built: Game = catalog.build("games", "two_player", players, objective, Prior(size=5))
    return built


def chosen_for(played: Game) -> Optimizers:
    return {name: optimizers.build("adam", p.parameters(), {"lr": 0.02}) for name, p in played.players.items()}


def play(played: Game, chosen: Optimizers, images: int, begin: int = 0, accumulate: int = 1) -> Output:
    engine = build_engine(played, Batches(begin), chosen, seed=1, accumulate=accumulate)
    output: Output = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: output.extend(engine.state.output))
    play_until(engine, images, step=begin // BATCH)
    return output


def state_of(played: Game) -> dict[str, Any]:
    return copy.deepcopy({name: state.state_dict() for name, state in played.state.items()})


def test_a_resumed_game_is_the_uninterrupted_one_to_the_bit() -> None:
    """Lazily, at every second step: with the mean of the checkpoint, and not without it."""
    whole = game(every=2)
    expected = play(whole, chosen_for(whole), 8 * BATCH)
    first = game(every=2)
    chosen = chosen_for(first)
    play(first, chosen, 4 * BATCH)
    saved = io.BytesIO()
    players = {name: p.state_dict() for name, p in first.players.items()}
    updates = {name: scheduled.optimizer.state_dict() for name, scheduled in chosen.items()}
    torch.save({"players": players, "updates": updates, "state": state_of(first)}, saved)
    saved.seek(0)
    loaded = torch.load(saved, weights_only=True)
    for forget in (False, True):
        second = game(every=2)
        chosen = chosen_for(second)
        for name, player in second.players.items():
            player.load_state_dict(loaded["players"][name])
            chosen[name].optimizer.load_state_dict(copy.deepcopy(loaded["updates"][name]))
        if not forget:
            second.state["path_length"].load_state_dict(loaded["state"]["path_length"])
        found = play(second, chosen, 8 * BATCH, begin=4 * BATCH)
        same = [
            all(torch.equal(terms[key], value) for key, value in old.items())
            for (_, terms), (_, old) in zip(found, expected[8:], strict=True)
        ]
        assert all(same) != forget


def test_the_mean_moves_in_the_turns_of_the_generator_that_are_due() -> None:
    played = game(every=3)
    output = [terms for name, terms in play(played, chosen_for(played), 4 * BATCH) if name == "generator"]
    assert ["path_length" in terms for terms in output] == [True, False, False, True]
    means = [float(terms["mean_path_length"]) for terms in output]
    assert means[0] == 0  # recorded before the update
    assert means[1] == means[2] == means[3] > 0
    assert float(state_of(played)["path_length"]["mean"]) != means[3]


def test_its_weight_is_multiplied_by_the_steps_between() -> None:
    def term(**options: Any) -> Tensor:
        played = game(**options)
        torch.manual_seed(3)
        return played.turns[1].play(next(Batches()), Moment(0, 0, 0, torch.Generator())).loss["path_length"]

    torch.testing.assert_close(term(weight=3.0, every=4), 12 * term(weight=1.0))


@pytest.mark.parametrize("accumulate", [1, 4])
def test_the_wiring_check_leaves_no_trace(accumulate: int) -> None:
    played = game()
    play(played, chosen_for(played), 2 * BATCH, accumulate=accumulate)
    before = state_of(played)
    check_wiring(played, next(Batches()), device=torch.device("cpu"))
    assert state_of(played) == before
    played.turns[1].settle(Terms({}), Moment(0, 0, 0, torch.Generator()))  # type: ignore[misc]
    assert state_of(played) == before


def test_the_discriminators_turn_does_not_move_it() -> None:
    played = game()
    before = state_of(played)
    turn = played.turns[0]
    at = Moment(0, 0, 0, torch.Generator().manual_seed(0))
    terms = turn.play(next(Batches()), at)
    assert turn.settle is not None
    turn.settle(terms, at)
    assert "mean_path_length" not in terms.seen
    assert state_of(played) == before

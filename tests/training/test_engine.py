"""The engine: who is frozen when, what is seeded by what, and equality with a loop written out in plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Batch, Game, Moment, Objective, Prior, Sample, Terms, Turn
from gansmith.errors import ExperimentError, GansmithError, OutOfMemoryError
from gansmith.games import two_player
from gansmith.system.seeding import mix
from gansmith.training import optimizers
from gansmith.training.engine import Engine, Events, build_engine, clock, hold, play_until, trained_parameters

LATENT, PIXELS = 3, 4


class Batches:
    """Batch k is drawn from the seed k, in float64; drawn counts images."""

    def __init__(self, batch: int = 8) -> None:
        self.batch, self.drawn = batch, 0

    def __next__(self) -> Batch:
        real = real_batch(self.drawn // self.batch, self.batch)
        self.drawn += self.batch
        return {"real": Sample(real)}


def real_batch(number: int, batch: int = 8) -> Tensor:
    rng = torch.Generator().manual_seed(1000 + number)
    return torch.rand(batch, 1, 2, 2, generator=rng, dtype=torch.float64) * 2 - 1


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


def run(engine: Engine, images: int) -> list[list[tuple[str, dict[str, Tensor]]]]:
    played: list[Any] = []
    with engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: played.append(e.state.output)):
        play_until(engine, images)
    return played


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
    hold(trained_parameters(replace(game, players=networks)), ("generator",))
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


# ---- a game that only takes notes


class Notes:
    """One weight, and a list of what happened."""

    def __init__(self) -> None:
        self.net = nn.Linear(1, 1)
        self.happened: list[Any] = []

    def play(self, name: str) -> Callable[[Batch, Moment], Terms]:
        def play(batch: Batch, at: Moment) -> Terms:
            number = int(batch["real"].image[0, 0, 0, 0] * 1000) if batch["real"].image.numel() else 0
            draws = (torch.rand(()).item(), torch.rand((), generator=at.rng).item())
            self.happened.append((name, at.step, at.images, at.repeat, number, draws))
            return Terms({"loss": self.net.weight.sum()}, {"square": self.net.weight.detach().square().sum()})

        return play

    def engine(self, *turns: Turn, source: Any = None, **options: Any) -> Engine:
        game = Game({"one": self.net}, turns)
        chosen = {"one": optimizers.build("sgd", self.net.parameters(), {"lr": 0.1})}
        return build_engine(game, source or Batches(4), chosen, **options)


def test_repeats_draws_and_clock() -> None:
    """Every drawing repeat takes a fresh batch and advances the clock; a turn that does not draw re-uses the last."""
    notes = Notes()
    engine = notes.engine(
        Turn("a", ("one",), notes.play("a"), repeats=lambda step: 2 + step),
        Turn("b", ("one",), notes.play("b"), repeats=lambda step: 2, draws=False),
    )
    outputs: list[Any] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda e: outputs.append(
            (e.state.iteration, e.state.images, e.state.drawn, [turn for turn, _ in e.state.output])
        ),
    )
    play_until(engine, 20)
    of = [(name, step, images, repeat) for name, step, images, repeat, *_ in notes.happened]
    assert of == [
        ("a", 0, 0, 0),
        ("a", 0, 4, 1),
        ("b", 0, 4, 0),
        ("b", 0, 4, 1),
        ("a", 1, 8, 0),
        ("a", 1, 12, 1),
        ("a", 1, 16, 2),
        ("b", 1, 16, 0),
        ("b", 1, 16, 1),
    ]
    batches = [number for *_, number, _ in notes.happened]
    assert batches[1] == batches[2] == batches[3]
    assert batches[6] == batches[7] == batches[8]
    assert len(set(batches)) == 5
    assert outputs == [(1, 8, 8, ["a", "a", "b", "b"]), (2, 20, 12, ["a", "a", "a", "b", "b"])]
    assert clock(engine) == 20


def test_a_turn_with_no_repeats_reports_nothing_and_the_next_one_draws() -> None:
    notes = Notes()
    engine = notes.engine(
        Turn("a", ("one",), notes.play("a"), repeats=lambda step: step % 2),
        Turn("b", ("one",), notes.play("b"), draws=False),
    )
    played = run(engine, 12)
    assert [[turn for turn, _ in step] for step in played] == [["b"], ["a", "b"], ["b"]]
    assert [(name, images) for name, _, images, *_ in notes.happened] == [("b", 0), ("a", 4), ("b", 4), ("b", 8)]


def test_settle_comes_after_the_update_without_gradient() -> None:
    notes = Notes()
    settled: list[Any] = []

    def settle(terms: Terms, at: Moment) -> None:
        settled.append(
            (at.step, at.repeat, torch.is_grad_enabled(), terms.loss["loss"].item(), notes.net.weight.item())
        )
        assert not terms.loss["loss"].requires_grad

    before = notes.net.weight.item()
    engine = notes.engine(Turn("a", ("one",), notes.play("a"), repeats=lambda step: 2, settle=settle))
    run(engine, 8)
    torch.testing.assert_close(
        torch.tensor([s[3:] for s in settled]), torch.tensor([(before, before - 0.1), (before - 0.1, before - 0.2)])
    )
    assert [s[:3] for s in settled] == [(0, 0, False), (0, 1, False)]


def test_settle_sees_the_mean_over_the_parts() -> None:
    notes = Notes()
    means: list[Tensor] = []

    def play(batch: Batch, at: Moment) -> Terms:
        mean = batch["real"].image.mean()
        return Terms({"loss": notes.net.weight.sum()}, {"mean": mean})

    engine = notes.engine(
        Turn("a", ("one",), play, settle=lambda terms, at: means.append(terms.seen["mean"])), accumulate=4
    )
    played = run(engine, 4)
    torch.testing.assert_close(means[0], real_batch(0, 4).mean())
    torch.testing.assert_close(played[0][0][1]["mean"], real_batch(0, 4).mean())


def draws(**options: Any) -> list[Any]:
    notes = Notes()
    turns = [Turn(name, ("one",), notes.play(name), repeats=lambda step: 2) for name in "ab"]
    run(notes.engine(*turns, **options), 64)
    return [happened[-1] for happened in notes.happened]


def test_randomness_comes_from_seed_step_turn_repeat_and_rank() -> None:
    found = draws(seed=3)
    for (global_draw, own_draw), (step, turn, repeat) in zip(
        found, [(s, t, r) for s in range(4) for t in range(2) for r in range(2)], strict=True
    ):
        expected = torch.rand((), generator=torch.Generator().manual_seed(mix(3, step, turn, repeat, 0))).item()
        assert global_draw == own_draw == expected
    assert len(set(found)) == 16
    torch.manual_seed(99)
    assert draws(seed=3) == found
    assert not set(draws(seed=4)) & set(found)
    assert not set(draws(seed=3, rank=1)) & set(found)


def test_playing_on_is_one_go() -> None:
    """Stopped after two steps and continued, the notes are those of four steps."""
    whole, parts = Notes(), Notes()
    engines = [notes.engine(Turn("a", ("one",), notes.play("a"))) for notes in (whole, parts)]
    play_until(engines[0], 16)
    play_until(engines[1], 8)
    assert len(parts.happened) == 2
    play_until(engines[1], 16, step=2)
    assert whole.happened == parts.happened
    assert [step for _, step, *_ in whole.happened] == [0, 1, 2, 3]


def test_waiting_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    from gansmith.training import engine as module

    now = iter(range(1000))
    monkeypatch.setattr(module.time, "perf_counter", lambda: float(next(now)))
    notes = Notes()
    engine = notes.engine(Turn("a", ("one",), notes.play("a"), repeats=lambda step: 3))
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: notes.happened.append(e.state.waited))
    step: Any = engine._process_function
    engine.state.iteration = 1
    step(engine, None)
    assert engine.state.waited == 3.0  # three batches, one tick of the clock each


def test_an_unknown_event_is_an_error() -> None:
    notes = Notes()
    with pytest.raises(ValueError, match="Event step_done is not a valid event"):
        notes.engine(Turn("a", ("one",), notes.play("a"))).add_event_handler("step_done", print)


def test_an_error_in_a_play_is_raised_and_not_printed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    notes = Notes()

    def fail(batch: Batch, at: Moment) -> Terms:
        raise RuntimeError("inside the play")

    with pytest.raises(RuntimeError, match="inside the play"):
        run(notes.engine(Turn("a", ("one",), fail)), 4)
    assert not caplog.records
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        (lambda w: Terms({}, {"seen": w}), "a turn returned no loss: there is nothing to minimise"),
        (lambda w: Terms({"x": w, "y": w}, {"y": w, "x": w}), "a term stands twice in one turn: x, y"),
    ],
)
def test_terms_that_make_no_sense(terms: Callable[[Tensor], Terms], text: str) -> None:
    notes = Notes()
    with pytest.raises(GansmithError) as raised:
        run(notes.engine(Turn("a", ("one",), lambda batch, at: terms(notes.net.weight.sum()))), 4)
    assert str(raised.value) == text


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
    with pytest.raises(ExperimentError) as raised:
        run(notes.engine(Turn("a", ("one",), notes.play("a")), source=Batches(6), accumulate=4), 6)
    assert str(raised.value) == "a batch of 6 cannot be accumulated in 4 equal parts"
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


@pytest.fixture(autouse=True)
def _global_state() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        yield


def test_afterwards_every_player_wants_gradients_again() -> None:
    """So that the same networks can be played again, in another engine."""
    networks = players()
    for _ in range(2):
        play_until(build_engine(two(networks), Batches(), adam(networks)), 16)
        assert all(p.requires_grad for network in networks.values() for p in network.parameters())

"""The engine plays a game on a stream, one step per iteration of a pytorch-ignite Engine.

For each turn, as often as it repeats: unfreeze its players and freeze the others, seed, play, back-propagate, update,
settle. It has never heard of a generator. Attach handlers to `Events.ITERATION_COMPLETED` and the like; an unknown
event is ignite's error. After each step `engine.state` has

    iteration    steps played so far
    images       real images drawn so far
    drawn        real images drawn in this step
    output       [(turn, {term: scalar tensor on the device}), ...], one for each play
    waited       seconds of this step spent waiting for images
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from ignite.engine import Engine, Events
from torch import Tensor, nn

from gansmith.adversarial import Batch, Game, Moment, Sample, Terms, Turn
from gansmith.errors import ExperimentError
from gansmith.system.device import Precision
from gansmith.system.seeding import mix, seed_all
from gansmith.training.memory import explained
from gansmith.training.optimizers import Scheduled
from gansmith.training.precision import autocast

__all__ = ["Engine", "Events", "Source", "build_engine", "clock", "play_until"]

Played = list[tuple[str, dict[str, Tensor]]]


class Source(Protocol):
    """Where batches come from: `drawn` is the images clock."""

    drawn: int

    def __next__(self) -> Batch: ...


def build_engine(
    game: Game,
    stream: Source,
    optimizers: Mapping[str, Scheduled],
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    precision: Precision = "float32",
    accumulate: int = 1,
    rank: int = 0,
) -> Engine:
    """An ignite Engine whose iteration is one step of `game`; start it with `play_until`.

    accumulate: play each turn on that many equal parts of the batch and sum their gradients. A batch-normalised
    network then sees the statistics of a part, and an objective the pairs within it.
    """
    device = torch.device(device)
    trained = trained_parameters(game)
    rng = torch.Generator(device)

    def step(engine: Engine, _: Any) -> Played:
        number = engine.state.iteration - 1
        begun = images = stream.drawn
        waited = 0.0
        played: Played = []
        batch: Batch | None = None
        for place, turn in enumerate(game.turns):
            repeats = turn.repeats(number)
            if repeats:
                hold(trained, turn.players)
            for repeat in range(repeats):
                if turn.draws or batch is None:
                    images = stream.drawn
                    asked = time.perf_counter()
                    batch = next(stream)
                    waited += time.perf_counter() - asked
                turn_seed = mix(seed, number, place, repeat, rank)
                seed_all(turn_seed, device)
                at = Moment(number, images, repeat, rng.manual_seed(turn_seed))
                played.append((turn.name, take(turn, batch, at)))
        state: Any = engine.state
        state.images, state.drawn, state.waited = stream.drawn, stream.drawn - begun, waited
        return played

    def take(turn: Turn, batch: Batch, at: Moment) -> dict[str, Tensor]:
        own = [optimizers[player] for player in turn.players]
        for scheduled in own:
            scheduled.set_clock(at.images)
        for player in turn.players:
            for parameter in trained[player]:
                parameter.grad = None
        own_weights = [parameter for player in turn.players for parameter in trained[player]]
        with explained(batch):
            parts = []
            for part in _parts(batch, accumulate):
                with autocast(device, precision):
                    terms = turn.play(part, at).checked()
                total = terms.total()
                # a penalty's images want a gradient too, which nobody reads: go towards the weights only
                weights = own_weights if len(terms.loss) > 1 else None
                (total if accumulate == 1 else total / accumulate).backward(inputs=weights)
                parts.append(terms)
            for scheduled in own:
                scheduled.optimizer.step()
        terms = _mean(parts)
        if turn.settle is not None:
            with torch.no_grad():
                turn.settle(terms, at)
        return {**terms.loss, **terms.seen}

    def release(engine: Engine) -> None:
        hold(trained, tuple(trained))

    engine = Engine(step)
    engine.add_event_handler(Events.COMPLETED, release)
    engine.logger = logging.getLogger("gansmith.engine")
    engine.logger.setLevel(logging.CRITICAL)  # errors are raised; they need not be logged as well
    return engine


def play_until(engine: Engine, images: int, *, step: int = 0) -> None:
    """Run until the images clock reaches `images`, or `engine.terminate()`, beginning after `step` steps."""

    def begin(engine: Engine) -> None:
        engine.state.iteration = step

    def finish(engine: Engine) -> None:
        if clock(engine) >= images:
            engine.terminate()

    with (
        engine.add_event_handler(Events.STARTED, begin),
        engine.add_event_handler(Events.ITERATION_COMPLETED, finish),
    ):
        engine.run(epoch_length=sys.maxsize, max_epochs=1)


def clock(engine: Engine) -> int:
    """Real images drawn so far."""
    state: Any = engine.state
    return int(state.images)


def trained_parameters(game: Game) -> dict[str, list[nn.Parameter]]:
    """The parameters of each player that want a gradient when the engine is built."""
    return {name: [p for p in player.parameters() if p.requires_grad] for name, player in game.players.items()}


def hold(trained: Mapping[str, list[nn.Parameter]], players: tuple[str, ...]) -> None:
    """Unfreeze `players`, freeze the others: an idle player gets no gradient, and none is computed for it."""
    for name, parameters in trained.items():
        playing = name in players
        for parameter in parameters:
            parameter.requires_grad_(playing)


def _parts(batch: Batch, count: int) -> Iterator[Batch]:
    if count == 1:
        yield batch
        return
    for sample in batch.values():
        if len(sample.image) % count:
            raise ExperimentError(f"a batch of {len(sample.image)} cannot be accumulated in {count} equal parts")
    for number in range(count):
        yield {
            name: Sample(image.chunk(count)[number], None if label is None else label.chunk(count)[number])
            for name, (image, label) in batch.items()
        }


def _mean(parts: list[Terms]) -> Terms:
    """The terms over all parts of a batch, detached."""

    def of(terms: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        if len(terms) == 1:
            return {name: term.detach() for name, term in terms[0].items()}
        return {name: torch.stack([part[name].detach() for part in terms]).mean(0) for name in terms[0]}

    return Terms(of([part.loss for part in parts]), of([part.seen for part in parts]))

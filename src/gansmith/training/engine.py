"""The training loop: a game played on a stream, one step per iteration of a pytorch-ignite Engine.

For each turn, as often as it repeats: unfreeze its players and freeze the others, seed, play, back-propagate, update,
settle. Nothing here is particular to GANs. Attach handlers to `Events.ITERATION_COMPLETED` and the like; an unknown
event is ignite's error. After each step `engine.state` has

    iteration    steps played so far
    images       real images drawn so far
    drawn        real images drawn in this step
    output       [(turn, {term: scalar tensor on the device}), ...], one for each play
    waited       seconds of this step spent waiting for images

Several processes play one batch together, each its rows of it (`system/sharing.py`): after the parts of a batch are
played, gradients and terms are summed over all processes, once a play (`training/shared_sums.py`). A handler may set

    beside       () -> a tensor of the same size on every process, which is summed beside the last gradients of a step
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from ignite.engine import Engine, Events
from torch import Tensor, nn
from torch.optim import Optimizer

from gansmith.adversarial import Batch, Game, Moment, Sample, Terms, Turn
from gansmith.errors import ExperimentError
from gansmith.system import sharing
from gansmith.system.device import Precision
from gansmith.system.seeding import mix, seed_all
from gansmith.training import shared_sums, whole_set
from gansmith.training.optimizers import Scheduled
from gansmith.training.out_of_memory import explain_out_of_memory
from gansmith.training.precision import autocast

__all__ = ["Engine", "Events", "Source", "build_engine", "images_drawn", "play_until"]

Played = list[tuple[str, dict[str, Tensor]]]


class Source(Protocol):
    """A stream of batches; `drawn` counts the real images drawn from it."""

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
    apart: bool = False,
) -> Engine:
    """An ignite Engine whose iteration is one step of `game`; start it with `play_until`.

    accumulate: gradient accumulation over that many equal parts of the batch. A batch-normalised network then sees the
    statistics of a part, and an objective the pairs within it.
    apart: each of several processes plays its rows as a batch of its own, with a seed of its own: no gradients are
    summed, and terms are the mean over processes (`training/elastic.py`).
    """
    steps = _Steps(game, stream, optimizers, seed, torch.device(device), precision, accumulate, apart)
    engine = Engine(steps.step)
    engine.add_event_handler(Events.COMPLETED, steps.unfreeze_all)
    engine.logger = logging.getLogger("gansmith.engine")
    engine.logger.setLevel(logging.CRITICAL)  # errors are raised; they need not be logged as well
    return engine


@dataclass
class _Steps:
    """The steps of a game on a stream; the fields are the arguments of `build_engine`."""

    game: Game
    stream: Source
    optimizers: Mapping[str, Scheduled]
    seed: int
    device: torch.device
    precision: Precision
    accumulate: int
    apart: bool

    def __post_init__(self) -> None:
        self.trained = trained_parameters(self.game)
        self.rng = torch.Generator(self.device)
        self.size = 0  # images of the batch being played, over all processes
        self.beside: list[Tensor] = []  # to be summed beside the next gradients

    def step(self, engine: Engine, _: Any) -> Played:
        """Every turn of the game, as often as it repeats."""
        number = engine.state.iteration - 1
        before = images = self.stream.drawn
        waited = 0.0
        played: Played = []
        batch: Batch | None = None
        repeated = [turn.repeats(number) for turn in self.game.turns]
        for place, (turn, repeats) in enumerate(zip(self.game.turns, repeated, strict=True)):
            if repeats:
                unfreeze_only(self.trained, turn.players)
            for repeat in range(repeats):
                if turn.draws or batch is None:
                    images = self.stream.drawn
                    asked = time.perf_counter()
                    batch = next(self.stream)
                    self.size = self.stream.drawn - images
                    waited += time.perf_counter() - asked
                turn_seed = mix(self.seed, number, place, repeat, sharing.share().rank if self.apart else 0)
                seed_all(turn_seed, self.device)
                at = Moment(number, images, repeat, self.rng.manual_seed(turn_seed))
                if len(played) + 1 == sum(repeated):
                    self.beside = shared_sums.beside(engine)
                with sharing.joined_as(sharing.Share()) if self.apart else nullcontext():
                    played.append((turn.name, self.update(turn, batch, at)))
        if played and self.apart and sharing.share().world > 1:
            share = shared_sums.share_of(self.size // self.accumulate)
            played, self.beside = shared_sums.averaged(played, share, self.beside), []
        state: Any = engine.state
        state.images, state.drawn, state.waited = self.stream.drawn, self.stream.drawn - before, waited
        return played

    def update(self, turn: Turn, batch: Batch, at: Moment) -> dict[str, Tensor]:
        """One play of a turn: forward, backward, optimizer steps, settle. Returns its terms, detached."""
        optimizers = [self.optimizers[player] for player in turn.players]
        weights = [parameter for player in turn.players for parameter in self.trained[player]]
        for scheduled in optimizers:
            scheduled.set_images(at.images)
        with explain_out_of_memory(batch, self.size):
            first = optimizers[0].optimizer
            if whole_set.evaluates_again(first):
                terms = self.evaluated_again(turn, batch, at, first, weights)
            else:
                terms = self.evaluate(turn, batch, at, weights)
                for scheduled in optimizers:
                    scheduled.optimizer.step()
        if turn.settle is not None:
            with torch.no_grad():
                turn.settle(terms, at)
        return {**terms.loss, **terms.seen}

    def evaluate(self, turn: Turn, batch: Batch, at: Moment, weights: list[nn.Parameter]) -> Terms:
        """The terms at the weights as they are, detached, and in the weights the gradient of their sum: of the whole
        batch, on each of the processes that play it."""
        for parameter in weights:
            parameter.grad = None
        parts = []
        with sharing.part_of(self.size // self.accumulate):
            share = shared_sums.share_of(self.size // self.accumulate)
            for part in _parts(batch, self.accumulate):
                with autocast(self.device, self.precision):
                    terms = turn.play(part, at).checked()
                total = terms.total() if share == 1 else share * terms.total()
                # a penalty's images require a gradient too, which is not used: differentiate by the weights only
                inputs = weights if len(terms.loss) > 1 else None
                (total if self.accumulate == 1 else total / self.accumulate).backward(inputs=inputs)
                parts.append(terms)
        terms = _mean(parts)
        if sharing.share().world > 1:
            terms, self.beside = shared_sums.summed(weights, terms, share, self.beside), []
        return terms

    def evaluated_again(
        self, turn: Turn, batch: Batch, at: Moment, optimizer: Optimizer, weights: list[nn.Parameter]
    ) -> Terms:
        """A step of an optimizer that evaluates the loss several times: the terms of the first, as `evaluate`'s."""
        network = self.game.players[turn.players[0]]
        seed = at.rng.initial_seed()
        before = [buffer.clone() for buffer in network.buffers()]

        def again() -> Terms:
            seed_all(seed, self.device)
            at.rng.manual_seed(seed)
            whole_set.set_buffers(network, before)
            return self.evaluate(turn, batch, at, weights)

        terms = again()
        whole_set.step(optimizer, network, float(terms.total()), lambda: float(again().total()))
        return terms

    def unfreeze_all(self, engine: Engine) -> None:
        unfreeze_only(self.trained, tuple(self.trained))


def play_until(engine: Engine, images: int, *, step: int = 0) -> None:
    """Train until `images` real images are drawn, or until `engine.terminate()`; `step` steps are behind already."""

    def begin(engine: Engine) -> None:
        engine.state.iteration = step

    def finish(engine: Engine) -> None:
        if images_drawn(engine) >= images:
            engine.terminate()

    with (
        engine.add_event_handler(Events.STARTED, begin),
        engine.add_event_handler(Events.ITERATION_COMPLETED, finish),
    ):
        engine.run(epoch_length=sys.maxsize, max_epochs=1)


def images_drawn(engine: Engine) -> int:
    """Real images drawn from the stream so far."""
    state: Any = engine.state
    return int(state.images)


def trained_parameters(game: Game) -> dict[str, list[nn.Parameter]]:
    """{player: its parameters that require a gradient}, as they are now."""
    return {name: [p for p in player.parameters() if p.requires_grad] for name, player in game.players.items()}


def unfreeze_only(trained: Mapping[str, list[nn.Parameter]], players: tuple[str, ...]) -> None:
    """Unfreeze the parameters of `players`, freeze the others': no gradient is computed for an idle player."""
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

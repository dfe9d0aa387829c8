"""Small players, batches and games for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gansmith.adversarial import Batch, Game, Moment, Sample, Terms, Turn
from gansmith.training import optimizers
from gansmith.training.engine import Engine, Events, build_engine, play_until


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


def run(engine: Engine, images: int) -> list[list[tuple[str, dict[str, Tensor]]]]:
    played: list[Any] = []
    with engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: played.append(e.state.output)):
        play_until(engine, images)
    return played


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


def draws(**options: Any) -> list[Any]:
    notes = Notes()
    turns = [Turn(name, ("one",), notes.play(name), repeats=lambda step: 2) for name in "ab"]
    run(notes.engine(*turns, **options), 64)
    return [happened[-1] for happened in notes.happened]

"""What the engine costs with a game that does nothing, and whether memory grows over two thousand steps."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch
from torch import nn

from benchmarks.report import Figure, main
from gansmith.adversarial import Batch, Game, Moment, Sample, Terms, Turn
from gansmith.records.recorder import Recorder
from gansmith.runs.train import experiment_from
from gansmith.speed.interleave import Ours, synthetic
from gansmith.system import hardware
from gansmith.training import optimizers
from gansmith.training.engine import Engine, Events, build_engine, play_until

MILLISECONDS = 0.3  # a step
GROWTH = 4.0  # MiB over STEPS steps: less than one of the step's own activations
STEPS = 2_000


class Same:
    """A stream of one batch, which costs nothing."""

    def __init__(self) -> None:
        self.drawn = 0
        self.batch: Batch = {"real": Sample(torch.zeros(1, 1, 8, 8))}

    def __next__(self) -> Batch:
        self.drawn += 1
        return self.batch


class Number(nn.Module):
    """A player of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.ones(()))


def nothing() -> tuple[Engine, Same]:
    """Two players of one number each, whose turns' losses are these numbers."""
    players: Mapping[str, Number] = {"generator": Number(), "discriminator": Number()}

    def turn(name: str, draws: bool) -> Turn:
        def play(batch: Batch, at: Moment) -> Terms:
            return Terms({"loss": players[name].value * 1.0})

        return Turn(name, (name,), play, draws=draws)

    game = Game(players, (turn("discriminator", True), turn("generator", False)))
    adam = {name: optimizers.build("adam", player.parameters(), {"lr": 1e-4}) for name, player in players.items()}
    stream = Same()
    return build_engine(game, stream, adam), stream


def overhead(*, steps: int, rounds: int) -> list[float]:
    """Milliseconds of a step that does nothing, in each round of `steps`."""
    engine, stream = nothing()
    play_until(engine, 50)
    values = []
    for _ in range(rounds):
        begun = time.perf_counter()
        play_until(engine, stream.drawn + steps, step=stream.drawn)
        values.append(1e3 * (time.perf_counter() - begun) / steps)
    return values


def by_hand(*, steps: int, rounds: int) -> list[float]:
    """Milliseconds of the same in plain PyTorch: two numbers, two backward passes, two fused Adam steps."""
    values, numbers = [], [Number(), Number()]
    adam = [torch.optim.Adam(number.parameters(), lr=1e-4, fused=True) for number in numbers]
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(steps):
            for number, optimizer in zip(numbers, adam, strict=True):
                optimizer.zero_grad(set_to_none=True)
                (number.value * 1.0).backward()
                optimizer.step()
        values.append(1e3 * (time.perf_counter() - begun) / steps)
    return values


def growth(*, steps: int, warm_up: int = 200) -> float:
    """MiB that the process grew by over `steps` steps of a small DCGAN with averaging and records, after a warm-up."""
    small = {"name": "dcgan", "width": 8}
    experiment, _ = experiment_from(size=16, channels=3, batch=16, generator=small, discriminator=small, threads=1)
    parts = synthetic(experiment)
    recorder = Recorder([], every=320)

    def after_step(engine: Engine) -> None:
        state = engine.state
        parts.averaging.update(state.drawn, state.images)  # type: ignore[attr-defined]
        recorder.add(
            state.output,
            step=state.iteration,
            images=state.images,  # type: ignore[attr-defined]
            drawn=state.drawn,  # type: ignore[attr-defined]
            waited=state.waited,  # type: ignore[attr-defined]
        )

    parts.engine.add_event_handler(Events.ITERATION_COMPLETED, after_step)
    ours = Ours(parts)
    recorder.start(0)
    ours.play(warm_up)
    before = hardware.resident(parts.device)
    ours.play(steps)
    return (hardware.resident(parts.device) - before) / 2**20


def measure(quick: bool = False) -> list[Figure]:
    steps, rounds = (200, 3) if quick else (1_000, 9)
    grown = [growth(steps=300 if quick else STEPS)]
    return [
        Figure(
            "engine",
            "a step that does nothing (two turns, fused Adam)",
            "ms",
            overhead(steps=steps, rounds=rounds),
            at_most=MILLISECONDS,
            digits=3,
        ),
        Figure("engine", "the same by hand", "ms", by_hand(steps=steps, rounds=rounds), digits=3),
        Figure("engine", f"growth over {300 if quick else STEPS:,} steps", "MiB", grown, at_most=GROWTH),
    ]


if __name__ == "__main__":
    main(measure, __doc__)

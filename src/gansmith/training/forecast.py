"""Forecast of a run before it starts: parameters, floating-point operations, memory, and, when timed, seconds.

Operations and saved activations are counted on four and eight images and extrapolated linearly, so that a batch that
does not fit in memory is known without trying it. Where several processes share each batch, memory and seconds are
those of one, which plays the largest share; what they wait for each other is not in it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from gansmith.adversarial import Batch, Game, Moment, Sample, Turn
from gansmith.errors import OutOfMemoryError
from gansmith.system.device import Precision
from gansmith.system.memory import gibibytes
from gansmith.system.operations import Operations
from gansmith.training.engine import trained_parameters, unfreeze_only
from gansmith.training.out_of_memory import free_memory, total_memory
from gansmith.training.precision import autocast
from gansmith.training.wiring import untouched

_LATER = 1001  # the step whose repeats count: past any warm-up, and no round number, where WGAN plays longer
FEW = 8  # images that a forecast reads
_COPIES = 4  # of every parameter: the weight, its gradient, Adam's two moments
_OF_A_WORKER = 3  # more of elastic averaging: the worker beside the centre, what it is pulled by, and the sum of that


class Settings(Protocol):
    """The fields of an experiment that a forecast depends on."""

    @property
    def batch(self) -> int: ...
    @property
    def accumulate(self) -> int: ...
    @property
    def precision(self) -> Precision: ...
    @property
    def images(self) -> int: ...
    @property
    def engine(self) -> str: ...


class Crowd(NamedTuple):
    """The processes of a training, and how many of them are on one machine."""

    processes: int = 1
    here: int = 1

    def beside(self, device: torch.device) -> int:
        """How many share the memory of one device: on processors all of a machine, and a GPU is one's own."""
        return 1 if device.type == "cuda" else self.here


_ONE = Crowd()


@dataclass(frozen=True)
class Forecast:
    """parameters of each player; operations of one step, of all processes; of each process, bytes at the peak, and
    seconds of a step, when timed."""

    parameters: dict[str, int]
    operations: float
    memory: float
    steps: int
    batches: int  # that a step draws
    step_seconds: float | None = None
    crowd: Crowd = _ONE

    @property
    def seconds(self) -> float | None:
        """Seconds of the whole run."""
        return None if self.step_seconds is None else self.step_seconds * self.steps

    def refuse(self, device: torch.device) -> None:
        """Raises OutOfMemoryError where a step takes more than all the memory that the device has, free or not."""
        whole = total_memory(device)
        if self.together(device) > whole:
            raise OutOfMemoryError(
                f"a step needs about {self._words(device)} of memory, and {device} has "
                f"{gibibytes(whole)} in all: choose a smaller batch (--batch), or play it in parts "
                f"(--set accumulate=2){self._or_fewer(device)}"
            )

    def warnings(self, device: torch.device) -> list[str]:
        room = free_memory(device)
        if self.together(device) < room:
            return []
        return [
            f"a step needs about {self._words(device)} and {room / 2**30:.1f} GiB are free: "
            f"halve the batch (--batch), or play it in parts (--set accumulate=2){self._or_fewer(device)}"
        ]

    def together(self, device: torch.device) -> float:
        """Bytes at the peak, of all processes that share the memory of one device."""
        return self.memory * self.crowd.beside(device)

    def _words(self, device: torch.device) -> str:
        """`3.0 GiB`, and how much that is of all processes which share the memory."""
        each, count = gibibytes(self.memory), self.crowd.beside(device)
        return (
            each if count == 1 else f"{each} in each of {count} processes, {gibibytes(self.together(device))} together,"
        )

    def _or_fewer(self, device: torch.device) -> str:
        return ", or start fewer processes" if self.crowd.beside(device) > 1 else ""


def forecast(game: Game, batch: Batch, device: torch.device, settings: Settings, *, crowd: Crowd = _ONE) -> Forecast:
    """The forecast of a run, counted on a few images of `batch`; the game is untouched afterwards."""
    small, large = (_count(game, _sized(batch, n), device, settings.precision) for n in (4, 8))
    part = settings.batch / settings.accumulate
    share = part if crowd.processes == 1 else largest_share(settings, crowd.processes)

    def at(size: float, of_four: float, of_eight: float) -> float:
        return max(of_four + (of_eight - of_four) * (size - 4) / 4, 0.0)

    operations = at(part, small[0], large[0]) * settings.accumulate
    parameters = {name: sum(p.numel() for p in player.parameters()) for name, player in game.players.items()}
    copies = _COPIES + (_OF_A_WORKER if settings.engine == "elastic" else 0)
    weights = 4 * (copies * sum(parameters.values()) + sum(parameters[name] for name in game.averaged))
    draws = sum(turn.repeats(_LATER) for turn in game.turns if turn.draws)
    drawn = settings.batch * max(draws, 1)  # every step has a batch
    saved = max(at(share, *of_turn) for of_turn in zip(small[1], large[1], strict=True))
    steps = -(-settings.images // drawn)
    return Forecast(parameters, operations, weights + saved, steps, max(draws, 1), crowd=crowd)


def largest_share(settings: Settings, processes: int) -> int:
    """Images that the first of so many processes plays at a time, of a batch or a part of it."""
    return -(-(settings.batch // settings.accumulate) // processes)


def timed(estimate: Forecast, game: Game, batch: Batch, device: torch.device, settings: Settings) -> Forecast:
    """The same forecast with the seconds of a step: the median of three, after one that warms up, at the real batch, or
    the largest share of it that a process has."""
    seconds = []
    part = _sized(batch, largest_share(settings, estimate.crowd.processes))
    with untouched(game):
        for _ in range(4):
            begun = time.perf_counter()
            for turn in game.turns:
                for _ in range(turn.repeats(_LATER) * settings.accumulate):
                    _play(game, turn, part, device, settings.precision)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - begun)
    return replace(estimate, step_seconds=sorted(seconds[1:])[1])


def _count(game: Game, batch: Batch, device: torch.device, precision: Precision) -> tuple[float, list[float]]:
    """Floating-point operations of a step, and the bytes that each of its turns saves for the backward pass."""
    weights = {p.untyped_storage().data_ptr() for player in game.players.values() for p in player.parameters()}
    sizes: list[float] = []
    seen: set[int] = set()

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            sizes[-1] += storage.nbytes()
        return tensor

    with untouched(game), Operations() as counter:
        for turn in game.turns:
            seen = set(weights)  # a weight's transposed view is saved too
            sizes.append(0.0)
            before = counter.total
            with saved_tensors_hooks(pack, lambda tensor: tensor):
                _play(game, turn, batch, device, precision)
            counter.total = before + (counter.total - before) * turn.repeats(_LATER)
    return counter.total, sizes


def _sized(batch: Batch, count: int) -> Batch:
    """`count` images of every sample, repeated where there are fewer."""

    def of(tensor: Tensor) -> Tensor:
        return tensor[torch.arange(count, device=tensor.device) % len(tensor)]

    return {name: Sample(of(image), None if label is None else of(label)) for name, (image, label) in batch.items()}


def _play(game: Game, turn: Turn, batch: Batch, device: torch.device, precision: Precision) -> None:
    trained = trained_parameters(game)
    unfreeze_only(trained, turn.players)
    with autocast(device, precision):
        total = turn.play(batch, Moment(0, 0, 0, torch.Generator(device).manual_seed(0))).total()
    torch.autograd.grad(total, [p for player in turn.players for p in trained[player]], allow_unused=True)
    for parameters in trained.values():
        for parameter in parameters:
            parameter.requires_grad_()

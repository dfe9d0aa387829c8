"""What `gansmith bench` measures: our engine on synthetic images, beside the same step in plain PyTorch.

Three loops start from equal weights and see equal images and latents: ours, the same step written by hand, and the
textbook's. Their losses must agree, else a faster one would prove nothing. Then they take turns, a few steps each, so
that whatever else the machine does slows all of them, and each round gives one ratio.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from gansmith import machine
from gansmith.adversarial import Batch, Prior
from gansmith.assemble import Assembly, assemble
from gansmith.data.dataset import Arrays
from gansmith.data.prepare import Prepared
from gansmith.data.stream import Batches
from gansmith.errors import OptionError
from gansmith.experiment import Experiment, complete
from gansmith.randomness import mix
from gansmith.textbook import ByHand, Inputs, Losses, Textbook
from gansmith.training.engine import play_until
from gansmith.training.forecast import forecast

IMAGES = 2_048  # synthetic ones: more than a step reads, few enough to stay out of the memory's figures
COMPARED = 2  # steps whose losses must agree; from then on rounding alone drives networks apart
TOLERANCE = {"float32": 2e-3, "bfloat16": 5e-2}  # relative, of a loss
_ROUND = 0.25  # seconds that a loop plays before the next one does


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of n values."""

    median: float
    least: float
    most: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values), len(values))


@dataclass(frozen=True)
class Comparison:
    """The three loops side by side.

    seconds   of a step, by loop;  rounds: the same, of each round
    overhead  ours / by hand;  speedup: textbook / ours;  both round by round
    losses    by loop, [discriminator's, generator's] for each of the first steps;  equal: do they agree?
    """

    seconds: dict[str, Spread]
    rounds: dict[str, list[float]]
    overhead: Spread
    speedup: Spread
    losses: dict[str, list[list[float]]]
    equal: bool
    tolerance: float


@dataclass(frozen=True)
class Report:
    """All figures of one measurement. Rates per second, memory in bytes, `growth` over `growth_steps` steps."""

    machine: dict[str, Any]
    experiment: dict[str, Any]
    step_seconds: Spread
    images_per_second: float
    operations_per_step: float
    operations_per_second: float
    peak_operations_per_second: dict[str, float]
    share_of_peak: float
    memory_peak: int
    memory_growth: int
    growth_steps: int
    comparison: Comparison | None
    not_compared: str | None

    def plain(self) -> dict[str, Any]:
        """As plain dictionaries, ready for JSON."""
        return asdict(self)


class Loop(Protocol):
    """Something that plays steps and says their losses."""

    def step(self) -> Losses: ...


class Ours:
    """The engine of an assembly, played a few steps at a time."""

    def __init__(self, parts: Assembly) -> None:
        self.parts = parts
        self.played = 0
        draws = sum(turn.repeats(1000) for turn in parts.game.turns if turn.draws)  # past any warm-up
        self.step_images = parts.experiment.batch * draws

    def play(self, steps: int) -> None:
        images = self.parts.stream.drawn + steps * self.step_images
        play_until(self.parts.engine, images, step=self.played)
        self.played = self.parts.engine.state.iteration

    def step(self) -> Losses:
        self.play(1)
        terms: Any = self.parts.engine.state.output
        (_, first), (_, second) = terms
        return first["loss"], second["loss"]


def measure(experiment: Experiment, *, seconds: float = 20.0) -> Report:
    """Measure the step of `experiment` on synthetic images, for about `seconds`.

    Raises OptionError without seconds to do it in, and whatever building the parts raises.
    """
    if not seconds > 0:
        raise OptionError(f"seconds must be more than 0, not {seconds}")
    parts = synthetic(experiment)
    experiment, device = parts.experiment, parts.device
    ours = Ours(parts)
    reason = why_not(experiment)
    plain = {} if reason else by_plain_torch(parts)  # copies the weights before they change
    made = forecast(parts.game, _first_batch(parts), device, experiment)

    losses = {} if reason else {"gansmith": first_losses(ours)}
    if reason:
        ours.play(COMPARED)
    growth, growth_steps, estimate = _growth(ours, seconds / 4)
    memory_peak = machine.peak_resident(device)
    comparison = None
    loops: dict[str, Callable[[int], object]] = {"gansmith": ours.play}
    if plain:
        losses = {"textbook": first_losses(plain["textbook"]), "by hand": first_losses(plain["by hand"]), **losses}
        loops |= {name: _repeated(loop) for name, loop in plain.items()}
    rounds = interleaved(loops, device, steps=max(1, round(_ROUND / estimate)), seconds=seconds * 0.6)
    if plain:
        tolerance = TOLERANCE[experiment.precision]
        comparison = Comparison(
            seconds={name: Spread.of(times) for name, times in rounds.items()},
            rounds=rounds,
            overhead=_ratio(rounds["gansmith"], rounds["by hand"]),
            speedup=_ratio(rounds["textbook"], rounds["gansmith"]),
            losses=losses,
            equal=equal(losses, tolerance),
            tolerance=tolerance,
        )
    step = Spread.of(rounds["gansmith"])
    peak = machine.peak_rate(device, experiment.precision, seconds=max(seconds / 10, 0.2))
    rate = made.operations / step.median
    return Report(
        machine=machine.facts(device),
        experiment=experiment.plain(),
        step_seconds=step,
        images_per_second=ours.step_images / step.median,
        operations_per_step=made.operations,
        operations_per_second=rate,
        peak_operations_per_second=peak,
        share_of_peak=rate / max(peak.values()),
        memory_peak=memory_peak,
        memory_growth=growth,
        growth_steps=growth_steps,
        comparison=comparison,
        not_compared=reason,
    )


def synthetic(experiment: Experiment) -> Assembly:
    """The experiment's parts on random uint8 images, of 64 x 64 pixels and 3 channels where it leaves them open."""
    experiment = complete(experiment)
    settings = experiment.data.model_copy(
        update={"size": experiment.data.size or (64, 64), "channels": experiment.data.channels or 3, "flip": False}
    )
    height, width = settings.size or (64, 64)
    channels = settings.channels or 3
    count = max(IMAGES, 2 * experiment.batch)
    pixels = np.random.default_rng(0).integers(0, 256, (count, height, width, channels), dtype=np.uint8)
    data = Prepared(
        train=Arrays(pixels),
        holdout=None,
        shape=(channels, height, width),
        classes=None,
        labelled=False,
        count=count,
        keys=(),
        holdout_indices=np.empty(0, dtype=np.int64),
        digest="synthetic",
        name="synthetic",
        points=False,
        settings=settings,
    )
    return assemble(experiment.model_copy(update={"data": settings, "workers": None}), data)


def why_not(experiment: Experiment) -> str | None:
    """Why the plain loops, which are one game under one objective, do not compute what `experiment` does; or None."""
    needed = {"game": ("two_player", experiment.game), "objective": ("nonsaturating", experiment.objective)}
    for what, (name, part) in needed.items():
        if part.name != name or (what == "objective" and part.options):
            return f"the plain loops have the {what} {name} only, not {part.name}"
    for role, part in experiment.optimizer.items():
        if part.name != "adam" or isinstance(part.options.get("lr"), dict):
            return f"the plain loops have Adam at a constant rate only; the {role} has another optimizer"
    return "the plain loops do not accumulate" if experiment.accumulate > 1 else None


def by_plain_torch(parts: Assembly) -> dict[str, Textbook | ByHand]:
    """{"by hand", "textbook"}: the plain loops on copies of the networks, with the images and latents ours will see."""
    experiment = parts.experiment
    batches = Batches(parts.data.train, batch=experiment.batch, seed=experiment.seed)
    rng = torch.Generator(parts.device)
    prior = Prior(experiment.prior.kind, experiment.prior.size)
    inputs = Inputs(
        real=lambda step: batches.one(step).image,
        latents=lambda step, turn: prior.latents(
            experiment.batch, rng.manual_seed(mix(experiment.seed, step, turn, 0, 0))
        ),
        adam={
            role: {key: value for key, value in part.options.items() if key != "fused"}
            for role, part in experiment.optimizer.items()
        },
        device=parts.device,
    )
    generator, discriminator = (parts.game.players[name] for name in ("generator", "discriminator"))
    last = experiment.memory_format == "channels_last"
    by_hand = ByHand(
        copy.deepcopy(generator),
        copy.deepcopy(discriminator),
        inputs,
        precision=experiment.precision,
        channels_last=last,
    )
    textbook = Textbook(_channels_first(generator), _channels_first(discriminator), inputs)
    return {"by hand": by_hand, "textbook": textbook}


def _channels_first(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]


def first_losses(loop: Loop, steps: int = COMPARED) -> list[list[float]]:
    """[discriminator's, generator's] of each of the loop's next steps."""
    return [[float(loss) for loss in loop.step()] for _ in range(steps)]


def equal(losses: dict[str, list[list[float]]], tolerance: float) -> bool:
    """Do all loops agree with the first, in every loss of every step, up to a relative `tolerance`?"""
    first, *others = (np.asarray(values) for values in losses.values())
    return all(other.shape == first.shape and np.allclose(other, first, rtol=tolerance, atol=0) for other in others)


def interleaved(
    loops: dict[str, Callable[[int], object]], device: torch.device, *, steps: int, seconds: float
) -> dict[str, list[float]]:
    """Seconds of a step of each loop in each round of `steps`, at least three rounds; another begins in each."""
    names = list(loops)
    times: dict[str, list[float]] = {name: [] for name in names}
    begun = time.perf_counter()
    while len(times[names[0]]) < 3 or time.perf_counter() - begun < seconds:
        for name in names:
            times[name].append(_timed(loops[name], steps, device) / steps)
        names = [*names[1:], names[0]]
    return times


def _timed(play: Callable[[int], object], steps: int, device: torch.device) -> float:
    machine.synchronize(device)
    begun = time.perf_counter()
    play(steps)
    machine.synchronize(device)
    return time.perf_counter() - begun


def _repeated(loop: Loop) -> Callable[[int], None]:
    def play(steps: int) -> None:
        for _ in range(steps):
            loop.step()

    return play


def _ratio(above: list[float], below: list[float]) -> Spread:
    return Spread.of([a / b for a, b in zip(above, below, strict=True)])


def _growth(ours: Ours, seconds: float) -> tuple[int, int, float]:
    """Our engine alone for about `seconds`, at least two steps: bytes that it grew by, steps, seconds of one."""
    before, steps = machine.resident(ours.parts.device), ours.played
    begun = time.perf_counter()
    while ours.played - steps < 2 or time.perf_counter() - begun < seconds:
        ours.play(1)
    played = ours.played - steps
    return machine.resident(ours.parts.device) - before, played, (time.perf_counter() - begun) / played


def _first_batch(parts: Assembly) -> Batch:
    """The stream's first batch; the stream begins with it again."""
    position = parts.stream.state_dict()
    batch = next(parts.stream)
    parts.stream.load_state_dict(position)
    return batch

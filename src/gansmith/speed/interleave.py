"""Three loops on synthetic images, side by side: our engine, the same step written by hand, the textbook's.

They start from equal weights and see equal images and latents. Their losses must agree, else a faster one would prove
nothing. Then they take turns, a few steps each, so that whatever else the machine does slows all of them.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from gansmith import catalog
from gansmith.catalog import ROLES
from gansmith.data.dataset import Arrays
from gansmith.data.prepared import Prepared
from gansmith.data.prior import Prior
from gansmith.data.settings import DataSettings
from gansmith.data.stream import Batches
from gansmith.experiment.assemble import Assembly, assemble
from gansmith.experiment.completion import complete, domains_of, paired
from gansmith.experiment.schema import Experiment
from gansmith.speed.reference_loops import ByHand, Inputs, Losses, Textbook
from gansmith.system import hardware
from gansmith.system.memory import require_memory
from gansmith.system.seeding import mix
from gansmith.training.engine import play_until

IMAGES = 2_048  # synthetic ones: more than a step reads, few enough to stay out of the memory's figures
CLASSES = 10  # of the labels
COMPARED = 2  # steps whose losses must agree; from then on rounding alone drives networks apart
TOLERANCE = {"float32": 2e-3, "bfloat16": 5e-2}  # relative, of a loss


class Loop(Protocol):
    """Something that plays steps and says their losses."""

    def step(self) -> Losses: ...


class Ours:
    """The engine of an assembly, played a few steps at a time."""

    def __init__(self, parts: Assembly) -> None:
        self.parts = parts
        self.played = 0
        draws = sum(turn.repeats(1001) for turn in parts.game.turns if turn.draws)  # past any warm-up
        self.step_images = parts.experiment.batch * max(draws, 1)  # every step has a batch

    def play(self, steps: int) -> None:
        images = self.parts.stream.drawn + steps * self.step_images
        play_until(self.parts.engine, images, step=self.played)
        self.played = self.parts.engine.state.iteration

    def step(self) -> Losses:
        self.play(1)
        terms: Any = self.parts.engine.state.output
        (_, first), (_, second) = terms
        return first["loss"], second["loss"]


def synthetic(experiment: Experiment) -> Assembly:
    """The experiment's parts on random uint8 images, of 64 x 64 pixels and 3 channels where it leaves them open.

    They have random labels of CLASSES classes where a network reads labels, and are two sets for a game of two domains.
    """
    experiment = complete(experiment)
    settings = experiment.data.model_copy(
        update={"size": experiment.data.size or (64, 64), "channels": experiment.data.channels or 3, "flip": False}
    )
    game = experiment.game.name
    first = _random_images(settings, max(IMAGES, 2 * experiment.batch), seed=0, labelled=reads_labels(experiment))
    data = first
    if len(domains_of(game)) > 1:
        other = _random_images(settings, first.count, seed=1, labelled=False)
        data = replace(first, other=other, paired=paired(game))
    return assemble(experiment.model_copy(update={"data": settings, "workers": None}), data)


def reads_labels(experiment: Experiment) -> bool:
    """Does a network of the experiment read labels, or learn them?"""
    parts = (getattr(experiment, role) for role in ROLES)
    return experiment.classifier is not None or any(part and part.options.get("conditional") for part in parts)


def _random_images(settings: DataSettings, count: int, *, seed: int, labelled: bool) -> Prepared:
    (height, width), channels = settings.size or (64, 64), settings.channels or 3
    require_memory(
        count * height * width * channels,
        f"a set of {count:,} images of {height}x{width}, twice the batch,",
        "take a smaller --batch or --size",
    )
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, height, width, channels), dtype=np.uint8)
    labels = rng.integers(0, CLASSES, count) if labelled else None
    return Prepared(
        train=Arrays(pixels, labels),
        holdout=None,
        shape=(channels, height, width),
        classes=tuple(map(str, range(CLASSES))) if labelled else None,
        labelled=labelled,
        count=count,
        keys=(),
        holdout_indices=np.empty(0, dtype=np.int64),
        digest="synthetic",
        name="synthetic",
        points=False,
        settings=settings,
        frequencies=() if labels is None else tuple(np.bincount(labels, minlength=CLASSES).tolist()),
    )


def why_not(experiment: Experiment) -> str | None:
    """Why the plain loops, which are one game under one objective, do not compute what `experiment` does; or None."""
    needed = {"games": ("two_player", experiment.game), "objectives": ("nonsaturating", experiment.objective)}
    for kind, (name, part) in needed.items():
        what = catalog.KINDS[kind][1]
        if part is None or part.name != name:
            return f"the plain loops have the {what} {name} only, not {None if part is None else part.name}"
        usual = catalog.complete(name, catalog.find(kind, name), {})
        if {**usual, **part.options} != usual:
            return f"the plain loops have the {what} {name} without options only"
    if reads_labels(experiment):
        return "the plain loops have no labels"
    if experiment.penalties or experiment.augment is not None:
        return "the plain loops have neither penalties nor augmentation"
    for role, part in experiment.optimizer.items():
        values = [part.options.get("lr"), *part.options.get("betas", ())]
        if part.name != "adam" or any(isinstance(value, dict) for value in values):
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
        precision="bfloat16" if experiment.precision == "bfloat16" else "float32",
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


def repeated(loop: Loop) -> Callable[[int], None]:
    """`loop`, a number of steps at a time."""

    def play(steps: int) -> None:
        for _ in range(steps):
            loop.step()

    return play


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
    hardware.synchronize(device)
    begun = time.perf_counter()
    play(steps)
    hardware.synchronize(device)
    return time.perf_counter() - begun

"""The steps that are measured: for each, our engine in several forms beside its authors' order of work.

`authors` is that order in plain PyTorch with torch's defaults (float32, convolutions in TF32), or for R3GAN in the
bfloat16 of its authors; their own CUDA extensions are not used. `authors, autocast` is the same under autocast, so that
a difference in number format can be told from one in the order of work. `ours` is the engine as it is by default:
bfloat16, deterministic kernels. `kernels tried` and `not reproducible` play the same networks with the kernels that
cuDNN selects by trying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from benchmarks import cyclegan, r3gan, wgan_gp
from benchmarks.device.rounds import Play
from gansmith.runs.train import experiment_from
from gansmith.speed import interleave
from gansmith.system.device import Precision

BASE = "authors"
FLOAT, SHORT = 1e-2, 1e-1  # relative to the largest loss: TF32 keeps 10 bits, bfloat16 7


class Loop(Protocol):
    def play(self, steps: int) -> None: ...
    def step(self) -> Sequence[Any]: ...


@dataclass
class Case:
    """How the loops of one step are built, the most important first, and what a step of them is.

    images     real images that a step draws
    loops      name -> builder; each loop begins with the same weights, images and latents as the others
    more       further loops, for time that is left
    """

    images: int
    loops: dict[str, Callable[[], Loop]]
    more: dict[str, Callable[[], Loop]] = field(default_factory=dict)


# further ways to play a loop that is there, with the same networks: name -> loop
TRIED = {"authors, kernels tried": "authors", "ours, not reproducible": "ours"}
FREE = {"ours, any kernel": "ours"}


def play_of(name: str, loop: Loop) -> Play:
    """The loop's steps with the cuDNN kernels that its name stands for, whatever another loop's assembly has set."""
    tried = name in TRIED
    deterministic = not (tried or name in FREE or name.startswith(BASE))

    def play(steps: int) -> None:
        with kernels(deterministic=deterministic, benchmark=tried):
            loop.play(steps)

    return play


@contextmanager
def kernels(*, deterministic: bool, benchmark: bool) -> Iterator[None]:
    """cuDNN's choice of kernels; an assembly sets deterministic ones, chosen without trying."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = deterministic, benchmark
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


class Autocast:
    """A loop whose steps are played under bfloat16 autocast, which keeps no cast weight past an update."""

    def __init__(self, loop: Any, device: torch.device) -> None:
        self.loop, self.device = loop, device

    def play(self, steps: int) -> None:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, cache_enabled=False):
            Repeated(self.loop).play(steps)

    def step(self) -> Sequence[Any]:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, cache_enabled=False):
            return self.loop.step()  # type: ignore[no-any-return]


class Repeated:
    """A loop that plays single steps."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop

    def play(self, steps: int) -> None:
        if hasattr(self.loop, "play"):
            self.loop.play(steps)
            return
        for _ in range(steps):
            self.loop.step()

    def step(self) -> Sequence[Any]:
        return self.loop.step()  # type: ignore[no-any-return]


def _other(layout: str) -> str:
    return "contiguous" if layout == "channels_last" else "channels_last"


def dcgan_parts(*, width: int, **fields: Any) -> Any:
    """The recipe `dcgan` on random images, with networks of that width and what else is given."""
    network = {"name": "dcgan", "width": width}
    experiment, _ = experiment_from(
        recipe="dcgan", generator=network, discriminator=network, channels=3, environment={}, **fields
    )
    return interleave.synthetic(experiment)


def dcgan(device: torch.device, *, batch: int, width: int = 64, size: int = 64) -> Case:
    """DCGAN as its recipe has it, at 64 px; `by hand` is the same in plain PyTorch with all the same care."""

    def parts(precision: Precision = "bfloat16", **fields: Any) -> Any:
        return dcgan_parts(width=width, batch=batch, size=size, device=str(device), precision=precision, **fields)

    def plain(name: str) -> Any:
        return interleave.by_plain_torch(parts())[name]

    def other() -> Loop:
        return interleave.Ours(parts(memory_format=_other(parts().experiment.memory_format)))

    return Case(
        batch,
        {
            "authors": lambda: Repeated(plain("textbook")),
            "ours": lambda: interleave.Ours(parts()),
            "ours, float32": lambda: interleave.Ours(parts("float32")),
            "by hand": lambda: Repeated(plain("by hand")),
        },
        {
            "authors, autocast": lambda: Autocast(plain("textbook"), device),
            "ours, other layout": other,
        },
    )


def wgan(device: torch.device, *, batch: int, width: int = 128, size: int = 32) -> Case:
    """WGAN-GP on residual networks: five updates of the discriminator and one of the generator."""

    def parts(**fields: Any) -> Any:
        return wgan_gp.parts_of(batch=batch, width=width, size=size, device=str(device), **fields)

    def other() -> Loop:
        layout = _other(parts().experiment.memory_format)
        return wgan_gp.Mine(parts(precision="bfloat16", memory_format=layout))

    return Case(
        batch * wgan_gp.UPDATES,
        {
            "authors": lambda: wgan_gp.Theirs(parts()),
            "ours": lambda: wgan_gp.Mine(parts(precision="bfloat16")),
            "ours, float32": lambda: wgan_gp.Mine(parts()),
        },
        {
            "authors, autocast": lambda: Autocast(wgan_gp.Theirs(parts()), device),
            "ours, other layout": other,
        },
    )


def r3(device: torch.device, *, batch: int, size: int, width: int = 768) -> Case:
    """R3GAN without augmentation and classes; the authors' order is in the bfloat16 of their code, and in float32."""

    def parts(precision: Precision = "bfloat16", **fields: Any) -> Any:
        return r3gan.parts_of(batch=batch, width=width, size=size, device=str(device), precision=precision, **fields)

    return Case(
        batch,
        {
            "authors": lambda: Repeated(r3gan.Theirs(parts())),
            "ours": lambda: interleave.Ours(parts()),
        },
        {
            "ours, float32": lambda: interleave.Ours(parts("float32")),
            "ours, other layout": lambda: interleave.Ours(parts(memory_format="contiguous")),
        },
    )


def cycle(device: torch.device, *, size: int = 256, width: int = 64) -> Case:
    """CycleGAN at batch 1, nine blocks."""
    return Case(
        1,
        {
            "authors": lambda: cyclegan.Theirs(size, width, device),
            "ours": lambda: cyclegan.Ours(size, width, "bfloat16", device),
            "ours, float32": lambda: cyclegan.Ours(size, width, "float32", device),
        },
        {"authors, autocast": lambda: Autocast(cyclegan.Theirs(size, width, device), device)},
    )


CASES: dict[str, Callable[[torch.device], Case]] = {
    "DCGAN, 64 px, batch 64": lambda device: dcgan(device, batch=64),
    "WGAN-GP, 32 px, batch 64": lambda device: wgan(device, batch=64),
    "R3GAN, 32 px, batch 64": lambda device: r3(device, batch=64, size=32),
    "CycleGAN, 256 px, batch 1": cycle,
    "R3GAN, 64 px, batch 32": lambda device: r3(device, batch=32, size=64),
    "DCGAN, 64 px, batch 1024": lambda device: dcgan(device, batch=1024),
}
TOYS: dict[str, Callable[[torch.device], Case]] = {
    "DCGAN, toy": lambda device: dcgan(device, batch=8, width=4, size=16),
    "WGAN-GP, toy": lambda device: wgan(device, batch=4, width=8, size=16),
    "R3GAN, toy": lambda device: r3(device, batch=4, size=16, width=16),
    "CycleGAN, toy": lambda device: cycle(device, size=32, width=8),
}


def apart(losses: dict[str, list[list[float]]]) -> dict[str, float]:
    """How far each loop's first losses are from those of `authors`: the largest difference by the largest loss."""
    reference = torch.tensor(losses[BASE], dtype=torch.float64)
    scale = float(reference.abs().max())
    return {
        name: float((torch.tensor(values, dtype=torch.float64) - reference).abs().max()) / scale
        for name, values in losses.items()
        if name != BASE
    }


def agree(far: dict[str, float]) -> bool:
    """Do all loops compute the same?"""
    return all(value <= (FLOAT if "float32" in name else SHORT) for name, value in far.items())

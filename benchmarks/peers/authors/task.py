"""One training by a peer: so many seconds of this process's processor time, then samples into a file.

A peer is a `Training`: `step` plays one step, `sample` makes images. The harness counts the seconds and stops.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class DivergedError(Exception):
    """The training has met a NaN or an infinity and cannot go on."""


@dataclass(frozen=True)
class Task:
    """images: a file of uint8 [N, H, W, C];  samples: how many to write to out/samples.npy;  flip: mirrored images are
    of the set too;  precision: float32, or bfloat16 for autocast round each step;  seconds: of processor time"""

    images: str
    out: str
    seconds: float
    seed: int
    samples: int
    flip: bool = False
    precision: str = "float32"


@dataclass
class Report:
    """drawn: real images that the discriminator, or the denoiser, was trained on;  sampling_seconds: for all samples"""

    steps: int = 0
    drawn: int = 0
    cpu_seconds: float = 0.0
    sampling_seconds: float = 0.0
    parameters: dict[str, int] = field(default_factory=dict)
    why: str | None = None


class Training(Protocol):
    """networks: by name, for the count of their weights"""

    networks: dict[str, torch.nn.Module]

    def step(self, spent: float) -> int:
        """One step -> how many real images it drew. spent: the share of the time that is over. Raises DivergedError."""

    def sample(self, count: int) -> Tensor:
        """float32 [count, C, H, W] in [-1, 1]."""


Build = Callable[[Task, NDArray[np.uint8]], Training]


def run(build: Build, task: Task) -> Report:
    """Train, sample, write `out`/samples.npy (not where the training diverged) and `out`/report.json."""
    torch.set_num_threads(1)
    for seeded in (torch.manual_seed, np.random.seed, random.seed):
        seeded(task.seed)
    training = build(task, np.load(task.images))
    report = Report(parameters={name: _weights(network) for name, network in training.networks.items()})
    try:
        _train(training, task, report)
        samples = _sample(training, task.samples, report)
        np.save(Path(task.out) / "samples.npy", samples)
    except DivergedError as error:
        report.why = str(error) or "a NaN during the training"
    (Path(task.out) / "report.json").write_text(json.dumps(asdict(report)), encoding="utf-8")
    return report


def _train(training: Training, task: Task, report: Report) -> None:
    begun = time.process_time()
    while report.cpu_seconds < task.seconds:
        with _autocast(task.precision):
            report.drawn += training.step(report.cpu_seconds / task.seconds)
        report.steps += 1
        report.cpu_seconds = time.process_time() - begun


def _sample(training: Training, count: int, report: Report) -> NDArray[np.uint8]:
    begun = time.process_time()
    with torch.no_grad():
        images = training.sample(count).float()
    report.sampling_seconds = time.process_time() - begun
    if not bool(torch.isfinite(images).all()):
        raise DivergedError("a NaN or an infinity in the samples")
    levels = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.ascontiguousarray(levels.movedim(1, -1).numpy())


def _autocast(precision: str) -> AbstractContextManager[Any]:
    return torch.autocast("cpu", dtype=torch.bfloat16) if precision == "bfloat16" else nullcontext()


def _weights(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def as_tensor(images: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, H, W, C] -> float32 [N, C, H, W] in [-1, 1]."""
    return torch.from_numpy(images).movedim(-1, 1).float().div_(127.5).sub_(1).contiguous()


def program(build: Build) -> None:
    """The peer as a program: its only argument is the task, in JSON."""
    run(build, Task(**json.loads(sys.argv[1])))

"""How fast is a step? Our engine in several forms beside its authors' order of work, in interleaved rounds.

Three passes over the cases, so that each has its essential loops first: the loops as they are; the kernels that cuDNN
selects by trying, which takes seconds for each network; further loops. The later ones play for the time that is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.device.cases import BASE, CASES, FREE, TOYS, TRIED, Case, Loop, agree, apart, play_of
from benchmarks.device.part import Part, main
from benchmarks.device.rounds import Play, figures, interleaved, seconds_of
from benchmarks.report import operations
from gansmith.models.layers.convolution import Geometry, convolve
from gansmith.system import hardware

_FIRST = 2  # steps whose losses are compared
_ROUNDS = 0.55  # of the time: the first pass
_ROOM = 0.3  # of the device's memory must be free for a case's networks to be kept for the later passes
_TRYING = {"R3GAN": 30.0}  # seconds without which no kernels are tried: grouped convolutions have slow ones
QUICK: dict[str, Any] = {"least": 1, "most": 1, "a_round": 0.0}
FULL: dict[str, Any] = {"least": 5, "most": 15, "a_round": 0.12}


def measure(part: Part) -> None:
    part.keep("peak", {name: peaks(part, name) for name in ("float32", "bfloat16")})
    benches: dict[str, Bench] = {}
    cases = TOYS if part.quick else CASES
    whole = part.left()
    for number, (name, build) in enumerate(cases.items()):
        if part.left() < 4:
            part.keep("left out", list(cases)[number:])
            break
        share = max(part.left() - (1 - _ROUNDS) * whole, 0.0) / (len(cases) - number)
        with part.attempt(name):
            bench = Bench(part, name, build(part.device))
            bench.essential(share)
            if _roomy(part.device):
                benches[name] = bench
            del bench
        if part.device.type == "cuda" and name not in benches:
            torch.cuda.empty_cache()
    for name, bench in benches.items():
        if part.left() > _TRYING.get(name.partition(",")[0], 6.0) or part.quick:
            bench.again({**TRIED, **FREE}, seconds=2.5)
    for bench in benches.values():
        for more in bench.case.more:
            if part.left() > 8 or part.quick:
                bench.build(more)
                bench.again({more: more}, seconds=1.5)
    if part.left() > 3:
        with part.attempt("grouped convolutions"):
            part.keep("grouped convolutions", grouped(part))


def peaks(part: Part, precision: Any) -> dict[str, float]:
    return hardware.peak_rate(part.device, precision, seconds=0.05 if part.quick else 0.5)


def _roomy(device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, total = torch.cuda.mem_get_info(device)
    return free > _ROOM * total


class Bench:
    """One case at work: its loops as they are built, and what was measured of them."""

    def __init__(self, part: Part, name: str, case: Case) -> None:
        self.part, self.name, self.case = part, name, case
        self.loops: dict[str, Loop] = {}
        self.losses: dict[str, list[list[float]]] = {}
        self.found: dict[str, Any] = {"images": case.images, "seconds to build": {}, "steps": {}}
        self.figures = QUICK if part.quick else FULL

    def build(self, name: str) -> None:
        """Build a loop, keep its first losses, and compare those of all loops."""
        begun = time.monotonic()
        with self.part.attempt(f"{self.name}: {name}"):
            loop = {**self.case.loops, **self.case.more}[name]()
            self.losses[name] = [[float(x) for x in loop.step()] for _ in range(_FIRST)]
            play_of(name, loop)(1)
            self.loops[name] = loop
        far = apart(self.losses)
        self.found["losses apart"] = {key: round(value, 5) for key, value in far.items()}
        self.found["losses agree"] = agree(far)
        self.found["seconds to build"][name] = round(time.monotonic() - begun, 1)
        self.part.keep(self.name, self.found)

    def essential(self, seconds: float) -> None:
        """The loops of the case, as many as are built within `seconds`, but the first two in any case."""
        end = time.monotonic() + seconds
        for name in self.case.loops:
            if len(self.loops) < 2 or time.monotonic() < end:
                self.build(name)
        plays = {name: play_of(name, loop) for name, loop in self.loops.items()}
        self.time(plays, max(end - time.monotonic(), 0.0))
        self.share_of_peak(self.loops["ours"])

    def again(self, variants: dict[str, str], *, seconds: float) -> None:
        """Further ways to play loops that are there, beside the authors' and ours."""
        plays = {name: play_of(name, self.loops[name]) for name in (BASE, "ours")}
        for name, loop in variants.items():
            if loop in self.loops:
                with self.part.attempt(f"{self.name}: {name}"):
                    begun = time.monotonic()
                    play = play_of(name, self.loops[loop])
                    play(1)
                    plays[name] = play
                    self.found["seconds to build"][name] = round(time.monotonic() - begun, 1)
                    self.part.keep(self.name, self.found)
        self.time(plays, min(seconds, self.part.left()))

    def time(self, plays: dict[str, Play], seconds: float) -> None:
        """Rounds; what was timed before stays as it is."""
        with self.part.attempt(f"{self.name}: rounds of {', '.join(plays)}"):
            times = interleaved(plays, self.part.device, seconds=seconds, **self.figures)
            self.found["steps"] |= {k: v for k, v in figures(times, BASE).items() if k not in self.found["steps"]}
            self.part.keep(self.name, self.found)

    def share_of_peak(self, ours: Loop) -> None:
        """Of the peak in bfloat16, and the memory that a step needs beside weights and moments."""
        found, device = self.found, self.part.device
        with self.part.attempt(f"{self.name}: operations"):
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
                before = torch.cuda.memory_allocated(device)
                ours.play(1)
                found["memory of a step, MiB"] = torch.cuda.max_memory_allocated(device) - before >> 20
            found["operations"] = operations(ours.play)
            rate = found["operations"] / (found["steps"]["ours"]["ms"][0] / 1e3)
            found["share of peak"] = round(rate / max(self.part.values["peak"]["bfloat16"].values()), 4)
            self.part.keep(self.name, found)


def grouped(part: Part) -> dict[str, Any]:
    """Milliseconds of a grouped 3 x 3 convolution as R3GAN has it (1,536 channels in groups of 16, 16 x 16), forwards
    and with its first derivatives: ours, torch's, and a dense one of as many channels in groups of 1,536."""
    device = part.device
    channels, batch, side = (32, 2, 8) if part.quick else (1536, 64, 16)
    found: dict[str, Any] = {}
    geometry = Geometry(1, channels // 16)
    ways: dict[str, Callable[..., Tensor]] = {
        "ours": lambda x, w: convolve(x, w, None, geometry),
        "torch": lambda x, w: F.conv2d(x, w, padding=1, groups=geometry.groups),
        "dense": lambda x, w: F.conv2d(x, w, padding=1),
    }
    for kind in (torch.bfloat16, torch.float32):
        for layout in (torch.channels_last, torch.contiguous_format):
            x = torch.randn(batch, channels, side, side, device=device, dtype=kind).to(memory_format=layout)
            for name, way in ways.items():
                inputs = channels if name == "dense" else 16
                w = torch.randn(channels, inputs, 3, 3, device=device, dtype=kind) / (9 * inputs) ** 0.5
                where = f"{name}, {str(kind).removeprefix('torch.')}, {str(layout).removeprefix('torch.')}"
                with part.attempt(f"grouped: {where}"):
                    found[where] = [round(1e3 * t, 4) for t in _forwards_and_back(way, x, w, device)]
    return found


def _forwards_and_back(way: Callable[..., Tensor], x: Tensor, w: Tensor, device: torch.device) -> tuple[float, float]:
    x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
    upstream = torch.randn_like(way(x, w))

    def forwards(steps: int) -> None:
        with torch.no_grad():
            for _ in range(steps):
                way(x, w)

    def both(steps: int) -> None:
        for _ in range(steps):
            torch.autograd.grad(way(x, w), (x, w), upstream)

    for play in (forwards, both):
        play(1)
    return seconds_of(forwards, 8, device), seconds_of(both, 8, device)


if __name__ == "__main__":
    main(measure, __doc__)

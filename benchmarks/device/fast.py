"""How fast is a step? Our engine in several forms beside its authors' order of work, in interleaved rounds."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.device.cases import BASE, CASES, TOYS, Case, agree, apart, play_of, within
from benchmarks.device.part import Part, main
from benchmarks.device.rounds import Play, figures, interleaved, seconds_of
from benchmarks.report import operations
from gansmith.models.layers.convolution import Geometry, convolve
from gansmith.system import hardware

_FIRST = 2  # steps whose losses are compared
QUICK: dict[str, Any] = {"least": 1, "most": 1, "a_round": 0.0}


def measure(part: Part) -> None:
    torch.backends.cudnn.deterministic = True
    peak = {name: peaks(part, name) for name in ("float32", "bfloat16")}
    part.keep("peak", peak)
    cases = TOYS if part.quick else CASES
    for number, (name, build) in enumerate(cases.items()):
        if part.left() < 4:
            part.keep("left out", list(cases)[number:])
            return
        with part.attempt(name):
            part.keep(name, one(part, name, build(part.device), seconds=part.left() / (len(cases) - number + 0.5)))
        gc.collect()
        if part.device.type == "cuda":
            torch.cuda.empty_cache()
    if part.left() > 3:
        with part.attempt("grouped convolutions"):
            part.keep("grouped convolutions", grouped(part))


def peaks(part: Part, precision: Any) -> dict[str, float]:
    return hardware.peak_rate(part.device, precision, seconds=0.05 if part.quick else 0.5)


def one(part: Part, name: str, case: Case, *, seconds: float) -> dict[str, Any]:
    """One case: each loop is built, its first losses compared and its step timed, as long as there is time; then the
    rounds."""
    device, end = part.device, time.monotonic() + seconds
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    plays: dict[str, Play] = {}
    losses: dict[str, list[list[float]]] = {}
    costs: dict[str, float] = {}  # seconds of a step
    ours: Any = None
    for loop_name, build in case.loops.items():
        if len(plays) > 1 and time.monotonic() + 6 * sum(costs.values()) > end - 0.4 * seconds:
            break
        with part.attempt(f"{name}: {loop_name}"):
            loop = build()
            losses[loop_name] = [[float(x) for x in loop.step()] for _ in range(_FIRST)]
            plays[loop_name] = play_of(loop_name, loop)
            plays[loop_name](1)
            costs[loop_name] = seconds_of(plays[loop_name], 1, device)
            if loop_name == "ours":
                ours = loop
                for variant, (_, context) in case.variants.items():
                    plays[variant] = within(loop.play, context)
                    plays[variant](1)
                    costs[variant] = seconds_of(plays[variant], 1, device)
    far = apart(losses)
    found: dict[str, Any] = {"images": case.images, "seconds of the first steps": costs}
    found |= {"losses apart": {key: round(value, 5) for key, value in far.items()}, "losses agree": agree(far)}
    part.keep(name, found)
    while len(plays) > 2 and 3 * sum(costs[key] for key in plays) > max(end - time.monotonic(), 0.3 * seconds):
        plays.pop([key for key in plays if key not in (BASE, "ours")][-1])
    left = max(end - time.monotonic(), 0.0)
    times = interleaved(plays, device, seconds=left, **(QUICK if part.quick else {}))
    found["steps"] = figures(times, BASE)
    if device.type == "cuda":
        found["peak memory, all loops together, MiB"] = torch.cuda.max_memory_allocated(device) >> 20
    part.keep(name, found)
    with part.attempt(f"{name}: operations"):
        found["operations"] = operations(ours.play)
        rate = found["operations"] / (found["steps"]["ours"]["ms"][0] / 1e3)
        found["share of peak"] = round(rate / max(part.values["peak"]["bfloat16"].values()), 4)
    return found


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

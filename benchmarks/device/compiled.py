"""What torch.compile gains: the engine with every network compiled, beside the engine without.

Compiling takes longer than measuring, so each case is played only where time is left for it. A penalty differentiates
the discriminator's gradient, which a compiled network does not allow: such games are left out.
"""

from __future__ import annotations

import gc
import time
from typing import Any

import torch

from benchmarks import cyclegan
from benchmarks.device import cases
from benchmarks.device.fast import FULL, QUICK
from benchmarks.device.part import Part, main
from benchmarks.device.rounds import figures, interleaved
from gansmith.speed.interleave import Ours

_LONG = 12.0  # seconds without which no case is begun


def loop(name: str, device: torch.device, *, quick: bool, compiled: bool) -> Any:
    """Our engine; on a toy nothing is generated, the networks are only traced."""
    if name.startswith("CycleGAN"):
        made: Any = cyclegan.Ours(*((32, 8) if quick else (256, 64)), "bfloat16", device)
        players = made.game.players
    else:
        given: dict[str, Any] = {"batch": 256, "width": 64, "size": 64}
        if quick:
            given = {"batch": 8, "width": 4, "size": 16}
        parts = cases.dcgan_parts(device=str(device), precision="bfloat16", **given)
        made, players = Ours(parts), parts.game.players
    if compiled:
        for player in players.values():
            player.compile(backend="eager" if quick else "inductor")
    return made


def measure(part: Part) -> None:
    names = ("DCGAN, 64 px, batch 256", "CycleGAN, 256 px, batch 1")
    for number, name in enumerate(names):
        if part.left() < (0 if part.quick else _LONG):
            part.keep("left out", names[number:])
            return
        with part.attempt(name):
            part.keep(name, one(part, name))
        gc.collect()


def one(part: Part, name: str) -> dict[str, Any]:
    """The time of the eager step is written down before anything is compiled, which may take longer than there is."""
    figures_of = QUICK if part.quick else FULL
    eager = loop(name, part.device, quick=part.quick, compiled=False)
    losses = [_losses(eager)]
    alone = interleaved({"eager": eager.play}, part.device, seconds=1.0, **figures_of)
    part.keep(name, {"steps": figures(alone, "eager"), "seconds to compile": None, "seconds left": round(part.left())})
    begun = time.perf_counter()
    compiled = loop(name, part.device, quick=part.quick, compiled=True)
    losses.append(_losses(compiled))
    warm = time.perf_counter() - begun
    far = float((losses[1] - losses[0]).abs().max() / losses[0].abs().max())
    found = {**part.values[name], "losses apart": far, "seconds to compile": round(warm, 1)}
    part.keep(name, found)
    plays = {"eager": eager.play, "compiled": compiled.play}
    times = interleaved(plays, part.device, seconds=min(3.0, part.left() / 2), **figures_of)
    return {**found, "steps": figures(times, "eager")}


def _losses(each: Any) -> torch.Tensor:
    return torch.tensor([[float(x) for x in each.step()] for _ in range(2)], dtype=torch.float64)


if __name__ == "__main__":
    main(measure, __doc__)

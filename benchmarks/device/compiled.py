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
from benchmarks.device.fast import QUICK
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
    loops = {
        kind: loop(name, part.device, quick=part.quick, compiled=kind == "compiled") for kind in ("eager", "compiled")
    }
    losses, warm = {}, 0.0
    for kind, each in loops.items():
        begun = time.perf_counter()
        losses[kind] = torch.tensor([[float(x) for x in each.step()] for _ in range(2)], dtype=torch.float64)
        warm = time.perf_counter() - begun
    scale = losses["eager"].abs().max()
    far = float((losses["compiled"] - losses["eager"]).abs().max() / scale)
    part.keep(name, {"losses apart": far, "seconds to compile": round(warm, 1)})
    plays = {kind: each.play for kind, each in loops.items()}
    times = interleaved(plays, part.device, seconds=min(4.0, part.left() / 2), **(QUICK if part.quick else {}))
    return {**part.values[name], "steps": figures(times, "eager")}


if __name__ == "__main__":
    main(measure, __doc__)

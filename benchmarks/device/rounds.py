"""Loops timed in interleaved rounds, so that whatever slows one of them slows them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import torch

from gansmith.system import hardware

Play = Callable[[int], object]


def seconds_of(play: Play, steps: int, device: torch.device) -> float:
    """Of one of `steps` steps, from an idle device to an idle device."""
    hardware.synchronize(device)
    begun = time.perf_counter()
    play(steps)
    hardware.synchronize(device)
    return (time.perf_counter() - begun) / steps


def interleaved(
    plays: Mapping[str, Play],
    device: torch.device,
    *,
    seconds: float,
    a_round: float = 0.15,
    least: int = 3,
    most: int = 25,
) -> dict[str, list[float]]:
    """Seconds of a step of each, in `least` to `most` rounds, until `seconds` are over; another begins in each round.

    A round of a loop is as many of its steps as take about `a_round` seconds. All are warm: each has played before.
    """
    steps = {name: max(1, round(a_round / max(seconds_of(play, 2, device), 1e-6))) for name, play in plays.items()}
    order = list(plays)
    times: dict[str, list[float]] = {name: [] for name in order}
    begun = time.perf_counter()
    while len(times[order[0]]) < least or (time.perf_counter() - begun < seconds and len(times[order[0]]) < most):
        for name in order:
            times[name].append(seconds_of(plays[name], steps[name], device))
        order = [*order[1:], order[0]]
    return times


def figures(times: Mapping[str, Sequence[float]], base: str) -> dict[str, dict[str, Any]]:
    """For each loop: milliseconds of a step (median, least, most, rounds), and by how much it is as fast as `base`:
    the median of the rounds' ratios."""
    return {
        name: {
            "ms": [round(1e3 * value, 4) for value in (median(values), min(values), max(values))],
            "rounds": len(values),
            "times as fast": round(median(a / b for a, b in zip(times[base], values, strict=True)), 3),
        }
        for name, values in times.items()
    }

"""Seeds derived from what they are for, so that no random state ever needs to be saved.

The draw of step 7, turn 1, repeat 0 on rank 3 of a run with seed 0 is seeded by `mix(0, 7, 1, 0, 3)`: a resumed
run, a run with two workers and an uninterrupted run see the same numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_MASK = (1 << 64) - 1


def mix(*parts: int | str) -> int:
    """Integers or words of any size -> one seed in [0, 2**63). Order matters; equal parts give equal seeds.

    Source: the finalizer of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
    """
    state = 0x9E3779B97F4A7C15
    for part in parts:
        word = zlib.crc32(part.encode()) | 1 << 32 if isinstance(part, str) else part
        state = (state + word * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ state >> 27) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state >> 1


def generator(*parts: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A torch generator on `device`, seeded by `mix(*parts)`."""
    import torch

    return torch.Generator(device).manual_seed(mix(*parts))


@contextmanager
def seeded(*parts: int | str) -> Iterator[None]:
    """Torch's global generators seeded by `mix(*parts)` inside, as they were before outside (the CPU's; for building
    networks, whose constructors read the global generator)."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix(*parts))
        yield


def seed_all(seed: int, device: torch.device) -> None:
    """Torch's global generators of the CPU and of `device`, the numbers of `torch.manual_seed(seed)`.

    That function also formats a traceback for every accelerator that is not there, in each call: 0.1 ms and more.
    """
    import torch

    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed_all(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)

"""Where an extractor works: a name -> a device of torch. Every feature is computed in float32, whatever the device."""

from __future__ import annotations

import torch

from gansmith.errors import OptionError


def choose(name: str) -> torch.device:
    """`auto` -> cuda, mps or cpu, whichever is there first. Raises OptionError for a device that is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if device is None or (device.index or 0) >= there.get(device.type, 0):
        have = ", ".join(kind for kind, count in there.items() if count)
        raise OptionError(f"device = {name!r}: there is no such device on this machine. It has: {have}, or say auto")
    return device

"""Where the work is done: a name -> a device of torch."""

from __future__ import annotations

from typing import Literal

import torch

from gansmith.errors import ExperimentError

Precision = Literal["auto", "float32", "bfloat16"]  # of the arithmetic on a device


def choose_device(name: str) -> torch.device:
    """`auto` -> cuda, mps or cpu, whichever is there first. Raises ExperimentError for a device that is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ExperimentError(f"there is no device called {name!r}. Allowed: auto, cpu, cuda, cuda:N, mps") from None
    if device.type not in ("cpu", "cuda", "mps"):
        raise ExperimentError(f"there is no device called {name!r}. Allowed: auto, cpu, cuda, cuda:N, mps")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ExperimentError(
            f"device {name}: this machine offers {torch.cuda.device_count()} CUDA devices. Use --device auto or cpu"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ExperimentError("device mps: this machine has none. Use --device auto or cpu")
    return device

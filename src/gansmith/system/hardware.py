"""What a speed was measured on: the processor's name, its cores, versions, memory, and the best rate it reaches."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor

from gansmith import __version__
from gansmith.system.device import Precision


def facts(device: torch.device | None = None) -> dict[str, Any]:
    """Names and numbers without which a measured rate says nothing."""
    device = device or torch.device("cpu")
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "gansmith": __version__,
    }


def processor() -> str:
    """The processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def resident(device: torch.device) -> int:
    """Memory of this process in bytes: the accelerator's where there is one, else the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def peak_resident(device: torch.device) -> int:
    """Peak memory of this process in bytes; its present memory where the system does not record the peak."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:
        return resident(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def peak_rate(device: torch.device, precision: Precision, *, seconds: float = 1.0) -> dict[str, float]:
    """Floating-point operations per second of {"matmul", "convolution"} at their best within about `seconds`.

    A product of square matrices, and the convolution of DCGAN's second layer in channels_last. A multiplication and
    an addition count as two operations, as in torch's own counter.
    """
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    side, batch = (8192, 512) if device.type == "cuda" else (1024, 32)
    left, right = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    image = torch.randn(batch, 64, 32, 32, device=device, dtype=kind).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(128, 64, 4, 4, device=device, dtype=kind).contiguous(memory_format=torch.channels_last)
    work: dict[str, tuple[Callable[[], Tensor], float]] = {
        "matmul": (lambda: left @ right, 2.0 * side**3),
        "convolution": (
            lambda: torch.nn.functional.conv2d(image, weight, stride=2, padding=1),
            2.0 * batch * 128 * 16 * 16 * 64 * 16,
        ),
    }
    with torch.no_grad():
        return {
            name: operations / best_time(function, device, seconds / 2) for name, (function, operations) in work.items()
        }


def best_time(function: Callable[[], object], device: torch.device, seconds: float) -> float:
    """The shortest of the times that `function` took, called (after a warm-up) for about `seconds`, at least twice."""
    function()
    times: list[float] = []
    while len(times) < 2 or sum(times) < seconds:
        synchronize(device)
        begun = time.perf_counter()
        function()
        synchronize(device)
        times.append(time.perf_counter() - begun)
    return min(times)

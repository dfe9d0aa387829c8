"""Mixed precision and memory layout.

bfloat16 is autocast round the network passes; weights, optimizer state, scores and losses stay float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import nn

from gansmith.system.device import Precision

MemoryFormat = Literal["channels_last", "contiguous"]


def choose_precision(device: torch.device) -> Precision:
    """bfloat16 on CUDA, which every current card computes natively; float32 elsewhere."""
    return "bfloat16" if device.type == "cuda" else "float32"


def native_bfloat16(device: torch.device) -> bool:
    """Does the device compute bfloat16 itself? A processor without the instructions emulates it, many times slower."""
    if device.type == "cpu":
        known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # since torch 2.6
        return known is not None and bool(known())
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def warnings(device: torch.device, precision: Precision) -> list[str]:
    """Warnings about a number format that the device only emulates."""
    if device.type != "cpu" or precision != "bfloat16" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return []
    return ["this processor has no bfloat16 instructions: float32 is many times faster (--precision float32)"]


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Autocast to bfloat16, or nothing for float32."""
    if (choose_precision(device) if precision == "auto" else precision) == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def choose_memory_format(players: Mapping[str, nn.Module], device: torch.device | None = None) -> MemoryFormat:
    """The layout that measured faster: channels_last, but contiguous for networks with instance normalisation, which
    reads one channel at a time and on a CPU at batch 1 has wrong gradients in channels_last. On MPS batch normalisation
    has (pytorch issue 175189), so networks with it are contiguous there."""
    kinds: tuple[type[nn.Module], ...] = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
    if device is not None and device.type == "mps":
        kinds += (nn.modules.batchnorm._BatchNorm,)
    contiguous = any(isinstance(module, kinds) for player in players.values() for module in player.modules())
    return "contiguous" if contiguous else "channels_last"


def torch_format(memory_format: MemoryFormat) -> torch.memory_format:
    return torch.channels_last if memory_format == "channels_last" else torch.contiguous_format

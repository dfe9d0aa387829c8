"""Out-of-memory errors that name the setting to reduce, and the memory that is free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gansmith.adversarial import Batch
from gansmith.errors import OutOfMemoryError
from gansmith.system.memory import available, total

_SIGNS = ("can't allocate memory", "out of memory", "not enough memory", "DefaultCPUAllocator", "DefaultAllocator")


@contextmanager
def explain_out_of_memory(batch: Batch, images: int = 0) -> Iterator[None]:
    """Raises OutOfMemoryError for an allocation that fails inside. images: of the batch over all processes, where that
    is not the batch that is here."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and not any(s in str(error) for s in _SIGNS):
            raise
        size = images or max(len(sample.image) for sample in batch.values())
        raise OutOfMemoryError(
            f"out of memory at batch {size}. Halve it (--batch {max(1, size // 2)}), or keep the batch and play it in "
            f"parts (--set accumulate=2), or take smaller images (--size). Saved checkpoints are untouched. "
            f"({str(error).splitlines()[0] if str(error) else 'no more memory'})"
        ) from error


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on `device`."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return available()


def total_memory(device: torch.device) -> int:
    """Bytes of memory that `device` has in all."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    return total()

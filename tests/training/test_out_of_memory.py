"""Allocations that fail, in words."""

from __future__ import annotations

import psutil
import pytest
import torch

from gansmith.adversarial import Sample
from gansmith.errors import OutOfMemoryError, TrainingError
from gansmith.training.out_of_memory import explain_out_of_memory, free_memory


def batch(size: int) -> dict[str, Sample]:
    return {"a": Sample(torch.zeros(size, 1, 1, 1)), "b": Sample(torch.zeros(1, 1, 1, 1))}


def test_a_real_allocation_that_fails() -> None:
    with pytest.raises(OutOfMemoryError) as raised, explain_out_of_memory(batch(64)):
        torch.empty(1 << 50)
    text = str(raised.value)
    for fact in ("batch 64", "--batch 32", "--set accumulate=2", "--size", "untouched"):
        assert fact in text
    assert "allocate" in text
    assert "\n" not in text
    assert isinstance(raised.value, TrainingError)
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_the_batch_is_that_of_all_processes() -> None:
    with pytest.raises(OutOfMemoryError, match=r"batch 64.*--batch 32"), explain_out_of_memory(batch(16), 64):
        raise MemoryError


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB\nmore"), "(CUDA out of memory. Tried 2 GiB)"),
        (MemoryError(), "(no more memory)"),
        (RuntimeError("MPS backend out of memory"), "(MPS backend out of memory)"),
    ],
)
def test_every_kind_of_allocation(error: Exception, reason: str) -> None:
    with pytest.raises(OutOfMemoryError) as raised, explain_out_of_memory(batch(1)):
        raise error
    assert "Halve it (--batch 1)" in str(raised.value)
    assert str(raised.value).endswith(reason)


def test_other_errors_pass_as_they_are() -> None:
    error = RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError) as raised, explain_out_of_memory(batch(4)):
        raise error
    assert raised.value is error
    with explain_out_of_memory(batch(4)):
        done = True
    assert done


def test_available_memory_is_the_machines() -> None:
    free = free_memory(torch.device("cpu"))
    assert 0 < free <= psutil.virtual_memory().total

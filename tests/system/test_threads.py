"""Threads for calls by their number of operations."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from gansmith.system.threads import SMALL, operations, threads_for


@pytest.mark.parametrize(("amount", "inside"), [(0, 1), (SMALL - 1, 1), (SMALL, 3), (1e15, 3)])
def test_small_calls_have_one_thread(amount: float, inside: int) -> None:
    def fail() -> None:
        with threads_for(amount):
            assert torch.get_num_threads() == inside
            raise KeyError

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with pytest.raises(KeyError):
            fail()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_operations_of_a_convolution() -> None:
    """Two for each weight, image and place: 2 x (4 x 3 x 3 x 3) x 5 x (6 x 6)."""
    net = nn.Conv2d(3, 4, 3)
    assert operations(lambda: net(torch.zeros(5, 3, 8, 8))) == 2 * 108 * 5 * 36


def test_counting_loads_no_compiler() -> None:
    """It takes a second of a processor, and stood before the first image of every command."""
    lines = [
        "import sys, torch",
        "from gansmith.system.threads import operations",
        "assert operations(lambda: torch.ones(2, 3) @ torch.ones(3, 4)) == 48",
        "assert 'torch._dynamo' not in sys.modules",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)

"""Threads of the processor for calls that are too small to be shared: with several each layer ends in a wait for the
slowest, which beside another program's work lasts longer than the layer itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from gansmith.system.operations import Operations

SMALL = 2e10  # floating-point operations: some two tenths of a second of one core


def operations(call: Callable[[], object]) -> int:
    """Floating-point operations of the matrix products and convolutions of a call, which runs once, without gradients,
    by one thread.

    >>> operations(lambda: torch.ones(2, 3) @ torch.ones(3, 4))  # a product and a sum for each of 24
    48
    """
    with threads_for(0), torch.no_grad(), Operations() as counter:
        call()
    return int(counter.total)


@contextmanager
def threads_for(amount: float) -> Iterator[None]:
    """Inside, one thread where each call is of less than `SMALL` floating-point operations, else as many as before.

    Decided by the amount, never by a measurement of time: sums are rounded alike in each run.
    """
    before = torch.get_num_threads()
    if amount < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class CallThreads:
    """Threads of calls of several kinds on a device; those of a kind, whose operations are counted once, are alike."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._counted = device, dict[Hashable, int]()

    def of(self, kind: Hashable, call: Callable[[], object], times: int = 1) -> AbstractContextManager[None]:
        """`threads_for` calls that do `times` what `call` does; where they are not the processor's, as many as before.

        >>> with CallThreads(torch.device("cpu")).of("sum", lambda: torch.ones(2).sum()):
        ...     torch.get_num_threads()
        1
        """
        if self._device.type != "cpu":
            return nullcontext()
        if kind not in self._counted:
            self._counted[kind] = operations(call)
        return threads_for(times * self._counted[kind])

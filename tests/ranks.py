"""The command line in several processes that train together, as torchrun would start them, each of them forked with
torch loaded (`forked.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from forked import Forked, fork
from gansmith.system.launcher import free_port

WITHIN = 30.0  # seconds from one's end to the others': ten on a quiet machine, and less than a heartbeat's silence


@contextmanager
def ranks(world: int, *arguments: Any, before: str = "") -> Iterator[list[Forked]]:
    """The processes, in order; killed at the end of the block."""
    port = free_port()
    with ExitStack() as stack:
        processes = []
        for rank in range(world):
            place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
            words = {name: str(value) for name, value in place.items()}
            words |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
            setting = f"import os; os.environ.update({words!r})\n"
            processes.append(stack.enter_context(fork(*arguments, before=setting + before)))
        yield processes

"""Work off the event loop: images of one model one after the other, the newest request of a client first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request

T = TypeVar("T")
THREADS = 4


class Work:
    """The threads of a server, and what waits for them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page")

    async def render(self, request: Request, model: str, work: Callable[[], T]) -> T:
        """`work()` in a thread, one at a time for each `model` (the name of its run)."""
        return await self.read(work)

    async def read(self, work: Callable[[], T]) -> T:
        """`work()` in a thread, at once: reading files, decoding, all that uses no model."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Drop what waits, and wait for nothing."""
        self._threads.shutdown(wait=False, cancel_futures=True)

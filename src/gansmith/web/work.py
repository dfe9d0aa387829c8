"""Work off the event loop: images of one model one after the other, the newest request of each client first.

A slider asks faster than a network answers. What waits is dropped where its client went away (an aborted request), or
sent another request of the same channel (the headers Gansmith-Client and Gansmith-Channel); clients take turns. All of
this is done on the event loop, so it needs no lock; threads only compute.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request

from gansmith.web.errors import BusyError, StaleError

T = TypeVar("T")
RENDERING, READING, SLOW = 2, 4, 2  # threads
MOST_OF_CLIENT, MOST_OF_ALL = 64, 512  # requests that wait for one model
_PATIENCE = 10.0  # seconds that an inversion waits for the one before it to end
Ended = Callable[[], bool]  # is nobody waiting any more?


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    channel: str | None
    answer: asyncio.Future[Any]


@dataclass
class _Line:
    """What waits for one model: by client, the newest last; and whose turn it is."""

    waiting: dict[str, list[_Job]] = field(default_factory=dict)
    turns: deque[str] = field(default_factory=deque)

    def add(self, client: str, job: _Job) -> None:
        if sum(map(len, self.waiting.values())) >= MOST_OF_ALL:
            raise BusyError("too many requests wait for this model: try again")
        jobs = self.waiting.setdefault(client, [])
        stale = [one for one in jobs if job.channel is not None and one.channel == job.channel]
        stale += [] if len(jobs) - len(stale) < MOST_OF_CLIENT else jobs[:1]
        for one in stale:
            jobs.remove(one)
            if not one.answer.done():
                one.answer.set_exception(StaleError("a newer request took the place of this one"))
        jobs.append(job)
        if client not in self.turns:
            self.turns.append(client)

    def next(self) -> _Job | None:
        """The newest of the client whose turn it is, that somebody still waits for."""
        while self.turns:
            client = self.turns.popleft()
            jobs = self.waiting.pop(client)
            while jobs and (job := jobs.pop()).answer.done():
                pass
            if jobs:
                self.waiting[client] = jobs
                self.turns.append(client)
            if not job.answer.done():
                return job
        return None


class Work:
    """The threads of a server, and what waits for them."""

    def __init__(self) -> None:
        self._rendering = ThreadPoolExecutor(RENDERING, thread_name_prefix="render")
        self._reading = ThreadPoolExecutor(READING, thread_name_prefix="read")
        self._searching = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._slow = ThreadPoolExecutor(SLOW, thread_name_prefix="slow")
        self._lines: dict[str, _Line] = {}
        self._pumps: set[asyncio.Task[None]] = set()
        self._search = asyncio.Lock()
        self._busy = 0
        self._count = threading.Lock()
        self.closing = threading.Event()

    async def render(self, request: Request, model: str, work: Callable[[], T]) -> T:
        """`work()` in a thread, one at a time for each `model` (the name of its run), the newest of a client first.

        Raises StaleError where a newer request took its place or its client went away, BusyError where too many wait.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, request.headers.get("gansmith-channel"), loop.create_future())
        line = self._lines.get(model)
        if line is None:
            line = self._lines[model] = _Line()
            line.add(_client(request), job)
            pump = loop.create_task(self._pump(model, line))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)
        else:
            line.add(_client(request), job)
        gone = loop.create_task(_gone(request))
        try:
            await asyncio.wait({job.answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not job.answer.done():
                raise StaleError("the client went away")
            answer: T = job.answer.result()
            return answer
        finally:
            gone.cancel()
            job.answer.cancel()

    async def read(self, work: Callable[[], T]) -> T:
        """`work()` in a thread, at once: reading files, decoding, all that computes no image."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._counted(work))

    async def slowly(self, work: Callable[[], T]) -> T:
        """`work()` in one of two threads of their own: what takes seconds to minutes, such as a map."""
        return await asyncio.get_running_loop().run_in_executor(self._slow, self._counted(work))

    async def search(self, work: Callable[[Ended], T], ended: Ended) -> T:
        """`work(ended)` in a thread of its own: what takes up to minutes, one at a time. Raises BusyError where the one
        before it does not end. The work asks `ended()`, which is also true when the server ends."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._search.acquire()
        except TimeoutError:
            raise BusyError("another photograph is being searched for: wait for it, or stop it") from None
        try:
            counted = self._counted(lambda: work(lambda: ended() or self.closing.is_set()))
            running = asyncio.get_running_loop().run_in_executor(self._searching, counted)
            running.add_done_callback(heard)
            return await asyncio.shield(running)
        finally:
            self._search.release()

    @property
    def busy(self) -> bool:
        """Does a thread compute at this moment?"""
        return self._busy > 0

    def close(self) -> None:
        """Drop what waits, ask what runs to end, and wait for nothing."""
        self.closing.set()
        for pool in (self._rendering, self._reading, self._searching, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _pump(self, model: str, line: _Line) -> None:
        loop = asyncio.get_running_loop()
        while (job := line.next()) is not None:
            try:
                answer = await loop.run_in_executor(self._rendering, self._counted(job.work))
            except Exception as error:
                if not job.answer.done():
                    job.answer.set_exception(error)
            else:
                if not job.answer.done():
                    job.answer.set_result(answer)
        del self._lines[model]

    def _counted(self, work: Callable[[], T]) -> Callable[[], T]:
        def counted() -> T:
            with self._count:
                self._busy += 1
            try:
                return work()
            finally:
                with self._count:
                    self._busy -= 1

        return counted


def _client(request: Request) -> str:
    """Who asks: the tab that says its name, or the connection."""
    peer = "" if request.client is None else f"{request.client.host} {request.client.port}"
    return request.headers.get("gansmith-client", peer)[:100]


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    with suppress(RuntimeError):
        while (await request.receive())["type"] != "http.disconnect":
            pass


def heard(future: asyncio.Future[Any]) -> None:
    """The error of a future that nobody may be waiting for, taken note of, so that asyncio does not report it."""
    if not future.cancelled():
        future.exception()

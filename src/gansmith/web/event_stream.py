"""Server-sent events of one long work: what it says on its way, then what it ends with."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.requests import Request

from gansmith.errors import GansmithError
from gansmith.web.errors import HIDDEN
from gansmith.web.work import Ended, heard

EVENTS = "text/event-stream"
Tell = Callable[[dict[str, Any]], None]
Start = Callable[[Tell, Ended], Awaitable[dict[str, Any]]]  # begins the work, whose thread may call both


async def answer_of(request: Request, start: Start, *, event: str) -> Response:
    """What the work ends with, as JSON; with `Accept: text/event-stream` an `event` for whatever it tells, then `done`
    or `error`. The work's second argument is true once the client has gone."""
    left = threading.Event()
    if EVENTS in request.headers.get("accept", ""):
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(_events(start, left, event), media_type=EVENTS, headers=headers)
    watch = asyncio.create_task(_left(request, left))
    try:
        return JSONResponse(await start(lambda said: None, left.is_set))
    finally:
        watch.cancel()


async def _left(request: Request, left: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    left.set()


async def _events(start: Start, left: threading.Event, event: str) -> AsyncIterator[str]:
    loop, said = asyncio.get_running_loop(), asyncio.Queue[dict[str, Any]]()

    def tell(one: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(said.put_nowait, one)

    work = asyncio.ensure_future(start(tell, left.is_set))
    work.add_done_callback(heard)
    waiting: asyncio.Future[dict[str, Any]] = asyncio.ensure_future(said.get())
    try:
        while True:
            await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                break
            yield _written(event, waiting.result())
            waiting = asyncio.ensure_future(said.get())
        yield _written("done", work.result())
    except GansmithError as error:
        yield _written("error", {"error": str(error)})
    except Exception:
        yield _written("error", {"error": HIDDEN})  # and a traceback in the terminal
        raise
    finally:
        left.set()
        waiting.cancel()


def _written(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"

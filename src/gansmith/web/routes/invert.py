"""A photograph -> the latent whose image is nearest to it, kept in the run; with a live preview where asked for."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.requests import Request

from gansmith.errors import GansmithError
from gansmith.web.page import page_of
from gansmith.web.photograph import Preview, Search, photograph
from gansmith.web.uploads import decoded, image_body
from gansmith.web.work import Ended, heard

router = APIRouter()
EVENTS = "text/event-stream"


@router.post("/api/runs/{run}/invert", response_model=None)
async def invert(
    request: Request,
    run: str,
    *,
    method: Literal["adam", "lbfgs", "cmaes"] = "adam",
    restarts: Annotated[int, Query(ge=1, le=32)] = 8,
    steps: Annotated[int, Query(ge=1, le=2000)] = 200,
    label: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """`gansmith invert RUN IMAGE --out RUN/latents/ID.safetensors`; the body is the image file.

    With `Accept: text/event-stream` events `preview` {image, step, of, distance}, the image a PNG in base64, then
    `done` with the answer, or `error`. It ends when the client goes away.
    """
    page = page_of(request)
    page.require_writable("keep photographs in a run")
    opened = await page.work.read(lambda: page.runs.run_of(run))
    data = await image_body(request)
    pixels = await page.work.read(lambda: decoded(data))
    renderer = await page.work.read(lambda: page.models.renderer(opened))
    how = Search(method, restarts, steps, label)

    def work(ended: Ended, preview: Preview) -> dict[str, Any]:
        return photograph(opened, renderer, data, pixels, how=how, ended=ended, preview=preview)

    left = threading.Event()
    if EVENTS in request.headers.get("accept", ""):
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(_events(request, work, left), media_type=EVENTS, headers=headers)
    watch = asyncio.create_task(_left(request, left))
    try:
        return JSONResponse(await page.work.search(lambda ended: work(ended, lambda said: None), left.is_set))
    finally:
        watch.cancel()


async def _left(request: Request, left: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    left.set()


async def _events(request: Request, work: Any, left: threading.Event) -> AsyncIterator[str]:
    """Previews as they come, then the answer."""
    loop, said = asyncio.get_running_loop(), asyncio.Queue[dict[str, Any]]()

    def preview(one: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(said.put_nowait, one)

    search = asyncio.ensure_future(page_of(request).work.search(lambda ended: work(ended, preview), left.is_set))
    search.add_done_callback(heard)
    waiting: asyncio.Future[dict[str, Any]] = asyncio.ensure_future(said.get())
    try:
        while True:
            await asyncio.wait({search, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                break
            yield _event("preview", waiting.result())
            waiting = asyncio.ensure_future(said.get())
        yield _event("done", search.result())
    except GansmithError as error:
        yield _event("error", {"error": str(error)})
    finally:
        left.set()
        waiting.cancel()


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"

"""A photograph -> the latent whose image is nearest to it, kept in the run; with a live preview where asked for."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from starlette.requests import Request

from gansmith.system.text import printable
from gansmith.web.errors import NotFoundError
from gansmith.web.event_stream import answer_of
from gansmith.web.latent_store import latent_path, photograph_path
from gansmith.web.page import page_of
from gansmith.web.photograph import Preview, Search, photograph
from gansmith.web.uploads import decoded, image_body
from gansmith.web.work import Ended

router = APIRouter()


@router.post("/api/runs/{run}/invert", response_model=None)
async def invert(
    request: Request,
    run: str,
    *,
    method: Literal["adam", "lbfgs", "cmaes"] = "adam",
    restarts: Annotated[int, Query(ge=1, le=32)] = 8,
    steps: Annotated[int, Query(ge=1, le=2000)] = 200,
    label: Annotated[str | None, Query(max_length=1000)] = None,
    name: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """`gansmith invert RUN IMAGE --out RUN/latents/ID.safetensors`; the body is the image file, called `name`.

    With `Accept: text/event-stream` events `preview` {image, step, of, distance}, the image a PNG in base64, then
    `done` with the answer, or `error`. It ends when the client goes away.
    """
    page = page_of(request)
    page.require_writable("keep photographs in a run")
    opened = await page.work.read(lambda: page.runs.run_of(run))
    data = await image_body(request)
    file = printable(name) if name else None
    pixels = await page.work.read(lambda: decoded(data, file or "the image"))
    renderer = await page.work.read(lambda: page.models.renderer(opened))
    how = Search(method, restarts, steps, label)

    def work(ended: Ended, preview: Preview) -> dict[str, Any]:
        return photograph(opened, renderer, data, pixels, how=how, ended=ended, preview=preview, file=file)

    def start(preview: Preview, left: Ended) -> Awaitable[dict[str, Any]]:
        return page.work.search(lambda ended: work(ended, preview), left)

    return await answer_of(request, start, event="preview")


@router.get("/api/runs/{run}/latents/{name}/photograph", response_class=Response)
async def searched_for(request: Request, run: str, name: str) -> Response:
    """The photograph that a latent was searched for, at the generator's size: a PNG."""
    page = page_of(request)

    def read() -> bytes:
        file = photograph_path(latent_path(page.runs.run_of(run).path, name))
        if not file.is_file():
            raise NotFoundError(f"of the latent {name} no photograph is kept")
        return file.read_bytes()

    return Response(await page.work.read(read), media_type="image/png", headers={"Cache-Control": "private, no-cache"})

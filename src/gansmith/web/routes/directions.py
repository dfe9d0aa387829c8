"""Directions of a run: found as `gansmith directions RUN --method pca` does, with progress; and their names."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from starlette.requests import Request

from gansmith.errors import GansmithError
from gansmith.runs.run_directions import find_directions, rename_directions
from gansmith.system.progress import watched_bars
from gansmith.web.asked import Asked
from gansmith.web.errors import BusyError
from gansmith.web.event_stream import Tell, answer_of
from gansmith.web.page import page_of
from gansmith.web.run_facts import facts
from gansmith.web.work import Ended

router = APIRouter()
_alone = asyncio.Lock()
_SHARES = {"directions": (0.1, 0.4), "samples": (0.4, 0.6), "ranking": (0.6, 1.0)}  # of the whole, by the bars
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Directions(Asked):
    """How they are made: those without labels, which need no data."""

    method: Literal["pca", "svd"] = "pca"


class Names(Asked):
    """{name or number: new name}."""

    names: Annotated[dict[Name, Name], Field(min_length=1, max_length=200)]


@router.post("/api/runs/{run}/directions", response_model=None)
async def directions(request: Request, run: str, asked: Directions) -> Response:
    """`gansmith directions RUN --method pca|svd`; answers {"directions": [...]}.

    With `Accept: text/event-stream` events `progress` {share, left} on the way, share from 0 to 1, left in seconds or
    null, then `done`. It ends when the client goes away.
    """
    page = page_of(request)
    page.require_writable("make directions")
    opened = await page.work.read(lambda: page.runs.run_of(run))

    def work(tell: Tell, ended: Ended) -> dict[str, Any]:
        watch = _Progress(tell, ended)
        with watched_bars(watch):
            find_directions(opened, page.models.renderer(opened), asked.method)
        return {"directions": facts(run, opened.path)["directions"]}

    async def start(tell: Tell, left: Ended) -> dict[str, Any]:
        if _alone.locked():
            raise BusyError("directions are being made already: wait for them")
        async with _alone:
            return await page.work.slowly(lambda: work(tell, lambda: left() or page.work.closing.is_set()))

    return await answer_of(request, start, event="progress")


@router.post("/api/runs/{run}/directions/names")
async def names(request: Request, run: str, asked: Names) -> dict[str, Any]:
    """`gansmith directions RUN --name 3=smile`; answers {"directions": [...]}."""
    page = page_of(request)
    page.require_writable("name directions")

    def rename() -> dict[str, Any]:
        opened = page.runs.run_of(run)
        rename_directions(opened, asked.names)
        return {"directions": facts(run, opened.path)["directions"]}

    return await page.work.read(rename)


class _Progress:
    """Tells how far the work is, a few times a second, and ends it where nobody waits."""

    def __init__(self, tell: Tell, ended: Ended) -> None:
        self._tell, self._ended = tell, ended
        self._begun = self._told = time.monotonic()
        tell({"share": 0.0, "left": None})

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._ended():
            raise GansmithError("the search for directions was ended: nobody waits for it")
        first, last = _SHARES.get(what, (0.0, 0.0))
        share, now = first + (last - first) * done / max(1, total), time.monotonic()
        if share > 0 and now - self._told >= 0.2:
            self._told = now
            self._tell({"share": share, "left": (now - self._begun) * (1 - share) / share})

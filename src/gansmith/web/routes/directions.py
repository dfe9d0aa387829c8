"""Directions of a run that has none: `gansmith directions` in a process of its own, one at a time."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request

from gansmith.errors import GansmithError
from gansmith.web.asked import Asked
from gansmith.web.errors import BusyError
from gansmith.web.page import page_of
from gansmith.web.run_facts import facts

router = APIRouter()
_alone = asyncio.Lock()


class Directions(Asked):
    """How they are made: those without labels, which need no data."""

    method: Literal["pca", "svd"] = "pca"


@router.post("/api/runs/{run}/directions")
async def directions(request: Request, run: str, asked: Directions) -> dict[str, Any]:
    """`gansmith directions RUN --method pca|svd`; answers the directions of the run."""
    page = page_of(request)
    page.require_writable("make directions")
    path = await page.work.read(lambda: page.runs.path_of(run))
    if _alone.locked():
        raise BusyError("directions are being made already: wait for them")
    async with _alone:
        words = [sys.executable, "-m", "gansmith", "directions", str(path.absolute()), "--method", asked.method]
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            said = (await process.communicate())[1].decode(errors="replace").strip().splitlines()
        finally:
            if process.returncode is None:
                process.terminate()
    if process.returncode:
        raise GansmithError((said or ["gansmith directions failed"])[-1].removeprefix("error: "))
    known = await page.work.read(lambda: facts(run, path))
    return {"directions": known["directions"]}

"""One image of a run, the bytes of the command line's file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from starlette.requests import Request

from gansmith.web.asked import Point
from gansmith.web.page import page_of
from gansmith.web.pictures import png_response, sampled

router = APIRouter()


@router.get("/api/runs/{run}/image", response_class=Response)
async def image(
    request: Request,
    run: str,
    seed: Annotated[str, Query(pattern="^[0-9]{1,300}$")],
    truncation: float | None = None,
    label: str | None = None,
) -> Response:
    """`gansmith sample RUN --seeds N --out folder/ --scale 1`, with --truncation and --label where they are given."""
    page = page_of(request)

    def render() -> Response:
        opened = page.runs.run_of(run)
        renderer = page.models.renderer(opened)
        return png_response(
            sampled(opened, renderer, Point(int(seed), str(int(seed))), truncation=truncation, label=label)
        )

    return await page.work.render(request, run, render)

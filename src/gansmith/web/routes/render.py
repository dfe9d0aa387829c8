"""One image of a seed or of a latent that is kept in the run."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from gansmith.web.asked import Asked, L, Label, Truncation, point
from gansmith.web.page import page_of
from gansmith.web.pictures import png_response, sampled

router = APIRouter()


class Render(Asked):
    """What is rendered, and how."""

    of: L
    truncation: Truncation | None = None
    label: Label | None = None


@router.post("/api/runs/{run}/render", response_class=Response)
async def render(request: Request, run: str, asked: Render) -> Response:
    """`gansmith sample RUN --seeds SEED|LATENT --out samples/ --scale 1`."""
    page = page_of(request)

    def work() -> Response:
        opened = page.runs.run_of(run)
        one = point(opened.path, asked.of)
        renderer = page.models.renderer(opened)
        return png_response(sampled(opened, renderer, one, truncation=asked.truncation, label=asked.label))

    return await page.work.render(request, run, work)

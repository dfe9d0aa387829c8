"""The training image nearest to a sample, and the audit's word: is it a copy?"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from gansmith.records.images import to_uint8
from gansmith.runs.stars import LARGEST_SEED
from gansmith.web.asked_images import AskedImages, asked_images
from gansmith.web.page import page_of
from gansmith.web.pictures import command_line
from gansmith.web.shared import shared_of
from gansmith.web.training_pictures import Side, nearest_of, picture

router = APIRouter()


class Asked(BaseModel):
    """An image, and how it is made."""

    model_config = ConfigDict(extra="forbid")

    of: dict[str, Any]
    truncation: float | None = None
    label: str | None = Field(default=None, max_length=200)


@router.get("/api/runs/{run}/nearest")
async def nearest_to_seed(
    request: Request,
    run: str,
    seed: int = Query(ge=0, le=LARGEST_SEED),
    truncation: float | None = None,
    label: str | None = None,
) -> dict[str, Any]:
    """{distance, limit, verdict, copy, chance, name, image: path, audit, command} of a seed's image."""
    return await _nearest(request, run, Asked(of={"seed": seed}, truncation=truncation, label=label))


@router.post("/api/runs/{run}/nearest")
async def nearest(request: Request, run: str, asked: Asked) -> dict[str, Any]:
    """The same of any image."""
    return await _nearest(request, run, asked)


@router.get("/api/runs/{run}/real/{side}/{number}", response_class=Response)
async def real(request: Request, run: str, side: Side, number: int) -> Response:
    """A training image, or one held out, as the networks saw it."""
    page, kept = page_of(request), shared_of(request).kept
    data = await page.work.read(lambda: picture(kept, page.runs.run_of(run), page.settings, side, number))
    return Response(data, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


async def _nearest(request: Request, run: str, asked: Asked) -> dict[str, Any]:
    page, kept = page_of(request), shared_of(request).kept

    def draw() -> tuple[AskedImages, Any]:
        opened = page.runs.run_of(run)
        images = asked_images(opened.path, [asked.of], most=1)
        series = page.models.renderer(opened).images(images.seeds, label=asked.label, truncation=asked.truncation)
        return images, to_uint8(series.images)

    def compute() -> dict[str, Any]:
        opened = page.runs.run_of(run)
        found = nearest_of(kept, opened, page.settings, drawn)
        options = [] if asked.label is None else ["--label", asked.label]
        options += [] if asked.truncation is None else ["--truncation", repr(asked.truncation)]
        command = command_line("nearest", opened.path, images.words, *options)
        return {**found, "image": f"/api/runs/{quote(run, safe='')}/real/train/{found['index']}", "command": command}

    images, drawn = await page.work.render(request, run, draw)
    return await page.work.slowly(compute)

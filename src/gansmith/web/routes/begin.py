"""The offered folder, before a training: its check, a forecast, and a picture of what to expect."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.requests import Request

from gansmith.web import offered
from gansmith.web.errors import NotFoundError
from gansmith.web.page import Page, page_of
from gansmith.web.routes.jobs import Time
from gansmith.web.shared import shared_of

router = APIRouter()


@router.get("/api/begin")
async def begin(request: Request) -> dict[str, Any]:
    """{"offered": {name, count, lines, warnings, failure} or null, "name"}: the check of the folder, and a free name
    for its run."""
    page, kept = page_of(request), shared_of(request).kept

    def check() -> dict[str, Any]:
        images = page.settings.images
        if images is None:
            return {"offered": None}
        found = kept.of(("check", str(images)), lambda: offered.checked(images))
        return {"offered": found, "name": _free_name(page)}

    return await page.work.slowly(check)


@router.get("/api/begin/forecast")
async def forecast(request: Request, time: Time = "15m") -> dict[str, Any]:
    """{lines, expect, words, failure} of a training of that time. Takes some seconds at the first call."""
    page, kept = page_of(request), shared_of(request).kept

    def compute() -> dict[str, Any]:
        images = page.settings.images
        if images is None:
            raise NotFoundError("no images are offered: gansmith explore --images FOLDER offers some")
        out = page.settings.opened / _free_name(page)
        found = kept.of(("forecast", str(images), time), lambda: offered.forecast(images, time, out))
        entry = found["entry"]
        said = {key: value for key, value in found.items() if key != "entry"}
        return {**said, "expect": None if entry is None else f"/api/begin/expect/{entry}"}

    return await page.work.slowly(compute)


@router.get("/api/begin/expect/{name}", response_class=FileResponse)
async def expect(request: Request, name: str) -> FileResponse:
    """A picture of the gallery: samples that the recipe made of other images."""
    picture = offered.gallery_picture(name)
    if picture is None:
        raise NotFoundError(f"the gallery has no picture {name[:80]!r}")
    return FileResponse(picture, media_type="image/jpeg")


def _free_name(page: Page) -> str:
    """A name for a run of the offered images that nobody has."""
    images = page.settings.images
    letters = "" if images is None else "".join(sign for sign in images.stem if sign.isascii() and sign.isalnum())
    stem, number = letters[:50] or "run", 1
    while (page.settings.opened / (name := stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return name

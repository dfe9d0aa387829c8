"""The offered folder, before a training: its check, a forecast, and a picture of what to expect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from starlette.requests import Request

from gansmith.system.text import printable
from gansmith.web import offered
from gansmith.web.errors import NotFoundError
from gansmith.web.page import Page, page_of
from gansmith.web.pictures import command_line
from gansmith.web.routes.jobs import Time
from gansmith.web.shared import shared_of

router = APIRouter()


@router.get("/api/begin")
async def begin(request: Request, time: Time | None = None, *, skip_unreadable: bool = False) -> dict[str, Any]:
    """{"offered": {folder, name, check, forecast, expect, command} or null}: what is in the folder, what a training of
    that time would take, and samples that came of similar images. name: free, for the run. skip_unreadable: images that
    cannot be decoded are left out, instead of stopping the training. Takes seconds at first."""
    page, kept = page_of(request), shared_of(request).kept

    def look() -> dict[str, Any]:
        images = page.settings.images
        if images is None:
            return {"offered": None}
        name = _free_name(page)
        out = page.settings.opened / name
        skip = skip_unreadable
        check = kept.of(("check", str(images), skip), lambda: offered.checked(images, skip=skip))
        if check["stops"] is None:
            wanted = ("forecast", str(images), time, skip)
            known = kept.of(wanted, lambda: offered.forecast(images, time, out, skip=skip))
        else:
            known = {"entry": None, "words": None, "other": None, "stops": check["stops"]}
        expect = known["entry"] and {
            "image": f"/api/begin/expect/{known['entry']}",
            "words": known["words"],
            "other": known["other"],
        }
        length = [*([] if time is None else ["--time", time]), *(["--skip-unreadable"] if skip else [])]
        return {
            "offered": {
                "folder": printable(images.name),
                "name": name,
                "check": {**check, "stops": check["stops"] or known["stops"]},
                "forecast": {
                    key: value for key, value in known.items() if key not in ("entry", "words", "other", "stops")
                },
                "expect": expect,
                "command": command_line("train", images, *length, "--out", out),
            }
        }

    return await page.work.slowly(look)


@router.get("/api/begin/images")
async def images(request: Request) -> dict[str, Any]:
    """{folder, count, sizes, images: [path]} of the offered images, a dozen of them to be looked at; folder is null
    where nothing is offered. Quick: only these are decoded."""
    page = page_of(request)
    offers = page.settings.images
    if offers is None:
        return {"folder": None, "count": 0, "sizes": [], "images": []}
    shown = await page.work.read(lambda: _strip(request, offers))
    paths = [f"/api/begin/images/{number}" for number in range(len(shown.images))]
    return {"folder": printable(offers.name), "count": shown.count, "sizes": list(shown.sizes), "images": paths}


@router.get("/api/begin/images/{number}", response_class=Response)
async def image(request: Request, number: int) -> Response:
    """One of these, as a PNG."""
    page = page_of(request)
    offers = page.settings.images
    shown = () if offers is None else (await page.work.read(lambda: _strip(request, offers))).images
    if not 0 <= number < len(shown):
        raise NotFoundError(f"there is no image {number} of {len(shown)} that are offered")
    return Response(shown[number], media_type="image/png", headers={"Cache-Control": "private, no-cache"})


@router.get("/api/begin/expect/{name}", response_class=FileResponse)
async def expect(request: Request, name: str) -> FileResponse:
    """A picture of the gallery: samples of a training that was tried before."""
    picture = offered.gallery_picture(name)
    if picture is None:
        raise NotFoundError(f"the gallery has no picture {name[:80]!r}")
    return FileResponse(picture, media_type="image/jpeg")


def _strip(request: Request, images: Path) -> offered.Strip:
    return shared_of(request).kept.of(("strip", str(images)), lambda: offered.strip(images))


def _free_name(page: Page) -> str:
    """A name for a run of the offered images that nobody has."""
    images = page.settings.images
    letters = "" if images is None else "".join(sign for sign in images.stem if sign.isascii() and sign.isalnum())
    stem, number = letters[:50] or "run", 1
    while (page.settings.opened / (name := stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return name

"""Images with a star, which are kept in the run; and chosen images as one sheet or as a zip of files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from gansmith.records.images import write_image
from gansmith.runs.run import Run
from gansmith.runs.stars import plain, read_stars, set_star, star_of
from gansmith.web.asked_images import AskedImages, asked_images, of_stars
from gansmith.web.errors import NotFoundError
from gansmith.web.page import Page, page_of
from gansmith.web.pictures import command_line, one_png, picture_of, png_response

router = APIRouter()
MOST = 500  # images of a sheet, or of a zip
_PART = 1 << 16
_IN_MEMORY = 1 << 24  # bytes of a zip; a larger one lies in a file until it is sent
_DAY = (1980, 1, 1, 0, 0, 0)  # of every file, so that a zip of the same images is the same bytes

Latent = dict[str, Any]  # {"seed": N} or {"latent": "ID"}


class Starred(BaseModel):
    """An image, and whether it has a star."""

    model_config = ConfigDict(extra="forbid")

    of: Latent
    star: bool


class Chosen(BaseModel):
    """Images, and how they are made."""

    model_config = ConfigDict(extra="forbid")

    of: Annotated[list[Latent], Field(min_length=1, max_length=MOST)]
    truncation: float | None = None
    label: str | None = Field(default=None, max_length=200)


@router.get("/api/runs/{run}/stars")
async def stars(request: Request, run: str) -> dict[str, Any]:
    """{"stars": [L, ...]} in the order in which they were given."""
    page = page_of(request)
    return await page.work.read(lambda: {"stars": [plain(one) for one in read_stars(page.runs.path_of(run))]})


@router.post("/api/runs/{run}/stars")
async def star(request: Request, run: str, asked: Starred) -> dict[str, Any]:
    """Give a star, or take it away; answers as GET does."""
    page = page_of(request)
    page.require_writable("keep stars")

    def keep() -> dict[str, Any]:
        given = set_star(page.runs.path_of(run), star_of(asked.of), on=asked.star)
        return {"stars": [plain(one) for one in given]}

    return await page.work.read(keep)


@router.get("/api/runs/{run}/stars.zip", response_class=StreamingResponse)
async def stars_zip(request: Request, run: str) -> Response:
    """All images with a star, a PNG each, at most the first 500."""
    page = page_of(request)

    def write() -> Response:
        opened = page.runs.run_of(run)
        known = read_stars(opened.path)
        if not known:
            raise NotFoundError(f"no image of {run[:200]!r} has a star yet")
        return _zip(page, opened, of_stars(opened.path, known[:MOST]), None, None)

    return await page.work.render(request, run, write)


@router.post("/api/runs/{run}/zip", response_class=StreamingResponse)
async def chosen_zip(request: Request, run: str, chosen: Chosen) -> Response:
    """Chosen images, a PNG each."""
    page = page_of(request)

    def write() -> Response:
        opened = page.runs.run_of(run)
        images = asked_images(opened.path, chosen.of, most=MOST)
        return _zip(page, opened, images, chosen.truncation, chosen.label)

    return await page.work.render(request, run, write)


@router.post("/api/runs/{run}/sheet", response_class=Response)
async def sheet(request: Request, run: str, chosen: Chosen) -> Response:
    """One sheet of chosen images: the bytes of `gansmith sample RUN --seeds ... --out sheet.png`."""
    page = page_of(request)

    def draw() -> Response:
        opened = page.runs.run_of(run)
        images = asked_images(opened.path, chosen.of, most=MOST)
        renderer = page.models.renderer(opened)
        series = renderer.images(images.seeds, label=chosen.label, truncation=chosen.truncation)
        file = BytesIO()
        write_image(series.sheet(), file, ".png", text=series.text())
        words = _words(opened, images, chosen.truncation, chosen.label, "sheet.png")
        return png_response(picture_of(renderer, file.getvalue(), words))

    return await page.work.render(request, run, draw)


def _words(opened: Run, images: AskedImages, truncation: float | None, label: str | None, out: str) -> Sequence[str]:
    options = [] if label is None else ["--label", label]
    options += [] if truncation is None else ["--truncation", repr(truncation)]
    return ["sample", str(opened.path), "--seeds", images.words, *options, "--out", out]


def _zip(page: Page, opened: Run, images: AskedImages, truncation: float | None, label: str | None) -> Response:
    renderer = page.models.renderer(opened)
    digits = max(map(len, images.names))
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (closed when it is sent)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, seed in zip(images.names, images.seeds, strict=True):
            data = one_png(renderer.images([seed], label=label, truncation=truncation))
            archive.writestr(zipfile.ZipInfo(f"{name.zfill(digits)}.png", _DAY), data)
        command = command_line(*_words(opened, images, truncation, label, "samples/"), "--scale", "1")
        archive.writestr(zipfile.ZipInfo("command.txt", _DAY), f"{command}\n")
    size = file.tell()
    file.seek(0)
    headers = {"Content-Disposition": 'attachment; filename="images.zip"', "Content-Length": str(size)}
    return StreamingResponse(_parts(file), media_type="application/zip", headers=headers)


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_PART):
            yield part

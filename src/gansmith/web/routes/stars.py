"""Images with a star, which are kept in the run; and chosen images as one sheet or as a zip of files."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from gansmith.runs.run import Run
from gansmith.runs.stars import plain, read_stars, set_star, star_of
from gansmith.web.asked_images import AskedImages, asked_images, of_stars
from gansmith.web.errors import NotFoundError
from gansmith.web.page import page_of
from gansmith.web.pictures import command_line, one_png, picture_of, png_response, sheet_png

if TYPE_CHECKING:
    from gansmith.latent.image_series import ImageSeries
    from gansmith.latent.latents import Seed
    from gansmith.latent.renderer import Renderer

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
    return await _made(request, run, None, _zip)


@router.post("/api/runs/{run}/zip", response_class=StreamingResponse)
async def chosen_zip(request: Request, run: str, chosen: Chosen) -> Response:
    """Chosen images, a PNG each."""
    return await _made(request, run, chosen, _zip)


@router.post("/api/runs/{run}/sheet", response_class=Response)
async def sheet(request: Request, run: str, chosen: Chosen) -> Response:
    """One sheet of chosen images: the bytes of `gansmith sample RUN --seeds ... --out sheet.png`."""
    return await _made(request, run, chosen, _sheet)


@dataclass(frozen=True)
class _Asked:
    """Images of a run, how they are made, and by what; name: of a file of all of them."""

    name: str
    run: Run
    images: AskedImages
    renderer: Renderer
    truncation: float | None = None
    label: str | None = None

    def series(self, seeds: Sequence[Seed]) -> ImageSeries:
        return self.renderer.images(seeds, label=self.label, truncation=self.truncation)

    def words(self, out: str) -> list[str]:
        """The command line of all of them."""
        options = [] if self.label is None else ["--label", self.label]
        options += [] if self.truncation is None else ["--truncation", repr(self.truncation)]
        return ["sample", str(self.run.path), "--seeds", self.images.words, *options, "--out", out]


async def _made(request: Request, run: str, chosen: Chosen | None, make: Callable[[_Asked], Response]) -> Response:
    """What `make` answers for the chosen images, or for those with a star, in the queue of the run's model."""
    page = page_of(request)

    def work() -> Response:
        opened = page.runs.run_of(run)
        if chosen is not None:
            images, how = asked_images(opened.path, chosen.of, most=MOST), (chosen.truncation, chosen.label)
        else:
            images, how = _with_a_star(opened, run), (None, None)
        name = f"{'images' if chosen else 'stars'}-{run}"
        return make(_Asked(name, opened, images, page.models.renderer(opened), *how))

    return await page.work.render(request, run, work)


def _with_a_star(opened: Run, name: str) -> AskedImages:
    known = read_stars(opened.path)
    if not known:
        raise NotFoundError(f"no image of {name[:200]!r} has a star yet")
    return of_stars(opened.path, known[:MOST])


def _sheet(asked: _Asked) -> Response:
    data = sheet_png(asked.series(asked.images.seeds), scale=None)
    return png_response(picture_of(asked.renderer, data, asked.words("sheet.png")))


def _zip(asked: _Asked) -> Response:
    images = asked.images
    digits = max(map(len, images.names))
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (closed when it is sent)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, seed in zip(images.names, images.seeds, strict=True):
            archive.writestr(zipfile.ZipInfo(f"{name.zfill(digits)}.png", _DAY), one_png(asked.series([seed])))
        command = command_line(*asked.words("samples/"), "--scale", "1")
        archive.writestr(zipfile.ZipInfo("command.txt", _DAY), f"{command}\n")
    size = file.tell()
    file.seek(0)
    name = quote(re.sub(r"[^\w.-]+", "_", asked.name)[:120], safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}.zip", "Content-Length": str(size)}
    return StreamingResponse(_parts(file), media_type="application/zip", headers=headers)


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_PART):
            yield part

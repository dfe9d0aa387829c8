"""Images from latent to latent: as a strip, or as a film."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from starlette.requests import Request

from gansmith.errors import OptionError
from gansmith.web.asked import MOST, Asked, L, Label, Truncation, how_words, point
from gansmith.web.page import page_of
from gansmith.web.pictures import FILM_KINDS, film_of, picture_of, png_response, sheet_png, walked

router = APIRouter()
_MOST_IMAGES = 1000


class Interpolate(Asked):
    """Where the way leads, in how many steps from one to the next."""

    through: Annotated[list[L], Field(min_length=2, max_length=MOST)]
    steps: Annotated[int, Field(ge=1, le=256)] = 16
    loop: bool = False
    path: Literal["linear", "spherical", "spline"] | None = None
    film: Literal["webp", "gif", "mp4"] | None = None
    label: Label | None = None
    truncation: Truncation | None = None


@router.post("/api/runs/{run}/interpolate", response_class=Response)
async def interpolate(request: Request, run: str, asked: Interpolate) -> Response:
    """`gansmith interpolate RUN 3 8 12 --steps N --out way.png`, or a film: --out way.webp."""
    page = page_of(request)
    if (len(asked.through) + asked.loop) * asked.steps > _MOST_IMAGES:
        raise OptionError(f"that is more than {_MOST_IMAGES:,} images: choose fewer steps or latents")

    def work() -> Response:
        opened = page.runs.run_of(run)
        points = [point(opened.path, one) for one in asked.through]
        renderer = page.models.renderer(opened)
        seeds = [one.seed for one in points]
        how: dict[str, Any] = {"label": asked.label, "truncation": asked.truncation}
        series = walked(renderer, seeds, steps=asked.steps, path=asked.path, loop=asked.loop, **how)
        words = ["interpolate", str(opened.path), *(one.word for one in points), "--steps", str(asked.steps)]
        words += ["--loop"] if asked.loop else []
        words += [] if asked.path is None else ["--path", asked.path]
        words += how_words(**how)
        if asked.film is None:
            data, kind = sheet_png(series, scale=None), "image/png"
            return png_response(picture_of(renderer, data, [*words, "--out", "way.png"], kind))
        data, kind = film_of(series, asked.film, loop=asked.loop, scale=None), FILM_KINDS[asked.film]
        return png_response(picture_of(renderer, data, [*words, "--out", f"way.{asked.film}"], kind))

    return await page.work.render(request, run, work)

"""An image moved along directions of the run: the image, the strip from before to after, or its film."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from starlette.requests import Request

from gansmith.errors import OptionError
from gansmith.web.asked import Asked, L, Label, Truncation, how_words, point
from gansmith.web.page import page_of
from gansmith.web.pictures import FILM_KINDS, edited, film_of, picture_of, png_response, sampled, sheet_png

router = APIRouter()
Amounts = dict[
    Annotated[str, Field(min_length=1, max_length=200)], Annotated[float, Field(ge=-1000, le=1000, strict=False)]
]


class Edit(Asked):
    """What is edited, and by how many steps along each direction (its name or number)."""

    from_: Annotated[L, Field(alias="from")]
    along: Annotated[Amounts, Field(max_length=64)]
    label: Label | None = None
    truncation: Truncation | None = None
    film: Literal["webp", "gif", "mp4"] | None = None
    strip: bool = False
    steps: Annotated[int, Field(ge=1, le=64)] = 6


@router.post("/api/runs/{run}/edit", response_class=Response)
async def edit(request: Request, run: str, asked: Edit) -> Response:
    """`gansmith edit RUN SEED|LATENT --along NAME:STEPS --scale 1`, or with --film; without a direction the image
    itself. The command of a strip writes it beside the image."""
    page = page_of(request)
    if not asked.along and (asked.film or asked.strip):
        raise OptionError("nothing moves: a film or a strip of an edit takes at least one direction in along")

    def work() -> Response:
        opened = page.runs.run_of(run)
        one = point(opened.path, asked.from_)
        renderer = page.models.renderer(opened)
        if not asked.along:
            return png_response(sampled(opened, renderer, one, truncation=asked.truncation, label=asked.label))
        steps = asked.steps if asked.film or asked.strip else 1
        how: dict[str, Any] = {"label": asked.label, "truncation": asked.truncation}
        series = edited(opened, renderer, one.seed, asked.along, steps=steps, **how)
        along = [word for name, amount in asked.along.items() for word in ("--along", f"{name}:{amount!r}")]
        words = ["edit", str(opened.path), one.word, *along, *how_words(**how)]
        if asked.film:
            data, kind = film_of(series, asked.film), FILM_KINDS[asked.film]
            words += ["--film", "--steps", str(asked.steps), "--out", f"edited.{asked.film}"]
            return png_response(picture_of(renderer, data, words, kind))
        data = sheet_png(series, padding=2 if steps > 1 else 0)
        return png_response(picture_of(renderer, data, [*words, "--scale", "1", "--out", "edited.png"]))

    return await page.work.render(request, run, work)

"""Vector arithmetic of latents: the image of means added and taken away."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from starlette.requests import Request

from gansmith.errors import OptionError
from gansmith.web.asked import Asked, Few, Label, Point, Truncation, how_words, point
from gansmith.web.page import page_of
from gansmith.web.pictures import mixed, picture_of, png_response

router = APIRouter()
Terms = Annotated[list[Few], Field(max_length=16)]
Signed = tuple[Literal[1, -1], list[Point]]


class Mix(Asked):
    """The terms: the mean of each of `plus` is added, that of each of `minus` taken away."""

    plus: Terms
    minus: Terms = Field(default_factory=list)
    label: Label | None = None
    truncation: Truncation | None = None


@router.post("/api/runs/{run}/mix", response_class=Response)
async def mix(request: Request, run: str, asked: Mix) -> Response:
    """`gansmith arithmetic RUN --plus 1,4,9 --minus 2,3,5 --only result --scale 1`."""
    page = page_of(request)
    if not asked.plus:
        raise OptionError('nothing to add up: plus takes at least one term, such as [[{"seed": 1}]]')

    def work() -> Response:
        opened = page.runs.run_of(run)
        terms: list[Signed] = [(1, [point(opened.path, one) for one in part]) for part in asked.plus]
        terms += [(-1, [point(opened.path, one) for one in part]) for part in asked.minus]
        renderer = page.models.renderer(opened)
        how = (asked.label, asked.truncation)
        seeds = [(sign, [one.seed for one in part]) for sign, part in terms]
        data = mixed(renderer, seeds, label=asked.label, truncation=asked.truncation)
        words = ["arithmetic", str(opened.path)]
        for sign, part in terms:
            words += ["--plus" if sign > 0 else "--minus", ",".join(one.word for one in part)]
        words += [*how_words(*how), "--only", "result", "--scale", "1", "--out", "arithmetic.png"]
        return png_response(picture_of(renderer, data, words))

    return await page.work.render(request, run, work)

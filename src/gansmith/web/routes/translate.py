"""An image of one domain, as the other domain would show it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from starlette.requests import Request

from gansmith.web.digests import digest_of
from gansmith.web.page import page_of
from gansmith.web.pictures import Picture, command_line, png_response
from gansmith.web.translation import card_images, translated
from gansmith.web.uploads import decoded, image_body

router = APIRouter()


@router.post("/api/runs/{run}/translate", response_class=Response)
async def translate(
    request: Request,
    run: str,
    to: Literal["a", "b"] | None = None,
    style: Annotated[int, Query(ge=0, le=999)] = 0,
    fit: bool = False,
) -> Response:
    """`gansmith translate RUN IN out.png --to a|b --scale 1`; style: which translation, where a run makes several.

    fit: at the size that the run was trained on, instead of the image's own.
    """
    page = page_of(request)
    opened = await page.work.read(lambda: page.runs.run_of(run))
    data = await image_body(request)
    pixels = await page.work.read(lambda: decoded(data))

    def work() -> Response:
        translator = page.models.translator(opened, to)
        made = translated(opened, translator, pixels, style=style, fit=fit)
        words = ["translate", str(opened.path), "IN", "out/" if style else "out.png", "--to", translator.to]
        words += ["--styles", str(style + 1)] if style else []
        words += ["--size", "fit"] if fit else []
        command = command_line(*words, "--scale", "1")
        return png_response(Picture(made, command, card_images(opened), digest_of(opened.model)))

    return await page.work.render(request, run, work)

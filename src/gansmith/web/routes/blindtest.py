"""The blind test of a run, as a page of its own, and what the codes of people say together."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from gansmith.evaluation.blind.code import FEWEST
from gansmith.system.progress import hidden_bars
from gansmith.system.text import printable_lines
from gansmith.web.own_images import own_images
from gansmith.web.own_pages import test_page
from gansmith.web.page import page_of
from gansmith.web.shared import shared_of

router = APIRouter()
MOST_LOOKS = 200


class Codes(BaseModel):
    """What people read at the end of the page."""

    model_config = ConfigDict(extra="forbid")

    codes: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(min_length=1, max_length=200)]


@router.get("/api/runs/{run}/blindtest/ready")
async def ready(request: Request, run: str) -> dict[str, bool]:
    """{"ready": true} where the test of real or made can be made; else the error says what is missing."""
    page, kept = page_of(request), shared_of(request).kept

    def look() -> dict[str, bool]:
        own_images(kept, page.runs.run_of(run), page.settings)
        return {"ready": True}

    return await page.work.read(look)


@router.get("/api/runs/{run}/blindtest", response_class=Response)
async def blindtest(
    request: Request,
    run: str,
    looks: Annotated[int, Query(ge=FEWEST, le=MOST_LOOKS)] = 40,
    seed: Annotated[int, Query(ge=0, le=2**31)] = 0,
    beside: str | None = None,
) -> Response:
    """The page of `gansmith blindtest RUN [RUN2]`: real or made; beside another run, which looks more real."""
    page, kept = page_of(request), shared_of(request).kept

    def make() -> Response:
        from gansmith.evaluation.blind.page import page as blind_page
        from gansmith.judge.blind_test import blind_test

        names = [run] if beside is None else [run, beside]
        against = own_images(kept, page.runs.run_of(run), page.settings)[1] if beside is None else None
        with hidden_bars():
            test = blind_test([page.runs.path_of(name) for name in names], against=against, looks=looks, seed=seed)
        return test_page(blind_page(test))

    return await page.work.slowly(make)


@router.post("/api/blindtest")
async def add_up(request: Request, codes: Codes) -> dict[str, Any]:
    """{"lines": [...]}: what `gansmith blindtest --read CODE ...` says."""
    page = page_of(request)

    def read() -> dict[str, Any]:
        from gansmith.evaluation.blind.words import summary

        return {"lines": printable_lines("\n".join(summary(codes.codes))).splitlines()}

    return await page.work.read(read)

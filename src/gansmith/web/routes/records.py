"""The records of a run's training, thinned evenly."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request

from gansmith.web.event_records import thinned
from gansmith.web.page import page_of
from gansmith.web.shared import shared_of

router = APIRouter()
MOST = 5000  # that a chart draws


@router.get("/api/runs/{run}/records")
async def records(request: Request, run: str, most: Annotated[int, Query(ge=10, le=MOST)] = MOST) -> dict[str, Any]:
    """{images, columns, health, notices, count, shown}: columns of numbers over the images clock."""
    page, shared = page_of(request), shared_of(request)
    return await page.work.read(lambda: thinned(shared.records.of(page.runs.path_of(run)), most))
